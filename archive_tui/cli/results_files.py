"""`archive-tui store store`, `fetch` and `verify`: what moves and reads the files of a results store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.job_options import current_job_options, job_options
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.cli.results_options import current_results_options, results_options
from archive_tui.cli.running import run_operation
from archive_tui.cli.verdicts import describe_finding, evidence_document, show_report
from archive_tui.errors import OperationStopped
from archive_tui.names.quantities import format_size

if TYPE_CHECKING:
    from archive_tui.archives.results_store.checking_in_many import CheckInReport
    from archive_tui.archives.results_store.result_entry import ResultEntry
    from archive_tui.cli.invocation import Invocation
    from archive_tui.integrity.evidence import Evidence
    from archive_tui.progress import Report, StopSignal


@click.command(name="store")
@click.argument("event")
@click.argument("production")
@click.argument("files", metavar="FILENAME...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="Another name for it in the store; for a single file.")
@click.option("--allow-duplicate", is_flag=True, help="Also when the same content is in the store already.")
@job_options
@results_options
@common_options
def store(event: str, production: str, files: tuple[Path, ...], name: str | None, allow_duplicate: bool) -> int:
    """Check files in under EVENT and PRODUCTION. They are never replaced, and read-only from then on.

    A file that is in already under this name, with the same content, is passed over; the same content under another
    name is refused.
    """
    from archive_tui.archives.results_store.checking_in_many import CheckInReport
    from archive_tui.cli.job_running import queue_job, run_as_job, show_ended
    from archive_tui.jobs.kinds.results_check_ins import check_in_job

    if name is not None and len(files) > 1:
        raise click.UsageError("--name goes with a single file.")
    invocation, options = current_invocation(), current_job_options()
    place, policy = current_results_options().place(invocation), options.make_policy(invocation)
    request = check_in_job(place, event, production, files, name=name, allow_duplicate=allow_duplicate, policy=policy)
    if options.background:
        return queue_job(invocation, request, options)
    try:
        job = run_as_job(invocation, request)
    except OperationStopped as stopped:
        raise OperationStopped("Stopped; what was checked in stays.", hint=stopped.hint) from stopped
    if isinstance(job.result, CheckInReport):
        return _show_check_in(invocation, job.result)
    return show_ended(invocation, job)


def _show_check_in(invocation: Invocation, done: CheckInReport) -> int:
    status = ExitStatus.FINDINGS if done.findings else ExitStatus.CLEAN
    if invocation.as_json:
        rows = [
            {
                "file": receipt.name,
                "uuid": receipt.uuid,
                "hash": receipt.md5,
                "sha256": receipt.sha256,
                "size": receipt.size,
                "evidence": evidence_document(receipt.evidence),
            }
            for receipt in done.receipts
        ]
        refused = [{"file": finding.path, "reason": finding.detail} for finding in done.findings]
        write_json({"store": done.store, "files": rows, "same": done.same, "refused": refused, "status": int(status)})
        return status
    for receipt in done.receipts:
        write_line(f"{receipt.uuid}  {receipt.md5}  {show_name(receipt.name)}")
    for finding in done.findings:
        write_line(describe_finding(finding))
    write_line(show_name(done.sentence))
    return status


@click.command()
@click.argument("event")
@click.argument("production")
@click.argument("filename")
@click.option("--hash", "supplied", metavar="TEXT", help="Compare the manifest with this MD5 or SHA-256 as well.")
@click.option("--to", "into", metavar="DIR", help="Write it to DIR.  [default: in a folder it stays where it lies]")
@click.option("--overwrite", is_flag=True, help="Replace a file of that name in DIR.")
@results_options
@common_options
def fetch(event: str, production: str, filename: str, supplied: str | None, into: str | None, overwrite: bool) -> int:
    """Read a file whole, compare it with the manifest, and print the path under which it is.

    In a folder that is where the store keeps it, read-only; from a storage it is written to DIR, the current folder by
    default.
    """
    invocation = current_invocation()
    options = current_results_options()
    target = None if options.folder is not None and into is None else Path(into or ".")
    with options.open(invocation) as results:

        def run(report: Report, stop: StopSignal) -> tuple[Path, ResultEntry, Evidence]:
            from archive_tui.archives.results_store.checking_out import check_out, verify_entry

            if target is None:
                entry = results.find(event, production, filename)
                entry, evidence = verify_entry(results, entry, hash=supplied, stop=stop)
                return Path(options.folder or ".").absolute() / entry.key, entry, evidence
            target.mkdir(parents=True, exist_ok=True)
            receipt = check_out(
                results,
                event,
                production,
                filename,
                target / filename,
                hash=supplied,
                overwrite=overwrite,
                report=report,
                stop=stop,
            )
            return receipt.path.absolute(), receipt.entry, receipt.evidence

        path, entry, evidence = run_operation(invocation, run)
    if invocation.as_json:
        from archive_tui.cli.results_looks import entry_document

        write_json({**entry_document(entry), "path": str(path), "evidence": evidence_document(evidence)})
        return ExitStatus.CLEAN
    write_line(show_name(str(path)))
    invocation.note(f"Verified: {format_size(evidence.size)} read, and right by the manifest.")
    return ExitStatus.CLEAN


@click.command()
@job_options
@results_options
@common_options
def verify() -> int:
    """Read every file of the store and compare it with the manifest; name what is missing, changed, not listed, or not
    read-only any more."""
    from archive_tui.cli.job_running import queue_job, run_as_job, show_ended
    from archive_tui.jobs.kinds.results_verifying import verify_results_job

    invocation, options = current_invocation(), current_job_options()
    invocation.is_judging = True
    place, policy = current_results_options().place(invocation), options.make_policy(invocation)
    request = verify_results_job(place, policy=policy)
    if options.background:
        return queue_job(invocation, request, options)
    job = run_as_job(invocation, request)
    return show_ended(invocation, job) if job.result is None else show_report(invocation, job.result)

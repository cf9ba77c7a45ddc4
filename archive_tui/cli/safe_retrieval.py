"""`archive-tui safe get` and `safe verify`: both read datasets whole and judge them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archive_tui.cli.diagnostics import STATUS_OF_VERDICT
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.job_options import RULES, choose_rule, current_job_options, job_options, keep_option
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.cli.safe_options import current_safe_options, safe_options
from archive_tui.cli.verdicts import describe_finding, evidence_document, report_document, show_report
from archive_tui.errors import HashError, OperationStopped
from archive_tui.names.quantities import format_count, format_size

if TYPE_CHECKING:
    from archive_tui.archives.datasafe.retrieving import RetrievalReceipt
    from archive_tui.cli.invocation import Invocation


@click.command()
@click.argument("loi")
@click.option("--to", "into", metavar="DIR", default=".", show_default=True, help="Make the dataset's folder in DIR.")
@click.option("--old", metavar="N", type=click.IntRange(1), help="An old version, as `safe show` numbers them.")
@click.option("--overwrite", is_flag=True, help="Replace an existing folder once the new one is proven.")
@click.option(
    "--on-conflict",
    type=click.Choice(RULES),
    expose_value=False,
    callback=keep_option,
    help="When the folder exists with other content.  [default: keep; in the background ask]",
)
@job_options
@safe_options
@common_options
def get(loi: str, into: str, old: int | None, overwrite: bool) -> int:
    """Retrieve the dataset of LOI into a folder of its own, named after the LOI.

    Every file is compared with its digest and with the checksums of the manifest; the folder appears when all of them
    are right, or not at all. A folder that exists already is verified and left as it is.
    """
    from archive_tui.archives.datasafe.retrieving import RetrievalReceipt
    from archive_tui.cli.job_running import queue_job, run_as_job, show_ended
    from archive_tui.jobs.kinds.safe_retrievals import retrieve_job

    invocation, options = current_invocation(), current_job_options()
    place = current_safe_options().place(invocation)
    policy = options.make_policy(invocation, choose_rule(options.on_conflict, overwrite=overwrite))
    request = retrieve_job(place, loi, Path(into), old=old, policy=policy)
    if options.background:
        return queue_job(invocation, request, options)
    try:
        job = run_as_job(invocation, request)
    except OperationStopped as stopped:
        raise OperationStopped(f"Stopped. Nothing of it is visible in {into}.", hint=stopped.hint) from stopped
    if isinstance(job.result, RetrievalReceipt):
        return _show_receipt(invocation, job.result)
    if not job.findings:
        return show_ended(invocation, job)
    if not invocation.as_json:
        for finding in job.findings:
            write_line(describe_finding(finding))
    raise HashError(job.message, report=job.result, hint=job.hint, code=job.code or None)


def _show_receipt(invocation: Invocation, receipt: RetrievalReceipt) -> int:
    status = STATUS_OF_VERDICT[receipt.report.verdict]
    if invocation.as_json:
        write_json(
            {
                "loi": receipt.loi,
                "folder": str(receipt.folder),
                "files": receipt.files,
                "bytes": receipt.bytes,
                "already_there": receipt.already_there,
                "report": report_document(receipt.report),
                "evidence": evidence_document(receipt.evidence),
                "status": int(status),
            }
        )
        return status
    amount = f"{format_count(receipt.files, 'file')}, {format_size(receipt.bytes)}"
    verb = "Already there" if receipt.already_there else "Retrieved"
    write_line(f"{verb}: {show_name(receipt.loi)}, {amount}: {show_name(str(receipt.folder))}")
    for finding in receipt.report.findings:
        write_line(describe_finding(finding))
    write_line(receipt.report.sentence)
    if receipt.already_there and status:
        invocation.note("The folder was not touched; --overwrite replaces it with what the datasafe holds.")
    return status


@click.command()
@click.argument("lois", metavar="[LOI]...", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="All datasets, or all whose LOI begins with the one word given.")
@job_options
@safe_options
@common_options
def verify(lois: tuple[str, ...], is_all: bool) -> int:
    """Read the datasets of these LOIs whole, and compare every file with its digest and its manifest.

    Nothing is written to disk. What was proven is recorded and shown in the panes.
    """
    from archive_tui.cli.job_running import queue_job, run_as_job, show_ended
    from archive_tui.jobs.kinds.safe_verifying import verify_safe_job

    if not lois and not is_all:
        raise click.UsageError("Name a LOI, or ask for --all.")
    if is_all and len(lois) > 1:
        raise click.UsageError("--all takes one beginning of LOIs, or none.")
    invocation, options = current_invocation(), current_job_options()
    invocation.is_judging = True
    place, policy = current_safe_options().place(invocation), options.make_policy(invocation)
    prefix = lois[0] if is_all and lois else ""
    request = verify_safe_job(place, None if is_all else lois, prefix=prefix, policy=policy)
    if options.background:
        return queue_job(invocation, request, options)
    try:
        job = run_as_job(invocation, request)
    except OperationStopped as stopped:
        raise OperationStopped("Stopped: nothing is claimed, and nothing was written.", hint=stopped.hint) from stopped
    return show_ended(invocation, job) if job.result is None else show_report(invocation, job.result)

"""`archive-tui dataset fetch` and `dataset verify`: both read a stored archive whole and judge it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archive_tui.cli.diagnostics import STATUS_OF_VERDICT
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.job_options import RULES, choose_rule, current_job_options, job_options, keep_option
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.cli.verdicts import (
    describe_finding,
    evidence_document,
    report_document,
    show_report,
)
from archive_tui.errors import HashError, OperationStopped
from archive_tui.names.quantities import format_count, format_size

if TYPE_CHECKING:
    from archive_tui.archives.datasets.fetching import FetchReceipt
    from archive_tui.archives.storages import Storage
    from archive_tui.cli.invocation import Invocation
    from archive_tui.integrity.evidence import Evidence


@click.command()
@click.argument("storage")
@click.argument("name")
@click.option("--version", metavar="X.Y.Z", default="latest", show_default=True, help="Which version.")
@click.option("--to", "into", metavar="DIR", help="Make DIR/NAME.VERSION.  [default: the storage's local_path]")
@click.option("--overwrite", is_flag=True, help="Replace an existing folder once the new one is proven.")
@click.option(
    "--on-conflict",
    type=click.Choice(RULES),
    expose_value=False,
    callback=keep_option,
    help="When the folder exists with other content.  [default: keep; in the background ask]",
)
@job_options
@common_options
def fetch(storage: str, name: str, version: str, into: str | None, overwrite: bool) -> int:
    """Fetch a version of dataset NAME from STORAGE into a folder NAME.VERSION.

    Every file is hashed while it is unpacked; the folder appears when all of them are right, or not at all. A folder
    that exists already is verified and left as it is.
    """
    from archive_tui.archives.datasets.fetching import FetchReceipt
    from archive_tui.cli.job_running import queue_job, run_as_job, show_ended
    from archive_tui.jobs.kinds.fetching import fetch_job
    from archive_tui.jobs.places import storage_place

    invocation, options = current_invocation(), current_job_options()
    settings, source = invocation.load_settings(), invocation.open_storage(storage)
    target = Path(into) if into is not None else source.local_path
    policy = options.make_policy(invocation, choose_rule(options.on_conflict, overwrite=overwrite))
    number = _find_number(source, name, version)
    request = fetch_job(storage_place(source, settings), name, number, target, policy=policy)
    if options.background:
        return queue_job(invocation, request, options)
    try:
        job = run_as_job(invocation, request)
    except OperationStopped as stopped:
        raise OperationStopped(f"Stopped. Nothing of it is visible in {target}.", hint=stopped.hint) from stopped
    if isinstance(job.result, FetchReceipt):
        return _show_receipt(invocation, job.result)
    if not job.findings:
        return show_ended(invocation, job)
    if not invocation.as_json:
        for finding in job.findings:
            write_line(describe_finding(finding))
    raise HashError(job.message, report=job.result, hint=job.hint, code=job.code or None)


def _find_number(source: Storage, name: str, version: str) -> str:
    """What a job does is fixed when it begins: what is the latest version may be another one tomorrow.

    Raises: ObjectNotFound; what the store raises.
    """
    from archive_tui.archives.datasets.catalog import find_version

    return find_version(source.store, name, version).version


def _show_receipt(invocation: Invocation, receipt: FetchReceipt) -> int:
    status = STATUS_OF_VERDICT[receipt.report.verdict]
    if invocation.as_json:
        write_json(
            {
                "name": receipt.name,
                "version": receipt.version,
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
    verb = "Already there" if receipt.already_there else "Fetched"
    write_line(f"{verb}: {receipt.name} {receipt.version}, {amount}: {show_name(str(receipt.folder))}")
    for finding in receipt.report.findings:
        write_line(describe_finding(finding))
    write_line(receipt.report.sentence)
    if receipt.already_there and status:
        invocation.note("The folder was not touched; --overwrite replaces it with what the storage holds.")
    return status


@click.command()
@click.argument("storage")
@click.argument("name")
@click.option("--version", metavar="X.Y.Z", default="latest", show_default=True, help="Which version.")
@job_options
@common_options
def verify(storage: str, name: str, version: str) -> int:
    """Read a stored version of dataset NAME whole and check every file in it against its manifest.

    Nothing is written to disk. What was proven is recorded and shown in the panes.
    """
    from archive_tui.cli.job_running import queue_job, run_as_job, show_ended
    from archive_tui.jobs.kinds.verifying import verify_version_job
    from archive_tui.jobs.places import storage_place

    invocation, options = current_invocation(), current_job_options()
    invocation.is_judging = True
    settings, source = invocation.load_settings(), invocation.open_storage(storage)
    policy, number = options.make_policy(invocation), _find_number(source, name, version)
    request = verify_version_job(storage_place(source, settings), name, number, policy=policy)
    if options.background:
        return queue_job(invocation, request, options)
    evidence: list[Evidence] = []
    try:
        job = run_as_job(invocation, request, heard=evidence.append)
    except OperationStopped as stopped:
        raise OperationStopped("Stopped: nothing is claimed, and nothing was written.", hint=stopped.hint) from stopped
    if job.result is None:
        return show_ended(invocation, job)
    return show_report(invocation, job.result, evidence[-1] if evidence else None)

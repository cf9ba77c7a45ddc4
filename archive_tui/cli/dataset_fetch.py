"""`archive-tui dataset fetch` and `dataset verify`: both read a stored archive whole and judge it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archive_tui.cli.diagnostics import STATUS_OF_VERDICT
from archive_tui.cli.evidence import record_evidence
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.cli.running import run_operation
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
    from archive_tui.cli.invocation import Invocation


@click.command()
@click.argument("storage")
@click.argument("name")
@click.option("--version", metavar="X.Y.Z", default="latest", show_default=True, help="Which version.")
@click.option("--to", "into", metavar="DIR", help="Make DIR/NAME.VERSION.  [default: the storage's local_path]")
@click.option("--overwrite", is_flag=True, help="Replace an existing folder once the new one is proven.")
@common_options
def fetch(storage: str, name: str, version: str, into: str | None, overwrite: bool) -> int:
    """Fetch a version of dataset NAME from STORAGE into a folder NAME.VERSION.

    Every file is hashed while it is unpacked; the folder appears when all of them are right, or not at all. A folder
    that exists already is verified and left as it is.
    """
    from archive_tui.archives.datasets.fetching import fetch_dataset

    invocation = current_invocation()
    source = invocation.open_storage(storage)
    target = Path(into) if into is not None else source.local_path
    try:
        receipt = run_operation(
            invocation,
            lambda report, stop: fetch_dataset(
                source.store, name, version, into=target, overwrite=overwrite, report=report, stop=stop
            ),
        )
    except OperationStopped as stopped:
        raise OperationStopped(f"Stopped. Nothing was left in {target}; the same command starts it again.") from stopped
    except HashError as error:
        if error.report is not None and not invocation.as_json:
            for finding in error.report.findings:
                write_line(describe_finding(finding))
        raise
    record_evidence(invocation, receipt.evidence)
    return _show_receipt(invocation, receipt)


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
@common_options
def verify(storage: str, name: str, version: str) -> int:
    """Read a stored version of dataset NAME whole and check every file in it against its manifest.

    Nothing is written to disk. What was proven is recorded and shown in the panes.
    """
    from archive_tui.archives.datasets.verifying import verify_version

    invocation = current_invocation()
    invocation.is_judging = True
    source = invocation.open_storage(storage)
    try:
        report, evidence = run_operation(
            invocation,
            lambda report, stop: verify_version(source.store, name, version, report=report, stop=stop),
        )
    except OperationStopped as stopped:
        raise OperationStopped("Stopped: nothing is claimed, and nothing was written.") from stopped
    record_evidence(invocation, evidence)
    return show_report(invocation, report, evidence)

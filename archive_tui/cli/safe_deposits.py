"""`archive-tui safe new`, `safe put` and `safe update`: what goes into a datasafe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.job_options import current_job_options, job_options
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.cli.safe_options import current_safe_options, safe_options
from archive_tui.cli.verdicts import evidence_document
from archive_tui.errors import OperationStopped
from archive_tui.names.quantities import format_count, format_size

if TYPE_CHECKING:
    from archive_tui.cli.invocation import Invocation
    from archive_tui.jobs.kinds.safe_deposits import DepositResult

NOTHING_KEPT = "Stopped. Nothing of it is in the datasafe."


@click.command()
@click.argument("loi")
@safe_options
@common_options
def new(loi: str) -> int:
    """Reserve the next free number below LOI, and print the LOI with it.

    LOI is what the measurement is of and how it is made, as in 42.1001/ds/exp/sa/42/cwepr. A number at its end is
    ignored. With --root a folder that is not there is made.
    """
    invocation = current_invocation()
    with current_safe_options().open(invocation, create=True) as safe:
        reserved = safe.reserve(loi)
        label = safe.label
    if invocation.as_json:
        write_json({"loi": reserved, "safe": label})
        return ExitStatus.CLEAN
    write_line(reserved)
    return ExitStatus.CLEAN


@click.command()
@click.argument("loi")
@click.argument("folder", type=click.Path(exists=True, file_okay=False), default=".")
@click.option("--file", "files", metavar="NAME", multiple=True, help="Only this file of FOLDER; may be given again.")
@job_options
@safe_options
@common_options
def put(loi: str, folder: str, files: tuple[str, ...]) -> int:
    """Deposit FOLDER (the current one by default) under LOI, which was reserved with `safe new`.

    A MANIFEST.yaml is made unless there is one; one that is there has to list every file. The dataset appears when all
    of it is proven, or not at all.
    """
    return _send(loi, folder, files, is_update=False)


@click.command()
@click.argument("loi")
@click.argument("folder", type=click.Path(exists=True, file_okay=False), default=".")
@click.option("--file", "files", metavar="NAME", multiple=True, help="Only this file of FOLDER; may be given again.")
@job_options
@safe_options
@common_options
def update(loi: str, folder: str, files: tuple[str, ...]) -> int:
    """Replace the dataset of LOI by FOLDER (the current one by default).

    The old one is there until the new one is proven, and stays as an old version: `safe show` lists them, `safe get
    --old N` retrieves one.
    """
    return _send(loi, folder, files, is_update=True)


def _send(loi: str, folder: str, files: tuple[str, ...], *, is_update: bool) -> int:
    from archive_tui.cli.job_running import queue_job, run_as_job, show_ended
    from archive_tui.jobs.kinds.safe_deposits import DepositResult, deposit_job

    invocation, options = current_invocation(), current_job_options()
    place, policy = current_safe_options().place(invocation), options.make_policy(invocation)
    request = deposit_job(place, loi, Path(folder), names=files or None, is_update=is_update, policy=policy)
    if options.background:
        return queue_job(invocation, request, options)
    try:
        job = run_as_job(invocation, request)
    except OperationStopped as stopped:
        raise OperationStopped(NOTHING_KEPT, hint=stopped.hint) from stopped
    if isinstance(job.result, DepositResult):
        return _show(invocation, job.result, is_update=is_update)
    return show_ended(invocation, job)


def _show(invocation: Invocation, result: DepositResult, *, is_update: bool) -> int:
    replaced = result.replaced
    if invocation.as_json:
        write_json(
            {
                "loi": result.loi,
                "files": result.files,
                "bytes": result.size,
                "archive": {"size": result.archive_size, "sha256": result.archive_digest},
                "old_version": None if replaced is None else replaced.number,
                "was_there": result.was_there,
                "evidence": evidence_document(result.evidence),
                "status": int(ExitStatus.CLEAN),
            }
        )
        return ExitStatus.CLEAN
    verb = "Was there already" if result.was_there else "Updated" if is_update else "Deposited"
    write_line(f"{verb}: {show_name(result.loi)}, {format_count(result.files, 'file')}, {format_size(result.size)}")
    write_line(f"  archive   {format_size(result.archive_size)}, sha256 {result.archive_digest}")
    write_line(f"  evidence  {result.evidence.level.name.lower()}: {result.evidence.method}")
    if replaced is not None:
        write_line(f"  replaced  kept as old version {replaced.number}")
    return ExitStatus.CLEAN

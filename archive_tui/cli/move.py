"""`archive-tui move`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.job_options import RULES, current_job_options, job_options, keep_option
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.cli.verdicts import describe_finding

if TYPE_CHECKING:
    from archive_tui.cli.invocation import Invocation
    from archive_tui.jobs.job import JobSnapshot
    from archive_tui.jobs.request import JobRequest


@click.command(name="move")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.argument("target", metavar="TARGET")
@click.option(
    "--on-conflict",
    type=click.Choice(RULES),
    expose_value=False,
    callback=keep_option,
    help="Where another content lies already.  [default: keep; in the background ask]",
)
@job_options
@common_options
def move(sources: tuple[str, ...], target: str) -> int:
    """Move objects and files between storages and folders: copied, proven, and only then deleted where they were.

    SOURCE is STORAGE:KEY, STORAGE:PREFIX/, a file or a folder. With a slash at its end what lies in the folder is
    moved, without one the folder with its name. TARGET is STORAGE, STORAGE:PREFIX or a folder, and always what they
    are put into; `archive-tui rename` gives another name.

    Within one file system files and folders are renamed, and not read. Other content is never replaced, unless
    --on-conflict replace says so. Published versions, the manifests beside them, contents of a vault, and what a
    datasafe or a results store keeps are never moved: when one of them is among what is named, nothing is.

    Exit status: 0 everything lies at the target only, 1 refused, or something does not, 130 stopped: the same command
    goes on.
    """
    from archive_tui.cli.job_running import queue_job, run_as_job

    invocation, options = current_invocation(), current_job_options()
    policy = options.make_policy(invocation, options.on_conflict)
    requests = _make_requests(invocation, sources, target, policy)
    if options.background:
        if len(requests) > 1:
            raise click.UsageError("In the background one folder or storage at a time: start a command for each.")
        return queue_job(invocation, requests[0], options)
    return show_receipts(invocation, [run_as_job(invocation, request) for request in requests], "moves")


def _make_requests(invocation: Invocation, sources: tuple[str, ...], target: str, policy: Any) -> list[JobRequest]:
    from archive_tui.jobs.chosen_places import choose_source, choose_target, gather
    from archive_tui.jobs.kinds.moving import move_job

    settings = invocation.load_settings()
    place, into = choose_target(target, settings)
    chosen = gather(choose_source(word, settings) for word in sources)
    return [move_job(each.place, each.names, place, base=each.base, into=into, policy=policy) for each in chosen]


def show_receipts(invocation: Invocation, jobs: list[JobSnapshot], word: str) -> int:
    """Prints findings and last sentence of each job; returns the exit status. `word` names them in the document."""
    from archive_tui.cli.job_running import show_ended

    if len(jobs) == 1 and jobs[0].result is None:
        return show_ended(invocation, jobs[0])
    receipts = [job.result for job in jobs if job.result is not None]
    is_clean = all(not receipt.finding_count and not getattr(receipt, "undecided", 0) for receipt in receipts)
    status = ExitStatus.CLEAN if is_clean and len(receipts) == len(jobs) else ExitStatus.FINDINGS
    if invocation.as_json:
        write_json({word: [_document(job) for job in jobs], "status": int(status)})
        return status
    for job in jobs:
        _show_job(invocation, job)
    return status


def _show_job(invocation: Invocation, job: JobSnapshot) -> None:
    receipt = job.result
    if receipt is None:
        write_line(show_name(job.message))
        return
    for finding in receipt.findings:
        write_line(describe_finding(finding))
    if receipt.finding_count > len(receipt.findings):
        write_line(f"… {receipt.finding_count - len(receipt.findings):,} more")
    write_line(receipt.sentence)
    for note in receipt.notes:
        invocation.note(note)
    if getattr(receipt, "undecided", 0):
        invocation.note(f"See what has to be decided: archive-tui jobs answer {job.id}")


def _document(job: JobSnapshot) -> dict[str, Any]:
    from dataclasses import asdict

    receipt = job.result
    if receipt is None:
        return {"job": job.id, "state": str(job.state), "sentence": job.message}
    return {"job": job.id, "state": str(job.state), **asdict(receipt), "sentence": receipt.sentence}

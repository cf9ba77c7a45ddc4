"""`archive-tui delete`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from archive_tui.cli import diagnostics
from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.job_options import current_job_options, job_options
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.cli.running import run_operation
from archive_tui.cli.verdicts import describe_finding
from archive_tui.errors import ConfigurationError, ObjectNotFound, OperationStopped
from archive_tui.names.quantities import format_count, format_total

if TYPE_CHECKING:
    from archive_tui.cli.invocation import Invocation
    from archive_tui.jobs.chosen_places import ChosenPlace
    from archive_tui.jobs.job import JobSnapshot
    from archive_tui.operations.deleting import DeletePlan


@click.command(name="delete")
@click.argument("places", metavar="PLACE...", nargs=-1, required=True)
@click.option("--trash", is_flag=True, help="Into the trash of this machine, or of a store that keeps versions.")
@click.option("--yes", is_flag=True, help="Do not ask: delete what is counted now.")
@job_options
@common_options
def delete(places: tuple[str, ...], trash: bool, yes: bool) -> int:
    """Delete objects and files; all of it is counted first, and nothing is deleted before somebody agrees.

    PLACE is STORAGE:KEY, STORAGE:PREFIX/ for everything below, a file or a folder. On a terminal it asks for the count;
    elsewhere --yes is needed. With --trash it goes where it can be had back from, or nothing is deleted. Published
    versions, the manifests beside them, contents of a vault, and what a datasafe or results store keeps are never
    deleted this way: when one of them is among what is named, nothing is.

    Exit status: 0 all of it is gone, 1 refused, or something is left, 2 nobody has agreed, 130 stopped: the same
    command goes on.
    """
    from archive_tui.cli.job_running import queue_job, run_as_job
    from archive_tui.jobs.kinds.deleting import delete_job

    invocation, options = current_invocation(), current_job_options()
    policy = options.make_policy(invocation)
    chosen = _choose(invocation, places)
    if options.background and len(chosen) > 1:
        raise click.UsageError("In the background one folder or storage at a time: start a command for each.")
    plans = [_count(invocation, each) for each in chosen]
    _check(plans, places)
    if not yes:
        _ask(invocation, plans, "moves to the trash" if trash else "deletes")
    requests = [
        delete_job(each.place, each.names, base=each.base, confirmed=plan.objects, to_trash=trash, policy=policy)
        for each, plan in zip(chosen, plans, strict=True)
    ]
    if options.background:
        return queue_job(invocation, requests[0], options)
    return _show(invocation, [run_as_job(invocation, request) for request in requests])


def _choose(invocation: Invocation, words: tuple[str, ...]) -> list[ChosenPlace]:
    from pathlib import Path

    from archive_tui.jobs.chosen_places import choose_source, gather

    settings = invocation.load_settings()
    chosen = gather(choose_source(word, settings) for word in words)
    for each in chosen:
        folder = Path(each.place["folder"]) if "folder" in each.place else None
        whole = [folder / name for name in each.names if not name or name.endswith("/")] if folder else []
        if any(path.resolve() in (Path("/"), Path.home().resolve()) for path in whole):
            raise ConfigurationError(
                "Refused: that is the whole machine, or all that you have.",
                hint="Name what is in it.",
                code="delete-root",
            )
    return chosen


def _count(invocation: Invocation, chosen: ChosenPlace) -> DeletePlan:
    """Raises: StorageError (delete-protected), what listing raises."""
    from archive_tui.jobs.place_words import own_folder
    from archive_tui.jobs.places import open_place
    from archive_tui.operations.deleting import check_deletable, plan_delete
    from archive_tui.operations.marked_places import refuse_in_marked_places

    with open_place(own_folder(chosen.place)).store as store:
        refuse_in_marked_places(store, chosen.base, chosen.names, "deleted")
        try:
            plan = run_operation(
                invocation,
                lambda report, stop: plan_delete(store, chosen.names, base=chosen.base, report=report, stop=stop),
            )
        except OperationStopped as stopped:
            raise OperationStopped("Stopped; nothing was deleted.") from stopped
        check_deletable(plan, store)
    return plan


def _check(plans: list[DeletePlan], words: tuple[str, ...]) -> None:
    if not any(plan.objects or plan.empty_folders for plan in plans):
        raise ObjectNotFound(
            f"Nothing to delete lies there: {', '.join(words)}", hint="List one level higher.", code="prefix-not-found"
        )


def _ask(invocation: Invocation, plans: list[DeletePlan], verb: str) -> None:
    """Raises: ConfigurationError (delete-unconfirmed) unless somebody has typed the count."""
    count = sum(plan.objects for plan in plans)
    total = format_total(sum(plan.bytes for plan in plans), sum(plan.unknown_sizes for plan in plans))
    amount = f"{format_count(count, 'object')}, {total}"
    is_asked = sys.stdin is not None and sys.stdin.isatty() and diagnostics.is_terminal() and not invocation.as_json
    if not is_asked:
        raise ConfigurationError(
            f"This would delete {amount}. Nothing was deleted.", hint="Agree with --yes.", code="delete-unconfirmed"
        )
    diagnostics.write_diagnostic(f"This {verb} {amount}. Type the number of objects to agree:")
    if sys.stdin.readline().strip().replace(",", "") != str(count):
        raise ConfigurationError("That is not the number; nothing was deleted.", code="delete-unconfirmed")


def _show(invocation: Invocation, jobs: list[JobSnapshot]) -> int:
    from archive_tui.cli.job_running import show_ended

    if len(jobs) == 1 and jobs[0].result is None:
        return show_ended(invocation, jobs[0])
    is_clean = all(job.result is not None and not job.result.finding_count for job in jobs)
    status = ExitStatus.CLEAN if is_clean else ExitStatus.FINDINGS
    if invocation.as_json:
        write_json({"deletions": [_document(job) for job in jobs], "status": int(status)})
        return status
    for job in jobs:
        if job.result is None:
            write_line(show_name(job.message))
            continue
        for finding in job.result.findings:
            write_line(describe_finding(finding))
        write_line(job.result.sentence)
        for note in job.result.notes:
            invocation.note(note)
    return status


def _document(job: JobSnapshot) -> dict[str, Any]:
    from dataclasses import asdict

    if job.result is None:
        return {"job": job.id, "state": str(job.state), "sentence": job.message}
    return {"job": job.id, "state": str(job.state), **asdict(job.result), "sentence": job.result.sentence}

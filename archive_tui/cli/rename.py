"""`archive-tui rename`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.job_options import current_job_options, job_options
from archive_tui.cli.move import show_receipts
from archive_tui.cli.output import show_name, write_json, write_line

if TYPE_CHECKING:
    from archive_tui.cli.invocation import Invocation
    from archive_tui.jobs.chosen_places import ChosenPlace
    from archive_tui.operations.renaming import RenamePlan, RenameRule


@click.command(name="rename")
@click.argument("words", metavar="PLACE [PLACE...] [NEW]", nargs=-1, required=True)
@click.option("--pattern", metavar="OLD", help="Which names: * and ? fit anything; with --regex a regular expression.")
@click.option("--to", metavar="NEW", help="What they become: {1} is what the first * or ? has fitted, {n} a number.")
@click.option("--regex", is_flag=True, help="OLD is a regular expression; every match in a name is replaced.")
@click.option("--dry-run", is_flag=True, help="Only show what would be renamed.")
@job_options
@common_options
def rename(words: tuple[str, ...], pattern: str | None, to: str | None, regex: bool, dry_run: bool) -> int:
    """Rename one object, file or folder; or many by a pattern.

    \b
    archive-tui rename lab:climate/raw.csv winds.csv
    archive-tui rename photos/ --pattern '*.jpeg' --to '{1}.jpg' --dry-run

    PLACE is STORAGE:KEY, a file or a folder, NEW a name without a slash. With a pattern, PLACE with a slash at its end
    means all that lies directly in the folder. NEW may hold {1} to {9}, {name}, {stem}, {suffix}, and {n} or {n:3} for
    a running number.

    Names may be exchanged with each other. When two would get the same name, or one that lies there already, nothing is
    renamed. Published versions, contents of a vault, and what a datasafe or results store keeps are not renamed.

    Exit status: 0 all is renamed, 1 something is not, 2 names clash or are refused, 130 stopped: the same command goes
    on.
    """
    from archive_tui.cli.job_running import queue_job, run_as_job
    from archive_tui.jobs.kinds.renaming import rename_job

    invocation, options = current_invocation(), current_job_options()
    policy = options.make_policy(invocation)
    places, rule = _read_words(words, pattern, to, regex)
    chosen = _choose(invocation, places, has_pattern=pattern is not None)
    plan = _plan(chosen, rule)
    if dry_run:
        return _show_plan(invocation, plan)
    plan.check()
    request = rename_job(chosen.place, plan.renames, base=chosen.base, policy=policy)
    if options.background:
        return queue_job(invocation, request, options)
    return show_receipts(invocation, [run_as_job(invocation, request)], "renames")


def _read_words(
    words: tuple[str, ...], pattern: str | None, to: str | None, regex: bool
) -> tuple[tuple[str, ...], RenameRule]:
    from archive_tui.operations.renaming import RenameRule

    if (pattern is None) != (to is None):
        raise click.UsageError("--pattern and --to go together.")
    if pattern is None or to is None:
        if len(words) != 2 or regex:
            raise click.UsageError("Without --pattern name one PLACE and its new name.")
        return words[:1], RenameRule.literal(words[1].removesuffix("/"))
    return words, RenameRule.by_regex(pattern, to) if regex else RenameRule.by_pattern(pattern, to)


def _choose(invocation: Invocation, words: tuple[str, ...], *, has_pattern: bool) -> ChosenPlace:
    from archive_tui.jobs.chosen_places import choose_source, gather

    settings = invocation.load_settings()
    chosen = gather(choose_source(word if has_pattern else word.rstrip("/") or word, settings) for word in words)
    if len(chosen) > 1:
        raise click.UsageError("One folder or storage at a time: start a command for each.")
    if not has_pattern and chosen[0].names == ("",):
        raise click.UsageError("Name what is in it: this is the top, or the folder in which you are.")
    return chosen[0]


def _plan(chosen: ChosenPlace, rule: RenameRule) -> RenamePlan:
    from archive_tui.jobs.place_words import own_folder
    from archive_tui.jobs.places import open_place
    from archive_tui.operations.renaming import list_names, plan_renames

    with open_place(own_folder(chosen.place)).store as store:
        existing = list_names(store, chosen.base)
    names = [name for each in chosen.names for name in ([each] if each else existing)]
    return plan_renames(names, rule, existing)


def _show_plan(invocation: Invocation, plan: RenamePlan) -> int:
    status = ExitStatus.CLEAN if plan.is_clean else ExitStatus.USAGE
    if invocation.as_json:
        write_json({**_plan_document(plan), "status": int(status)})
        return status
    for old, new in plan.renames:
        write_line(f"{show_name(old)} → {show_name(new)}")
    for clash in plan.clashes:
        write_line(f"✗ {show_name(clash.old)} → {show_name(clash.new)}  ({clash.why})")
    for name, why in plan.refused:
        write_line(f"✗ {show_name(name)}  ({show_name(why)})")
    write_line(
        f"{len(plan.renames):,} to rename, {len(plan.clashes):,} clash, {len(plan.refused):,} refused, "
        f"{len(plan.unchanged):,} stay as they are. Nothing was renamed."
    )
    return status


def _plan_document(plan: RenamePlan) -> dict[str, Any]:
    return {
        "renames": [{"old": old, "new": new} for old, new in plan.renames],
        "clashes": [{"old": clash.old, "new": clash.new, "why": clash.why} for clash in plan.clashes],
        "refused": [{"name": name, "why": why} for name, why in plan.refused],
        "unchanged": list(plan.unchanged),
    }

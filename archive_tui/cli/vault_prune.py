"""`archive-tui vault prune`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archive_tui.cli import diagnostics
from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.job_options import current_job_options, job_options
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.cli.running import run_operation
from archive_tui.errors import ConfigurationError, OperationStopped
from archive_tui.names.quantities import format_count

if TYPE_CHECKING:
    from archive_tui.archives.vault.pruning import PrunePlan
    from archive_tui.archives.vault.vault import Vault
    from archive_tui.cli.invocation import Invocation
    from archive_tui.jobs.job import JobSnapshot


def _parse_grace(ctx: click.Context, parameter: click.Parameter, value: str) -> float:
    from archive_tui.names.typed_quantities import parse_duration

    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, parameter) from error


@click.command(name="prune")
@click.option(
    "--manifest", "manifests", metavar="FILE", multiple=True, required=True,
    help="What it refers to stays. Name every manifest that matters, each with this option.",
)  # fmt: skip
@click.option("--storage", metavar="NAME", help="The storage of the vault.  [default: the vault of the settings]")
@click.option(
    "--grace", metavar="TIME", default="14d", show_default=True, callback=_parse_grace,
    help="How long a content has to be marked, and to lie there, before it is deleted: 1h at least.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be done; mark and delete nothing.")
@click.option("--yes", is_flag=True, help="Do not ask: delete what is due.")
@job_options
@common_options
def prune(manifests: tuple[str, ...], storage: str | None, grace: float, dry_run: bool, yes: bool) -> int:
    """Delete from a vault what no manifest refers to any more.

    It takes two runs: the first one marks the contents that stand in none of the manifests; one after the grace time
    deletes those that are still marked. Archiving a content takes its mark away. What would be deleted is said first;
    on a terminal it asks for the count, elsewhere --yes is needed. A manifest with a line that cannot be read is
    refused, and nothing is touched.

    Exit status: 0 done, 1 refused, or something is left, 2 nobody has agreed, 130 stopped: the same command goes on.
    """
    from archive_tui.archives.vault.vault import open_vault
    from archive_tui.cli.job_running import queue_job, run_as_job
    from archive_tui.cli.vault_prune_lines import plan_document, plan_lines
    from archive_tui.jobs.kinds.vault_pruning import prune_job
    from archive_tui.jobs.places import storage_place

    invocation, options = current_invocation(), current_job_options()
    vault = open_vault(invocation.load_settings(), storage)
    paths = [Path(each) for each in manifests]
    assert vault.storage is not None, "a vault of the settings lies in a storage"
    with vault.store:
        place = storage_place(vault.storage, invocation.load_settings())
        policy = options.make_policy(invocation)
        prune_job(place, vault.prefix, paths, grace)  # refuses what it refuses before anything is listed
        plan = _plan(invocation, vault, paths, grace)
        _note_unnamed(invocation, vault, paths)
    if dry_run:
        if invocation.as_json:
            write_json({**plan_document(plan), "status": int(ExitStatus.CLEAN)})
        else:
            for line in plan_lines(plan):
                write_line(line)
        return ExitStatus.CLEAN
    if plan.ripe and not yes:
        _ask(invocation, plan)
    confirmed = None if yes else len(plan.ripe)
    request = prune_job(place, vault.prefix, paths, grace, confirmed=confirmed, policy=policy)
    if options.background:
        return queue_job(invocation, request, options)
    return _show(invocation, plan, run_as_job(invocation, request))


def _plan(invocation: Invocation, vault: Vault, paths: list[Path], grace: float) -> PrunePlan:
    from archive_tui.archives.vault.pruning import ManifestReferences, plan_prune

    try:
        return run_operation(
            invocation,
            lambda report, stop: plan_prune(
                vault, ManifestReferences(paths, stop=stop), grace=grace, report=report, stop=stop
            ),
        )
    except OperationStopped as stopped:
        raise OperationStopped("Stopped; nothing was marked or deleted.") from stopped


def _note_unnamed(invocation: Invocation, vault: Vault, paths: list[Path]) -> None:
    """Manifests that were used with this vault and are not named: forgotten, or meant to go?"""
    from contextlib import closing

    from archive_tui.archives.vault.views.known_manifests import KnownManifests
    from archive_tui.state.database import open_state_database

    named = {path.absolute().parent.resolve() / path.name for path in paths}
    with closing(open_state_database()) as database:
        known = KnownManifests(database).of_vault(vault.store.identity, vault.prefix)
        unnamed = [each.path for each in known if each.path not in named and each.path.is_file()]
    for path in unnamed[:10]:
        invocation.note(f"Not named, and used with this vault before: {show_name(str(path))}")
    if len(unnamed) > 10:
        invocation.note(f"{len(unnamed) - 10:,} more manifests that were used with this vault are not named.")


def _ask(invocation: Invocation, plan: PrunePlan) -> None:
    """Raises: ConfigurationError (delete-unconfirmed) unless somebody has typed the count."""
    is_asked = sys.stdin is not None and sys.stdin.isatty() and diagnostics.is_terminal() and not invocation.as_json
    if not is_asked:
        raise ConfigurationError(
            f"This would delete {plan.amount}. Nothing was marked or deleted.",
            hint="See which with --dry-run, and agree with --yes.",
            code="delete-unconfirmed",
        )
    from archive_tui.cli.vault_prune_lines import plan_lines

    for line in plan_lines(plan, most=20):
        diagnostics.write_diagnostic(line)
    diagnostics.write_diagnostic(f"This deletes {plan.amount}. Type the number of contents to agree:")
    if sys.stdin.readline().strip().replace(",", "") != str(len(plan.ripe)):
        raise ConfigurationError("That is not the number; nothing was deleted.", code="delete-unconfirmed")


def _show(invocation: Invocation, plan: PrunePlan, job: JobSnapshot) -> int:
    from archive_tui.cli.job_running import show_ended
    from archive_tui.cli.vault_prune_lines import result_document
    from archive_tui.cli.verdicts import describe_finding

    if job.result is None:
        return show_ended(invocation, job)
    status = ExitStatus.FINDINGS if job.result.finding_count else ExitStatus.CLEAN
    if invocation.as_json:
        write_json(result_document(plan, job, status))
        return status
    for finding in job.result.findings:
        write_line(describe_finding(finding))
    write_line(job.result.sentence)
    for note in job.result.notes:
        invocation.note(note)
    if job.result.marked:
        days = f"{plan.grace / 86400:g} days" if plan.grace != 86400 else "a day"
        invocation.note(f"{format_count(job.result.marked, 'content')} can be deleted by a prune after {days}.")
    return status

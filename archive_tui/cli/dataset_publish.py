"""`archive-tui dataset publish`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archive_tui.cli.invocation import Invocation, common_options, current_invocation
from archive_tui.cli.job_options import current_job_options, job_options
from archive_tui.cli.output import show_name, write_json, write_line, write_table
from archive_tui.cli.running import run_operation
from archive_tui.errors import ArchiveError, ObjectNotFound, OperationStopped, SourceError
from archive_tui.names.quantities import format_count, format_duration, format_size

if TYPE_CHECKING:
    from archive_tui.archives.datasets.publishing import PublishPlan, PublishReceipt, PublishRequest
    from archive_tui.archives.storages import Storage
    from archive_tui.cli.job_options import JobOptions
    from archive_tui.jobs.job import JobSnapshot

SHOWN_IN_PLAN = 20
"""Lines of differences that a plan shows; `--json` has them all."""


@click.command()
@click.argument("storage")
@click.argument("name")
@click.option(
    "--version", metavar="patch|minor|major|X.Y.Z", default="patch", show_default=True, help="The new number."
)
@click.option(
    "--source", metavar="PATH", help="Folder or file to publish.  [default: NAME in the storage's local_path]"
)
@click.option("--dry-run", is_flag=True, help="Show what would be published, and write nothing.")
@click.option("--title", help="Title of the dataset.")
@click.option("--description", help="What it is.")
@click.option("--license", "license_name", help="Licence, for example CC-BY-4.0.")
@click.option("--creator", "creators", multiple=True, help="Who made it; may be repeated.")
@click.option("--keyword", "keywords", multiple=True, help="May be repeated.")
@click.option(
    "--compression-level",
    type=click.IntRange(-1, 9),
    help="-1 fast and small, 0 stored, 1 to 9 zlib.  [default: the storage's]",
)
@click.option("--follow-symlinks", is_flag=True, help="Publish what links inside the source point to.")
@click.option(
    "--on-conflict",
    type=click.Choice(["fail", "next", "ask"]),
    help="When somebody else takes the number first.  [default: fail; in the background ask]",
)
@click.option("--allow-identical", is_flag=True, help="Publish even if nothing changed since the latest version.")
@job_options
@common_options
def publish(storage: str, name: str, dry_run: bool, on_conflict: str | None, **options: Any) -> int:
    """Publish a folder or file as a new version of dataset NAME in STORAGE.

    Each byte is read once. Nothing is visible before everything is stored and checked, and a published version is
    never overwritten.
    """
    from archive_tui.archives.datasets.publishing import plan_publish

    invocation, job = current_invocation(), current_job_options()
    if dry_run and job.background:
        raise click.UsageError("--dry-run does nothing that could be done in the background.")
    target = invocation.open_storage(storage)
    request = make_request(target, name, on_conflict="next" if on_conflict == "next" else "fail", **options)
    try:
        plan = run_operation(
            invocation, lambda report, stop: plan_publish(target.store, request, report=report, stop=stop)
        )
    except OperationStopped as stopped:
        raise OperationStopped("Stopped before anything was written.") from stopped
    for remark in plan.remarks:
        invocation.note(remark)
    if dry_run:
        return show_plan(invocation, storage, target, plan)
    return _publish(invocation, storage, target, plan, job, on_conflict)


def make_request(
    target: Storage,
    name: str,
    *,
    version: str,
    source: str | None,
    title: str | None,
    description: str | None,
    license_name: str | None,
    creators: tuple[str, ...],
    keywords: tuple[str, ...],
    compression_level: int | None,
    follow_symlinks: bool,
    on_conflict: str,
    allow_identical: bool,
) -> PublishRequest:
    """Returns what the options ask for; what is not given comes from the storage's settings.

    Raises: InvalidName for a name that cannot be published; ConfigurationError for a bad level in the settings.
    """
    from archive_tui.archives.datasets.publishing import DatasetDetails, PublishRequest
    from archive_tui.names.dataset_names import check_dataset_name

    check_dataset_name(name)
    if compression_level is None:
        compression_level = target.client.compression_level
    return PublishRequest(
        name=name,
        source=Path(source) if source is not None else target.local_path / name,
        version=version,
        details=DatasetDetails(title, description, license_name, _given(creators), _given(keywords)),
        compression_level=compression_level,
        follow_symlinks=follow_symlinks,
        on_conflict=on_conflict,
        allow_identical=allow_identical,
    )


def _given(values: tuple[str, ...]) -> tuple[str, ...] | None:
    """None when the option was not given; an option that was given empty stands for no value at all."""
    return tuple(value for value in values if value) if values else None


RULE_OF_CONFLICT = {"fail": "keep", "next": "keep-both", "ask": "ask"}


def _publish(
    invocation: Invocation,
    storage: str,
    target: Storage,
    plan: PublishPlan,
    options: JobOptions,
    on_conflict: str | None,
) -> int:
    from archive_tui.cli.job_running import queue_job, run_as_job, show_ended
    from archive_tui.jobs.kinds.publishing import publish_job
    from archive_tui.jobs.places import storage_place

    settings = invocation.load_settings()
    policy = options.make_policy(invocation, RULE_OF_CONFLICT[on_conflict] if on_conflict else None)
    request = publish_job(storage_place(target, settings), _from_anywhere(plan), policy=policy)
    if options.background:
        _check_refusals(plan)
        return queue_job(invocation, request, options)
    try:
        job: JobSnapshot = run_as_job(invocation, request, live={"plan": plan})
    except OperationStopped as stopped:
        raise OperationStopped(f"Stopped. {_what_is_left(target, plan)}", hint=stopped.hint) from stopped
    if job.result is None:
        return show_ended(invocation, job)
    show_receipt(invocation, storage, plan, job.result)
    return 0


def _from_anywhere(plan: PublishPlan) -> PublishPlan:
    """The plan as another process reads it, which stands in another folder."""
    request = dataclasses.replace(plan.request, source=plan.request.source.absolute())
    return dataclasses.replace(plan, request=request)


def _check_refusals(plan: PublishPlan) -> None:
    """Raises: SourceError, before anything is queued that cannot be done."""
    if plan.refusals:
        count = format_count(len(plan.refusals), "refusal")
        raise SourceError(
            f"{plan.request.name} cannot be published: {count}, the first: {plan.refusals[0]}",
            hint="All of them: --dry-run.",
            code="source-refused",
        )


def _what_is_left(target: Storage, plan: PublishPlan) -> str:
    """Asks the store rather than guess: a stop may come after the last byte was accepted."""
    subject = f"{plan.request.name} {plan.version}"
    if plan.same_version is not None:
        return f"{target.store.label} is as it was before."
    try:
        target.store.info(plan.key)
    except ObjectNotFound:
        return f"Nothing of {subject} is visible in {target.store.label}."
    except ArchiveError as error:
        return f"Whether {subject} is visible in {target.store.label} could not be asked: {error}"
    return f"{plan.key} is in {target.store.label}: it had been stored whole before the stop."


def show_plan(invocation: Invocation, storage: str, target: Storage, plan: PublishPlan) -> int:
    """Prints what would be published. Raises: SourceError when it would be refused."""
    if invocation.as_json:
        write_json(plan_document(target, plan))
        return 1 if plan.refusals else 0
    write_line(
        f"Would publish {plan.request.name} {plan.version} to {show_name(storage)} ({show_name(target.store.label)})"
    )
    rows = [
        ("  key", plan.key),
        ("  manifest", plan.manifest_key),
        ("  source", show_name(str(plan.request.source))),
        ("  content", f"{format_count(len(plan.scan.files), 'file')}, {format_size(plan.scan.total_bytes)}"),
        ("  compared", _describe_difference(plan)),
    ]
    if plan.free_bytes is not None:
        rows.append(("  free", format_size(plan.free_bytes)))
    write_table(rows)
    _show_differences(plan)
    for refusal in plan.refusals:
        write_line(f"  refused: {show_name(refusal)}")
    write_line("Dry run: nothing was written.")
    if plan.refusals:
        raise SourceError(
            f"{plan.request.name} cannot be published: {format_count(len(plan.refusals), 'refusal')}, listed above.",
            hint="Rename, move or repair what is refused, or name it in a .archive-tui-ignore file in the source.",
            code="source-refused",
        )
    return 0


def _describe_difference(plan: PublishPlan) -> str:
    if plan.latest is None:
        return "this is the first version"
    if plan.difference is None:
        return f"the manifest of {plan.latest.version} cannot be read"
    difference = plan.difference
    return (
        f"with {plan.latest.version} by name and size: {len(difference.added):,} added, "
        f"{len(difference.changed):,} changed, {len(difference.removed):,} removed, "
        f"{len(difference.unknown) + len(difference.same):,} of equal size"
    )


def _show_differences(plan: PublishPlan) -> None:
    if plan.difference is None:
        return
    signs = (("+", plan.difference.added), ("*", plan.difference.changed), ("-", plan.difference.removed))
    lines = [f"    {sign} {show_name(entry.path)}" for sign, entries in signs for entry in entries]
    for line in lines[:SHOWN_IN_PLAN]:
        write_line(line)
    if len(lines) > SHOWN_IN_PLAN:
        write_line(f"    … and {len(lines) - SHOWN_IN_PLAN:,} more (all of them with --json)")


def plan_document(target: Storage, plan: PublishPlan) -> dict[str, Any]:
    """Returns the plan for `--json`."""
    difference = plan.difference
    return {
        "dry_run": True,
        "name": plan.request.name,
        "version": plan.version,
        "key": plan.key,
        "manifest_key": plan.manifest_key,
        "store": target.store.label,
        "source": str(plan.request.source),
        "files": len(plan.scan.files),
        "source_bytes": plan.scan.total_bytes,
        "free_bytes": plan.free_bytes,
        "dataset": plan.details,
        "latest": plan.latest.version if plan.latest else None,
        "difference": None
        if difference is None
        else {
            "added": [entry.path for entry in difference.added],
            "changed": [entry.path for entry in difference.changed],
            "removed": [entry.path for entry in difference.removed],
            "equal_size": [entry.path for entry in (*difference.same, *difference.unknown)],
        },
        "remarks": list(plan.remarks),
        "refusals": list(plan.refusals),
    }


def show_receipt(invocation: Invocation, storage: str, plan: PublishPlan, receipt: PublishReceipt) -> None:
    """Prints what lies in the store now, and how it is fetched."""
    if invocation.as_json:
        write_json({**receipt.as_dict(), "remarks": [*plan.remarks, *receipt.remarks]})
        return
    subject = f"{receipt.name} {receipt.version}"
    if receipt.outcome == "identical":
        write_line(f"Already identical: {subject} holds exactly this content; nothing was written.")
        return
    for remark in receipt.remarks:
        invocation.note(remark)
    amount = f"{format_count(receipt.files, 'file')}, {format_size(receipt.source_bytes)}"
    write_line(f"Published {subject}: {amount} in {format_duration(receipt.seconds)}")
    rows = [
        ("  key", receipt.key),
        ("  archive", f"{format_size(receipt.archive_size)}, sha256 {receipt.archive_digest}"),
        ("  manifest", f"sha256 {receipt.manifest_digest}" if receipt.manifest_digest else "not written beside it"),
    ]
    if receipt.evidence is not None:
        rows.append(("  evidence", f"{receipt.evidence.level.name.lower()}: {receipt.evidence.method}"))
    rows.append(("  fetch", fetch_command(storage, receipt.name, receipt.version)))
    write_table(rows)


def fetch_command(storage: str, name: str, version: str) -> str:
    """Returns the command line that fetches a version."""
    import shlex

    return f"archive-tui dataset fetch {shlex.quote(storage)} {shlex.quote(name)} --version {version}"

"""What a prune would do, and has done, as lines and as documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from archive_tui.cli.output import show_name
from archive_tui.cli.times import format_time, iso_time
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count, format_size

if TYPE_CHECKING:
    from archive_tui.archives.vault.pruning import PrunePlan
    from archive_tui.cli.diagnostics import ExitStatus
    from archive_tui.jobs.job import JobSnapshot


def plan_lines(plan: PrunePlan, most: int | None = None) -> Iterator[str]:
    """Yields the plan; of what would be deleted `most` contents (None: all of them)."""
    for manifest in plan.manifests:
        yield f"manifest  {show_name(str(manifest.path))}, {format_count(manifest.lines, 'line')}"
    yield f"vault     {show_name(plan.place)}: {format_count(plan.contents, 'content')}"
    yield f"keep      {plan.referenced:,} that the manifests refer to"
    if plan.unmarked:
        yield f"unmark    {plan.unmarked:,} that they refer to again"
    yield f"mark      {plan.fresh:,} that none of them refers to"
    until = f", the first until {format_time(plan.next_at)}" if plan.next_at is not None else ""
    yield f"wait      {plan.waiting:,} that are marked{until}"
    yield f"delete    {plan.amount}"
    for each in plan.ripe[:most]:
        size = format_size(each.size) if each.size >= 0 else "-"
        yield f"  {each.digest}  {size}, marked {format_time(each.marked)}"
    if most is not None and len(plan.ripe) > most:
        yield f"  … and {len(plan.ripe) - most:,} more: --dry-run lists them"
    if plan.busy:
        yield f"busy      {plan.busy:,} of these another prune deletes now, or one that was killed: resume its job"
    if plan.others:
        yield f"ignore    {format_count(plan.others, 'object')} that no content is"


def plan_document(plan: PrunePlan) -> dict[str, Any]:
    return {
        "vault": escape_for_display(plan.place),
        "manifests": [{"path": escape_for_display(str(each.path)), "lines": each.lines} for each in plan.manifests],
        "grace_seconds": plan.grace,
        "contents": plan.contents,
        "referenced": plan.referenced,
        "unmark": plan.unmarked,
        "mark": plan.fresh,
        "waiting": plan.waiting,
        "next_at": iso_time(plan.next_at),
        "busy": plan.busy,
        "others": plan.others,
        "delete": [
            {
                "digest": each.digest,
                "key": each.key,
                "size": each.size if each.size >= 0 else None,
                "modified": iso_time(each.modified),
                "marked": iso_time(each.marked),
            }
            for each in plan.ripe
        ],
    }


def result_document(plan: PrunePlan, job: JobSnapshot, status: ExitStatus) -> dict[str, Any]:
    """`job` has a receipt as its result."""
    assert job.result is not None
    return {
        "job": job.id,
        "state": str(job.state),
        **asdict(job.result),
        "sentence": job.result.sentence,
        "plan": plan_document(plan),
        "status": int(status),
    }

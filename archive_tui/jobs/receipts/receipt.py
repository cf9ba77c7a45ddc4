"""The receipt of a job: what was done, from where to where, what was proven of each item, and what was not.

Both forms stream: a receipt may list a million items.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from archive_tui.continuation import ItemMark
from archive_tui.integrity.report import Finding
from archive_tui.jobs.job import LOG_LENGTH, JobSnapshot, Question
from archive_tui.jobs.receipts.receipt_result import describe_result, format_time, list_result_facts
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count, format_duration, format_rate

FORMAT = 1
"""Version of the JSON form; a reader refuses a greater one."""

WIDTH = 17


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of the job. Times in seconds since the epoch; `ended_at` None: it runs, or its process vanished."""

    number: int
    started_at: float
    ended_at: float | None
    worker: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """`items` can be gone through once. `items_total` counts them; 0 with `are_items_dropped`: they were kept for a
    while only."""

    job: JobSnapshot
    items: Iterable[tuple[str, ItemMark]]
    items_total: int = 0
    attempts: tuple[Attempt, ...] = ()
    decisions: tuple[Question, ...] = ()
    are_items_dropped: bool = False


def receipt_json(receipt: Receipt) -> Iterator[str]:
    """Yields one JSON document in pieces; an item a line. Names are written as in JSON, whatever bytes they hold."""
    head = json.dumps(_head(receipt), indent=2)
    yield head.removesuffix("\n}") + ',\n  "items": ['
    separator, listed = "\n    ", 0
    for phase, mark in receipt.items:
        yield separator + json.dumps(_item(phase, mark))
        separator, listed = ",\n    ", listed + 1
    yield f'\n  ],\n  "items_listed": {listed}\n}}\n'


def receipt_text(receipt: Receipt) -> Iterator[str]:
    """Yields the lines for a person, each with its end."""
    job = receipt.job
    yield f"Receipt of job {job.id}: {escape_for_display(job.title)}\n"
    yield f"{'=' * 60}\n\n"
    if not job.state.is_end:
        yield "This job has not ended: what follows is what it has done until now.\n\n"
    for label, value in (*_facts(receipt), *list_result_facts(job.result)):
        if value:
            yield f"{label.ljust(WIDTH)}{escape_for_display(value)}\n"
    yield from _section("Exceptions", _exception_lines(job))
    yield from _section("Decisions", (_describe_decision(question) for question in receipt.decisions))
    yield from _section("Runs", (_describe_attempt(attempt, job) for attempt in receipt.attempts))
    title = "Log" if len(job.log) < LOG_LENGTH else f"Log (the newest {LOG_LENGTH} lines)"
    yield from _section(title, (f"{format_time(line.at)}  {line.text}" for line in job.log))
    if receipt.are_items_dropped:
        yield "\nItems: not kept any more.\n"
    yield from _item_lines(receipt)


def _head(receipt: Receipt) -> dict[str, Any]:
    job, policy = receipt.job, receipt.job.policy
    return {
        "receipt": FORMAT,
        "job": job.id,
        "kind": job.kind,
        "title": job.title,
        "source": job.source,
        "destination": job.destination or None,
        "state": str(job.state),
        "has_ended": job.state.is_end,
        "message": job.message,
        "hint": job.hint or None,
        "code": job.code or None,
        "command": job.command or None,
        "queued": format_time(job.queued_at),
        "started": format_time(job.started_at),
        "ended": format_time(job.ended_at),
        "ran_seconds": round(job.ran_seconds, 3),
        "policy": {
            "conflicts": str(policy.conflicts),
            "retries": policy.retries,
            "bandwidth": policy.bandwidth,
            "deadline": policy.deadline,
        },
        "result": describe_result(job.result),
        "exceptions": [_finding(finding) for finding in job.findings],
        "failed_items": [{"phase": each.phase, "item": each.item, "reason": each.reason} for each in job.failed_items],
        "failed_total": job.failed_count,
        "decisions": [_decision(question) for question in receipt.decisions],
        "runs": [_run(attempt, job) for attempt in receipt.attempts],
        "log": [{"at": format_time(line.at), "text": line.text} for line in job.log],
        "items_total": receipt.items_total,
        "items_kept": not receipt.are_items_dropped,
    }


def _facts(receipt: Receipt) -> Iterator[tuple[str, str]]:
    job, policy = receipt.job, receipt.job.policy
    yield "result", str(job.state)
    yield "says", job.message
    yield "what to do", job.hint
    yield "from", job.source
    yield "to", job.destination
    yield "command", job.command
    yield "queued", format_time(job.queued_at) or ""
    yield "started", format_time(job.started_at) or ""
    yield "ended", format_time(job.ended_at) or ""
    yield "ran", format_duration(job.ran_seconds) if job.ran_seconds else ""
    yield "conflicts", str(policy.conflicts)
    yield "retries", str(policy.retries)
    yield "bandwidth", format_rate(policy.bandwidth)
    yield "deadline", f"{policy.deadline:,.0f} s of running" if policy.deadline is not None else ""


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    is_first = True
    for line in lines:
        if is_first:
            yield f"\n{title}\n"
            is_first = False
        yield f"  {escape_for_display(line)}\n"


def _exception_lines(job: JobSnapshot) -> Iterator[str]:
    """The findings; of a job that came to no result, what was reported until then."""
    yield from (_describe_finding(finding) for finding in job.findings)
    if not job.findings:
        yield from (f"{each.item}  {each.reason}" for each in job.failed_items)
        unlisted = job.failed_count - len(job.failed_items)
        if unlisted > 0:
            yield f"{unlisted:,} more are not listed."


def _item_lines(receipt: Receipt) -> Iterator[str]:
    listed = 0

    def describe() -> Iterator[str]:
        nonlocal listed
        for listed, (_, mark) in enumerate(receipt.items, 1):  # noqa: B007  (it is read afterwards)
            yield _describe_item(mark)

    yield from _section(f"Items ({receipt.items_total:,})", describe())
    if listed < receipt.items_total:
        yield f"\nOnly {listed:,} of {receipt.items_total:,} items could be read.\n"


def _item(phase: str, mark: ItemMark) -> dict[str, Any]:
    item: dict[str, Any] = {"phase": phase, "item": mark.item, "outcome": mark.outcome, "good": mark.is_good}
    optional = {"size": mark.size, "sha256": mark.digest, "evidence": mark.evidence, "detail": mark.detail}
    item |= {name: value for name, value in optional.items() if value not in (None, "")}
    return item | ({"at": format_time(mark.at)} if mark.at else {})


def _describe_item(mark: ItemMark) -> str:
    size = format_count(mark.size, "byte") if mark.size is not None else ""
    parts = (mark.outcome, mark.item, size, mark.digest or "", mark.evidence, mark.detail)
    return "  ".join(part for part in parts if part)


def _finding(finding: Finding) -> dict[str, Any]:
    values = {
        "kind": str(finding.kind),
        "path": finding.path,
        "expected": finding.expected,
        "found": finding.found,
        "expected_size": finding.expected_size,
        "found_size": finding.found_size,
        "detail": finding.detail,
    }
    return {name: value for name, value in values.items() if value not in (None, "")}


def _describe_finding(finding: Finding) -> str:
    digests = f"expected {finding.expected}, found {finding.found}" if finding.expected and finding.found else ""
    return "  ".join(part for part in (str(finding.kind), finding.path, finding.detail, digests) if part)


def _decision(question: Question) -> dict[str, Any]:
    conflict = question.conflict
    return {
        "item": conflict.item,
        "place": conflict.place,
        "found": conflict.found,
        "wanted": conflict.wanted,
        "asked": format_time(question.asked_at),
        "answer": str(question.answer) if question.answer is not None else None,
    }


def _describe_decision(question: Question) -> str:
    answer = str(question.answer) if question.answer is not None else "not decided"
    return f"{answer}  {question.conflict.item}  ({question.conflict.found}; {question.conflict.wanted})"


def _run(attempt: Attempt, job: JobSnapshot) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "started": format_time(attempt.started_at),
        "ended": format_time(attempt.ended_at),
        "process": attempt.worker,
        "outcome": _tell_outcome(attempt, job),
    }


def _describe_attempt(attempt: Attempt, job: JobSnapshot) -> str:
    span = f"{format_time(attempt.started_at)} to {format_time(attempt.ended_at) or '…'}"
    return f"{attempt.number}.  {span}  {attempt.worker}  {_tell_outcome(attempt, job)}"


def _tell_outcome(attempt: Attempt, job: JobSnapshot) -> str:
    if attempt.outcome or attempt.ended_at is not None:
        return attempt.outcome
    is_this_one = job.state.is_running and attempt.number == job.attempt
    return "runs" if is_this_one else "its process vanished"

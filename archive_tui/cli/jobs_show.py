"""`archive-tui jobs show`, `jobs logs` and `jobs receipt`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.job_documents import describe_state, describe_when, job_document, question_document
from archive_tui.cli.job_engine import find_job, open_engine
from archive_tui.cli.output import show_name, write_json, write_line, write_pieces, write_table
from archive_tui.cli.times import format_time, iso_time
from archive_tui.cli.verdicts import describe_finding
from archive_tui.jobs.states import JobState
from archive_tui.names.quantities import format_count, format_duration, format_rate, format_size, format_span

if TYPE_CHECKING:
    from archive_tui.jobs.job import JobSnapshot, Question
    from archive_tui.jobs.progress_meter import PhaseProgress
    from archive_tui.jobs.request import JobPolicy

SHOWN = 20
"""Findings and log lines that `show` prints; `receipt` and `logs` have all that are kept."""


@click.command()
@click.argument("number", type=click.IntRange(min=1))
@click.option("--wait", is_flag=True, help="Show how it goes until it has ended; the exit status tells how.")
@common_options
def show(number: int, wait: bool) -> int:
    """Show job NUMBER: what it does, how far it is, what it found, what it asks, and what happened lately."""
    from archive_tui.cli.job_running import wait_for_job

    invocation = current_invocation()
    with open_engine(invocation) as engine:
        job = find_job(engine, number)
        if wait:
            return wait_for_job(invocation, engine, number)
        questions = [question for question in engine.questions(number) if question.answer is None]
    if invocation.as_json:
        write_json(
            {
                **job_document(job),
                "findings": [asdict(finding) for finding in job.findings],
                "open_questions": [question_document(question) for question in questions],
                "log": [{"at": iso_time(line.at), "text": line.text} for line in job.log],
            }
        )
        return 0
    write_line(f"Job {job.id}: {show_name(job.title)}")
    write_table([(f"  {name}", text) for name, text in _facts(job) if text])
    for line in (*_describe_findings(job), *describe_questions(questions), *_describe_log(job)):
        write_line(line)
    return 0


def _facts(job: JobSnapshot) -> Iterator[tuple[str, str]]:
    yield "state", _describe_standing(job)
    yield "", show_name(job.message)
    yield "", show_name(_next_step(job))
    yield "from", show_name(job.source)
    yield "to", show_name(job.destination)
    yield "queued", format_time(job.queued_at)
    if job.started_at is not None:
        attempts = f", {format_count(job.attempt, 'attempt')}" if job.attempt > 1 else ""
        yield "started", f"{format_time(job.started_at)}{attempts}"
    if job.ended_at is not None:
        yield "ended", f"{format_time(job.ended_at)}, after {format_duration(job.ran_seconds)} of work"
    for phase in job.phases:
        yield phase.phase, _describe_phase(phase)
    yield "policy", _describe_policy(job.policy)
    yield "command", show_name(job.command)


def _describe_standing(job: JobSnapshot) -> str:
    when = describe_when(job)
    owner = f", {show_name(job.owner)}" if job.owner and job.state.is_running else ""
    return f"{describe_state(job)}{owner}{f', {when}' if when else ''}"


def _next_step(job: JobSnapshot) -> str:
    """What failed for now is repeated without anybody's help: the hint of its error would send people to do it."""
    return "It tries again by itself." if job.state is JobState.WAITING else job.hint


def _describe_phase(phase: PhaseProgress) -> str:
    items = format_count(phase.items_done, "item") if phase.items_done else ""
    if phase.items_total is not None and not phase.ended:
        items = f"{phase.items_done:,} of {format_count(phase.items_total, 'item')}"
    size = format_size(phase.bytes_done) if phase.bytes_done else ""
    if phase.bytes_total and not phase.ended:
        size = f"{size} of {format_size(phase.bytes_total)}"
    share = "" if phase.ended or phase.fraction is None else f"{int(100 * phase.fraction)} %"
    parts = [share, items, size, format_rate(phase.rate)]
    parts += [format_count(phase.failed_items, "finding")] if phase.failed_items else []
    parts += [f"{format_span(phase.eta)} left"] if phase.eta is not None and not phase.ended else []
    return ", ".join(part for part in parts if part)


def _describe_policy(policy: JobPolicy) -> str:
    parts = [f"conflicts: {policy.conflicts}", format_count(policy.retries, "retry", "retries")]
    parts += [f"at most {format_rate(policy.bandwidth)}"] if policy.bandwidth is not None else []
    parts += [f"at most {format_duration(policy.deadline)} of work"] if policy.deadline is not None else []
    return ", ".join(parts)


def _describe_findings(job: JobSnapshot) -> Iterator[str]:
    if job.findings:
        yield "Findings:"
        yield from (f"  {describe_finding(finding)}" for finding in job.findings[:SHOWN])
        if len(job.findings) > SHOWN:
            yield f"  … and {len(job.findings) - SHOWN:,} more: archive-tui jobs receipt {job.id}"
    elif job.failed_items:
        yield "Met on the way:" if job.state.is_end else "Findings so far:"
        yield from (f"  {show_name(failed.item)}: {show_name(failed.reason)}" for failed in job.failed_items[:SHOWN])
        if job.failed_count > SHOWN:
            yield f"  … and {job.failed_count - SHOWN:,} more"


def describe_questions(questions: Iterable[Question]) -> Iterator[str]:
    """Yields each open question in two lines, and what can be answered."""
    for question in questions:
        conflict = question.conflict
        yield f"? {show_name(conflict.item)}: something else lies at {show_name(conflict.place)}"
        choices = ", ".join(map(str, conflict.choices))
        yield f"    there: {show_name(conflict.found)}; new: {show_name(conflict.wanted)}; choices: {choices}"


def _describe_log(job: JobSnapshot) -> Iterator[str]:
    if job.log:
        yield "Log:"
        yield from (f"  {format_time(line.at)}  {show_name(line.text)}" for line in job.log[-SHOWN:])


@click.command()
@click.argument("number", type=click.IntRange(min=1))
@common_options
def logs(number: int) -> int:
    """Print what happened to job NUMBER, the newest 500 lines."""
    invocation = current_invocation()
    with open_engine(invocation) as engine:
        job = find_job(engine, number)
    if invocation.as_json:
        write_json({"job": job.id, "log": [{"at": iso_time(line.at), "text": line.text} for line in job.log]})
        return 0
    for line in job.log:
        write_line(f"{format_time(line.at)}  {show_name(line.text)}")
    return 0


@click.command()
@click.argument("number", type=click.IntRange(min=1))
@common_options
def receipt(number: int) -> int:
    """Print the receipt of job NUMBER: what, from where, to where, digests, evidence for each item, exceptions, times.

    Of a job that has not ended it says how far it came.
    """
    from archive_tui.jobs.receipts.receipt import receipt_json, receipt_text

    invocation = current_invocation()
    with open_engine(invocation) as engine:
        find_job(engine, number)
        made = engine.receipt(number)
        write_pieces(receipt_json(made) if invocation.as_json else receipt_text(made))
    return 0

"""`archive-tui jobs answer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.job_documents import describe_state, job_document, question_document
from archive_tui.cli.job_engine import find_job, open_engine
from archive_tui.cli.jobs_change import start_option, start_runner
from archive_tui.cli.jobs_show import describe_questions
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.conflicts import ConflictRule
from archive_tui.errors import ConfigurationError
from archive_tui.jobs.states import JobState
from archive_tui.names.quantities import format_count

if TYPE_CHECKING:
    from archive_tui.cli.invocation import Invocation
    from archive_tui.jobs.engine import JobEngine
    from archive_tui.jobs.job import JobSnapshot, Question

RULES = ("keep", "keep-both", "replace")


@click.command()
@click.argument("number", type=click.IntRange(min=1))
@click.argument("rule", metavar="[keep|keep-both|replace]", type=click.Choice(RULES), required=False)
@click.argument("items", metavar="[ITEM]...", nargs=-1)
@click.option("--all", "for_all", is_flag=True, help="The same for all, also for what it asks from now on.")
@start_option
@common_options
def answer(number: int, rule: str | None, items: tuple[str, ...], for_all: bool, no_start: bool) -> int:
    """Decide what job NUMBER has asked; without a rule, show what it asks.

    keep: what lies there stays, and the item is not done. keep-both: the new one takes another name, or the next
    number. replace: the new one takes its place. Without ITEM there must be one question, or --all.

    When everything is decided the job goes on with the rest, in the background unless a process works through the
    queue already.
    """
    invocation = current_invocation()
    with open_engine(invocation) as engine:
        job = find_job(engine, number)
        questions = [question for question in engine.questions(number) if question.answer is None]
        if rule is None:
            return _show(invocation, job, questions)
        _decide(engine, questions, ConflictRule(rule), _choose(job, questions, items, for_all=for_all), for_all)
        job = find_job(engine, number)
    if job.state is JobState.QUEUED and not no_start:
        start_runner(invocation)
    if invocation.as_json:
        write_json(job_document(job))
    else:
        write_line(f"Job {job.id}: {describe_state(job)}, {show_name(job.title)}")
    return ExitStatus.CLEAN


def _show(invocation: Invocation, job: JobSnapshot, questions: Sequence[Question]) -> int:
    if invocation.as_json:
        write_json({"job": job.id, "questions": [question_document(question) for question in questions]})
        return ExitStatus.CLEAN
    for line in describe_questions(questions):
        write_line(line)
    if questions:
        invocation.note(f"Answer with: archive-tui jobs answer {job.id} RULE [ITEM]...")
    else:
        invocation.note(f"Job {job.id} asks nothing.")
    return ExitStatus.CLEAN


def _choose(
    job: JobSnapshot, questions: Sequence[Question], items: Sequence[str], *, for_all: bool
) -> Sequence[Question]:
    """Raises: ConfigurationError (no-such-question, item-missing)."""
    if not questions:
        raise ConfigurationError(f"Job {job.id} asks nothing.", hint=_see(job), code="no-such-question")
    by_item = {question.conflict.item: question for question in questions}
    unknown = [item for item in items if item not in by_item]
    if unknown:
        raise ConfigurationError(
            f"Job {job.id} does not ask about {unknown[0]}", hint=_see(job), code="no-such-question"
        )
    if not items and len(questions) > 1 and not for_all:
        raise ConfigurationError(
            f"Job {job.id} asks {format_count(len(questions), 'question')}: name the item, or add --all.",
            hint=_see(job),
            code="item-missing",
        )
    return [by_item[item] for item in items] or questions


def _see(job: JobSnapshot) -> str:
    return f"What it asks: archive-tui jobs answer {job.id}"


def _decide(
    engine: JobEngine, questions: Sequence[Question], rule: ConflictRule, chosen: Sequence[Question], for_all: bool
) -> None:
    """Raises: ConfigurationError (rule-not-possible), before anything is answered."""
    for question in questions if for_all else chosen:
        if rule not in question.conflict.choices:
            choices = ", ".join(map(str, question.conflict.choices))
            raise ConfigurationError(
                f"{rule} is not possible for {question.conflict.item}",
                hint=f"There it is one of: {choices}.",
                code="rule-not-possible",
            )
    for question in chosen[:1] if for_all else chosen:
        engine.answer(question.job_id, question.conflict.item, rule, for_all=for_all)

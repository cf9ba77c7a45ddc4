"""Conflicts: settled by rule, or put into the tray while everything else is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archive_tui.conflicts import Conflict, ConflictRule
from archive_tui.errors import ConfigurationError, OperationStopped
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.kind import JobResult, JobWork
from archive_tui.jobs.queue import open_job_queue
from archive_tui.jobs.request import JobPolicy
from archive_tui.jobs.states import JobState
from tests.jobs.probe_kinds import VERIFIED, probe

KEEP, BOTH, REPLACE, ASK = ConflictRule.KEEP, ConflictRule.KEEP_BOTH, ConflictRule.REPLACE, ConflictRule.ASK
SECONDS = 20.0


class Copying:
    """Copies items, each of which finds something in its way, until its rule is known; notes what it did to which."""

    def __init__(self, *items: str, choices: tuple[ConflictRule, ...] = (KEEP, BOTH, REPLACE)) -> None:
        self.items = items
        self.choices = choices
        self.found = "12 bytes, of today"
        self.done: dict[str, ConflictRule] = {}
        self.runs = 0

    def __call__(self, work: JobWork) -> JobResult:
        self.runs += 1
        for item in self.items:
            if item not in self.done:
                rule = work.resolve(Conflict(item, f"lab:{item}", self.found, "14 bytes", self.choices))
                if rule is not ASK:
                    self.done[item] = rule
        return VERIFIED


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[JobEngine]:
    with closing(open_job_queue(tmp_path / "jobs.sqlite3")) as queue:
        engine = JobEngine(queue)
        yield engine
        engine.close()


def submit(engine: JobEngine, run: object, rule: ConflictRule = ASK) -> int:
    return engine.submit(probe(kind="live", policy=JobPolicy(conflicts=rule)), live={"run": run})


def rest_of(engine: JobEngine, job_id: int) -> JobSnapshot:
    assert engine.wait([job_id], SECONDS)
    found = engine.get(job_id)
    assert found is not None
    return found


@pytest.mark.parametrize("rule", [KEEP, BOTH, REPLACE])
def test_a_rule_settles_all_conflicts_and_nobody_is_asked(engine: JobEngine, rule: ConflictRule) -> None:
    copying = Copying("a", "b")
    assert rest_of(engine, submit(engine, copying, rule)).state is JobState.VERIFIED
    assert copying.done == {"a": rule, "b": rule} and copying.runs == 1
    assert engine.questions() == ()


def test_a_rule_that_is_not_possible_leaves_what_is_there(engine: JobEngine) -> None:
    copying = Copying("a", choices=(KEEP, BOTH))
    rest_of(engine, submit(engine, copying, REPLACE))
    assert copying.done == {"a": KEEP}


def test_who_wants_to_be_asked_is_asked_and_the_queue_goes_on(engine: JobEngine) -> None:
    copying = Copying("a", "b\udc80")
    job_id = submit(engine, copying)
    other = submit(engine, lambda work: VERIFIED)
    assert rest_of(engine, other).state is JobState.VERIFIED
    undecided = rest_of(engine, job_id)
    assert (undecided.state, undecided.questions) == (JobState.UNDECIDED, 2)
    assert undecided.message == "2 items need a decision; everything else is done."
    assert undecided.ended_at is None and undecided.owner == ""
    questions = engine.questions(job_id)
    assert [(question.job_id, question.conflict.item) for question in questions] == [(job_id, "a"), (job_id, "b\udc80")]
    assert questions[0].conflict == Conflict("a", "lab:a", "12 bytes, of today", "14 bytes", (KEEP, BOTH, REPLACE))
    assert engine.questions() == questions

    assert engine.answer(job_id, "a", REPLACE)
    assert rest_of(engine, job_id).state is JobState.UNDECIDED, "one is still open"
    assert engine.answer(job_id, "b\udc80", BOTH)
    assert rest_of(engine, job_id).state is JobState.VERIFIED
    assert copying.done == {"a": REPLACE, "b\udc80": BOTH}
    assert copying.runs == 2
    assert {(each.conflict.item, each.answer) for each in engine.receipt(job_id).decisions} == {
        ("a", REPLACE),
        ("b\udc80", BOTH),
    }


def test_one_answer_for_all_answers_those_for_which_it_is_possible(engine: JobEngine) -> None:
    copying = Copying("a", "b", "c")
    job_id = submit(engine, copying)
    rest_of(engine, job_id)
    copying.items = ("a", "b", "c", "d")
    assert engine.answer(job_id, "b", BOTH, for_all=True)
    assert rest_of(engine, job_id).state is JobState.VERIFIED
    assert copying.done == dict.fromkeys("abcd", BOTH), "those that came later, too"


def test_an_answer_about_something_else_that_lay_there_does_not_count(engine: JobEngine) -> None:
    copying = Copying("a")
    job_id = submit(engine, copying)
    rest_of(engine, job_id)
    copying.found = "99 bytes, of just now"
    assert engine.answer(job_id, "a", REPLACE)
    assert rest_of(engine, job_id).state is JobState.UNDECIDED
    (question,) = engine.questions(job_id)
    assert question.conflict.found == "99 bytes, of just now"
    assert copying.done == {}


def test_what_is_not_possible_or_was_not_asked_is_refused(engine: JobEngine) -> None:
    job_id = submit(engine, Copying("a", choices=(KEEP, BOTH)))
    rest_of(engine, job_id)
    for rule in (REPLACE, ASK):
        with pytest.raises(ConfigurationError) as refused:
            engine.answer(job_id, "a", rule)
        assert refused.value.code == "rule-not-possible"
    assert not engine.answer(job_id, "b", KEEP)
    assert not engine.answer(99, "a", KEEP)
    assert rest_of(engine, job_id).state is JobState.UNDECIDED


def test_a_conflict_that_has_gone_away_is_no_question_any_more(engine: JobEngine) -> None:
    copying = Copying("a")
    job_id = submit(engine, copying)
    rest_of(engine, job_id)
    copying.items = ()
    assert engine.resume(job_id)
    ended = rest_of(engine, job_id)
    assert (ended.state, ended.questions) == (JobState.VERIFIED, 0)


def test_an_answer_that_comes_while_it_runs_has_it_run_again(engine: JobEngine) -> None:
    class Answering(Copying):
        def __call__(self, work: JobWork) -> JobResult:
            result = super().__call__(work)
            if self.runs == 1:
                engine.answer(work.job_id, "a", KEEP)
            return result

    copying = Answering("a")
    assert rest_of(engine, submit(engine, copying)).state is JobState.VERIFIED
    assert copying.runs == 2 and copying.done == {"a": KEEP}


@pytest.mark.parametrize(("verb", "state"), [("pause", JobState.PAUSED), ("cancel", JobState.CANCELLED)])
def test_a_job_that_asks_can_be_paused_and_cancelled(engine: JobEngine, verb: str, state: JobState) -> None:
    job_id = submit(engine, Copying("a"))
    rest_of(engine, job_id)
    assert getattr(engine, verb)(job_id)
    assert rest_of(engine, job_id).state is state


def test_a_run_that_asked_and_was_stopped_is_what_it_was_asked_to_be(engine: JobEngine) -> None:
    class Stopping(Copying):
        def __call__(self, work: JobWork) -> JobResult:
            super().__call__(work)
            if self.runs == 1:
                engine.pause(work.job_id)
                raise OperationStopped
            return VERIFIED

    copying = Stopping("a")
    job_id = submit(engine, copying)
    assert rest_of(engine, job_id).state is JobState.PAUSED
    assert engine.answer(job_id, "a", KEEP)
    assert engine.resume(job_id)
    assert rest_of(engine, job_id).state is JobState.VERIFIED

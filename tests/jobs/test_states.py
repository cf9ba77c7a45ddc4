"""No other way from state to state than TRANSITIONS has, whatever people, workers and accidents do in what order."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from archive_tui.conflicts import Conflict, ConflictRule
from archive_tui.errors import ConfigurationError, OperationStopped, StorageUnavailable
from archive_tui.jobs.kind import JobResult
from archive_tui.jobs.queue.claiming import ClaimedJob, claim_job, claim_next, release_worker
from archive_tui.jobs.queue.decisions import ask, read_questions, write_answer
from archive_tui.jobs.queue.endings import RunEnd, finish_run, is_owner
from archive_tui.jobs.queue.memory_database import MemoryDatabase
from archive_tui.jobs.queue.retries import DueRetries
from archive_tui.jobs.queue.submitting import describe_job, find_same_work, insert_job, take_up
from archive_tui.jobs.queue.transitions import ForbiddenTransition, enter_state, read_state
from archive_tui.jobs.queue.wishes import ask_to_go_on, ask_to_stop, move_job
from archive_tui.jobs.queue.workers import WorkerRow
from archive_tui.jobs.request import JobPolicy
from archive_tui.jobs.running.run_outcome import RunOutcome, run_to_outcome
from archive_tui.jobs.states import ENDS, TRANSITIONS, JobState
from tests.jobs.probe_kinds import probe

WATCH = """CREATE TABLE passed (job, before, after);
    CREATE TRIGGER watch AFTER UPDATE OF state ON job
    BEGIN INSERT INTO passed VALUES (OLD.id, OLD.state, NEW.state); END"""


def worker(number: int) -> WorkerRow:
    return WorkerRow(f"worker-{number}", "host", "boot", True, f"pid {number} on host", 0)


def raising(error: BaseException) -> RunOutcome:
    def run() -> JobResult:
        raise error

    return run_to_outcome(run)


OUTCOMES = [
    *(RunOutcome(JobResult(state, f"It says {state}.")) for state in JobState),
    raising(OperationStopped()),
    raising(StorageUnavailable("No answer.")),
    raising(ConfigurationError("Wrong.")),
    raising(ZeroDivisionError("oh")),
    raising(KeyboardInterrupt()),
]
WISHES = [JobState.PAUSED, JobState.CANCELLED, JobState.QUEUED]


def test_ends_are_followed_by_a_retry_at_most_and_every_state_is_reachable() -> None:
    reachable = {JobState.QUEUED}
    for _ in JobState:
        reachable |= {after for state in reachable for after in TRANSITIONS[state]}
    assert reachable == set(JobState)
    assert JobState.CANCELLED not in TRANSITIONS[JobState.RUNNING], "cancelled is not stopped"
    assert all(TRANSITIONS[end] <= {JobState.QUEUED} for end in ENDS)


@pytest.mark.parametrize("before", JobState)
@pytest.mark.parametrize("after", JobState)
def test_a_forbidden_change_is_refused_and_changes_nothing(before: JobState, after: JobState) -> None:
    database = MemoryDatabase()
    made = database.transact(lambda c: insert_job(c, describe_job(probe(), outlives=True), home=None))
    assert made is not None
    database.transact(lambda c: c.execute("UPDATE job SET state = ?", (before.value,)))
    if after in TRANSITIONS[before]:
        database.transact(lambda c: enter_state(c, made.value, after))
    else:
        with pytest.raises(ForbiddenTransition):
            database.transact(lambda c: enter_state(c, made.value, after, message="no"))
    state = database.read(lambda c: read_state(c, made.value), None)
    assert state is (after if after in TRANSITIONS[before] else before)
    assert database.read(lambda c: c.execute("SELECT message FROM job").fetchone(), None) == ("",)
    database.close()


class Lives(RuleBasedStateMachine):
    """Three workers and some people, on one database."""

    def __init__(self) -> None:
        super().__init__()
        self.database = MemoryDatabase()
        self.database.read(lambda c: c.executescript(WATCH), None)
        self.claimed: dict[int, tuple[ClaimedJob, WorkerRow]] = {}
        self.asked: dict[int, set[str]] = {}
        self.clock = 0.0
        self.retries = DueRetries(lambda: self.clock)
        self.count = 0

    def change(self, work: Any) -> Any:
        done = self.database.transact(work)
        assert done is not None
        return done.value

    jobs = st.integers(1, 4)
    workers = st.integers(1, 3).map(worker)

    @precondition(lambda self: self.count < 4)
    @rule(outlives=st.booleans(), home=st.one_of(st.none(), workers), retries=st.integers(0, 1))
    def submit(self, outlives: bool, home: WorkerRow | None, retries: int) -> None:
        request = probe(number=self.count % 2, policy=JobPolicy(retries=retries))
        job = describe_job(request, outlives=outlives)
        self.change(lambda c: insert_job(c, job, home=home.id if home is not None else None))
        self.count += 1

    @rule(by=workers, number=st.integers(0, 1))
    def adopt(self, by: WorkerRow, number: int) -> None:
        job = describe_job(probe(number=number), outlives=True)

        def work(connection: sqlite3.Connection) -> ClaimedJob | None:
            job_id = find_same_work(connection, job)
            if job_id is None:
                return None
            take_up(connection, job_id, job)
            ask_to_go_on(connection, job_id)
            return claim_job(connection, by, job_id)

        self.enroll(self.change(work), by)

    @rule(by=workers)
    def claim(self, by: WorkerRow) -> None:
        self.enroll(self.change(lambda c: claim_next(c, by.id, lambda: by, None)), by)

    def enroll(self, claimed: ClaimedJob | None, by: WorkerRow) -> None:
        if claimed is not None:
            self.claimed[claimed.id] = (claimed, by)
            self.asked[claimed.id] = set()

    @rule(job=jobs, wanted=st.sampled_from(WISHES))
    def stop(self, job: int, wanted: JobState) -> None:
        self.change(lambda c: ask_to_stop(c, job, wanted))

    @rule(job=jobs)
    def go_on(self, job: int) -> None:
        self.change(lambda c: ask_to_go_on(c, job))

    @rule(job=jobs, up=st.booleans())
    def move(self, job: int, up: bool) -> None:
        self.change(lambda c: move_job(c, job, up=up))

    @precondition(lambda self: self.claimed)
    @rule(data=st.data(), item=st.sampled_from("ab"))
    def meet_conflict(self, data: st.DataObject, item: str) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.claimed)))
        claimed, by = self.claimed[job_id]
        if self.change(lambda c: is_owner(c, claimed, by.id)):
            self.change(lambda c: ask(c, job_id, Conflict(item, "there", "old", "new")))
            self.asked[job_id].add(item)

    @rule(job=jobs, item=st.sampled_from("ab"), for_all=st.booleans())
    def answer(self, job: int, item: str, for_all: bool) -> None:
        if any(question.conflict.item == item for question in self.change(lambda c: read_questions(c, job))):
            self.change(lambda c: write_answer(c, job, item, ConflictRule.KEEP, for_all=for_all))

    @precondition(lambda self: self.claimed)
    @rule(data=st.data(), outcome=st.sampled_from(OUTCOMES), wish=st.sampled_from([None, *WISHES]), late=st.booleans())
    def finish(self, data: st.DataObject, outcome: RunOutcome, wish: JobState | None, late: bool) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.claimed)))
        claimed, by = self.claimed.pop(job_id)
        end = RunEnd(outcome, 1.0, frozenset(self.asked.pop(job_id)), wish, late, 10.0)

        def work(connection: sqlite3.Connection) -> None:
            if is_owner(connection, claimed, by.id):
                finish_run(connection, claimed, end, None)

        self.change(work)

    @rule(dead=workers)
    def kill(self, dead: WorkerRow) -> None:
        """What it ran goes on without knowing: its writes must not count."""
        self.change(lambda c: release_worker(c, dead.id))

    @rule(by=workers, seconds=st.sampled_from([0.0, 100.0]))
    def wait(self, by: WorkerRow, seconds: float) -> None:
        self.clock += seconds
        for job_id in self.change(lambda c: self.retries.find_due(c, by.id)):
            self.change(lambda c, job_id=job_id: self.retries.retry(c, job_id))

    @invariant()
    def only_allowed_changes(self) -> None:
        passed = self.database.read(lambda c: c.execute("SELECT job, before, after FROM passed").fetchall(), [])
        for job_id, before, after in passed:
            assert JobState(after) in TRANSITIONS[JobState(before)], (job_id, before, after)

    @invariant()
    def what_is_said_of_a_job_fits_together(self) -> None:
        rows = self.database.read(
            lambda c: c.execute("SELECT state, owner, wish, ended_at, wait, message, code FROM job").fetchall(), []
        )
        for state, owner, wish, ended_at, wait, message, code in rows:
            assert JobState(state).is_running == (owner is not None)
            assert (wish is not None) == (state == JobState.STOPPING)
            assert JobState(state).is_end == (ended_at is not None)
            assert JobState(state).is_end <= bool(message)
            assert (state == JobState.WAITING) == (wait is not None)
            assert code == "" or state in (JobState.FAILED, JobState.WAITING, JobState.FINDINGS)

    def teardown(self) -> None:
        self.database.close()


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)

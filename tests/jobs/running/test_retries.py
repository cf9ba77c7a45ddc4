"""Waiting is measured by clocks that do not jump, and ends whatever the wall clock does."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from archive_tui.errors import StorageUnavailable
from archive_tui.jobs.kind import JobResult
from archive_tui.jobs.queue.claiming import claim_job
from archive_tui.jobs.queue.endings import RunEnd, describe_end, finish_run
from archive_tui.jobs.queue.job_rows import read_job, seconds_left
from archive_tui.jobs.queue.memory_database import MemoryDatabase
from archive_tui.jobs.queue.retries import DueRetries
from archive_tui.jobs.queue.submitting import describe_job, insert_job
from archive_tui.jobs.queue.workers import WorkerRow
from archive_tui.jobs.running.retrying import FIRST_SECONDS, LONGEST_SECONDS, back_off
from archive_tui.jobs.running.run_outcome import Decision, run_to_outcome
from archive_tui.jobs.states import JobState
from tests.jobs.probe_kinds import probe

YEAR = 365 * 86400.0
WORKER = WorkerRow("w", "host", "boot", True, "pid 1 on host", 0)


def unavailable() -> JobResult:
    raise StorageUnavailable("No answer.")


@pytest.fixture
def database() -> Iterator[MemoryDatabase]:
    database = MemoryDatabase()
    yield database
    database.close()


def begin_waiting(database: MemoryDatabase, wait: float) -> int:
    made = database.transact(lambda c: insert_job(c, describe_job(probe(), outlives=True), home=None))
    assert made is not None
    claimed = database.transact(lambda c: claim_job(c, WORKER, made.value))
    assert claimed is not None and claimed.value is not None
    job = claimed.value
    end = RunEnd(run_to_outcome(unavailable), 1.0, frozenset(), None, False, wait)
    database.transact(lambda c: finish_run(c, job, end, None))
    return made.value


def test_waits_grow_from_ten_seconds_to_ten_minutes() -> None:
    longest = [back_off(retries, chance=0.0) for retries in range(9)]
    assert longest == [10, 20, 40, 80, 160, 320, 600, 600, 600]
    assert back_off(10**9, chance=0.0) == LONGEST_SECONDS
    assert all(back_off(0) >= FIRST_SECONDS * 0.8 for _ in range(50))
    assert len({back_off(3) for _ in range(50)}) > 1, "not all come back at the same moment"


def test_a_wait_is_over_when_it_was_waited_for(database: MemoryDatabase) -> None:
    now = [0.0]
    retries = DueRetries(lambda: now[0])
    job_id = begin_waiting(database, 30.0)
    assert database.read(lambda c: retries.find_due(c, ""), []) == []
    now[0] = 29.0
    assert database.read(lambda c: retries.find_due(c, ""), []) == []
    now[0] = 30.0
    assert database.read(lambda c: retries.find_due(c, ""), []) == [job_id]


@pytest.mark.parametrize("jump", [-YEAR, YEAR])
def test_a_clock_that_jumps_cannot_freeze_a_wait(
    database: MemoryDatabase, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    now = [0.0]
    job_id = begin_waiting(database, 30.0)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    retries = DueRetries(lambda: now[0])
    database.read(lambda c: retries.find_due(c, ""), [])
    now[0] = 30.0
    assert database.read(lambda c: retries.find_due(c, ""), []) == [job_id]
    shown = database.read(lambda c: read_job(c, job_id), None)
    assert shown is not None and shown.retry_in is not None and 0.0 <= shown.retry_in <= 30.0


def test_a_wait_that_was_over_long_ago_is_over(database: MemoryDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = begin_waiting(database, 30.0)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 2 * 86400)
    assert database.read(lambda c: DueRetries().find_due(c, ""), []) == [job_id]
    assert seconds_left(None, None) is None


@pytest.mark.parametrize("message", ["lab cannot be reached: TimeoutError", "No answer from lab."])
def test_the_log_says_in_whole_sentences_when_it_is_tried_again(message: str) -> None:
    line = describe_end(Decision((JobState.WAITING,), JobResult(JobState.WAITING, message)), 8.4)
    assert line == f"{message.rstrip('.')}. It is tried again in 8 s."

"""A job in the foreground: the caller's thread, the caller's stop signal, and a record like that of any other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archive_tui.errors import ConfigurationError, OperationStopped, StorageUnavailable
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.kind import JobResult, JobWork
from archive_tui.jobs.queue import open_job_queue
from archive_tui.jobs.request import JobPolicy
from archive_tui.jobs.states import JobState
from archive_tui.progress import Event, Notice, check_stop
from tests.jobs.probe_kinds import VERIFIED, probe

FOREGROUND = JobPolicy(retries=0)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[JobEngine]:
    with closing(open_job_queue(tmp_path / "jobs.sqlite3")) as queue:
        engine = JobEngine(queue, takes_queued=False)
        yield engine
        engine.close()
        assert engine.remarks == ()


class Stop:
    """Set from the moment on at which it was asked so many times."""

    def __init__(self, after: int = 0) -> None:
        self.left = after

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def until_stopped(work: JobWork) -> JobResult:
    while True:
        check_stop(work.stop)
        time.sleep(0.005)


def test_it_runs_in_the_calling_thread_and_tells_the_caller(engine: JobEngine) -> None:
    threads: list[threading.Thread] = []
    events: list[Event] = []
    value = object()

    def run(work: JobWork) -> JobResult:
        threads.append(threading.current_thread())
        work.report(Notice("A remark."))
        return JobResult(JobState.VERIFIED, "All well.", value=value)

    here = engine.run_here(probe(kind="live", policy=FOREGROUND), live={"run": run}, report=events.append)
    assert threads == [threading.current_thread()] and events == [Notice("A remark.")]
    assert here.error is None and here.snapshot.result is value
    assert (here.snapshot.state, here.snapshot.attempt) == (JobState.VERIFIED, 1)
    assert [line.text for line in here.snapshot.log] == ["Queued.", "Started.", "A remark.", "All well."]
    assert engine.get(here.snapshot.id) == here.snapshot


def test_what_it_raises_is_handed_back(engine: JobEngine) -> None:
    error = StorageUnavailable("No answer.", hint="Try again later.")

    def run(work: JobWork) -> JobResult:
        raise error

    here = engine.run_here(probe(kind="live", policy=FOREGROUND), live={"run": run})
    assert here.error is error
    assert (here.snapshot.state, here.snapshot.code) == (JobState.FAILED, "storage-unavailable")


def test_stopped_by_the_caller_it_is_paused_and_the_same_goes_on(engine: JobEngine) -> None:
    here = engine.run_here(probe(kind="live", number=1), live={"run": until_stopped}, stop=Stop(after=3))
    assert isinstance(here.error, OperationStopped)
    assert (here.snapshot.id, here.snapshot.state) == (1, JobState.PAUSED)
    other = engine.run_here(probe(kind="live", number=2), live={"run": lambda work: VERIFIED})
    assert other.snapshot.id == 2, "something else was asked for"
    again = engine.run_here(
        probe("another title", kind="live", number=1, policy=FOREGROUND), live={"run": lambda work: VERIFIED}
    )
    assert (again.snapshot.id, again.snapshot.state, again.snapshot.attempt) == (1, JobState.VERIFIED, 2)
    assert (again.snapshot.policy, again.snapshot.title) == (FOREGROUND, "another title")


def test_a_failed_one_is_gone_on_with_and_an_ended_one_is_not(engine: JobEngine) -> None:
    def fail(work: JobWork) -> JobResult:
        raise ConfigurationError("Wrong.")

    runs = [
        fail,
        lambda work: JobResult(JobState.FINDINGS, "Findings: 1"),
        lambda work: VERIFIED,
        lambda work: VERIFIED,
    ]
    ended = [engine.run_here(probe(kind="live"), live={"run": run}).snapshot for run in runs]
    assert [(job.id, job.attempt) for job in ended] == [(1, 1), (1, 2), (2, 1), (3, 1)]


def test_an_interrupt_in_the_calling_thread_pauses_it(engine: JobEngine) -> None:
    def run(work: JobWork) -> JobResult:
        raise KeyboardInterrupt

    here = engine.run_here(probe(kind="live"), live={"run": run})
    assert here.snapshot.state is JobState.PAUSED
    assert isinstance(here.error, KeyboardInterrupt)


def test_with_retries_it_waits_and_tries_again_in_the_same_thread(
    engine: JobEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive_tui.jobs.running.retrying.FIRST_SECONDS", 0.05)
    threads: list[threading.Thread] = []

    def run(work: JobWork) -> JobResult:
        threads.append(threading.current_thread())
        if len(threads) < 3:
            raise StorageUnavailable("No answer.")
        return VERIFIED

    here = engine.run_here(probe(kind="live", policy=JobPolicy(retries=2)), live={"run": run})
    assert (here.snapshot.state, here.snapshot.attempt, here.error) == (JobState.VERIFIED, 3, None)
    assert threads == [threading.current_thread()] * 3


def test_a_wait_for_a_retry_can_be_stopped(engine: JobEngine) -> None:
    stop = threading.Event()

    def run(work: JobWork) -> JobResult:
        stop.set()
        raise StorageUnavailable("No answer.")

    here = engine.run_here(probe(kind="live", policy=JobPolicy(retries=2)), live={"run": run}, stop=stop)
    assert here.snapshot.state is JobState.PAUSED
    waiting = threading.Event()

    def run_later(work: JobWork) -> JobResult:
        threading.Timer(0.2, waiting.set).start()
        raise StorageUnavailable("No answer.")

    other = engine.run_here(probe(kind="live", other=1), live={"run": run_later}, stop=waiting)
    assert other.snapshot.state is JobState.PAUSED


@pytest.mark.parametrize(("verb", "state"), [("pause", JobState.PAUSED), ("cancel", JobState.CANCELLED)])
def test_it_obeys_others_too(engine: JobEngine, verb: str, state: JobState) -> None:
    begun = threading.Event()

    def run(work: JobWork) -> JobResult:
        begun.set()
        return until_stopped(work)

    def stop() -> None:
        begun.wait(20)
        getattr(engine, verb)(1)

    thread = threading.Thread(target=stop)
    thread.start()
    here = engine.run_here(probe(kind="live"), live={"run": run})
    thread.join()
    assert here.snapshot.state is state


def test_what_asks_something_is_left_undecided(engine: JobEngine) -> None:
    from archive_tui.conflicts import Conflict

    def run(work: JobWork) -> JobResult:
        work.resolve(Conflict("a", "there", "old", "new"))
        return VERIFIED

    here = engine.run_here(probe(kind="live"), live={"run": run})
    assert here.snapshot.state is JobState.UNDECIDED and here.error is None

"""The feed of jobs: it never asks the engine in the thread of the screens, and not at all while nothing moves."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from archive_tui.errors import ArchiveError, ConfigurationError
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.request import JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.tui.job_feed import LOOK_SECONDS, JobBoard, JobFeed
from tests.tui.job_samples import make_job, make_phase

REQUEST = JobRequest("led", "a job", "here", "there", "", {})


class StubEngine:
    """Says what the test wants, and notes who asked."""

    def __init__(self, *jobs: JobSnapshot) -> None:
        self.jobs = jobs
        self.full: dict[int, JobSnapshot] = {}
        self.remarks: tuple[str, ...] = ()
        self.threads: set[int] = set()
        self.looks = 0
        self.gets: list[int] = []
        self.calls: list[str] = []
        self.tell: Callable[[Any], None] = lambda job: None

    def snapshot(self) -> tuple[JobSnapshot, ...]:
        self.threads.add(threading.get_ident())
        self.looks += 1
        return self.jobs

    def get(self, job_id: int) -> JobSnapshot | None:
        self.threads.add(threading.get_ident())
        self.gets.append(job_id)
        return self.full.get(job_id) or next((job for job in self.jobs if job.id == job_id), None)

    def subscribe(self, callback: Callable[[Any], None]) -> Callable[[], None]:
        self.tell = callback
        return lambda: self.calls.append("unsubscribed")

    def submit(self, request: JobRequest, *, live: Any = None) -> int:
        self.threads.add(threading.get_ident())
        self.jobs = (*self.jobs, make_job(len(self.jobs) + 1, title=request.title))
        return len(self.jobs)


class Screens:
    """The thread of the screens: does what was delivered when the test says so."""

    def __init__(self, engine: StubEngine) -> None:
        self._delivered: list[Callable[[], None]] = []
        self.complaints: list[ArchiveError] = []
        self.boards: list[JobBoard] = []
        self.feed = JobFeed(engine, self._delivered.append, self.complaints.append)  # type: ignore[arg-type]
        self.feed.listen(lambda before, now: self.boards.append(now))

    def work(self) -> int:
        """Returns how many deliveries there were."""
        count = len(self._delivered)
        for _ in range(count):
            self._delivered.pop(0)()
        return count

    def until(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, "never came"
            self.work()
            time.sleep(0.002)


@pytest.fixture
def engine() -> StubEngine:
    return StubEngine()


@pytest.fixture
def screens(engine: StubEngine) -> Iterator[Screens]:
    screens = Screens(engine)
    screens.feed.start()
    yield screens
    screens.feed.close()


def test_the_engine_is_only_asked_outside_of_the_thread_of_the_screens(engine: StubEngine, screens: Screens) -> None:
    ids: list[int] = []
    screens.until(lambda: screens.boards)
    screens.feed.submit(lambda: REQUEST, ids.append)
    screens.until(lambda: ids)
    assert screens.feed.get(ids[0]) is not None, "whoever is told the number finds the job"
    assert threading.get_ident() not in engine.threads


def test_nothing_is_asked_while_nothing_moves(engine: StubEngine, screens: Screens) -> None:
    engine.jobs = (make_job(1, JobState.PAUSED), make_job(2, JobState.QUEUED), make_job(3, JobState.FAILED))
    screens.feed.wake()
    screens.until(lambda: len(screens.feed.jobs) == 3)
    time.sleep(0.1)
    looks = engine.looks
    time.sleep(3 * LOOK_SECONDS)
    assert engine.looks == looks
    engine.jobs = (make_job(1, JobState.RUNNING),)
    engine.tell(engine.jobs[0])
    screens.until(lambda: screens.feed.jobs == engine.jobs)
    screens.until(lambda: engine.looks >= looks + 4)


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.STOPPING, JobState.WAITING])
def test_what_moves_is_looked_at_again_and_again(engine: StubEngine, screens: Screens, state: JobState) -> None:
    engine.jobs = (make_job(1, state, is_here=False),)
    screens.feed.wake()
    screens.until(lambda: screens.feed.jobs)
    engine.jobs = (make_job(1, state, is_here=False, phases=(make_phase(bytes_done=1),)),)
    screens.until(lambda: screens.feed.jobs == engine.jobs)


def test_a_board_that_is_as_before_is_not_delivered(engine: StubEngine, screens: Screens) -> None:
    engine.jobs = (make_job(1),)
    screens.feed.wake()
    screens.until(lambda: screens.feed.jobs)
    boards, looks = len(screens.boards), engine.looks
    screens.until(lambda: engine.looks >= looks + 3)
    assert len(screens.boards) == boards


def test_screens_that_are_slow_get_the_newest_board_once(engine: StubEngine, screens: Screens) -> None:
    screens.until(lambda: screens.boards)
    for size in range(5):
        engine.jobs = (make_job(1, phases=(make_phase(bytes_done=size),)),)
        looks = engine.looks
        engine.tell(engine.jobs[0])
        while engine.looks < looks + 2:
            time.sleep(0.002)
    before = len(screens.boards)
    screens.work()
    assert len(screens.boards) == before + 1
    assert screens.feed.jobs == engine.jobs


def test_a_followed_job_is_fetched_in_full_while_it_runs_and_once_when_it_has_ended(
    engine: StubEngine, screens: Screens
) -> None:
    engine.jobs = (make_job(1),)
    engine.full[1] = make_job(1, result="partial")
    unfollow = screens.feed.follow(1)
    screens.until(lambda: (job := screens.feed.get(1)) is not None and job.result == "partial")
    engine.jobs = (make_job(1, JobState.VERIFIED), make_job(2))
    engine.full[1] = make_job(1, JobState.VERIFIED, result="whole")
    screens.until(lambda: (job := screens.feed.get(1)) is not None and job.result == "whole")
    time.sleep(0.1)
    fetched, looks = len(engine.gets), engine.looks
    screens.until(lambda: engine.looks >= looks + 3)
    assert len(engine.gets) == fetched, "an end is fetched once, though another job goes on"
    engine.jobs = (make_job(1, JobState.QUEUED), make_job(2))
    engine.full[1] = dataclasses.replace(engine.jobs[0], result=None)
    screens.until(lambda: (job := screens.feed.get(1)) is not None and job.state is JobState.QUEUED)
    unfollow()
    screens.feed.wake()
    screens.until(lambda: not screens.feed.board.full)


def test_a_job_that_the_list_does_not_hold_any_more_is_found(engine: StubEngine, screens: Screens) -> None:
    engine.full[7] = make_job(7, JobState.VERIFIED)
    screens.feed.follow(7)
    screens.until(lambda: screens.feed.get(7) is not None)
    assert screens.feed.get(8) is None and screens.feed.get(None) is None


def test_commands_are_done_in_their_order_and_their_failures_are_said(engine: StubEngine, screens: Screens) -> None:
    done: list[int] = []

    def refuse(engine: object) -> None:
        raise ConfigurationError("Not this one.")

    for number in range(20):
        screens.feed.do(lambda engine, number=number: done.append(number))  # type: ignore[misc]
    screens.feed.do(refuse)
    screens.feed.do(lambda engine: 1 // 0)
    screens.until(lambda: len(screens.complaints) == 2)
    assert done == list(range(20))
    assert [error.code for error in screens.complaints] == ["configuration", "defect"]


def test_a_look_that_fails_is_said_and_the_next_one_is_taken(engine: StubEngine, screens: Screens) -> None:
    screens.until(lambda: screens.boards)
    jobs, engine.jobs = engine.jobs, None  # type: ignore[assignment]
    screens.feed.wake()
    screens.until(lambda: screens.complaints)
    engine.jobs = (*jobs, make_job(5))
    screens.feed.wake()
    screens.until(lambda: screens.feed.get(5) is not None)


def test_after_the_end_nothing_is_said_any_more(engine: StubEngine, screens: Screens) -> None:
    screens.until(lambda: screens.boards)
    screens.feed.close()
    screens.feed.do(lambda engine: 1 // 0)
    time.sleep(0.1)
    screens.work()
    screens.until(lambda: engine.calls)
    assert screens.complaints == [] and engine.calls == ["unsubscribed"]

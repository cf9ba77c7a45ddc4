"""Several processes share one queue: each job has one owner, and a job whose owner is gone is gone on with."""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.queue import open_job_queue
from archive_tui.jobs.queue.workers import FOLDER
from archive_tui.jobs.states import JobState
from tests.jobs.engine_processes import SECONDS, engine_process, until
from tests.jobs.probe_kinds import probe


class Here:
    """An engine of this process on the same file."""

    def __init__(self, path: Path, *, takes_queued: bool = False) -> None:
        self.queue = open_job_queue(path)
        self.engine = JobEngine(self.queue, takes_queued=takes_queued)

    def job(self, job_id: int) -> JobSnapshot:
        found = self.engine.get(job_id)
        assert found is not None
        return found

    def state(self, job_id: int) -> JobState:
        return self.job(job_id).state

    def close(self) -> None:
        self.engine.close()
        self.queue.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "jobs.sqlite3"


@pytest.fixture
def here(path: Path) -> Iterator[Here]:
    here = Here(path)
    yield here
    here.close()
    assert here.engine.remarks == ()


def runs(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def test_another_process_runs_a_job_and_its_progress_is_seen_here(here: Here, path: Path, tmp_path: Path) -> None:
    heard: list[JobState] = []
    job_id = here.engine.submit(probe(begun=tmp_path / "begun", go=tmp_path / "go"))
    here.engine.subscribe(lambda job: heard.append(job.state))
    with engine_process(path, "work") as other:
        other.wait_ready()
        until(lambda: here.state(job_id) is JobState.RUNNING)
        job = here.job(job_id)
        assert f"pid {other.process.pid} on " in job.owner and not job.is_here
        assert here.engine.is_busy and not here.engine.is_busy_here
        until(lambda: heard == [JobState.RUNNING])
        (tmp_path / "go").touch()
        assert here.engine.wait([job_id], SECONDS)
        until(lambda: heard[-1:] == [JobState.VERIFIED])
    assert heard == [JobState.RUNNING, JobState.VERIFIED]


@pytest.mark.parametrize(("verb", "state"), [("pause", JobState.PAUSED), ("cancel", JobState.CANCELLED)])
def test_a_job_of_another_process_obeys(here: Here, path: Path, tmp_path: Path, verb: str, state: JobState) -> None:
    job_id = here.engine.submit(probe(begun=tmp_path / "begun", go=tmp_path / "go"))
    with engine_process(path, "work") as other:
        other.wait_ready()
        until((tmp_path / "begun").exists)
        assert getattr(here.engine, verb)(job_id)
        assert here.state(job_id) in (JobState.STOPPING, state)
        assert here.engine.wait([job_id], SECONDS)
        assert here.state(job_id) is state


def test_a_killed_owner_is_noticed_and_another_goes_on(here: Here, path: Path, tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    job_id = here.engine.submit(probe(begun=begun, go=go))
    with engine_process(path, "work") as first:
        first.wait_ready()
        until(begun.exists)
        with engine_process(path, "work") as second:
            second.wait_ready()
            first.kill()
            until(lambda: len(runs(begun)) == 2)
            assert len(list((path.parent / FOLDER).iterdir())) == 1, "what the dead one has left is removed"
            assert f"pid {second.process.pid} on " in here.job(job_id).owner
            go.touch()
            assert here.engine.wait([job_id], SECONDS)
    job = here.job(job_id)
    assert (job.state, job.attempt) == (JobState.VERIFIED, 2)
    assert "The program that ran this job is gone. It is queued again." in [line.text for line in job.log]


def test_a_stopped_owner_is_alive_and_keeps_its_job(here: Here, path: Path, tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    job_id = here.engine.submit(probe(begun=begun, go=go))
    with engine_process(path, "work") as owner:
        owner.wait_ready()
        until(begun.exists)
        owner.kill(signal.SIGSTOP)
        with closing(Here(path, takes_queued=True)) as taker:
            taker.engine.subscribe(lambda job: None)
            other = taker.engine.submit(probe(begun=tmp_path / "other"))
            assert taker.engine.wait([other], SECONDS)
            for _ in range(3):
                taker.engine._looks.release_dead(at_once=True)
            assert taker.state(job_id) is JobState.RUNNING
            assert f"pid {owner.process.pid} on " in taker.job(job_id).owner
        go.touch()
        owner.kill(signal.SIGCONT)
        assert here.engine.wait([job_id], SECONDS)
    assert len(runs(begun)) == 1


@pytest.mark.parametrize(("wish", "left"), [("pause", JobState.PAUSED), ("cancel", JobState.CANCELLED)])
def test_what_was_asked_of_a_killed_owner_is_granted(
    here: Here, path: Path, tmp_path: Path, wish: str, left: JobState
) -> None:
    job_id = here.engine.submit(probe(begun=tmp_path / "begun", go=tmp_path / "go", obeys=False))
    with engine_process(path, "work") as owner:
        owner.wait_ready()
        until((tmp_path / "begun").exists)
        assert getattr(here.engine, wish)(job_id)
        owner.kill()
    with closing(Here(path)) as later:
        assert later.state(job_id) is left


def test_a_job_that_nobody_waits_for_any_more_is_cancelled(path: Path, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    with engine_process(path, "here", kind="bound", begun=begun, go=tmp_path / "go") as owner:
        until(begun.exists)
        owner.kill()
    with closing(Here(path, takes_queued=True)) as later:
        assert later.state(1) is JobState.CANCELLED
        assert "is cancelled" in later.job(1).message
    assert len(runs(begun)) == 1


def test_a_killed_command_is_gone_on_with_by_the_same_command(path: Path, tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    with engine_process(path, "here", begun=begun, go=go) as first:
        until(begun.exists)
        first.kill()
    go.touch()
    with engine_process(path, "here", begun=begun, go=go) as second:
        assert second.finish() == "1 verified 2"
    with engine_process(path, "here", begun=begun, go=go) as third:
        assert third.finish() == "2 verified 1", "what has ended well is no unfinished work"


def test_an_interrupted_command_is_paused_and_its_like_goes_on(path: Path, tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    with engine_process(path, "here", begun=begun, go=go) as first:
        until(begun.exists)
        first.kill(signal.SIGINT)
        assert first.finish() == "1 paused 1"
    with closing(Here(path, takes_queued=True)) as panes:
        assert not panes.engine.is_busy
        assert panes.state(1) is JobState.PAUSED, "nobody else goes on with it by himself"
    go.touch()
    with engine_process(path, "here", begun=begun, go=go) as second:
        assert second.finish() == "1 verified 2"


def test_two_commands_that_ask_for_the_same_at_once_are_two_jobs(path: Path, tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    with (
        engine_process(path, "here", begun=begun, go=go) as first,
        engine_process(path, "here", begun=begun, go=go) as second,
    ):
        until(lambda: len(runs(begun)) == 2)
        go.touch()
        numbers = sorted(each.finish().split()[0] for each in (first, second))
    assert numbers == ["1", "2"]


def test_two_that_race_for_each_job_never_both_get_it(path: Path, tmp_path: Path) -> None:
    rounds = 64
    begun, go = tmp_path / "begun", tmp_path / "go"
    with closing(Here(path)) as here:
        with engine_process(path, "work") as one, engine_process(path, "work") as other:
            one.wait_ready()
            other.wait_ready()
            ids = [here.engine.submit(probe(begun=begun, go=go)) for _ in range(rounds)]
            until(lambda: len(runs(begun)) == 4)  # two workers each: neither can have them all
            go.touch()
            assert here.engine.wait(ids, SECONDS)
        assert {here.job(job_id).attempt for job_id in ids} == {1}
    assert sorted(map(int, runs(begun))) == ids
    with closing(sqlite3.connect(path)) as connection:
        workers = {row[0] for row in connection.execute("SELECT DISTINCT worker FROM attempt")}
    assert len(workers) == 2, "both have had some"


def test_two_resuming_one_job_run_it_once(path: Path, tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    go.touch()
    with closing(Here(path)) as here:
        job_id = here.engine.submit(probe(begun=begun, go=go))
        assert here.engine.pause(job_id)
        with engine_process(path, "work") as one, engine_process(path, "work") as other:
            one.wait_ready()
            other.wait_ready()
            changed: list[bool] = []
            with closing(Here(path)) as there:
                threads = [
                    threading.Thread(target=lambda each=each: changed.append(each.engine.resume(job_id)))  # type: ignore[misc]
                    for each in (here, there)
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            assert here.engine.wait([job_id], SECONDS)
    assert sorted(changed) == [False, True]
    assert runs(begun) == [str(job_id)]


def test_a_job_with_something_attached_is_left_to_the_process_that_attached_it(path: Path, tmp_path: Path) -> None:
    with closing(Here(path, takes_queued=True)) as here, engine_process(path, "work") as other:
        other.wait_ready()
        ids = [here.engine.submit(probe(begun=tmp_path / "begun"), live={"plan": 1}) for _ in range(8)]
        assert here.engine.wait(ids, SECONDS)
        owners = {line for job_id in ids for line in _owners(path, job_id)}
        assert all(f"pid {other.process.pid} " not in owner for owner in owners) and owners


def _owners(path: Path, job_id: int) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT worker FROM attempt WHERE job = ?", (job_id,))]


def test_an_owner_that_lost_its_job_stops_and_writes_nothing(path: Path, tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    with closing(Here(path, takes_queued=True)) as here:
        job_id = here.engine.submit(probe(begun=begun, go=go))
        until(begun.exists)
        with closing(sqlite3.connect(path, timeout=10)) as connection, connection:
            connection.execute("UPDATE job SET owner = 'somebody', message = 'theirs' WHERE id = ?", (job_id,))
        until(lambda: not here.engine.is_busy_here)
        job = here.job(job_id)
        assert (job.state, job.message, job.is_here) == (JobState.RUNNING, "theirs", False)
        assert [line.text for line in job.log] == ["Queued.", "Started."]
        with closing(sqlite3.connect(path, timeout=10)) as connection, connection:
            connection.execute("UPDATE job SET owner = NULL, state = 'cancelled'")
    time.sleep(0)
    assert len(runs(begun)) == 1

"""Whatever happens to the list of jobs, jobs go on, and what is said of them is true."""

from __future__ import annotations

import itertools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archive_tui.continuation import ItemMark
from archive_tui.errors import ArchiveError
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.kind import JobResult, JobWork
from archive_tui.jobs.queue import JobQueue, open_job_queue
from archive_tui.jobs.queue.job_queue import LAST_ON_DISK
from archive_tui.jobs.queue.relisting import LISTED_AGAIN
from archive_tui.jobs.queue.tables import MIGRATIONS
from archive_tui.jobs.request import JobPolicy
from archive_tui.jobs.running import looking_after
from archive_tui.jobs.states import JobState
from archive_tui.progress import Notice, check_stop
from tests.jobs.probe_kinds import VERIFIED, probe

SECONDS = 20.0


class Gate:
    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()

    def __call__(self, work: JobWork) -> JobResult:
        self.begun.set()
        while not self.go.wait(0.005):
            check_stop(work.stop)
        work.report(Notice("Still here."))
        return VERIFIED


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite3"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking_after, "FAILED_SECONDS", 0.2)


@pytest.fixture
def queue(path: Path) -> Iterator[JobQueue]:
    queue = open_job_queue(path, busy_seconds=0.1)
    yield queue
    queue.close()


def submit(engine: JobEngine, run: Callable[[JobWork], JobResult]) -> int:
    return engine.submit(probe(kind="live"), live={"run": run})


def job_of(engine: JobEngine, job_id: int) -> JobSnapshot:
    found = engine.get(job_id)
    assert found is not None
    return found


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


TABLES = ("job", "progress", "log", "mark", "saved", "outcome", "worker")


def fill(queue: JobQueue) -> None:
    """From now on nothing can be written, as on a full disk."""
    assert queue.disk is not None
    for table in TABLES:
        for verb in ("INSERT", "UPDATE"):
            trigger = f"""CREATE TEMP TRIGGER {verb}_{table} BEFORE {verb} ON {table}
                BEGIN SELECT RAISE(ABORT, 'disk is full'); END"""
            queue.disk.read(lambda c, trigger=trigger: c.execute(trigger), None)  # type: ignore[misc]


def make_room(queue: JobQueue) -> None:
    """Undoes `fill`. A trigger cannot be dropped while a thread of the engine is in the middle of a statement."""
    assert queue.disk is not None
    deadline = time.monotonic() + SECONDS
    while names := queue.disk.read(list_triggers, ["unknown"]):
        for name in names:
            queue.disk.read(lambda c, name=name: c.execute(f"DROP TRIGGER IF EXISTS {name}"), None)  # type: ignore[misc]
        assert time.monotonic() < deadline, names


def list_triggers(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("SELECT name FROM sqlite_temp_master WHERE type = 'trigger'")
    return [name for (name,) in found.fetchall()]


def runs_in_memory(queue: JobQueue, reason: str) -> None:
    """A new job is done, and it is said that it is kept in memory, and why."""
    engine = JobEngine(queue)
    job_id = submit(engine, lambda work: VERIFIED)
    assert queue.is_in_memory(job_id)
    assert engine.wait([job_id], SECONDS)
    assert job_of(engine, job_id).state is JobState.VERIFIED
    assert any(reason in remark for remark in engine.remarks), engine.remarks
    engine.close()


def test_a_locked_list_is_done_without(path: Path, queue: JobQueue) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        runs_in_memory(queue, "locked")
        other.execute("COMMIT")
    assert not queue.is_in_memory(JobEngine(queue, takes_queued=False).submit(probe()))


def test_a_list_that_is_locked_from_the_start_is_done_without(path: Path) -> None:
    open_job_queue(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with closing(open_job_queue(path, busy_seconds=0.1)) as queue:
            runs_in_memory(queue, "locked")


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with closing(open_job_queue(tmp_path / "file" / "jobs.sqlite3")) as queue:
        runs_in_memory(queue, "in memory and end with this program")


def test_a_user_without_a_home_has_a_queue_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr("platformdirs.user_state_path", fail)
    with closing(open_job_queue()) as queue:
        assert queue.path is None
        runs_in_memory(queue, "no folder")


def test_the_list_of_a_newer_release_is_not_touched(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()
    with closing(open_job_queue(path)) as queue:
        runs_in_memory(queue, "newer release")
    assert path.read_bytes() == before


def test_a_damaged_list_is_kept_aside_and_a_new_one_begun(path: Path) -> None:
    content = b"not a database, but long enough to be one" * 200
    path.write_bytes(content)
    with closing(open_job_queue(path)) as queue:
        engine = JobEngine(queue)
        job_id = submit(engine, lambda work: VERIFIED)
        assert job_id == 1 and not queue.is_in_memory(job_id)
        assert engine.wait([job_id], SECONDS)
        (kept,) = path.parent.glob("jobs.sqlite3.damaged-*")
        assert kept.read_bytes() == content
        assert f"The list of jobs was damaged; a new one is begun, the old one is kept: {kept}" in engine.remarks
        engine.close()


def test_a_full_disk_takes_no_new_jobs_and_they_are_done_all_the_same(queue: JobQueue) -> None:
    fill(queue)
    runs_in_memory(queue, "full")


def test_a_job_that_is_too_large_for_the_disk_is_done_all_the_same(queue: JobQueue) -> None:
    assert queue.disk is not None
    queue.disk.read(lambda c: c.execute("PRAGMA max_page_count = 1").fetchone(), None)
    engine = JobEngine(queue)
    job_id = engine.submit(probe(contents="x" * 1_000_000))
    assert queue.is_in_memory(job_id)
    assert engine.wait([job_id], SECONDS)
    assert any("full" in remark for remark in engine.remarks)
    engine.close()


def test_numbers_in_memory_are_never_those_of_jobs_on_the_disk(queue: JobQueue) -> None:
    engine, may_end = JobEngine(queue), threading.Event()

    def run_until_told(work: JobWork) -> JobResult:
        assert may_end.wait(SECONDS)
        return VERIFIED

    first = submit(engine, lambda work: VERIFIED)
    fill(queue)
    second = submit(engine, run_until_told)
    until(lambda: job_of(engine, second).state is JobState.RUNNING)
    make_room(queue)
    third = submit(engine, lambda work: VERIFIED)
    may_end.set()
    assert (first, second, third) == (1, LAST_ON_DISK + 1, 2)
    assert engine.wait(timeout=SECONDS)
    until(lambda: [job.id for job in engine.snapshot()] == [1, 2, LAST_ON_DISK + 1])
    until(lambda: sorted(job.id for job in engine.history()) == [1, 2, LAST_ON_DISK + 1])
    engine.close()


def test_who_only_queues_is_told_that_it_cannot_be_queued(queue: JobQueue) -> None:
    fill(queue)
    engine = JobEngine(queue, takes_queued=False)
    with pytest.raises(ArchiveError) as refused:
        engine.submit(probe())
    assert refused.value.code == "queue-unusable" and "full" in refused.value.hint
    engine.close()


def test_a_command_in_the_foreground_runs_without_a_list(queue: JobQueue) -> None:
    fill(queue)
    engine = JobEngine(queue, takes_queued=False)
    here = engine.run_here(probe(kind="live"), live={"run": lambda work: VERIFIED})
    assert here.snapshot.state is JobState.VERIFIED and here.error is None
    engine.close()


def test_a_job_whose_list_fills_up_goes_on_and_its_end_is_written_later(path: Path, queue: JobQueue) -> None:
    engine = JobEngine(queue)
    gate = Gate()
    job_id = submit(engine, gate)
    assert gate.begun.wait(SECONDS)
    fill(queue)
    gate.go.set()
    assert engine.wait([job_id], SECONDS)
    until(lambda: not engine.is_busy_here)
    ended = job_of(engine, job_id)
    assert (ended.state, ended.message, ended.is_here) == (JobState.VERIFIED, "All well.", False)
    assert "Still here." in [line.text for line in ended.log]
    assert engine.is_busy, "something is still to be written"
    assert any(f"The end of job {job_id} is not written down" in remark for remark in engine.remarks)
    make_room(queue)
    until(lambda: not engine.is_busy)
    assert not any("not written down" in remark for remark in engine.remarks)
    engine.close()
    with closing(open_job_queue(path)) as later:
        written = job_of(JobEngine(later, takes_queued=False), job_id)
    assert (written.state, written.message) == (JobState.VERIFIED, "All well.")
    assert [line.text for line in written.log] == ["Queued.", "Started.", "Still here.", "All well."]


def test_an_end_that_could_never_be_written_is_done_again_by_the_next(path: Path, queue: JobQueue) -> None:
    engine = JobEngine(queue)
    gate = Gate()
    job_id = submit(engine, gate)
    assert gate.begun.wait(SECONDS)
    fill(queue)
    gate.go.set()
    assert engine.wait([job_id], SECONDS)
    engine.close()
    with closing(open_job_queue(path)) as later:
        assert job_of(JobEngine(later, takes_queued=False), job_id).state is JobState.QUEUED


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_a_job_can_be_stopped_while_its_list_is_locked(path: Path, queue: JobQueue, verb: str) -> None:
    engine = JobEngine(queue)
    gate = Gate()
    job_id = submit(engine, gate)
    assert gate.begun.wait(SECONDS)
    wanted = JobState.PAUSED if verb == "pause" else JobState.CANCELLED
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert getattr(engine, verb)(job_id)
        until(lambda: not engine.is_busy_here)
        assert job_of(engine, job_id).state is wanted
        other.execute("COMMIT")
    until(lambda: not engine.is_busy)
    assert job_of(engine, job_id).state is wanted
    engine.close()


def test_a_job_whose_list_is_removed_goes_on_and_is_known_here(path: Path, queue: JobQueue) -> None:
    engine = JobEngine(queue)
    gate = Gate()
    job_id = submit(engine, gate)
    assert gate.begun.wait(SECONDS)
    for file in path.parent.glob("jobs.sqlite3*"):
        file.unlink()
    other = submit(engine, lambda work: VERIFIED)
    assert other != job_id, "the new list begins anew, its numbers do not"
    gate.go.set()
    assert engine.wait([other], SECONDS)
    until(lambda: not engine.is_busy_here)
    assert job_of(engine, job_id).state is JobState.VERIFIED
    engine.close()


def test_what_runs_is_in_the_list_that_is_begun_anew_when_its_folder_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "state" / "jobs.sqlite3"
    with closing(open_job_queue(path)) as queue:
        engine = JobEngine(queue)
        gate = Gate()
        before = submit(engine, lambda work: VERIFIED)
        assert engine.wait([before], SECONDS)
        job_id = submit(engine, gate)
        assert gate.begun.wait(SECONDS)
        path.parent.rename(tmp_path / "gone")
        until(lambda: any("was removed or replaced" in remark for remark in engine.remarks))
        with closing(open_job_queue(path)) as other:
            watching = JobEngine(other, takes_queued=False)
            until(lambda: watching.get(job_id) is not None)
            seen = job_of(watching, job_id)
            assert (seen.state, seen.title, seen.attempt) == (JobState.RUNNING, "a job", 1)
            assert seen.owner and watching.get(before) is None
        until(lambda: job_of(engine, job_id).is_kept)
        assert engine.pause(job_id)
        assert engine.wait([job_id], SECONDS)
        assert job_of(engine, job_id).state is JobState.PAUSED
        gate.go.set()
        assert engine.resume(job_id)
        until(lambda: job_of(engine, job_id).state is JobState.VERIFIED)
        assert LISTED_AGAIN in [line.text for line in job_of(engine, job_id).log]
        assert job_of(engine, job_id).attempt == 2
        engine.close()


def test_a_job_that_no_list_can_hold_any_more_says_so_and_can_be_stopped(tmp_path: Path) -> None:
    path = tmp_path / "state" / "jobs.sqlite3"
    with closing(open_job_queue(path)) as queue:
        engine = JobEngine(queue)
        gate = Gate()
        job_id = submit(engine, gate)
        assert gate.begun.wait(SECONDS)
        assert job_of(engine, job_id).is_kept
        path.parent.rename(tmp_path / "gone")
        path.parent.write_text("no folder any more")
        until(lambda: not job_of(engine, job_id).is_kept)
        assert any("kept in memory and end with this program" in remark for remark in engine.remarks)
        assert not any("removed or replaced" in remark for remark in engine.remarks), "nothing new is begun"
        assert engine.cancel(job_id)
        until(lambda: not engine.is_busy_here)
        assert job_of(engine, job_id).state is JobState.CANCELLED
        engine.close()


def test_a_number_that_another_has_in_the_new_list_is_not_taken_from_it(path: Path, queue: JobQueue) -> None:
    engine = JobEngine(queue)
    gate = Gate()
    job_id = submit(engine, gate)
    assert gate.begun.wait(SECONDS)
    replacement = path.with_name("other.sqlite3")
    with closing(open_job_queue(replacement)) as other:
        JobEngine(other, takes_queued=False).submit(probe(kind="live", title="of another"))
    for file in path.parent.glob("jobs.sqlite3-*"):
        file.unlink()
    replacement.rename(path)
    until(lambda: not job_of(engine, job_id).is_kept)
    gate.go.set()
    until(lambda: not engine.is_busy_here)
    engine.close()
    with closing(open_job_queue(path)) as later:
        assert job_of(JobEngine(later, takes_queued=False), job_id).title == "of another"


def test_a_list_that_is_damaged_while_a_job_runs_is_begun_anew(path: Path, queue: JobQueue) -> None:
    engine = JobEngine(queue)
    gate = Gate()
    job_id = submit(engine, gate)
    assert gate.begun.wait(SECONDS)
    damage(path)
    gate.go.set()
    assert engine.wait([job_id], SECONDS)
    until(lambda: not engine.is_busy_here)
    assert job_of(engine, job_id).state is JobState.VERIFIED
    later = submit(engine, lambda work: VERIFIED)
    assert engine.wait([later], SECONDS)
    engine.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE job SET policy = '{}' WHERE id = ?",
        """UPDATE job SET policy = replace(policy, '"ask"', '"later"') WHERE id = ?""",
        "UPDATE job SET rule_for_all = 'later' WHERE id = ?",
        "UPDATE parameters SET content = '{' WHERE job = ?",
    ],
    ids=["no policy", "unknown rule", "unknown rule for all", "no parameters"],
)
def test_a_job_that_cannot_be_understood_fails_and_the_others_are_done(
    path: Path, queue: JobQueue, change: str
) -> None:
    submitter = JobEngine(queue, takes_queued=False)
    strange, good = submitter.submit(probe()), submitter.submit(probe())
    submitter.close()
    assert queue.disk is not None
    assert queue.disk.transact(lambda connection: connection.execute(change, (strange,)))
    engine = JobEngine(queue)
    assert engine.wait([strange, good], SECONDS)
    assert (job_of(engine, strange).state, job_of(engine, strange).code) == (JobState.FAILED, "job-unreadable")
    assert job_of(engine, good).state is JobState.VERIFIED
    assert [job.id for job in engine.snapshot()] == [strange, good]
    assert not engine.remarks
    engine.close()


def test_a_worker_whose_job_waits_for_a_retry_shows_that_it_is_alive(
    queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking_after, "BEAT_SECONDS", 0.0)
    engine = JobEngine(queue)
    policy = JobPolicy(retries=3)
    job_id = engine.submit(probe(kind="bound", policy=policy, begun=tmp_path / "begun", unavailable=1))
    until(lambda: job_of(engine, job_id).state is JobState.WAITING and not engine.is_busy_here)
    assert queue.disk is not None
    disk = queue.disk

    def beat() -> int:
        return disk.read(lambda connection: int(connection.execute("SELECT beat FROM worker").fetchone()[0]), -1)

    before = beat()
    until(lambda: beat() > before + 1)
    engine.close()


def damage(path: Path) -> None:
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(0)
        file.write(b"\xff" * size)
    for companion in path.parent.glob(f"{path.name}-*"):
        companion.write_bytes(b"\xff" * companion.stat().st_size)


def test_items_that_could_not_be_written_down_are_told(queue: JobQueue) -> None:
    def run(work: JobWork) -> JobResult:
        fill(queue)
        for begin in itertools.count(0, 1000):
            work.journal.record("verify", (ItemMark(f"{number}", "same") for number in range(begin, begin + 1000)))
            if work.journal.lost:  # type: ignore[attr-defined]
                break
            assert begin < 1_000_000
        make_room(queue)
        return VERIFIED

    engine = JobEngine(queue)
    job_id = submit(engine, run)
    assert engine.wait([job_id], SECONDS)
    until(lambda: not engine.is_busy)
    assert any("could not be written down" in line.text for line in job_of(engine, job_id).log)
    engine.close()

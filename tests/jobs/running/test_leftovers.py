"""Unfinished uploads and stages: remembered for the job that goes on, never touched while it lives, removed when it is
cancelled."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archive_tui.errors import StorageUnavailable
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.kind import JobResult, JobWork
from archive_tui.jobs.places import OpenedPlace, Place
from archive_tui.jobs.queue import JobQueue, open_job_queue
from archive_tui.jobs.queue.uploads import RememberedUpload, read_uploads
from archive_tui.jobs.running import job_places
from archive_tui.jobs.running.leftovers import remove_leftovers
from archive_tui.jobs.states import JobState
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.unfinished import UnfinishedUpload
from archive_tui.progress import check_stop
from tests.jobs.probe_kinds import VERIFIED, probe

PLACE = {"storage": "lab", "settings": None, "identity": "mem://lab"}
SECONDS = 20.0


class CountingStore(MemoryStore):
    """Knows what was discarded; `is_down`: it does not answer."""

    def __init__(self) -> None:
        super().__init__("lab")
        self.discarded: list[tuple[str, str]] = []
        self.is_down = False
        self.closed = 0

    def discard_unfinished(self, upload: UnfinishedUpload) -> None:
        if self.is_down:
            raise StorageUnavailable("No answer from lab.")
        self.discarded.append((upload.key, upload.token))

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> CountingStore:
    store = CountingStore()
    monkeypatch.setattr(job_places, "open_place", lambda place: OpenedPlace("lab", store))
    return store


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[JobQueue]:
    with closing(open_job_queue(tmp_path / "jobs.sqlite3", busy_seconds=0.2)) as queue:
        yield queue


@pytest.fixture
def engine(queue: JobQueue, store: CountingStore) -> Iterator[JobEngine]:
    engine = JobEngine(queue)
    yield engine
    engine.close()


class Upload:
    """Begins an upload of each key, remembers it, and waits to be stopped; `found` is what it could go on with."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys
        self.waits = True
        self.found: list[str | None] = []

    def __call__(self, work: JobWork) -> JobResult:
        uploads = work.open_place(PLACE).store.unfinished
        assert uploads is not None
        for key in self.keys:
            self.found.append(uploads.find("mem://lab", key))
            uploads.keep("mem://lab", key, f"{key} of {work.job_id}")
        while self.waits:
            check_stop(work.stop)
            time.sleep(0.005)
        for key in self.keys:
            uploads.forget("mem://lab", key)
        return VERIFIED


def submit(engine: JobEngine, run: Callable[[JobWork], JobResult]) -> int:
    return engine.submit(probe(kind="live"), live={"run": run})


def rest_of(engine: JobEngine, job_id: int) -> JobSnapshot:
    assert engine.wait([job_id], SECONDS)
    if not engine.is_busy_here:
        engine._taker.threads.join()  # what cleans up after a cancelled one is such a thread, too
    found = engine.get(job_id)
    assert found is not None
    return found


def remembered(queue: JobQueue) -> list[RememberedUpload]:
    assert queue.disk is not None
    return queue.disk.read(read_uploads, [])


def until_begun(engine: JobEngine, upload: Upload) -> None:
    while len(upload.found) < len(upload.keys):
        assert engine.is_busy
        time.sleep(0.005)


def test_a_paused_job_keeps_its_uploads_and_goes_on_with_them(engine: JobEngine, queue: JobQueue) -> None:
    upload = Upload("a", "b")
    job_id = submit(engine, upload)
    until_begun(engine, upload)
    engine.pause(job_id)
    assert rest_of(engine, job_id).state is JobState.PAUSED
    assert [(each.key, each.token, each.place) for each in remembered(queue)] == [
        ("a", "a of 1", PLACE),
        ("b", "b of 1", PLACE),
    ]
    upload.waits = False
    engine.resume(job_id)
    assert rest_of(engine, job_id).state is JobState.VERIFIED
    assert upload.found == [None, None, "a of 1", "b of 1"]
    assert remembered(queue) == []


@pytest.mark.parametrize("is_running", [True, False])
def test_a_cancelled_job_leaves_nothing(
    engine: JobEngine, queue: JobQueue, store: CountingStore, is_running: bool
) -> None:
    upload = Upload("a", "b")
    job_id = submit(engine, upload)
    until_begun(engine, upload)
    if not is_running:
        engine.pause(job_id)
        rest_of(engine, job_id)
    assert engine.cancel(job_id)
    assert rest_of(engine, job_id).state is JobState.CANCELLED
    assert sorted(store.discarded) == [("a", "a of 1"), ("b", "b of 1")]
    assert remembered(queue) == []
    assert store.closed == 3, "one for the run, one for each upload"


def test_what_cannot_be_removed_now_is_told_and_stays_remembered(
    engine: JobEngine, queue: JobQueue, store: CountingStore
) -> None:
    upload = Upload("a")
    job_id = submit(engine, upload)
    until_begun(engine, upload)
    store.is_down = True
    engine.cancel(job_id)
    cancelled = rest_of(engine, job_id)
    assert cancelled.state is JobState.CANCELLED
    assert "An unfinished upload could not be removed: a: No answer from lab." in [line.text for line in cancelled.log]
    assert [each.token for each in remembered(queue)] == ["a of 1"]
    store.is_down = False
    assert queue.disk is not None
    assert remove_leftovers(queue.disk, job_id, lambda place: OpenedPlace("lab", store)) == 1
    assert remembered(queue) == [] and store.discarded == [("a", "a of 1")]


def test_nothing_of_a_running_job_is_removed_or_taken(engine: JobEngine, queue: JobQueue, store: CountingStore) -> None:
    upload, other = Upload("a"), Upload("a")
    other.waits = False
    job_id = submit(engine, upload)
    until_begun(engine, upload)
    assert queue.disk is not None
    assert remove_leftovers(queue.disk, job_id, lambda place: OpenedPlace("lab", store)) == 0
    assert rest_of(engine, submit(engine, other)).state is JobState.VERIFIED
    assert other.found == [None]
    assert [each.token for each in remembered(queue)] == ["a of 1"] and store.discarded == []
    upload.waits = False
    assert rest_of(engine, job_id).state is JobState.VERIFIED


def test_what_another_job_left_is_gone_on_with(engine: JobEngine, queue: JobQueue) -> None:
    upload, other = Upload("a"), Upload("a")
    job_id = submit(engine, upload)
    until_begun(engine, upload)
    engine.pause(job_id)
    rest_of(engine, job_id)
    other.waits = False
    assert rest_of(engine, submit(engine, other)).state is JobState.VERIFIED
    assert other.found == ["a of 1"]
    assert remembered(queue) == []


def test_without_a_list_an_upload_is_remembered_while_it_runs(
    engine: JobEngine, queue: JobQueue, tmp_path: Path
) -> None:
    said: list[str | None] = []

    def run(work: JobWork) -> JobResult:
        uploads = work.open_place(PLACE).store.unfinished
        assert uploads is not None
        with closing(sqlite3.connect(tmp_path / "jobs.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            uploads.keep("mem://lab", "a", "token")
            said.append(uploads.find("mem://lab", "a"))
            uploads.forget("mem://lab", "a")
            other.execute("COMMIT")
        said.append(uploads.find("mem://lab", "a"))
        return VERIFIED

    ended = rest_of(engine, submit(engine, run))
    assert (ended.state, said) == (JobState.VERIFIED, ["token", None])
    assert any("cannot be continued later" in line.text for line in ended.log)


def test_the_stage_of_a_cancelled_job_is_removed(
    engine: JobEngine, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[bytes] = []
    monkeypatch.setattr(
        "archive_tui.jobs.running.leftovers.remove_kept_stage", lambda token: removed.append(token) or True
    )

    def run(work: JobWork) -> JobResult:
        work.journal.save("stage", b"/data/.stage", durable=True)
        while True:
            check_stop(work.stop)
            time.sleep(0.005)

    job_id = submit(engine, run)
    while queue.disk is not None and not queue.disk.read(lambda c: c.execute("SELECT 1 FROM saved").fetchall(), []):
        assert engine.is_busy
        time.sleep(0.005)
    engine.cancel(job_id)
    assert rest_of(engine, job_id).state is JobState.CANCELLED
    assert removed == [b"/data/.stage"]


def test_places_are_closed_when_the_run_ends_even_badly(engine: JobEngine, store: CountingStore) -> None:
    def run(work: JobWork) -> JobResult:
        place: Place = PLACE
        work.open_place(place)
        work.open_place(place)
        raise ZeroDivisionError

    assert rest_of(engine, submit(engine, run)).state is JobState.FAILED
    assert store.closed == 2

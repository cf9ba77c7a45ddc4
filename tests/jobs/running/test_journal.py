"""The journal: what a run has written down is there for the next one, and costs the operation next to nothing."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.continuation import ItemMark, Journal
from archive_tui.jobs.cleaning import forget_items
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.kind import JobResult, JobWork
from archive_tui.jobs.queue import JobQueue, open_job_queue
from archive_tui.jobs.queue.claiming import ClaimedJob, claim_job, release_worker
from archive_tui.jobs.queue.marks import count_marks, find_marks, load_saved
from archive_tui.jobs.queue.memory_database import MemoryDatabase
from archive_tui.jobs.queue.submitting import describe_job, insert_job
from archive_tui.jobs.queue.workers import WorkerRow
from archive_tui.jobs.running import journal as journal_module
from archive_tui.jobs.running.journal import JobJournal
from archive_tui.jobs.states import JobState
from tests.jobs.probe_kinds import VERIFIED, probe

WORKER = WorkerRow("w", "host", "boot", True, "pid 1 on host", 0)


def begin_job(database: MemoryDatabase) -> ClaimedJob:
    def work(connection: sqlite3.Connection) -> ClaimedJob | None:
        return claim_job(connection, WORKER, insert_job(connection, describe_job(probe(), outlives=True), home=None))

    done = database.transact(work)
    assert done is not None and done.value is not None
    return done.value


@pytest.fixture
def database() -> Iterator[MemoryDatabase]:
    database = MemoryDatabase()
    yield database
    database.close()


@pytest.fixture
def journal(database: MemoryDatabase) -> JobJournal:
    return JobJournal(database, begin_job(database), WORKER.id)


def stored(database: MemoryDatabase, *items: str) -> dict[str, ItemMark]:
    return database.read(lambda c: find_marks(c, 1, "verify", items), {})


def test_it_is_what_operations_expect(journal: JobJournal) -> None:
    accepted: Journal = journal
    assert accepted.is_kept


ITEMS = st.text(st.characters(), max_size=8)
MARKS = st.builds(
    ItemMark,
    ITEMS,
    st.sampled_from(["same", "changed"]),
    st.booleans(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    st.one_of(st.none(), st.just("0" * 64)),
    st.one_of(st.none(), st.integers(0, 1 << 62)),
    st.sampled_from(["", "read"]),
    at=st.floats(1, 2e9),
)


@given(st.lists(st.one_of(st.none(), st.lists(MARKS, max_size=4)), max_size=8))
def test_the_newest_mark_of_an_item_is_found_whether_it_is_written_or_not(
    batches: list[list[ItemMark] | None],
) -> None:
    database = MemoryDatabase()
    journal = JobJournal(database, begin_job(database), WORKER.id)
    expected: dict[str, ItemMark] = {}
    for batch in batches:
        if batch is None:
            assert journal.flush()
        else:
            journal.record("verify", batch)
            expected.update((mark.item, mark) for mark in batch)
    assert journal.find("verify", [*expected, "absent but asked for"]) == expected
    assert journal.find("other phase", list(expected)) == {}
    database.close()


def test_marks_without_a_time_get_one(journal: JobJournal) -> None:
    journal.record("verify", [ItemMark("a", "same")])
    journal.flush()
    assert abs(journal.find("verify", ["a"])["a"].at - time.time()) < 60


def test_marks_are_written_together_and_not_at_once(journal: JobJournal, database: MemoryDatabase) -> None:
    journal.record("verify", [ItemMark("a", "same")])
    assert not journal.is_due
    assert stored(database, "a") == {}
    journal.record("verify", (ItemMark(f"b{number}", "same") for number in range(journal_module.FLUSH_MARKS)))
    assert journal.is_due
    assert journal.flush() and not journal.is_due
    assert set(stored(database, "a", "b0")) == {"a", "b0"}


def test_an_operation_cannot_run_away_from_the_disk(journal: JobJournal, database: MemoryDatabase) -> None:
    for begin in range(0, 50_000, 1000):
        journal.record("verify", (ItemMark(f"{number}", "same") for number in range(begin, begin + 1000)))
    written = database.read(lambda c: count_marks(c, 1), 0)
    assert 50_000 - written <= journal_module.MOST_MARKS


def test_what_cannot_be_written_is_kept_and_then_given_up_in_bounds(
    journal: JobJournal, database: MemoryDatabase
) -> None:
    journal.record("verify", [ItemMark("a", "same")])
    journal.save("checkpoint", b"12")
    database.transact, write = lambda work, durable=False: None, database.transact  # type: ignore[method-assign]
    assert not journal.flush()
    journal.record("verify", [ItemMark("a", "changed", False)])
    assert journal.find("verify", ["a"])["a"].outcome == "changed"
    for begin in range(0, 50_000, 1000):
        journal.record("verify", (ItemMark(f"{number}", "same") for number in range(begin, begin + 1000)))
    assert 0 < journal.lost < 50_001
    database.transact = write  # type: ignore[method-assign]
    assert journal.flush()
    assert journal.load("checkpoint") == b"12"
    assert database.read(lambda c: count_marks(c, 1), 0) + journal.lost == 50_001


def test_what_is_saved_is_loaded_replaced_and_forgotten(journal: JobJournal, database: MemoryDatabase) -> None:
    for is_written in (False, True):
        assert journal.load("stage") is None
        journal.save("stage", b"one")
        assert journal.load("stage") == b"one"
        if is_written:
            journal.flush()
        journal.save("stage", b"two", durable=is_written)
        assert journal.load("stage") == b"two"
        journal.save("stage", None)
        assert journal.load("stage") is None
        journal.flush()
    assert database.read(lambda c: load_saved(c, 1, "stage"), None) is None


def test_a_durable_save_is_written_when_it_returns_whoever_else_is_writing(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    durable: list[bool] = []
    stop = threading.Event()

    def run(work: JobWork) -> JobResult:
        journal = work.journal
        assert isinstance(journal, JobJournal)
        flusher = threading.Thread(target=lambda: [journal.flush() for _ in iter(stop.is_set, True)])
        flusher.start()
        with closing(sqlite3.connect(path)) as other:
            for number in range(50):
                journal.save("stage", b"%d" % number, durable=True)
                row = other.execute("SELECT content FROM saved WHERE name = 'stage'").fetchone()
                durable.append(row == (b"%d" % number,))
        stop.set()
        flusher.join()
        return VERIFIED

    with closing(open_job_queue(path)) as queue:
        engine = JobEngine(queue, takes_queued=False)
        here = engine.run_here(probe(kind="live"), live={"run": run})
        assert here.snapshot.state is JobState.VERIFIED, here
        engine.close()
    assert durable == [True] * 50


def test_a_durable_save_is_not_satisfied_with_what_somebody_else_has_written_in_passing(
    journal: JobJournal, database: MemoryDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bool] = []
    transact = database.transact

    def note(work: Callable[[sqlite3.Connection], None], *, durable: bool = False) -> object:
        written.append(durable)
        return transact(work, durable=durable)

    class FlushedByAnother:
        """The moment in which another thread is faster."""

        def __enter__(self) -> None:
            journal._writing = threading.Lock()
            journal.flush()

        def __exit__(self, *error: object) -> None:
            return

    monkeypatch.setattr(database, "transact", note)
    monkeypatch.setattr(journal, "_writing", FlushedByAnother())
    journal.save("stage", b"one", durable=True)
    assert written == [True]


def test_a_worker_that_has_lost_its_job_writes_no_marks(journal: JobJournal, database: MemoryDatabase) -> None:
    database.transact(lambda c: release_worker(c, WORKER.id))
    journal.record("verify", [ItemMark("a", "same")])
    journal.save("stage", b"mine", durable=True)
    assert stored(database, "a") == {}
    assert database.read(lambda c: load_saved(c, 1, "stage"), None) is None


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[JobEngine]:
    with closing(open_job_queue(tmp_path / "jobs.sqlite3")) as queue:
        engine = JobEngine(queue)
        yield engine
        engine.close()


def end_of(engine: JobEngine, job_id: int) -> JobSnapshot:
    assert engine.wait([job_id], 20.0)
    found = engine.get(job_id)
    assert found is not None
    return found


def test_the_next_run_finds_what_the_last_one_wrote(engine: JobEngine) -> None:
    found: list[dict[str, str]] = []

    def run(work: JobWork) -> JobResult:
        known = work.journal.find("verify", ["a", "b\udc80", "c"])
        found.append({item: mark.outcome for item, mark in known.items()} | {"saved": str(work.journal.load("at"))})
        work.journal.record("verify", [ItemMark("a", "same"), ItemMark("b\udc80", "changed", False)])
        work.journal.save("at", b"64")
        return VERIFIED if len(found) > 1 else JobResult(JobState.FINDINGS, "Findings: 1 changed")

    job_id = engine.submit(probe(kind="live"), live={"run": run})
    end_of(engine, job_id)
    assert engine.retry(job_id)
    assert end_of(engine, job_id).state is JobState.VERIFIED
    assert found == [{"saved": "None"}, {"a": "same", "b\udc80": "changed", "saved": "b'64'"}]


def test_marks_are_seen_in_pages_while_it_runs_and_after(engine: JobEngine) -> None:
    told, go = threading.Event(), threading.Event()

    def run(work: JobWork) -> JobResult:
        work.journal.record("scan", [ItemMark("z", "seen")])
        work.journal.record("verify", (ItemMark(f"{number:03}", "same", number != 7) for number in range(30)))
        told.set()
        go.wait(20)
        return VERIFIED

    job_id = engine.submit(probe(kind="live"), live={"run": run})
    assert told.wait(20)
    for _ in range(2):
        assert [mark.item for mark in engine.marks(job_id, phase="verify", offset=10, limit=2)] == ["010", "011"]
        assert [mark.item for mark in engine.marks(job_id, only_findings=True)] == ["007"]
        assert [mark.item for mark in engine.marks(job_id, limit=1)] == ["z"]
        assert engine.count_marks(job_id) == 31
        go.set()
        end_of(engine, job_id)


def test_marks_of_jobs_that_ended_long_ago_are_dropped_and_it_is_said(
    engine: JobEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(work: JobWork) -> JobResult:
        work.journal.record("verify", (ItemMark(f"{number}", "same") for number in range(5)))
        return VERIFIED

    job_id = engine.submit(probe(kind="live"), live={"run": run})
    end_of(engine, job_id)
    queue = open_job_queue(tmp_path / "jobs.sqlite3")
    assert forget_items(queue, 30) == 0
    assert not engine.receipt(job_id).are_items_dropped
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 31 * 86400)
    assert forget_items(queue, 30) == 5
    assert forget_items(queue, 30) == 0
    queue.close()
    receipt = engine.receipt(job_id)
    assert (receipt.items_total, receipt.are_items_dropped, list(receipt.items)) == (0, True, [])
    assert end_of(engine, job_id).state is JobState.VERIFIED


def test_a_receipt_has_all_items_runs_and_times(engine: JobEngine) -> None:
    runs: list[int] = []

    def run(work: JobWork) -> JobResult:
        runs.append(1)
        work.journal.record("b", (ItemMark(f"{number:05}", "same") for number in range(2500)))
        work.journal.record("a", [ItemMark("bad\udc80name", "changed", False)])
        return VERIFIED if len(runs) > 1 else JobResult(JobState.FAILED, "Not yet.")

    job_id = engine.submit(probe(kind="live"), live={"run": run})
    end_of(engine, job_id)
    engine.retry(job_id)
    end_of(engine, job_id)
    receipt = engine.receipt(job_id)
    items = list(receipt.items)
    assert [item.item for _, item in items] == ["bad\udc80name", *(f"{number:05}" for number in range(2500))]
    assert receipt.items_total == 2501
    assert [(each.number, each.outcome) for each in receipt.attempts] == [
        (1, "failed: Not yet."),
        (2, "verified: All well."),
    ]
    assert all(each.ended_at is not None and each.worker.startswith("pid ") for each in receipt.attempts)


def test_a_queue_in_memory_keeps_a_journal_too() -> None:
    queue = JobQueue()
    engine = JobEngine(queue)
    job_id = engine.submit(
        probe(kind="live"), live={"run": lambda work: work.journal.record("p", [ItemMark("a", "same")]) or VERIFIED}
    )
    end_of(engine, job_id)
    assert engine.count_marks(job_id) == 1
    engine.close()
    queue.close()

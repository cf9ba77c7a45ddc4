"""One engine: jobs run, stop, end with the right word, and are seen and told of; on the disk and in memory alike."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archive_tui.errors import ConfigurationError, OperationStopped, StorageUnavailable
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.kind import JobResult, JobWork
from archive_tui.jobs.queue import JobQueue, open_job_queue
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.progress import BytesDone, Ended, ItemDone, ItemFailed, Notice, Planned, check_stop
from tests.jobs.probe_kinds import VERIFIED, probe

SECONDS = 20.0
Run = Callable[[JobWork], JobResult]


def verified(work: JobWork) -> JobResult:
    return VERIFIED


class Gate:
    """An operation that says when it has begun, and ends when it is let go or stopped."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()
        self.obeys = True

    def __call__(self, work: JobWork) -> JobResult:
        self.begun.set()
        while not self.go.wait(0.005):
            if self.obeys:
                check_stop(work.stop)
        return VERIFIED


@pytest.fixture(params=["disk", "memory"])
def queue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JobQueue]:
    queue = open_job_queue(tmp_path / "jobs.sqlite3") if request.param == "disk" else JobQueue()
    yield queue
    assert queue.remarks == ()
    queue.close()


@pytest.fixture
def engine(queue: JobQueue) -> Iterator[JobEngine]:
    engine = JobEngine(queue, workers=2)
    yield engine
    engine.close()
    assert engine.remarks == ()


def submit(engine: JobEngine, run: Run, title: str = "a job", policy: JobPolicy | None = None) -> int:
    return engine.submit(probe(title, kind="live", policy=policy), live={"run": run})


def end_of(engine: JobEngine, job_id: int) -> JobSnapshot:
    assert engine.wait([job_id], SECONDS)
    return job_of(engine, job_id)


def job_of(engine: JobEngine, job_id: int) -> JobSnapshot:
    snapshot = engine.get(job_id)
    assert snapshot is not None
    return snapshot


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_job_ends_with_the_word_and_value_of_its_result(engine: JobEngine) -> None:
    value = object()
    snapshot = end_of(engine, submit(engine, lambda work: JobResult(JobState.VERIFIED, "All well.", value=value)))
    assert (snapshot.state, snapshot.message) == (JobState.VERIFIED, "All well.")
    assert snapshot.result is value
    assert snapshot.started_at is not None and snapshot.ended_at is not None
    assert snapshot.queued_at <= snapshot.started_at <= snapshot.ended_at
    assert (snapshot.source, snapshot.destination, snapshot.command) == ("/source", "lab:key", "archive-tui …")
    assert (snapshot.attempt, snapshot.owner, snapshot.is_here) == (1, "", False)


def test_numbers_count_from_one_and_the_order_is_kept(engine: JobEngine) -> None:
    ids = [submit(engine, verified, f"job {number}") for number in range(5)]
    assert ids == [1, 2, 3, 4, 5]
    assert engine.wait(timeout=SECONDS)
    assert [snapshot.title for snapshot in engine.snapshot()] == [f"job {number}" for number in range(5)]


def test_more_jobs_than_workers_wait_queued(engine: JobEngine) -> None:
    gates = [Gate() for _ in range(3)]
    for gate in gates:
        submit(engine, gate)
    assert gates[0].begun.wait(SECONDS) and gates[1].begun.wait(SECONDS)
    running = engine.snapshot()
    assert [snapshot.state for snapshot in running] == [JobState.RUNNING, JobState.RUNNING, JobState.QUEUED]
    assert [snapshot.is_here for snapshot in running] == [True, True, False]
    assert engine.is_busy and engine.is_busy_here
    for gate in gates:
        gate.go.set()
    assert engine.wait(timeout=SECONDS)
    assert not engine.is_busy and not engine.is_busy_here


@pytest.mark.parametrize(("verb", "wish"), [("cancel", JobState.CANCELLED), ("pause", JobState.PAUSED)])
def test_a_job_is_stopping_until_its_operation_has_ended(engine: JobEngine, verb: str, wish: JobState) -> None:
    gate = Gate()
    gate.obeys = False
    job_id = submit(engine, gate)
    assert gate.begun.wait(SECONDS)
    assert getattr(engine, verb)(job_id)
    assert not getattr(engine, verb)(job_id), "it was asked already"
    stopping = job_of(engine, job_id)
    assert (stopping.state, stopping.stopping_for, stopping.ended_at) == (JobState.STOPPING, wish, None)
    gate.obeys = True
    snapshot = end_of(engine, job_id)
    assert (snapshot.state, snapshot.stopping_for) == (wish, None)
    assert (snapshot.ended_at is None) is (wish is JobState.PAUSED)


def test_an_operation_that_finished_before_it_saw_the_stop_has_finished(engine: JobEngine) -> None:
    gate = Gate()
    gate.obeys = False
    job_id = submit(engine, gate)
    assert gate.begun.wait(SECONDS)
    engine.cancel(job_id)
    gate.go.set()
    assert end_of(engine, job_id).state is JobState.VERIFIED


def test_a_cancel_is_stronger_than_a_pause_and_never_taken_back(engine: JobEngine) -> None:
    gate = Gate()
    gate.obeys = False
    job_id = submit(engine, gate)
    assert gate.begun.wait(SECONDS)
    assert engine.pause(job_id)
    assert engine.cancel(job_id)
    assert not engine.pause(job_id)
    assert not engine.resume(job_id)
    gate.obeys = True
    assert end_of(engine, job_id).state is JobState.CANCELLED


def test_who_changes_his_mind_while_it_stops_for_a_pause_has_it_go_on(engine: JobEngine) -> None:
    gate = Gate()
    gate.obeys = False
    job_id = submit(engine, gate)
    assert gate.begun.wait(SECONDS)
    assert engine.pause(job_id)
    assert engine.resume(job_id)
    gate.go.set()
    gate.obeys = True
    assert end_of(engine, job_id).state is JobState.VERIFIED


def test_a_waiting_job_is_cancelled_at_once_and_never_runs(queue: JobQueue) -> None:
    engine = JobEngine(queue, workers=1)
    gate, second = Gate(), Gate()
    submit(engine, gate)
    job_id = submit(engine, second)
    assert gate.begun.wait(SECONDS)
    assert engine.cancel(job_id)
    cancelled = job_of(engine, job_id)
    assert (cancelled.state, cancelled.message) == (
        JobState.CANCELLED,
        "Cancelled before it began; nothing was done.",
    )
    gate.go.set()
    engine.close()
    assert not second.begun.is_set()


def test_a_paused_job_does_not_run_until_it_is_resumed(queue: JobQueue) -> None:
    engine = JobEngine(queue, workers=1)
    gate, runs = Gate(), []
    submit(engine, gate)
    job_id = submit(engine, lambda work: runs.append(1) or VERIFIED)  # type: ignore[func-returns-value]
    assert engine.pause(job_id)
    gate.go.set()
    assert engine.wait(timeout=SECONDS), "a paused job rests"
    assert job_of(engine, job_id).state is JobState.PAUSED and runs == []
    assert engine.resume(job_id)
    assert not engine.resume(job_id) or runs
    assert end_of(engine, job_id).state is JobState.VERIFIED and runs == [1]
    engine.close()


def test_changing_what_has_ended_or_never_was_changes_nothing(engine: JobEngine) -> None:
    job_id = submit(engine, verified)
    before = end_of(engine, job_id)
    for verb in (engine.cancel, engine.pause, engine.resume, engine.retry):
        assert not verb(job_id)
        assert not verb(99)
    assert not engine.move(job_id, up=True)
    assert job_of(engine, job_id) == before
    assert engine.get(99) is None


def test_an_error_of_the_tree_keeps_its_message_hint_and_code(engine: JobEngine) -> None:
    def run(work: JobWork) -> JobResult:
        raise ConfigurationError("No such storage: lab.", hint="Look at the settings.", code="unknown-storage")

    snapshot = end_of(engine, submit(engine, run))
    assert snapshot.state is JobState.FAILED
    assert (snapshot.message, snapshot.hint) == ("No such storage: lab.", "Look at the settings.")
    assert snapshot.code == "unknown-storage"


def test_a_failed_job_can_be_retried_and_keeps_its_number(engine: JobEngine) -> None:
    runs: list[int] = []

    def run(work: JobWork) -> JobResult:
        runs.append(work.job_id)
        if len(runs) == 1:
            raise ConfigurationError("Not yet.")
        return VERIFIED

    job_id = submit(engine, run)
    assert end_of(engine, job_id).state is JobState.FAILED
    assert engine.retry(job_id)
    again = end_of(engine, job_id)
    assert (again.state, again.attempt, again.hint, again.code) == (JobState.VERIFIED, 2, "", "")
    assert runs == [job_id, job_id]


def test_an_unforeseen_error_fails_the_job_and_not_the_engine(engine: JobEngine) -> None:
    def run(work: JobWork) -> JobResult:
        raise ZeroDivisionError("oh")

    snapshot = end_of(engine, submit(engine, run))
    assert (snapshot.state, snapshot.message, snapshot.code) == (JobState.FAILED, "ZeroDivisionError: oh", "defect")
    assert end_of(engine, submit(engine, verified)).state is JobState.VERIFIED


def test_a_stop_that_nobody_asked_for_is_a_failure(engine: JobEngine) -> None:
    def run(work: JobWork) -> JobResult:
        raise OperationStopped

    assert end_of(engine, submit(engine, run)).state is JobState.FAILED


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.PAUSED, JobState.RUNNING, JobState.UNDECIDED])
def test_an_operation_cannot_claim_what_is_not_its_to_claim(engine: JobEngine, state: JobState) -> None:
    snapshot = end_of(engine, submit(engine, lambda work: JobResult(state, "?")))
    assert (snapshot.state, snapshot.code) == (JobState.FAILED, "defect")


def test_progress_findings_and_log_are_seen_while_it_runs(engine: JobEngine) -> None:
    told, go = threading.Event(), threading.Event()
    finding = Finding(FindingKind.CHANGED, "b", "0" * 64, "1" * 64)

    def run(work: JobWork) -> JobResult:
        work.report(Planned("verify", items=2, bytes=20))
        work.report(ItemDone("verify", "a", 1))
        work.report(BytesDone("verify", 10))
        work.report(ItemFailed("verify", "b", 2, "other content"))
        work.report(Notice("A remark."))
        told.set()
        go.wait(SECONDS)
        work.report(Ended("verify", True))
        return JobResult(JobState.FINDINGS, "Findings: 1 changed", (finding,))

    job_id = submit(engine, run)
    assert told.wait(SECONDS)
    running = job_of(engine, job_id)
    phase = running.current_phase
    assert phase is not None and (phase.items_done, phase.bytes_done, phase.failed_items) == (2, 10, 1)
    assert [(item.item, item.reason) for item in running.failed_items] == [("b", "other content")]
    assert "A remark." in [line.text for line in running.log]
    assert running.findings == ()
    go.set()
    ended = end_of(engine, job_id)
    assert ended.findings == (finding,)
    assert ended.phases[0].is_finished
    assert [line.text for line in ended.log] == ["Queued.", "Started.", "A remark.", "Findings: 1 changed"]
    assert running.state is JobState.RUNNING, "a snapshot never changes"


def test_names_that_are_no_text_are_shown_escaped_and_harm_nothing(engine: JobEngine) -> None:
    def run(work: JobWork) -> JobResult:
        work.report(ItemFailed("verify", "bad\udc80name", 1, "bad\udc80 reason"))
        return JobResult(JobState.FINDINGS, "bad\udc80", (Finding(FindingKind.MISSING, "bad\udc80name"),))

    title = "of bad\udc80name"
    job_id = engine.submit(JobRequest("live", title, title, title, title, {"path": title}), live={"run": run})
    ended = end_of(engine, job_id)
    assert ended.state is JobState.FINDINGS
    assert ended.findings[0].path == "bad\udc80name"
    assert ended.message == ended.title[3:6] + "\\udc80"


def test_a_hundred_thousand_events_cost_no_memory_and_lose_no_total(engine: JobEngine) -> None:
    def run(work: JobWork) -> JobResult:
        for count in range(1, 100_001):
            work.report(ItemFailed("verify", f"file {count}", count, "changed"))
        return JobResult(JobState.FINDINGS, "many")

    snapshot = end_of(engine, submit(engine, run))
    assert snapshot.phases[0].items_done == snapshot.failed_count == 100_000
    assert len(snapshot.failed_items) == 1000


def test_subscribers_hear_each_state_once_and_can_leave(engine: JobEngine) -> None:
    heard: list[JobState] = []
    unsubscribe = engine.subscribe(lambda snapshot: heard.append(snapshot.state))
    end_of(engine, submit(engine, verified))
    until(lambda: len(heard) >= 3)
    assert heard == [JobState.QUEUED, JobState.RUNNING, JobState.VERIFIED]
    unsubscribe()
    end_of(engine, submit(engine, verified))
    assert len(heard) == 3


def test_a_subscriber_may_use_the_engine(engine: JobEngine) -> None:
    found: list[JobSnapshot | None] = []

    def listen(snapshot: JobSnapshot) -> None:
        found.append(engine.get(snapshot.id))
        engine.snapshot()
        if len(found) == 1:
            submit(engine, verified)

    engine.subscribe(listen)
    submit(engine, verified)
    until(lambda: len(found) >= 6)
    assert None not in found


def test_close_stops_what_runs_waits_for_it_and_takes_no_more(queue: JobQueue) -> None:
    engine = JobEngine(queue, workers=1)
    gates = [Gate(), Gate()]
    ids = [submit(engine, gate) for gate in gates]
    assert gates[0].begun.wait(SECONDS)
    engine.close()
    left = JobState.QUEUED if queue.path is not None else JobState.CANCELLED
    assert [snapshot.state for snapshot in engine.snapshot()] == [left, left] and len(ids) == 2
    assert not gates[1].begun.is_set()
    with pytest.raises(RuntimeError):
        submit(engine, verified)
    engine.close()


def test_what_a_close_left_queued_is_gone_on_with_by_the_next_engine(tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    for is_last in (False, True):
        with_queue = open_job_queue(tmp_path / "jobs.sqlite3")
        engine = JobEngine(with_queue)
        if not is_last:
            job_id = engine.submit(probe(begun=begun, go=go))
            until(begun.exists)
        else:
            go.touch()
            assert end_of(engine, job_id).state is JobState.VERIFIED
            assert job_of(engine, job_id).attempt == 2
        engine.close()
        with_queue.close()
    assert begun.read_text().split() == ["1", "1"]


def test_wait_says_when_the_time_was_not_enough(engine: JobEngine) -> None:
    gate = Gate()
    job_id = submit(engine, gate)
    assert not engine.wait([job_id], 0.02)
    gate.go.set()
    assert engine.wait([job_id], SECONDS)


def test_jobs_run_in_threads_of_the_engine(engine: JobEngine) -> None:
    names: list[str] = []

    def run(work: JobWork) -> JobResult:
        names.append(threading.current_thread().name)
        return VERIFIED

    end_of(engine, submit(engine, run))
    assert names[0].startswith("job")


def test_the_order_of_the_queue_can_be_changed(queue: JobQueue) -> None:
    engine = JobEngine(queue, workers=1)
    gate, order = Gate(), []
    submit(engine, gate)
    assert gate.begun.wait(SECONDS)
    first, second, third = (
        submit(engine, lambda work: order.append(work.job_id) or VERIFIED)  # type: ignore[func-returns-value]
        for _ in range(3)
    )
    assert engine.move(third, up=True) and engine.move(third, up=True) and not engine.move(third, up=True)
    assert engine.move(first, up=False) and not engine.move(first, up=False)
    assert not engine.move(1, up=False), "it runs"
    gate.go.set()
    assert engine.wait(timeout=SECONDS)
    assert order == [third, second, first]
    engine.close()


def test_a_kind_that_nobody_knows_is_refused_when_it_is_queued(engine: JobEngine) -> None:
    with pytest.raises(ConfigurationError) as refused:
        engine.submit(probe(kind="unheard-of"))
    assert refused.value.code == "job-kind-unknown"
    assert engine.snapshot() == ()


def test_history_is_read_in_pages_the_newest_first(engine: JobEngine) -> None:
    for number in range(5):
        end_of(engine, submit(engine, verified, f"job {number}"))
    assert [job.title for job in engine.history(0, 2)] == ["job 4", "job 3"]
    assert [job.title for job in engine.history(2, 9)] == ["job 2", "job 1", "job 0"]


def test_the_thread_that_looks_after_jobs_sleeps_when_there_are_none(engine: JobEngine) -> None:
    end_of(engine, submit(engine, verified))
    until(lambda: engine._watcher.is_asleep)
    unsubscribe = engine.subscribe(lambda job: None)
    until(lambda: not engine._watcher.is_asleep)
    unsubscribe()
    until(lambda: engine._watcher.is_asleep)


def test_what_waits_for_a_storage_is_tried_again(engine: JobEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive_tui.jobs.running.retrying.FIRST_SECONDS", 0.2)
    runs: list[float] = []

    def run(work: JobWork) -> JobResult:
        runs.append(time.monotonic())
        if len(runs) < 3:
            raise StorageUnavailable("No answer from lab-s3.", hint="Try again later.")
        return VERIFIED

    heard: list[JobSnapshot] = []
    engine.subscribe(heard.append)
    ended = end_of(engine, submit(engine, run, policy=JobPolicy(retries=2)))
    assert (ended.state, ended.attempt) == (JobState.VERIFIED, 3)
    waiting = [job for job in heard if job.state is JobState.WAITING]
    assert [job.message for job in waiting] == ["No answer from lab-s3."] * 2
    assert all(job.retry_in is not None and job.retry_in <= 0.4 for job in waiting)
    assert runs[1] - runs[0] >= 0.15 and runs[2] - runs[1] >= 0.3


def test_when_no_retries_are_left_it_has_failed(engine: JobEngine) -> None:
    def run(work: JobWork) -> JobResult:
        raise StorageUnavailable("No answer from lab-s3.")

    ended = end_of(engine, submit(engine, run, policy=JobPolicy(retries=0)))
    assert (ended.state, ended.code) == (JobState.FAILED, "storage-unavailable")


def test_a_job_that_waits_for_a_retry_can_be_paused_cancelled_and_hurried(engine: JobEngine) -> None:
    go = threading.Event()

    def run(work: JobWork) -> JobResult:
        if not go.is_set():
            raise StorageUnavailable("No answer.")
        return VERIFIED

    ids = [submit(engine, run) for _ in range(3)]
    until(lambda: all(job_of(engine, job_id).state is JobState.WAITING for job_id in ids))
    assert engine.pause(ids[0]) and engine.cancel(ids[1])
    assert job_of(engine, ids[0]).state is JobState.PAUSED
    assert job_of(engine, ids[1]).state is JobState.CANCELLED
    go.set()
    assert engine.retry(ids[2])
    assert end_of(engine, ids[2]).state is JobState.VERIFIED


def test_a_job_whose_time_is_up_fails_and_says_so(engine: JobEngine) -> None:
    ended = end_of(engine, submit(engine, Gate(), policy=JobPolicy(deadline=0.2)))
    assert (ended.state, ended.code) == (JobState.FAILED, "job-deadline")
    assert ended.ran_seconds >= 0.2


def test_the_time_of_all_runs_counts_for_the_deadline_and_a_retry_gives_it_anew(
    engine: JobEngine, queue: JobQueue
) -> None:
    gate = Gate()
    job_id = submit(engine, gate, policy=JobPolicy(deadline=1000.0))
    assert gate.begun.wait(SECONDS)
    assert engine.pause(job_id)
    assert end_of(engine, job_id).state is JobState.PAUSED
    queue.of(job_id).transact(lambda c: c.execute("UPDATE job SET spent = spent + 1000, ran_seconds = 1000"))
    assert engine.resume(job_id)
    overdue = end_of(engine, job_id)
    assert (overdue.state, overdue.code) == (JobState.FAILED, "job-deadline")
    gate.go.set()
    assert engine.retry(job_id)
    ended = end_of(engine, job_id)
    assert ended.state is JobState.VERIFIED and ended.ran_seconds >= 1000


def test_a_long_history_is_never_read_whole(tmp_path: Path) -> None:
    """Neither the jobs shown nor a page of the history may cost more with every job that was ever done."""
    queue = open_job_queue(tmp_path / "jobs.sqlite3")
    assert queue.disk is not None
    asked: list[str] = []
    queue.disk.read(lambda connection: connection.set_trace_callback(asked.append), None)
    engine = JobEngine(queue, takes_queued=False)
    engine.snapshot()
    engine.history(0, 10)
    queue.disk.read(lambda connection: connection.set_trace_callback(None), None)
    listings = [text for text in asked if "FROM job LEFT JOIN" in text]
    assert len(listings) >= 3
    for text in listings:
        question = f"EXPLAIN QUERY PLAN {text}"
        plan = queue.disk.read(lambda connection, question=question: connection.execute(question).fetchall(), [])  # type: ignore[misc, var-annotated]
        (step,) = [row[3] for row in plan if re.match(r"(SCAN|SEARCH) (TABLE )?job\b", row[3])]
        assert "INDEX job_by_" in step, plan
    engine.close()
    queue.close()

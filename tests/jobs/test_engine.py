from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.errors import OperationStopped, StorageUnavailable
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.job import TRANSITIONS, JobRecord, JobResult, JobSnapshot, JobSpec, JobState
from archive_tui.progress import BytesDone, Ended, ItemDone, ItemFailed, Notice, Planned, Report, StopSignal, check_stop

SECONDS = 20.0


def make_job(run, title: str = "a job") -> JobSpec:  # type: ignore[no-untyped-def]
    return JobSpec("publish", title, "/source", "lab:key", "archive-tui …", run)


def verified(report: Report, stop: StopSignal) -> JobResult:
    return JobResult(JobState.VERIFIED, "All well.", value=42)


class Gate:
    """An operation that says when it has begun, and ends when it is let go or stopped."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()
        self.obeys = True

    def __call__(self, report: Report, stop: StopSignal) -> JobResult:
        self.begun.set()
        while not self.go.wait(0.005):
            if self.obeys:
                check_stop(stop)
        return JobResult(JobState.VERIFIED, "All well.")


@pytest.fixture
def engine() -> Iterator[JobEngine]:
    engine = JobEngine(workers=2)
    yield engine
    engine.close()


def end_of(engine: JobEngine, job_id: int) -> JobSnapshot:
    assert engine.wait([job_id], SECONDS)
    snapshot = engine.get(job_id)
    assert snapshot is not None
    return snapshot


def test_a_job_ends_with_the_word_and_value_of_its_result(engine: JobEngine) -> None:
    snapshot = end_of(engine, engine.submit(make_job(verified)))
    assert (snapshot.state, snapshot.message, snapshot.result) == (JobState.VERIFIED, "All well.", 42)
    assert snapshot.started_at is not None and snapshot.ended_at is not None
    assert snapshot.started_at <= snapshot.ended_at
    assert (snapshot.source, snapshot.destination, snapshot.command) == ("/source", "lab:key", "archive-tui …")


def test_numbers_count_from_one_and_the_order_is_kept(engine: JobEngine) -> None:
    ids = [engine.submit(make_job(verified, f"job {number}")) for number in range(5)]
    assert ids == [1, 2, 3, 4, 5]
    engine.wait(timeout=SECONDS)
    assert [snapshot.title for snapshot in engine.snapshot()] == [f"job {number}" for number in range(5)]


def test_more_jobs_than_workers_wait_queued(engine: JobEngine) -> None:
    gates = [Gate() for _ in range(3)]
    for gate in gates:
        engine.submit(make_job(gate))
    assert gates[0].begun.wait(SECONDS) and gates[1].begun.wait(SECONDS)
    assert [snapshot.state for snapshot in engine.snapshot()] == [JobState.RUNNING, JobState.RUNNING, JobState.QUEUED]
    assert engine.is_busy
    for gate in gates:
        gate.go.set()
    assert engine.wait(timeout=SECONDS)
    assert not engine.is_busy


def test_a_cancelled_job_is_stopping_until_its_operation_has_ended(engine: JobEngine) -> None:
    gate = Gate()
    gate.obeys = False
    job_id = engine.submit(make_job(gate))
    assert gate.begun.wait(SECONDS)
    engine.cancel(job_id)
    stopping = engine.get(job_id)
    assert stopping is not None and stopping.state is JobState.STOPPING and stopping.ended_at is None
    gate.obeys = True
    snapshot = end_of(engine, job_id)
    assert snapshot.state is JobState.CANCELLED
    assert snapshot.ended_at is not None


def test_an_operation_that_finished_before_it_saw_the_stop_has_finished(engine: JobEngine) -> None:
    gate = Gate()
    gate.obeys = False
    job_id = engine.submit(make_job(gate))
    assert gate.begun.wait(SECONDS)
    engine.cancel(job_id)
    gate.go.set()
    assert end_of(engine, job_id).state is JobState.VERIFIED


def test_a_waiting_job_is_cancelled_at_once_and_never_runs() -> None:
    engine = JobEngine(workers=1)
    gate, second = Gate(), Gate()
    engine.submit(make_job(gate))
    job_id = engine.submit(make_job(second))
    assert gate.begun.wait(SECONDS)
    engine.cancel(job_id)
    snapshot = engine.get(job_id)
    assert snapshot is not None and snapshot.state is JobState.CANCELLED
    gate.go.set()
    engine.close()
    assert not second.begun.is_set()


def test_cancelling_what_has_ended_or_never_was_changes_nothing(engine: JobEngine) -> None:
    job_id = engine.submit(make_job(verified))
    before = end_of(engine, job_id)
    engine.cancel(job_id)
    engine.cancel(99)
    assert engine.get(job_id) is before


def test_an_error_of_the_tree_keeps_its_message_hint_and_code(engine: JobEngine) -> None:
    def run(report: Report, stop: StopSignal) -> JobResult:
        raise StorageUnavailable("No answer from lab-s3.", hint="Try again later.")

    snapshot = end_of(engine, engine.submit(make_job(run)))
    assert snapshot.state is JobState.FAILED
    assert (snapshot.message, snapshot.hint, snapshot.code) == (
        "No answer from lab-s3.",
        "Try again later.",
        "storage-unavailable",
    )


def test_an_unforeseen_error_fails_the_job_and_not_the_engine(engine: JobEngine) -> None:
    def run(report: Report, stop: StopSignal) -> JobResult:
        raise ZeroDivisionError("oh")

    snapshot = end_of(engine, engine.submit(make_job(run)))
    assert (snapshot.state, snapshot.message, snapshot.code) == (JobState.FAILED, "ZeroDivisionError: oh", "defect")
    assert end_of(engine, engine.submit(make_job(verified))).state is JobState.VERIFIED


def test_a_stop_that_nobody_asked_for_is_a_failure(engine: JobEngine) -> None:
    def run(report: Report, stop: StopSignal) -> JobResult:
        raise OperationStopped

    assert end_of(engine, engine.submit(make_job(run))).state is JobState.FAILED


def test_an_operation_cannot_claim_to_be_cancelled_when_nobody_asked(engine: JobEngine) -> None:
    def run(report: Report, stop: StopSignal) -> JobResult:
        return JobResult(JobState.CANCELLED, "?")

    snapshot = end_of(engine, engine.submit(make_job(run)))
    assert (snapshot.state, snapshot.code) == (JobState.FAILED, "defect")


def test_progress_findings_and_log_are_seen_while_it_runs(engine: JobEngine) -> None:
    told, go = threading.Event(), threading.Event()
    finding = Finding(FindingKind.CHANGED, "b", "0" * 64, "1" * 64)

    def run(report: Report, stop: StopSignal) -> JobResult:
        report(Planned("verify", items=2, bytes=20))
        report(ItemDone("verify", "a", 1))
        report(BytesDone("verify", 10))
        report(ItemFailed("verify", "b", 2, "other content"))
        report(Notice("A remark."))
        told.set()
        go.wait(SECONDS)
        report(Ended("verify", True))
        return JobResult(JobState.FINDINGS, "Findings: 1 changed", (finding,))

    job_id = engine.submit(make_job(run))
    assert told.wait(SECONDS)
    running = engine.get(job_id)
    assert running is not None
    phase = running.current_phase
    assert phase is not None and (phase.items_done, phase.bytes_done, phase.failed_items) == (2, 10, 1)
    assert [(item.item, item.reason) for item in running.failed_items] == [("b", "other content")]
    assert "A remark." in [line.text for line in running.log]
    assert running.findings == ()
    go.set()
    ended = end_of(engine, job_id)
    assert ended.findings == (finding,)
    assert running.state is JobState.RUNNING, "a snapshot never changes"


def test_a_hundred_thousand_events_cost_no_memory_and_lose_no_total(engine: JobEngine) -> None:
    def run(report: Report, stop: StopSignal) -> JobResult:
        for count in range(1, 100_001):
            report(ItemFailed("verify", f"file {count}", count, "changed"))
        return JobResult(JobState.FINDINGS, "many")

    snapshot = end_of(engine, engine.submit(make_job(run)))
    assert snapshot.phases[0].items_done == snapshot.failed_count == 100_000
    assert len(snapshot.failed_items) == 1000


def test_subscribers_hear_each_state_once_and_can_leave(engine: JobEngine) -> None:
    heard: list[JobState] = []
    unsubscribe = engine.subscribe(lambda snapshot: heard.append(snapshot.state))
    end_of(engine, engine.submit(make_job(verified)))
    deadline = time.monotonic() + SECONDS
    while len(heard) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert heard == [JobState.QUEUED, JobState.RUNNING, JobState.VERIFIED]
    unsubscribe()
    end_of(engine, engine.submit(make_job(verified)))
    assert len(heard) == 3


def test_close_stops_what_runs_waits_for_it_and_takes_no_more() -> None:
    engine = JobEngine(workers=1)
    gates = [Gate(), Gate()]
    ids = [engine.submit(make_job(gate)) for gate in gates]
    assert gates[0].begun.wait(SECONDS)
    engine.close()
    states = [snapshot.state for snapshot in engine.snapshot()]
    assert states == [JobState.CANCELLED, JobState.CANCELLED] and len(ids) == 2
    with pytest.raises(RuntimeError):
        engine.submit(make_job(verified))


def test_wait_says_when_the_time_was_not_enough(engine: JobEngine) -> None:
    gate = Gate()
    job_id = engine.submit(make_job(gate))
    assert not engine.wait([job_id], 0.02)
    gate.go.set()
    assert engine.wait([job_id], SECONDS)


def test_jobs_run_in_threads_of_the_engine(engine: JobEngine) -> None:
    names: list[str] = []

    def run(report: Report, stop: StopSignal) -> JobResult:
        names.append(threading.current_thread().name)
        return verified(report, stop)

    end_of(engine, engine.submit(make_job(run)))
    assert names[0].startswith("job")


def test_ends_are_followed_by_nothing_and_every_state_is_reachable() -> None:
    reachable = {JobState.QUEUED}
    for _ in JobState:
        reachable |= {after for state in reachable for after in TRANSITIONS[state]}
    assert reachable == set(JobState)
    assert JobState.CANCELLED not in TRANSITIONS[JobState.RUNNING], "cancelled is not stopped"


ACTIONS = st.lists(st.one_of(st.sampled_from(["start", "stop"]), st.sampled_from(list(JobState))), max_size=12)


@given(ACTIONS)
def test_only_allowed_transitions_happen(actions: list[str | JobState]) -> None:
    record = JobRecord(1, make_job(verified))
    passed = [record.state]
    for action in actions:
        if action == "start" and record.state is JobState.QUEUED:
            record.start()
        elif action == "stop":
            record.request_stop()
        elif isinstance(action, JobState) and record.state in (JobState.RUNNING, JobState.STOPPING):
            record.finish(JobResult(action, "the end"))
        if record.state is not passed[-1]:
            passed.append(record.state)
    for before, after in itertools.pairwise(passed):
        assert after in TRANSITIONS[before]
    if record.state.is_end:
        assert record.freeze() is record.freeze()
        assert record.freeze().message


@given(st.lists(st.tuples(st.sampled_from(["submit", "cancel"]), st.integers(1, 6)), max_size=12))
def test_whatever_the_order_of_cancels_each_job_passes_allowed_states(actions: list[tuple[str, int]]) -> None:
    engine = JobEngine(workers=2)
    heard: dict[int, list[JobState]] = {}
    lock = threading.Lock()

    def listen(snapshot: JobSnapshot) -> None:
        with lock:
            heard.setdefault(snapshot.id, []).append(snapshot.state)

    engine.subscribe(listen)

    def run(report: Report, stop: StopSignal) -> JobResult:
        for _ in range(3):
            check_stop(stop)
            time.sleep(0)
        return JobResult(JobState.VERIFIED, "well")

    for action, number in actions:
        if action == "submit":
            engine.submit(make_job(run))
        else:
            engine.cancel(number)
    assert engine.wait(timeout=SECONDS)
    engine.close()
    for states in heard.values():
        assert states[0] is JobState.QUEUED
        assert len([state for state in set(states) if state.is_end]) == 1

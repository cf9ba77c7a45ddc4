"""The runs of this process: each is one job that it owns, with the thread that does it."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from archive_tui.errors import ConfigurationError
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.kinds import find_kind
from archive_tui.jobs.queue.claiming import ClaimedJob
from archive_tui.jobs.queue.endings import RunEnd, finish_run, is_owner
from archive_tui.jobs.running.job_places import JobPlaces, Limits
from archive_tui.jobs.running.kept_uploads import KeptUploads
from archive_tui.jobs.running.retrying import back_off
from archive_tui.jobs.running.run_outcome import Circumstances, Decision, RunOutcome, decide, run_to_outcome
from archive_tui.jobs.running.run_writing import RunNews
from archive_tui.jobs.running.running_job import RunningJob
from archive_tui.jobs.running.tray import Tray


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all runs of an engine share."""

    worker_id: str
    evidence: Any = None
    limits: Limits | None = None


def do_run(running: RunningJob, live: Mapping[str, Any], around: Surroundings) -> RunOutcome:
    """Runs the operation of a job in the calling thread. Never raises."""
    return run_to_outcome(lambda: _run_kind(running, live, around))


def end_run(running: RunningJob, outcome: RunOutcome, around: Surroundings, *, stays: bool) -> WrittenEnd:
    """Writes down the end of a run, with everything that is not written yet."""
    if running.journal.lost:
        running.write_log(f"{running.journal.lost:,} items could not be written down: the receipt does not list them.")
    end = RunEnd(
        outcome, running.seconds, frozenset(running.asked), running.wish, running.is_overdue,
        back_off(running.job.retries), stays,
    )  # fmt: skip
    return WrittenEnd(running, end, around.worker_id)


class WrittenEnd:
    """The end of a run on its way into the database. Until `write` has succeeded, or when the job belongs to another
    worker or to a file that is gone, `snapshot` is all there is."""

    def __init__(self, running: RunningJob, end: RunEnd, worker_id: str) -> None:
        self.running = running
        self.end = end
        self._worker = worker_id
        self._result = _encode(end.outcome.result)
        around = Circumstances(
            end.wish, running.job.policy.retries - running.job.retries, len(end.asked), len(end.asked), end.is_overdue
        )
        self.decision: Decision = decide(end.outcome, around)

    def write(self) -> bool:
        """Returns False when the database does not take it. Sets `running.has_lost` when the job is not ours."""
        news = RunNews(self.running)
        if not self.running.journal.flush():
            news.put_back()
            return False
        done = self.running.database.transact(lambda connection: self._write(connection, news), durable=True)
        if done is None:
            news.put_back()
            return False
        if done.value is None:
            self.running.lose()
        else:
            self.decision = done.value
        return True

    def _write(self, connection: sqlite3.Connection, news: RunNews) -> Decision | None:
        if not is_owner(connection, self.running.job, self._worker):
            return None
        news.write(connection)
        return finish_run(connection, self.running.job, self.end, self._result)

    @property
    def words(self) -> str:
        return f"{self.decision.state}: {self.decision.result.message}"

    def snapshot(self) -> JobSnapshot:
        """How the job has ended, as this process knows it."""
        result = self.decision.result
        state = self.decision.state
        return dataclasses.replace(
            self.running.freeze(), state=state, stopping_for=None, message=result.message, hint=result.hint,
            code=result.code, findings=result.findings, result=result.value, is_here=False, owner="",
            ended_at=time.time() if state.is_end else None,
        )  # fmt: skip


def _run_kind(running: RunningJob, live: Mapping[str, Any], around: Surroundings) -> JobResult:
    job = running.job
    kind = find_kind(job.kind)
    parameters = upgrade_parameters(kind, job)

    def remember(place: Mapping[str, Any]) -> KeptUploads:
        return KeptUploads(running.database, job, around.worker_id, place, running.write_log)

    with JobPlaces(around.limits, job.policy, running, remember) as places:
        return kind.run(
            JobWork(
                job_id=job.id,
                parameters=parameters,
                policy=job.policy,
                report=running.report,
                stop=running,
                journal=running.journal,
                resolve=Tray(running, around.worker_id),
                open_place=places.open,
                evidence=around.evidence,
                live=live,
            )
        )


def upgrade_parameters(kind: JobKind, job: ClaimedJob) -> Mapping[str, Any]:
    """Returns the parameters as this release understands them.

    Raises: ConfigurationError (job-too-old, job-too-new).
    """
    if job.version == kind.version:
        return job.parameters
    if job.version > kind.version:
        raise ConfigurationError(
            f"This job was queued by a newer release: {kind.name}",
            hint="Run it with that release, or cancel it and begin anew.",
            code="job-too-new",
        )
    if kind.upgrade is None:
        raise ConfigurationError(
            f"This job was queued by an older release and cannot be understood any more: {kind.name}",
            hint="Cancel it and begin anew.",
            code="job-too-old",
        )
    return kind.upgrade(job.parameters, job.version)


def _encode(result: JobResult) -> str | None:
    if result.value is None:
        return None
    from archive_tui.jobs.receipts.results import encode_result  # what it knows is not imported before it is needed

    try:
        document = encode_result(result.value)
        return None if document is None else json.dumps(document)
    except (TypeError, ValueError):
        return None  # a value that nobody can write down: only this process has it


class JobThreads:
    """The threads of jobs; `join` waits for all that were begun."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def start(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        with self._lock:
            self._threads = [each for each in self._threads if each.is_alive()]
            self._threads.append(thread)
        thread.start()

    def join(self) -> None:
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join()

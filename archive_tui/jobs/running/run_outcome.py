"""What a job becomes when a run of it has ended: decided from what the operation said and what people asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from archive_tui.errors import ArchiveError, OperationStopped, StorageUnavailable
from archive_tui.jobs.kind import JobResult
from archive_tui.jobs.states import ENDS, JobState

_DEFECT_HINT = "This is a defect of the program: please report it."


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended. `result.state` is CANCELLED when it stopped; `error` is what it raised."""

    result: JobResult
    error: BaseException | None = None

    @property
    def is_stopped(self) -> bool:
        return self.result.state is JobState.CANCELLED

    @property
    def can_be_retried(self) -> bool:
        return isinstance(self.error, StorageUnavailable)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """`wish` is what somebody asked a running job to become, None: nobody did. `asked` counts conflicts that the run
    left to be decided, `unanswered` those that still are. `is_overdue`: its time is up."""

    wish: JobState | None = None
    retries_left: int = 0
    asked: int = 0
    unanswered: int = 0
    is_overdue: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """`states` are taken one after the other; `result` holds the words."""

    states: tuple[JobState, ...]
    result: JobResult

    @property
    def state(self) -> JobState:
        return self.states[-1]


def run_to_outcome(run: Callable[[], JobResult]) -> RunOutcome:
    """Calls `run`; what it raises becomes an outcome. Never raises."""
    try:
        return RunOutcome(run())
    except OperationStopped as error:
        return RunOutcome(JobResult(JobState.CANCELLED, error.message, hint=error.hint, code=error.code), error)
    except ArchiveError as error:
        findings = getattr(getattr(error, "report", None), "findings", ())
        failed = JobResult(JobState.FAILED, error.message, findings=findings, hint=error.hint, code=error.code)
        return RunOutcome(failed, error)
    except KeyboardInterrupt as error:
        return RunOutcome(JobResult(JobState.CANCELLED, "Interrupted."), error)
    except BaseException as error:  # noqa: BLE001  (the boundary of a run: what nobody foresaw must be seen, not lost)
        return RunOutcome(_defect(f"{type(error).__name__}: {error}"), error)


def decide(outcome: RunOutcome, around: Circumstances) -> Decision:
    """Returns what the job becomes; every step is one that TRANSITIONS allows."""
    result = outcome.result
    if outcome.is_stopped:
        is_interrupted = isinstance(outcome.error, KeyboardInterrupt) and around.wish is None
        return _grant(result, JobState.PAUSED) if is_interrupted else _decide_stopped(result, around)
    if outcome.can_be_retried:
        return _decide_unavailable(result, around)
    if result.state not in ENDS | {JobState.UNDECIDED}:
        return _end(_defect(f"A job that runs cannot become {result.state}: {result.message}"))
    if result.state is JobState.FAILED:
        return _end(result)
    if result.state is JobState.UNDECIDED and not around.asked:
        return _end(_defect(f"Nothing is to be decided: {result.message}"))
    if around.asked:
        return _decide_asked(result, around)
    return _end(result)


def _decide_stopped(result: JobResult, around: Circumstances) -> Decision:
    if around.wish is not None:
        return _grant(result, around.wish)
    if around.is_overdue:
        text = "The time that this job may run is up."
        hint = "What it had finished stays. Retry it to go on, with as much time again."
        return _end(JobResult(JobState.FAILED, text, result.findings, result.value, hint, code="job-deadline"))
    return _end(replace(result, state=JobState.FAILED))


def _decide_unavailable(result: JobResult, around: Circumstances) -> Decision:
    if around.wish is not None:
        return _grant(result, around.wish)
    if around.retries_left > 0:
        return Decision((JobState.WAITING,), replace(result, state=JobState.WAITING))
    return _end(result)


def _decide_asked(result: JobResult, around: Circumstances) -> Decision:
    if around.wish is JobState.CANCELLED:
        return _grant(result, around.wish)
    undecided = replace(result, state=JobState.UNDECIDED, message=_describe_questions(around.unanswered))
    if around.wish is JobState.PAUSED:
        return Decision((JobState.UNDECIDED, JobState.PAUSED), undecided)
    if around.unanswered:
        return Decision((JobState.UNDECIDED,), undecided)
    return Decision((JobState.UNDECIDED, JobState.QUEUED), undecided)


def _describe_questions(count: int) -> str:
    if not count:
        return "Everything is decided; the rest is done now."
    return f"{count} item{'s need' if count != 1 else ' needs'} a decision; everything else is done."


def _grant(result: JobResult, wish: JobState) -> Decision:
    return Decision((wish,), replace(result, state=wish, hint="", code=""))


def _end(result: JobResult) -> Decision:
    return Decision((result.state,), result)


def _defect(text: str) -> JobResult:
    return JobResult(JobState.FAILED, text, hint=_DEFECT_HINT, code="defect")

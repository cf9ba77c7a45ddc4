"""The jobs as the screens see them: snapshots that a thread of their own fetches, so that no key waits for a disk.

The thread looks four times a second while a job moves, in whichever process, and sleeps when none does.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from archive_tui.errors import ArchiveError
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.states import JobState
from archive_tui.tui.background import BackgroundPool

if TYPE_CHECKING:
    from archive_tui.jobs.engine import JobEngine
    from archive_tui.jobs.request import JobRequest

LOOK_SECONDS = 0.25
"""Between two looks while something moves."""

CLOSEST_LOOKS = 0.05
"""Seconds between two looks at least: a thousand short jobs must not keep the screen from its keys."""

Value = TypeVar("Value")
Deliver = Callable[[Callable[[], None]], object]
"""Has a function called in the thread of the screens, soon; may be called from any thread."""


@dataclass(frozen=True, slots=True)
class JobBoard:
    """All jobs at one moment. `full` are the followed ones with log, findings and result. `remarks` are what the queue
    has to say of itself."""

    jobs: tuple[JobSnapshot, ...] = ()
    full: Mapping[int, JobSnapshot] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def is_moving(self) -> bool:
        """True while figures change by themselves."""
        return any(job.state.is_running or job.state is JobState.WAITING for job in self.jobs)


Listener = Callable[[JobBoard, JobBoard], None]
"""Called in the thread of the screens with the board before and the board now."""


class JobFeed:
    """Methods that screens call return at once; whatever needs the engine is done in other threads, commands one after
    the other in the order in which they were given."""

    def __init__(self, engine: JobEngine, deliver: Deliver, complain: Callable[[ArchiveError], None]) -> None:
        """`complain` is told, in the thread of the screens, why a command could not be done."""
        self.engine = engine
        self.board = JobBoard()
        self._deliver = deliver
        self._complain = complain
        self._listeners: list[Listener] = []
        self._commands = BackgroundPool(workers=1, name="job-command")
        self._condition = threading.Condition()
        self._followed: Counter[int] = Counter()
        self._is_awake = True
        self._is_closed = False
        self._fetched: JobBoard | None = None
        self._is_delivering = False
        self._said = ""
        self._unsubscribe: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begins to look; the first board is delivered even when it is empty."""
        threading.Thread(target=self._look_on, name="job-feed", daemon=True).start()

    def close(self) -> None:
        with self._condition:
            self._is_closed = True
            self._condition.notify()

    def wake(self) -> None:
        """Asks for a look now. Any thread may call it."""
        with self._condition:
            self._is_awake = True
            self._condition.notify()

    # What the screens ask.

    @property
    def jobs(self) -> tuple[JobSnapshot, ...]:
        return self.board.jobs

    def get(self, job_id: int | None) -> JobSnapshot | None:
        """The job as it was seen last, in full where it is followed; None: not seen yet, or not there."""
        if job_id is None:
            return None
        full = self.board.full.get(job_id)
        return full or next((job for job in self.board.jobs if job.id == job_id), None)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener` whenever something has changed; returns what ends that."""
        self._listeners.append(listener)

        def stop_listening() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop_listening

    def follow(self, job_id: int) -> Callable[[], None]:
        """Has the job fetched in full until the returned function is called."""
        with self._condition:
            self._followed[job_id] += 1
        self.wake()

        def unfollow() -> None:
            with self._condition:
                self._followed[job_id] -= 1

        return unfollow

    # What the screens have done.

    def submit(
        self, make: Callable[[], JobRequest], then: Callable[[int], None], *, live: Mapping[str, Any] | None = None
    ) -> None:
        """Queues the job that `make` describes; it is called in another thread, for it may look at the disk. `then`
        receives the number when the job is on the disk, and the board knows it by then."""

        def queue(engine: JobEngine) -> tuple[int, JobSnapshot | None]:
            job_id = engine.submit(make(), live=live)
            return job_id, engine.get(job_id)

        def tell(queued: tuple[int, JobSnapshot | None]) -> None:
            job_id, snapshot = queued
            if snapshot is not None and self.get(job_id) is None:
                self._show(JobBoard((*self.board.jobs, snapshot), self.board.full, self.board.remarks))
            then(job_id)

        self.do(queue, tell)

    def do(self, command: Callable[[JobEngine], Value], then: Callable[[Value], None] = lambda value: None) -> None:
        """Has a command carried out, then `then` called with what it returns, and a look taken."""

        def run() -> None:
            value = command(self.engine)
            self.wake()
            self._deliver(lambda: then(value))

        self._commands.submit(run, self._fail)

    def _fail(self, error: Exception) -> None:
        if self._is_closed:
            return  # whoever leaves is not told that nothing can be queued any more
        known = error if isinstance(error, ArchiveError) else _as_defect(error)
        self._deliver(lambda: self._complain(known))

    def _fail_once(self, error: Exception) -> None:
        """What fails four times a second is said once."""
        if repr(error) != self._said:
            self._said = repr(error)
            self._fail(error)

    # The thread that looks.

    def _look_on(self) -> None:
        self._unsubscribe = self.engine.subscribe(lambda job: self.wake())
        while self._wait_for_reason():
            try:
                self._hand_over(self._look())
            except Exception as error:  # noqa: BLE001  (the boundary of the thread: it must go on looking)
                self._fail_once(error)
            time.sleep(CLOSEST_LOOKS)
        self._unsubscribe()

    def _wait_for_reason(self) -> bool:
        """Returns False when it is over."""
        with self._condition:
            is_moving = self._fetched is not None and self._fetched.is_moving
            if not self._is_awake and not self._is_closed:
                self._condition.wait(LOOK_SECONDS - CLOSEST_LOOKS if is_moving else None)
            self._is_awake = False
            return not self._is_closed

    def _look(self) -> JobBoard:
        before = self._fetched or JobBoard()
        jobs = self.engine.snapshot()
        with self._condition:
            self._followed = +self._followed
            wanted = tuple(self._followed)
        listed = {job.id: job for job in jobs}
        listed_before = {job.id: job for job in before.jobs} if wanted else {}
        full: dict[int, JobSnapshot] = {}
        for job_id in wanted:
            now = listed.get(job_id)
            known = before.full.get(job_id)
            is_still = known is not None and known.state.is_end and now == listed_before.get(job_id)
            found = known if is_still else self.engine.get(job_id)
            if found is not None:
                full[job_id] = found
        return JobBoard(jobs, full, tuple(self.engine.remarks))

    def _hand_over(self, board: JobBoard) -> None:
        """Only the newest board waits for the screens, however long they take."""
        with self._condition:
            is_news = board != self._fetched
            self._fetched = board
            if not is_news or self._is_delivering:
                return
            self._is_delivering = True
        self._deliver(self._take)

    def _take(self) -> None:
        with self._condition:
            self._is_delivering = False
            board = self._fetched
        if board is not None:
            self._show(board)

    def _show(self, board: JobBoard) -> None:
        before, self.board = self.board, board
        for listener in tuple(self._listeners):
            listener(before, board)


def _as_defect(error: Exception) -> ArchiveError:
    text = f"{type(error).__name__}: {error}"
    return ArchiveError(text, hint="This is a defect of the program: please report it.", code="defect")

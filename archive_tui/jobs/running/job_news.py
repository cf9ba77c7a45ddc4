"""Tells subscribers when a job changes its state, in whichever process: each state once, in order, outside of locks."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable

from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.queue.job_rows import read_last_id, read_moving_states
from archive_tui.jobs.states import JobState

Subscriber = Callable[[JobSnapshot], None]


class StateWatch:
    """What was known of the states in one database. Guard it with a lock."""

    def __init__(self) -> None:
        self._states: dict[int, JobState] = {}
        self._last = 0
        self._has_looked = False

    def look(self, connection: sqlite3.Connection) -> list[int]:
        """Returns the jobs whose state is another one than at the last look; the first look finds nothing new."""
        was_first, self._has_looked = not self._has_looked, True
        if was_first:
            self._last = read_last_id(connection)
        states = read_moving_states(connection, self._states, after=self._last)
        changed = [job_id for job_id, state in states.items() if self._note(job_id, state)]
        self._states = {job_id: state for job_id, state in self._states.items() if not state.is_end}
        return [] if was_first else changed

    def _note(self, job_id: int, state: JobState) -> bool:
        self._last = max(self._last, job_id)
        is_news = self._states.get(job_id) is not state
        self._states[job_id] = state
        return is_news


class JobNews:
    """A thread that announces may find itself telling what another thread has announced meanwhile."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._subscribers: tuple[Subscriber, ...] = ()
        self._waiting: deque[JobSnapshot] = deque()
        self._telling = threading.Lock()

    @property
    def has_subscribers(self) -> bool:
        return bool(self._subscribers)

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        with self.changed:
            self._subscribers = (*self._subscribers, callback)

        def unsubscribe() -> None:
            with self.changed:
                self._subscribers = tuple(each for each in self._subscribers if each is not callback)

        return unsubscribe

    def announce(self, snapshot: JobSnapshot) -> None:
        """Puts news into the line; call it in the order in which things happen, then `tell` without a lock."""
        self._waiting.append(snapshot)

    def tell(self) -> None:
        """Calls the subscribers, and wakes those who wait for a change."""
        while self._waiting:
            if not self._telling.acquire(blocking=False):
                return
            try:
                self._tell_waiting()
            finally:
                self._telling.release()
        with self.changed:
            self.changed.notify_all()

    def _tell_waiting(self) -> None:
        while self._waiting:
            snapshot = self._waiting.popleft()
            for subscriber in self._subscribers:
                subscriber(snapshot)

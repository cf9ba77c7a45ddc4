"""Runs one operation in the background and brings its result back as a message, whatever happens to the screen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from textual.message import Message
from textual.message_pump import MessagePump

from archive_tui.errors import ArchiveError
from archive_tui.progress import StopSignal
from archive_tui.tui.background import BackgroundPool


@dataclass(frozen=True, slots=True)
class Outcome:
    """The value of an operation, or the error that ended it."""

    value: Any = None
    error: ArchiveError | None = None


class TaskEnded(Message, bubble=False):
    """An operation has ended. `then` is what was asked to happen with its outcome."""

    def __init__(self, outcome: Outcome, then: Callable[[Outcome], None]) -> None:
        super().__init__()
        self.outcome = outcome
        self.then = then


class Tasks:
    """The background operations of one screen, by name: a new one stops its predecessor, whose outcome is dropped."""

    def __init__(self, owner: MessagePump, pool: BackgroundPool) -> None:
        self._owner = owner
        self._pool = pool
        self._stops: dict[str, threading.Event] = {}

    def start(self, name: str, run: Callable[[StopSignal], Any], then: Callable[[Outcome], None]) -> None:
        """Calls `run` in a thread, then `then` in the owner's message handler, unless it was stopped meanwhile."""
        self.stop(name)
        stop = self._stops[name] = threading.Event()

        def tell(outcome: Outcome) -> None:
            if not stop.is_set():
                self._owner.post_message(TaskEnded(outcome, finish))

        def finish(outcome: Outcome) -> None:
            if self._stops.get(name) is stop:
                del self._stops[name]
                then(outcome)

        self._pool.submit(lambda: tell(Outcome(run(stop))), lambda error: tell(Outcome(error=_as_archive_error(error))))

    def is_running(self, name: str) -> bool:
        return name in self._stops

    def stop(self, name: str) -> None:
        stop = self._stops.pop(name, None)
        if stop is not None:
            stop.set()

    def stop_all(self) -> None:
        for name in tuple(self._stops):
            self.stop(name)


def _as_archive_error(error: Exception) -> ArchiveError:
    if isinstance(error, ArchiveError):
        return error
    text = f"{type(error).__name__}: {error}"
    return ArchiveError(text, hint="This is a defect of the program: please report it.", code="defect")

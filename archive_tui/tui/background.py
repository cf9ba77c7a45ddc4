"""A few daemon threads for listings and previews. A listing that hangs on a dead network never delays leaving."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

Task = Callable[[], None]
Failure = Callable[[Exception], None]


class BackgroundPool:
    """Runs tasks in order of arrival on at most `workers` threads; whatever a task raises goes to its `failed`."""

    def __init__(self, workers: int = 8, name: str = "listing") -> None:
        self._limit = workers
        self._name = name
        self._tasks: deque[tuple[Task, Failure]] = deque()
        self._condition = threading.Condition()
        self._threads = 0
        self._idle = 0

    def submit(self, task: Task, failed: Failure) -> None:
        with self._condition:
            self._tasks.append((task, failed))
            if self._idle >= len(self._tasks):
                self._condition.notify()
            elif self._threads < self._limit:
                self._threads += 1
                threading.Thread(target=self._run, name=f"{self._name}-{self._threads}", daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._condition:
                self._idle += 1
                while not self._tasks:
                    self._condition.wait()
                self._idle -= 1
                task, failed = self._tasks.popleft()
            try:
                task()
            except Exception as error:  # noqa: BLE001  (the boundary of the thread: a failure becomes a notice)
                failed(error)

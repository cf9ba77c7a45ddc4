"""One thread that looks after the jobs as long as there is something to look after, and sleeps otherwise."""

from __future__ import annotations

import threading
from collections.abc import Callable

Look = Callable[[], float | None]


class Watcher:
    """Calls `look` at once and again after as many seconds as it returns; None: not before somebody calls `wake`.

    The thread begins with the first `wake`; `look` must not raise.
    """

    def __init__(self, look: Look) -> None:
        self._look = look
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_woken = False
        self._is_closed = False
        self._is_asleep = True

    def wake(self) -> None:
        """Asks for a look now; may be called from any thread."""
        with self._condition:
            self._is_woken = True
            if self._thread is None and not self._is_closed:
                self._thread = threading.Thread(target=self._run, name="job-watcher", daemon=True)
                self._thread.start()
            self._condition.notify()

    @property
    def is_asleep(self) -> bool:
        """True while nothing but `wake` makes it look."""
        return self._is_asleep

    def close(self) -> None:
        """Returns when the last look is over."""
        with self._condition:
            self._is_closed = True
            self._condition.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        seconds: float | None = 0.0
        while True:
            with self._condition:
                if not self._is_woken and not self._is_closed:
                    self._is_asleep = seconds is None
                    self._condition.wait(seconds)
                self._is_woken = self._is_asleep = False
                if self._is_closed:
                    return
            seconds = self._look()

"""Many independent calls that wait for a server or a disk, some at once, their results in order."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import TypeVar

from archive_tui.progress import StopSignal, check_stop, never

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    threads: int,
    waiting: int | None = None,
    stop: StopSignal = never,
) -> Generator[Result, None, None]:
    """Yields `function(item)` for each item, in the order of `items`, with `threads` calls at once.

    At most `waiting` results (None: eight for each thread) are under way or held, so that memory does not grow with
    the number of items. The first exception of a call is raised in its place in the order; from the moment it happens
    no call for a later item begins, and those that have begun are waited for. The same when the generator is closed.

    Raises: OperationStopped between two results; what `function` and `items` raise.
    """
    most = waiting or 8 * threads
    failure = _FirstFailure()

    def call(number: int, item: Item) -> Result:
        if number > failure.number:
            raise CancelledError  # nobody sees it: the failure of an earlier one comes first
        try:
            return function(item)
        except BaseException:
            failure.note(number)
            raise

    pool = ThreadPoolExecutor(threads, thread_name_prefix="parallel")
    running: deque[Future[Result]] = deque()
    try:
        for number, item in enumerate(items):
            check_stop(stop)
            running.append(pool.submit(call, number, item))
            while len(running) >= most or (running and running[0].done()):
                yield running.popleft().result()
                check_stop(stop)
        while running:
            check_stop(stop)
            yield running.popleft().result()
    finally:
        failure.note(-1)
        pool.shutdown(wait=True, cancel_futures=True)


class _FirstFailure:
    """The lowest number of a call that has failed. A call of a lower number still has to be made: a thread may have
    taken it and not begun, while the one after it has failed already."""

    def __init__(self) -> None:
        self.number: float = math.inf
        self._lock = threading.Lock()

    def note(self, number: int) -> None:
        with self._lock:
            self.number = min(self.number, number)

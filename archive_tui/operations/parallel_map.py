"""Many independent calls that wait for a server or a disk, some at once, their results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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
) -> Iterator[Result]:
    """Yields `function(item)` for each item, in the order of `items`, with `threads` calls at once.

    At most `waiting` results (None: eight for each thread) are under way or held, so that memory does not grow with
    the number of items. The first exception of a call is raised in its place in the order; calls that have begun are
    then waited for, others are not begun.

    Raises: OperationStopped between two results; what `function` and `items` raise.
    """
    most = waiting or 8 * threads
    pool = ThreadPoolExecutor(threads, thread_name_prefix="parallel")
    running: deque[Future[Result]] = deque()
    try:
        for item in items:
            check_stop(stop)
            running.append(pool.submit(function, item))
            while len(running) >= most or (running and running[0].done()):
                yield running.popleft().result()
        while running:
            check_stop(stop)
            yield running.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)

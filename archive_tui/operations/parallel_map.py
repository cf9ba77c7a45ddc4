"""Many independent calls that wait for a server or a disk, some at once, their results in order."""

from __future__ import annotations

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
    no further call begins, and those that have begun are waited for. The same when the generator is closed.

    Raises: OperationStopped between two results; what `function` and `items` raise.
    """
    most = waiting or 8 * threads
    has_failed = threading.Event()

    def call(item: Item) -> Result:
        if has_failed.is_set():
            raise CancelledError  # nobody sees it: calls begin in order, and the failure of an earlier one comes first
        try:
            return function(item)
        except BaseException:
            has_failed.set()
            raise

    pool = ThreadPoolExecutor(threads, thread_name_prefix="parallel")
    running: deque[Future[Result]] = deque()
    try:
        for item in items:
            check_stop(stop)
            running.append(pool.submit(call, item))
            while len(running) >= most or (running and running[0].done()):
                yield running.popleft().result()
                check_stop(stop)
        while running:
            check_stop(stop)
            yield running.popleft().result()
    finally:
        has_failed.set()
        pool.shutdown(wait=True, cancel_futures=True)

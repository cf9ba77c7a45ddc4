"""Calls side by side: results in order, bounded, and nothing begun after a failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from archive_tui.errors import OperationStopped
from archive_tui.operations import parallel_map
from archive_tui.operations.parallel_map import map_in_order

PATIENCE = 20.0


def test_results_come_in_the_order_of_the_items() -> None:
    second_is_done = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert second_is_done.wait(PATIENCE)
        if number == 1:
            second_is_done.set()
        return number * 10

    assert list(map_in_order(work, range(200), threads=2)) == [number * 10 for number in range(200)]


class _LastFirst:
    """A pool whose threads come to begin their calls in the wrong order: the second one before the first."""

    def __init__(self, *arguments: object, **options: object) -> None:
        self._calls: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._calls.append((future, lambda: function(*arguments)))
        if len(self._calls) == 2:
            for each, call in reversed(self._calls):
                try:
                    each.set_result(call())
                except BaseException as error:
                    each.set_exception(error)
        return future

    def shutdown(self, **options: object) -> None: ...


def test_a_call_that_begins_after_the_failure_of_a_later_one_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel_map, "ThreadPoolExecutor", _LastFirst)
    results = map_in_order(lambda number: 1 // (1 - number), range(2), threads=2)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_calls_run_at_once() -> None:
    together = threading.Barrier(4, timeout=PATIENCE)
    assert list(map_in_order(lambda number: together.wait() >= 0, range(8), threads=4)) == [True] * 8


def test_no_more_is_under_way_than_may_wait() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield number

    for done, _ in enumerate(map_in_order(lambda number: number, items(), threads=2, waiting=5), 1):
        assert taken <= done + 5
    assert taken == 1000


def test_a_failure_comes_in_its_place_and_nothing_begins_after_it() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 5:
            raise LookupError(number)
        return number

    seen = []
    with pytest.raises(LookupError):
        for result in map_in_order(work, range(1000), threads=1, waiting=1000):
            seen.append(result)
    assert seen == [0, 1, 2, 3, 4]
    assert begun == [0, 1, 2, 3, 4, 5]


def test_a_failure_waits_for_the_calls_that_have_begun() -> None:
    ended = threading.Event()

    def work(number: int) -> None:
        if number == 0:
            raise LookupError
        time.sleep(0.1)
        ended.set()

    with pytest.raises(LookupError):
        list(map_in_order(work, range(2), threads=2))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("parallel")]


def test_the_items_may_fail() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise LookupError

    with pytest.raises(LookupError):
        list(map_in_order(lambda number: number, items(), threads=2))


def test_a_stop_is_obeyed_between_results() -> None:
    stop = threading.Event()
    begun = 0

    def work(number: int) -> int:
        nonlocal begun
        begun += 1
        return number

    results = map_in_order(work, range(10_000), threads=2, stop=stop)
    assert next(results) == 0
    stop.set()
    with pytest.raises(OperationStopped):
        list(results)
    assert begun < 10_000


def test_whoever_closes_it_leaves_no_thread_behind() -> None:
    results = map_in_order(lambda number: number, range(100), threads=4)
    next(results)
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("parallel")]

"""Runs one call over many files: several at once, each tried again when that can cure it, none left out."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, TypeVar

from archive_tui.archives.brokers.records import FileOutcome, Outcome
from archive_tui.errors import ArchiveError, OperationStopped, StorageUnavailable
from archive_tui.operations.parallel_map import map_in_order
from archive_tui.progress import Ended, ItemDone, ItemFailed, Planned, Report, StopSignal, check_stop

ATTEMPTS = 4
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds between two attempts: doubled each time, with jitter."""

Item = TypeVar("Item")


def run_bulk(
    phase: str,
    items: Sequence[Item],
    file_of: Callable[[Item], Any],
    act: Callable[[Item], FileOutcome],
    *,
    threads: int,
    report: Report,
    stop: StopSignal,
) -> list[FileOutcome]:
    """Returns the outcomes in the order of the items.

    Raises: the error of the first file that failed, with all outcomes as its `outcomes`; OperationStopped, with those
    that there are.
    """

    def call(item: Item) -> FileOutcome:
        try:
            return _try_again(lambda: act(item), stop)
        except OperationStopped:
            raise
        except ArchiveError as error:
            return FileOutcome(file_of(item), Outcome.FAILED, error=error)

    outcomes: list[FileOutcome] = []
    report(Planned(phase, len(items)))
    is_finished = False
    try:
        with closing(map_in_order(call, items, threads=threads, stop=stop)) as results:
            for outcome in results:
                outcomes.append(outcome)
                _tell(phase, outcome, len(outcomes), report)
        is_finished = True
    except OperationStopped as stopped:
        stopped.outcomes = outcomes  # type: ignore[attr-defined]
        raise
    finally:
        report(Ended(phase, is_finished))
    failed = next((outcome.error for outcome in outcomes if outcome.error is not None), None)
    if failed is not None:
        failed.outcomes = outcomes  # type: ignore[attr-defined]
        raise failed
    return outcomes


def _try_again(act: Callable[[], FileOutcome], stop: StopSignal) -> FileOutcome:
    """Raises: the error of the last attempt."""
    for attempt in range(ATTEMPTS - 1):
        try:
            return act()
        except StorageUnavailable:
            _pause(min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt) * random.uniform(0.5, 1.0), stop)
    return act()


def _pause(seconds: float, stop: StopSignal) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        check_stop(stop)
        time.sleep(min(0.05, left))


def _tell(phase: str, outcome: FileOutcome, count: int, report: Report) -> None:
    name = str(getattr(outcome.file, "file_path", outcome.file))
    if outcome.error is None:
        report(ItemDone(phase, name, count))
    else:
        report(ItemFailed(phase, name, count, outcome.error.message))

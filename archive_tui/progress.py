"""What an operation tells while it runs, and how it is asked to stop.

An operation takes `report` (a callable that receives the events below) and `stop` (anything with `is_set()`).
Totals are absolute: a retry may go back, and a consumer that misses events loses nothing. `events.append` of a
plain list is the test double. Events may come from several threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from archive_tui.errors import OperationStopped


@dataclass(frozen=True, slots=True)
class Planned:
    """A phase begins. `items` and `bytes` are totals; None: not known (yet). May come again with better figures."""

    phase: str
    items: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ItemStarted:
    phase: str
    item: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class BytesDone:
    """`total` bytes of the phase are done, counted from its beginning."""

    phase: str
    total: int


@dataclass(frozen=True, slots=True)
class ItemDone:
    """One item is done; `items_total` counts the finished items of the phase, this one included."""

    phase: str
    item: str
    items_total: int


@dataclass(frozen=True, slots=True)
class ItemFailed:
    """One item has a finding or could not be read; `reason` is a sentence."""

    phase: str
    item: str
    items_total: int
    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know that is neither a finding nor a failure."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The phase is over. `finished` is False when it was stopped or failed."""

    phase: str
    finished: bool


Event = Planned | ItemStarted | BytesDone | ItemDone | ItemFailed | Notice | Ended
Report = Callable[[Event], None]


class StopSignal(Protocol):
    def is_set(self) -> bool: ...


class _Never:
    def is_set(self) -> bool:
        return False


never: StopSignal = _Never()


def ignore(event: Event) -> None:
    """The report of somebody who does not want to know."""


def check_stop(stop: StopSignal) -> None:
    """Raises: OperationStopped when the user has asked to stop."""
    if stop.is_set():
        raise OperationStopped

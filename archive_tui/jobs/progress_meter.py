"""Turns the events of a running operation into figures that a person can read: done, total, rate, time left."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from archive_tui.progress import BytesDone, Ended, Event, ItemDone, ItemFailed, ItemStarted, Notice, Planned

WINDOW_SECONDS = 10.0
"""The rate is that of the last ten seconds: shorter jumps, longer hides a stall."""

SAMPLE_SECONDS = 0.25
"""Samples closer than this are merged, so that a window never holds more than forty."""

SHORTEST_SECONDS = 1.0
"""Before a second has passed, a rate would be a guess."""

CATCHING_UP_SECONDS = 10.0
"""How long nothing is said of a phase that has not come to where an earlier run left it: what it inherits comes faster
than anything it does. After that it seems to do most of it again."""

Figures = tuple[int, int]
"""Bytes and items of a phase."""


@dataclass(frozen=True, slots=True)
class PhaseProgress:
    """One phase as it stands. Totals are None when they are not known, bytes and items alike.

    `rate` is in bytes per second over the last ten seconds, over the whole phase when it has `ended`; None: nothing
    can be said yet. What a run inherits from an earlier one counts as done, but not for rate and time left. A phase
    that has `ended` is `is_finished` only when it was neither stopped nor failed. `eta` is in seconds; None whenever it
    would be a guess. `seconds` is what the phase has taken.
    """

    phase: str
    bytes_done: int = 0
    bytes_total: int | None = None
    items_done: int = 0
    items_total: int | None = None
    rate: float | None = None
    eta: float | None = None
    ended: bool = False
    failed_items: int = 0
    is_finished: bool = False
    seconds: float = 0.0
    item: str = ""

    @property
    def fraction(self) -> float | None:
        """Share done, 0 to 1, by bytes where their total is known, else by items; None: no total is known."""
        if self.bytes_total:
            return min(1.0, self.bytes_done / self.bytes_total)
        if self.items_total:
            return min(1.0, self.items_done / self.items_total)
        return 1.0 if self.is_finished else None


@dataclass(slots=True)
class _Phase:
    started: float
    earlier: Figures = (0, 0)
    bytes_done: int = 0
    bytes_total: int | None = None
    items_done: int = 0
    items_total: int | None = None
    failed_items: int = 0
    item: str = ""
    ended_at: float | None = None
    is_finished: bool = False
    begun: tuple[float, int, int] = (0.0, 0, 0)
    inherits: bool = False
    samples: deque[tuple[float, int, int]] = field(default_factory=deque)

    def begin(self, now: float) -> None:
        """What was done up to now counts for no rate."""
        self.begun = (now, self.bytes_done, self.items_done)
        self.samples.clear()
        self.samples.append(self.begun)

    def has_caught_up(self) -> bool:
        """True when an earlier run, if there was one, had not come farther."""
        in_bytes, in_items = self.earlier
        return self.bytes_done >= in_bytes if in_bytes else self.items_done >= in_items

    def is_catching_up(self, now: float) -> bool:
        return not self.has_caught_up() and now - self.started < CATCHING_UP_SECONDS

    def sample(self, now: float) -> None:
        """Notes where the phase stands; figures that went back (a retry) drop the samples that lie above them."""
        if self.earlier != (0, 0) and (self.has_caught_up() or self.is_catching_up(now)):
            if self.has_caught_up():
                self.earlier = (0, 0)
            self.inherits = True
            self.begin(now)
            return
        samples = self.samples
        while len(samples) > 1 and (samples[-1][1] > self.bytes_done or samples[-1][2] > self.items_done):
            samples.pop()
        if len(samples) > 1 and now - samples[-2][0] < SAMPLE_SECONDS:
            samples.pop()
        samples.append((now, self.bytes_done, self.items_done))
        while len(samples) > 2 and now - samples[1][0] > WINDOW_SECONDS:
            samples.popleft()

    def speeds(self, now: float) -> tuple[float, float] | None:
        """Bytes and items per second, or None when less than a second lies behind."""
        if self.ended_at is not None:
            return self._mean_speeds(self.ended_at)
        if self.is_catching_up(now):
            return None
        # A stall makes no samples: the newest one that is older than the window is where the window begins.
        begin = self.samples[0]
        for sample in self.samples:
            if now - sample[0] < WINDOW_SECONDS:
                break
            begin = sample
        start, bytes_then, items_then = begin
        span = now - start
        if span < SHORTEST_SECONDS:
            return None
        return (self.bytes_done - bytes_then) / span, (self.items_done - items_then) / span

    def _mean_speeds(self, end: float) -> tuple[float, float] | None:
        since, bytes_then, items_then = self.begun
        span = end - since
        if span <= 0 or (self.inherits and span < SHORTEST_SECONDS):
            return None
        return (self.bytes_done - bytes_then) / span, (self.items_done - items_then) / span

    def time_left(self, speeds: tuple[float, float] | None) -> float | None:
        if speeds is None or self.ended_at is not None:
            return None
        if self.bytes_total:
            remaining, speed = self.bytes_total - self.bytes_done, speeds[0]
        elif self.items_total:
            remaining, speed = self.items_total - self.items_done, speeds[1]
        else:
            return None
        return remaining / speed if speed > 0 and remaining > 0 else None


class ProgressMeter:
    """Call it with events, from any thread; ask `snapshot` for the figures, phases in the order of their beginning.

    Memory is bounded by the number of phases; an event costs a few microseconds. `clock` returns seconds. `earlier` is
    how far an earlier run of the same job had come, by phase.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, earlier: Mapping[str, Figures] | None = None
    ) -> None:
        self._clock = clock
        self._earlier = earlier or {}
        self._lock = threading.Lock()
        self._phases: dict[str, _Phase] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, Notice):
            return
        now = self._clock()
        with self._lock:
            phase = self._phases.get(event.phase)
            if phase is None:
                phase = self._phases[event.phase] = _Phase(now, self._earlier.get(event.phase, (0, 0)))
                phase.begin(now)
            _apply(phase, event, now)

    def snapshot(self) -> tuple[PhaseProgress, ...]:
        """Returns all phases that have begun."""
        now = self._clock()
        with self._lock:
            return tuple(_freeze(name, phase, now) for name, phase in self._phases.items())


def _apply(phase: _Phase, event: Event, now: float) -> None:
    if isinstance(event, Planned):
        phase.items_total = event.items if event.items is not None else phase.items_total
        phase.bytes_total = event.bytes if event.bytes is not None else phase.bytes_total
        phase.ended_at = None
    elif isinstance(event, ItemStarted):
        phase.item = event.item
    elif isinstance(event, BytesDone):
        phase.bytes_done = event.total
        phase.sample(now)
    elif isinstance(event, ItemDone | ItemFailed):
        # Items come from several threads: their counts may arrive out of order, but never go back.
        phase.items_done = max(phase.items_done, event.items_total)
        phase.failed_items += isinstance(event, ItemFailed)
        phase.sample(now)
    elif isinstance(event, Ended):
        phase.ended_at = now
        phase.is_finished = event.finished


def _freeze(name: str, phase: _Phase, now: float) -> PhaseProgress:
    speeds = phase.speeds(now)
    ended = phase.ended_at is not None
    return PhaseProgress(
        phase=name,
        bytes_done=phase.bytes_done,
        bytes_total=phase.bytes_total,
        items_done=phase.items_done,
        items_total=phase.items_total,
        rate=speeds[0] if speeds is not None and phase.bytes_done else None,
        eta=phase.time_left(speeds),
        ended=ended,
        failed_items=phase.failed_items,
        is_finished=phase.is_finished and ended,
        seconds=(phase.ended_at if phase.ended_at is not None else now) - phase.started,
        item=phase.item,
    )

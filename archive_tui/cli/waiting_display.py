"""Progress of work that begins with waiting: when nothing is done for long, it says so, and what to try."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from archive_tui.names.quantities import format_duration

if TYPE_CHECKING:
    from archive_tui.cli.progress_display import ProgressDisplay
    from archive_tui.jobs.progress_meter import PhaseProgress

FIRST_WORD = 10.0
NEXT_WORD = 30.0
"""Seconds until a silent wait is first spoken of, and between the words after that."""

TEST = "Try: archive-tui storage test"


class WaitingDisplay:
    """Shows what `display` shows. As long as `has_begun` says no and no byte has moved, it hands a sentence to `note`
    now and then: a server that takes connections and does not answer is given up only after minutes."""

    def __init__(
        self,
        display: ProgressDisplay,
        has_begun: Callable[[], bool],
        note: Callable[[str], None],
        storage: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`storage` is the name with which a person can test the connection."""
        self._display = display
        self._has_begun = has_begun
        self._note = note
        self._storage = storage
        self._clock = clock
        self._begun = clock()
        self._next_word = self._begun + FIRST_WORD

    def update(self, phases: Sequence[PhaseProgress]) -> None:
        self._display.update(phases)
        now = self._clock()
        if now < self._next_word or self._has_begun() or any(phase.bytes_done for phase in phases):
            return
        self._next_word = now + NEXT_WORD
        waited = format_duration(now - self._begun)
        self._note(f"No line is done yet, after {waited}. Does the storage answer? {TEST} {self._storage}")

    def say(self, text: str) -> None:
        self._display.say(text)

    def close(self) -> None:
        self._display.close()

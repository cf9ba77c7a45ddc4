"""A server that keeps silent: somebody who waits is told so, and what to try."""

from __future__ import annotations

from archive_tui.cli.progress_display import NoProgress
from archive_tui.cli.waiting_display import WaitingDisplay
from archive_tui.jobs.progress_meter import PhaseProgress


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def notes_at(display: WaitingDisplay, clock: Clock, seconds: float, notes: list[str], moved: int = 0) -> list[str]:
    clock.now = 100.0 + seconds
    notes.clear()
    display.update([PhaseProgress("ask", bytes_done=moved, items_total=7)])
    return list(notes)


def test_a_silent_wait_is_spoken_of_now_and_then() -> None:
    notes: list[str] = []
    clock = Clock()
    display = WaitingDisplay(NoProgress(), lambda: False, notes.append, "far", clock)
    assert notes_at(display, clock, 9.9, notes) == []
    expected = "No line is done yet, after 10 s. Does the storage answer? Try: archive-tui storage test far"
    assert notes_at(display, clock, 10, notes) == [expected]
    assert notes_at(display, clock, 39, notes) == []
    assert len(notes_at(display, clock, 40, notes)) == 1


def test_nothing_is_said_once_something_is_done() -> None:
    notes: list[str] = []
    clock = Clock()
    results: list[str] = []
    display = WaitingDisplay(NoProgress(), lambda: bool(results), notes.append, "far", clock)
    assert notes_at(display, clock, 20, notes, moved=1) == []
    results.append("a line")
    assert notes_at(display, clock, 60, notes) == []

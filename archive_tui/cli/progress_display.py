"""How a long operation shows its progress on standard error: bars on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from archive_tui.cli import diagnostics
from archive_tui.names.quantities import format_count, format_duration, format_size

if TYPE_CHECKING:
    from archive_tui.jobs.progress_meter import PhaseProgress

LINE_INTERVAL = 10.0
"""Seconds between two plain lines of one phase."""


WITHOUT_RATE = frozenset({"scan"})
"""Phases that count bytes without reading them."""


class ProgressDisplay(Protocol):
    """Shows snapshots; `update` is called from one thread, several times a second."""

    def update(self, phases: Sequence[PhaseProgress]) -> None: ...

    def say(self, text: str) -> None:
        """Writes a line that the next update does not paint over."""

    def close(self) -> None: ...


class NoProgress:
    def update(self, phases: Sequence[PhaseProgress]) -> None:
        return

    def say(self, text: str) -> None:
        diagnostics.write_diagnostic(text)

    def close(self) -> None:
        return


class PlainProgress:
    """One line when a phase begins, one when it ends, and one every ten seconds in between."""

    def __init__(
        self,
        write: Callable[[str], None] = diagnostics.write_diagnostic,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._clock = clock
        self._last_line: dict[str, float] = {}
        self._begun: dict[str, float] = {}
        self._ended: set[str] = set()

    def update(self, phases: Sequence[PhaseProgress]) -> None:
        now = self._clock()
        for phase in phases:
            if phase.phase in self._ended:
                continue
            if phase.ended:
                self._ended.add(phase.phase)
                seconds = phase.seconds or now - self._begun.get(phase.phase, now)
                word = "" if phase.is_finished else "stopped after "
                self._write(f"{phase.phase}: {word}{_amounts(phase)} in {format_duration(seconds)}")
            elif phase.phase not in self._begun:
                self._begun[phase.phase] = self._last_line[phase.phase] = now
                self._write(f"{phase.phase}: begins{_totals(phase)}")
            elif now - self._last_line[phase.phase] >= LINE_INTERVAL:
                self._last_line[phase.phase] = now
                self._write(f"{phase.phase}: {_amounts(phase)}{_pace(phase)}")

    def say(self, text: str) -> None:
        self._write(text)

    def close(self) -> None:
        return


class ProgressBars:
    """One bar for each phase: part done, files, bytes, rate, time left. Fits into 80 columns."""

    COLUMNS = ("percent", "files", "size", "rate", "left")

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        right = [
            TextColumn(f"{{task.fields[{name}]}}", markup=False, table_column=Column(justify="right", no_wrap=True))
            for name in self.COLUMNS
        ]
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            *right,
            console=diagnostics.open_console(),
            auto_refresh=False,
            expand=True,
        )
        self._tasks: dict[str, Any] = {}
        self._progress.start()

    def update(self, phases: Sequence[PhaseProgress]) -> None:
        for phase in phases:
            if phase.phase not in self._tasks:
                nothing: dict[str, Any] = dict.fromkeys(self.COLUMNS, "")
                self._tasks[phase.phase] = self._progress.add_task(phase.phase, total=None, **nothing)
            done, total = _measure(phase)
            figures: dict[str, Any] = dict(_figures(phase))
            self._progress.update(self._tasks[phase.phase], completed=done, total=total, **figures)
        self._progress.refresh()

    def say(self, text: str) -> None:
        self._progress.console.print(text)

    def close(self) -> None:
        self._progress.stop()


class ProgressLine:
    """One line at the foot of the terminal while results pass above it. Short operations show none."""

    APPEARS_AFTER = 0.5
    """Seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun = clock()

    def update(self, phases: Sequence[PhaseProgress]) -> None:
        if self._clock() - self._begun < self.APPEARS_AFTER:
            return
        running = [phase for phase in phases if not phase.ended]
        if not running:
            self.close()
            return
        parts = [part for part in _figures(running[-1]).values() if part]
        diagnostics.STATUS_LINE.draw(f"{running[-1].phase}: {'  '.join(parts)}"[: _columns() - 1])

    def say(self, text: str) -> None:
        diagnostics.write_diagnostic(text)

    def close(self) -> None:
        with diagnostics.STATUS_LINE.hidden():
            return


def choose_line_display(*, quiet: bool) -> ProgressDisplay:
    """Returns what fits beside results that are written while the operation runs: one line on a terminal, nothing
    elsewhere."""
    return ProgressLine() if diagnostics.is_terminal() and not quiet else NoProgress()


def choose_display(*, quiet: bool) -> ProgressDisplay:
    """Returns bars on a terminal, plain lines elsewhere, nothing when asked to be quiet."""
    if quiet:
        return NoProgress()
    return ProgressBars() if diagnostics.is_terminal() else PlainProgress()


def _columns() -> int:
    import os

    try:
        return os.get_terminal_size(2).columns or 80
    except OSError:
        return 80


def _measure(phase: PhaseProgress) -> tuple[int, int | None]:
    """What the bar shows: bytes when their total is known, else items; a phase of unknown length is full
    when it is finished, and empty when it was stopped."""
    if phase.bytes_total:
        return phase.bytes_done, phase.bytes_total
    if phase.items_total:
        return phase.items_done, phase.items_total
    if phase.ended:
        return (1, 1) if phase.is_finished else (0, 1)
    return 0, None


def _amounts(phase: PhaseProgress) -> str:
    parts = []
    if phase.ended and (items := _items_at_end(phase)):
        parts.append(format_count(items, "file"))
    elif phase.items_total is not None:
        parts.append(f"{phase.items_done:,} of {format_count(phase.items_total, 'file')}")
    elif phase.items_done:
        parts.append(format_count(phase.items_done, "file"))
    if phase.bytes_done or phase.bytes_total:
        of_bytes = f" of {format_size(phase.bytes_total)}" if phase.bytes_total is not None and not phase.ended else ""
        parts.append(f"{format_size(phase.bytes_done)}{of_bytes}")
    if phase.failed_items:
        parts.append(format_count(phase.failed_items, "finding"))
    return ", ".join(parts) or "nothing to do"


def _items_at_end(phase: PhaseProgress) -> int:
    """A phase that was stopped has not done what it had planned."""
    return phase.items_done or (phase.items_total or 0 if phase.is_finished else 0)


def _totals(phase: PhaseProgress) -> str:
    parts = []
    if phase.items_total is not None:
        parts.append(format_count(phase.items_total, "file"))
    if phase.bytes_total is not None:
        parts.append(format_size(phase.bytes_total))
    return f", {', '.join(parts)}" if parts else ""


def _pace(phase: PhaseProgress) -> str:
    rate = f", {format_size(phase.rate)}/s" if phase.rate is not None else ""
    return rate + (f", {format_duration(phase.eta)} left" if phase.eta is not None else "")


def _figures(phase: PhaseProgress) -> dict[str, str]:
    done, total = _measure(phase)
    items = _items_at_end(phase) if phase.ended else phase.items_done
    files = f"{items:,}" if phase.ended or phase.items_total is None else f"{items:,}/{phase.items_total:,}"
    size = format_size(phase.bytes_done)
    if phase.bytes_total and not phase.ended:
        size = f"{size}/{format_size(phase.bytes_total)}"
    return {
        "percent": f"{100 * done // total} %" if total and (done or not phase.ended) else "",
        "files": f"{files} {'file' if files == '1' else 'files'}" if items or phase.items_total else "",
        "size": size if phase.bytes_done or phase.bytes_total else "",
        "rate": f"{format_size(phase.rate)}/s" if phase.rate is not None and phase.phase not in WITHOUT_RATE else "",
        "left": f"{format_duration(phase.eta)} left" if phase.eta is not None and not phase.ended else "",
    }

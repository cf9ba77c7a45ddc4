from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path

import pytest
from rich.console import Console

from archive_tui.cli import diagnostics
from archive_tui.cli.progress_display import NoProgress, PlainProgress, ProgressBars, _figures, choose_display
from archive_tui.jobs.progress_meter import PhaseProgress
from tests.servers.terminal import TerminalSession


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _phase(name: str = "pack", **figures: object) -> PhaseProgress:
    figures.setdefault("is_finished", figures.get("ended", False))
    return PhaseProgress(phase=name, **figures)  # type: ignore[arg-type]


def test_plain_lines_come_at_the_beginning_every_ten_seconds_and_at_the_end() -> None:
    lines: list[str] = []
    clock = Clock()
    display = PlainProgress(lines.append, clock)
    display.update([_phase(items_total=612, bytes_total=1_200_000_000)])
    for second in range(1, 25):
        clock.now = second
        display.update(
            [
                _phase(
                    items_done=second,
                    items_total=612,
                    bytes_done=second * 1_000_000,
                    bytes_total=1_200_000_000,
                    rate=1_000_000.0,
                    eta=1176.0,
                )
            ]
        )
    clock.now = 30
    done = _phase(items_done=612, items_total=612, bytes_done=1_200_000_000, bytes_total=1_200_000_000, ended=True)
    display.update([done])
    display.update([done])
    assert lines == [
        "pack: begins, 612 files, 1.2 GB",
        "pack: 10 of 612 files, 10 MB of 1.2 GB, 1.0 MB/s, 19 m 36 s left",
        "pack: 20 of 612 files, 20 MB of 1.2 GB, 1.0 MB/s, 19 m 36 s left",
        "pack: 612 files, 1.2 GB in 30 s",
    ]


def test_a_phase_that_ends_before_it_was_seen_has_one_line() -> None:
    lines: list[str] = []
    PlainProgress(lines.append, Clock()).update([_phase(items_done=1, items_total=1, ended=True)])
    assert lines == ["pack: 1 file in 0 ms"]


def test_findings_are_counted_in_the_lines() -> None:
    lines: list[str] = []
    PlainProgress(lines.append, Clock()).update([_phase("verify", items_done=3, failed_items=1, ended=True)])
    assert lines == ["verify: 3 files, 1 finding in 0 ms"]


def test_bars_show_bytes_files_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(
        diagnostics, "open_console", lambda: Console(file=screen, force_terminal=True, width=120, color_system=None)
    )
    display = ProgressBars()
    display.update(
        [_phase(items_done=3, items_total=9, bytes_done=500_000, bytes_total=1_000_000, rate=250_000.0, eta=2.0)]
    )
    display.close()
    text = screen.getvalue()
    for part in ("pack", "50 %", "3/9 files", "500 KB/1.0 MB", "250 KB/s", "2.0 s left"):
        assert part in text


def test_bars_finish_when_the_total_was_never_known(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(
        diagnostics, "open_console", lambda: Console(file=screen, force_terminal=True, width=100, color_system=None)
    )
    display = ProgressBars()
    display.update([_phase("upload", bytes_done=10)])
    display.update([_phase("upload", bytes_done=700, ended=True)])
    display.close()
    assert "100 %" in screen.getvalue()


def test_quiet_shows_nothing_and_a_pipe_gets_lines() -> None:
    assert isinstance(choose_display(quiet=True), NoProgress)
    assert isinstance(choose_display(quiet=False), PlainProgress)


def test_a_person_at_a_terminal_sees_a_bar_for_each_phase_in_80_columns(workplace: Path) -> None:
    large = workplace / "work" / "winds" / "large.dat"
    large.touch()
    os.truncate(large, 1 << 30)
    words = [sys.executable, "-m", "archive_tui", "dataset", "publish", "lab", "winds", "--compression-level", "1"]
    root = str(Path(__file__).parents[2])
    with TerminalSession(words, columns=80, lines=24, env={"PYTHONPATH": root}, cwd=workplace) as terminal:
        terminal.wait_for(lambda text: re.search(r"^pack .* \d+ %.*/1\.1 GB", text, re.MULTILINE) is not None)
        terminal.wait_for("Published winds 0.0.1: 3 files, 1.1 GB")
        assert terminal.wait_exit() == 0
        rows = [row for row in terminal.screen() if row.startswith(("scan", "pack", "upload"))]
        assert len(rows) == 3, terminal.text
        assert all("100 %" in row for row in rows)


def test_a_phase_that_was_stopped_is_not_shown_as_done() -> None:
    lines: list[str] = []
    PlainProgress(lines.append, Clock()).update([_phase("upload", bytes_done=700, ended=True, is_finished=False)])
    assert lines == ["upload: stopped after 700 B in 0 ms"]
    assert _figures(_phase("upload", bytes_done=700, ended=True, is_finished=False))["percent"] == ""


def test_a_stopped_phase_does_not_count_what_was_only_planned() -> None:
    stopped = _phase("fetch", items_total=7, ended=True, is_finished=False)
    lines: list[str] = []
    PlainProgress(lines.append, Clock()).update([stopped])
    assert lines == ["fetch: stopped after 0 of 7 files in 0 ms"]
    assert _figures(stopped)["files"] == "0 files"

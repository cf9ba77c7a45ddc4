"""What the pages cost on a real terminal: four ticks a second while something runs, nothing when all stands still."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.terminal import TerminalSession

ROOT = Path(__file__).parents[2]
SECONDS = 3.0
TICKS = 4 * SECONDS
BYTES_OF_A_TICK = 400


@pytest.fixture(params=["jobs", "job", "verify", "publish"])
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TerminalSession]:
    command = [sys.executable, "-m", "tests.tui.page_program", str(tmp_path), request.param]
    (tmp_path / "run").touch()
    with TerminalSession(command, columns=120, lines=40, env={"PYTHONPATH": str(ROOT)}, cwd=ROOT) as terminal:
        terminal.wait_for("2 running" if request.param == "jobs" else " left")
        time.sleep(2.0)
        yield terminal


def test_a_tick_stays_small_and_a_screen_at_rest_sends_nothing(terminal: TerminalSession, tmp_path: Path) -> None:
    before = terminal.bytes_received
    time.sleep(SECONDS)
    of_a_tick = (terminal.bytes_received - before) / TICKS
    assert 0 < of_a_tick <= BYTES_OF_A_TICK, f"{of_a_tick:.0f} bytes for a tick"
    (tmp_path / "run").unlink()
    (tmp_path / "end").touch()
    terminal.settle()
    deadline, before = time.monotonic() + 20, -1
    while terminal.bytes_received != before:  # what the end of the job had to say may come late
        assert time.monotonic() < deadline, "it goes on sending"
        before = terminal.bytes_received
        time.sleep(1.0)

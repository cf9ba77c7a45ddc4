"""Manifests in a real terminal, with the real program: what a person sees, what it costs in bytes, how it stops."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.terminal import TerminalSession
from tests.tui.test_terminal_bytes import cost_of

ROOT = Path(__file__).parents[2]
HUGE = 1 << 41
"""Bytes of a file of nothing, which takes no room on the disk and minutes to read."""

SECONDS = 3.0
TICKS = 4 * SECONDS


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(30):
        (folder / f"small-{number:02d}.dat").write_bytes(bytes([number]) * 1000)
    with (folder / "huge.dat").open("wb") as file:
        file.truncate(HUGE)
    lines = "".join(f"{'0' * 64}  {name}\n" for name in ("huge.dat", *(f"small-{n:02d}.dat" for n in range(30))))
    (folder / "made.sha256").write_text(lines)
    return folder


@pytest.fixture(params=[(80, 24), (120, 40)], ids=["80x24", "120x40"])
def terminal(request: pytest.FixtureRequest, data: Path, tmp_path: Path) -> Iterator[TerminalSession]:
    columns, lines = request.param
    env = {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    env |= {"XDG_DATA_HOME": str(tmp_path / "share"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    command = [sys.executable, "-m", "archive_tui", str(data), "local"]
    with TerminalSession(command, columns=columns, lines=lines, env=env, cwd=ROOT) as terminal:
        terminal.wait_for("32 of 32")
        terminal.settle()
        yield terminal


def bytes_of_a_tick(terminal: TerminalSession) -> float:
    time.sleep(1.5)
    before = terminal.bytes_received
    time.sleep(SECONDS)
    return (terminal.bytes_received - before) / TICKS


def test_a_manifest_is_chosen_made_watched_and_stopped_in_place(terminal: TerminalSession, data: Path) -> None:
    opened = cost_of(terminal, "M")
    terminal.wait_for("new manifest")
    chosen = cost_of(terminal, "down")
    terminal.wait_for("▸ sha256sum")
    terminal.send("enter")
    terminal.wait_for("hashing")
    tick = bytes_of_a_tick(terminal)
    terminal.send("s")
    terminal.wait_for("cancelled")
    terminal.settle()
    before = terminal.bytes_received
    time.sleep(0.7)
    idle = terminal.bytes_received - before
    costs = {"opened": opened, "chosen": chosen, "tick": tick, "idle": idle}
    limits = {"opened": 4500, "chosen": 900, "tick": 400, "idle": 0}
    assert {name: cost for name, cost in costs.items() if cost > limits[name]} == {} and tick > 0
    terminal.send("escape")
    terminal.wait_for(lambda text: "new manifest" not in text)
    assert not (data / "huge.dat.sha256").exists()


def test_a_check_ticks_cheaply_and_stops_in_the_middle(terminal: TerminalSession) -> None:
    terminal.send("down")
    terminal.send("f6")
    terminal.wait_for("Check made.sha256")
    tick = bytes_of_a_tick(terminal)
    assert 0 < tick <= 400
    terminal.send("s")
    terminal.wait_for("nothing is claimed for the rest")
    terminal.send("escape")
    terminal.wait_for("32 of 32")


def test_the_states_come_while_the_pane_is_shown(terminal: TerminalSession, data: Path) -> None:
    (data / "huge.dat").unlink()
    terminal.send("down", "enter")
    terminal.wait_for("· manifest")
    terminal.settle()
    asked = cost_of(terminal, "V")
    terminal.wait_for("0 of 31 lines in local; 31 not")
    terminal.settle()
    assert asked <= 6000
    terminal.send("f6")
    terminal.wait_for("30 changed, 1 missing")
    terminal.send("escape")
    terminal.wait_for(lambda text: "· manifest" in text and "✗" in text and "○" in text)

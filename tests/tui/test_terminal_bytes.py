"""What the panes cost on a real terminal, in bytes, and what a person sees there."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.terminal import TerminalSession

ROOT = Path(__file__).parents[2]
FILES = 1500


@pytest.fixture(scope="module")
def long_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long")
    for number in range(FILES):
        (folder / f"measurement-{number:05d}.csv").write_bytes(b"0123456789")
    return folder


def session(folder: Path, columns: int, lines: int, *more: str, **env: str | None) -> TerminalSession:
    command = [sys.executable, "-m", "tests.tui.pane_program", str(folder), str(folder), *more]
    return TerminalSession(command, columns=columns, lines=lines, env={"PYTHONPATH": str(ROOT), **env}, cwd=ROOT)


def cost_of(terminal: TerminalSession, *keys: str) -> int:
    """Bytes that the program sends after these keys, until it is quiet."""
    before = terminal.bytes_received
    terminal.send(*keys)
    deadline = time.monotonic() + 10
    while terminal.bytes_received == before and time.monotonic() < deadline:
        time.sleep(0.01)
    terminal.settle()
    return terminal.bytes_received - before


@pytest.fixture(params=[(80, 24), (120, 40)], ids=["80x24", "120x40"])
def terminal(request: pytest.FixtureRequest, long_folder: Path) -> Iterator[TerminalSession]:
    columns, lines = request.param
    with session(long_folder, columns, lines) as terminal:
        terminal.wait_for(f"{FILES:,} of {FILES:,}")
        terminal.settle()
        terminal.columns = columns  # type: ignore[attr-defined]
        yield terminal


def test_bytes_of_the_panes(terminal: TerminalSession) -> None:
    is_small = terminal.columns == 80  # type: ignore[attr-defined]
    costs = {"first screen": terminal.bytes_received}
    for name, key in (
        ("step", "down"),
        ("second step", "down"),
        ("switch", "tab"),
        ("page", "pagedown"),
        ("mark", " "),
    ):
        costs[name] = cost_of(terminal, key)
    costs["status line"] = cost_of(terminal, "n")
    before = terminal.bytes_received
    time.sleep(0.7)
    costs["idle"] = terminal.bytes_received - before

    limits = {
        "first screen": 15_000 if is_small else 30_000,
        "step": 400, "second step": 400, "switch": 1000, "page": 5000, "mark": 800, "status line": 400, "idle": 0,
    }  # fmt: skip
    assert {name: cost for name, cost in costs.items() if cost > limits[name]} == {}
    assert costs["step"] > 0 and costs["page"] > 0


def test_bytes_with_a_state_on_every_row(long_folder: Path) -> None:
    with session(long_folder, 120, 40, "with-states") as terminal:
        terminal.wait_for("verified")
        terminal.settle()
        assert terminal.bytes_received <= 30_000
        cost_of(terminal, "tab")

        assert cost_of(terminal, "pagedown") <= 6000
        assert cost_of(terminal, "down") <= 400


@pytest.mark.parametrize(
    ("term", "env"),
    [("xterm", {}), ("xterm-256color", {"NO_COLOR": "1"}), ("screen-256color", {})],
    ids=["16-colours", "no-colour", "tmux"],
)
def test_everything_is_legible_on_poorer_terminals(long_folder: Path, term: str, env: dict[str, str]) -> None:
    with session(long_folder, 80, 24, "with-states", TERM=term, **env) as terminal:
        terminal.wait_for(lambda text: "✗ damaged" in text and "? help" in text)
        terminal.settle()

        if term == "xterm":
            assert b"38;5;" not in terminal.output and b"38;2;" not in terminal.output
        if env:
            assert not any(code in terminal.output for code in (b"[31m", b"[32m", b"38;5;", b"38;2;"))


def test_resizing_draws_anew(long_folder: Path) -> None:
    with session(long_folder, 80, 24) as terminal:
        terminal.wait_for(f"{FILES:,} of {FILES:,}")
        terminal.resize(50, 12)
        terminal.wait_for("needs 60x16")
        terminal.resize(100, 30)
        terminal.wait_for(lambda text: "measurement-00022" in text)


def test_q_leaves_with_a_clean_terminal(long_folder: Path) -> None:
    with session(long_folder, 80, 24) as terminal:
        terminal.wait_for(f"{FILES:,} of {FILES:,}")
        terminal.send("q")

        assert terminal.wait_exit() == 0
        assert b"\x1b[?1049l" in terminal.output


def test_without_utf8_nothing_but_ascii_is_sent(long_folder: Path) -> None:
    with session(long_folder, 80, 24, LC_ALL="C", LANG="C", PYTHONUTF8=None) as terminal:
        terminal.wait_for("measurement-00003")
        terminal.settle()

        assert all(byte < 0x80 for byte in terminal.output)


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_dumb_terminal_is_told_to_use_the_commands(term: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "archive_tui", str(tmp_path)]
    env = {"PYTHONPATH": str(ROOT), "TERM": term, "HOME": os.environ["HOME"]}
    with TerminalSession(command, columns=80, lines=24, env=env, cwd=tmp_path) as terminal:
        assert terminal.wait_exit() == 2
        assert "archive-tui ls" in " ".join(terminal.text.split())
        assert b"\x1b[?1049h" not in terminal.output

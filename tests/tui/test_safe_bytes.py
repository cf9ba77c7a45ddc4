"""What the tree of a datasafe costs on a real terminal, in bytes, with a state on every row."""

from __future__ import annotations

import sys
import time

import pytest

from tests.servers.terminal import TerminalSession
from tests.tui.test_terminal_bytes import ROOT, cost_of

LOIS = 3000


def session(columns: int, lines: int, **env: str | None) -> TerminalSession:
    command = [sys.executable, "-m", "tests.tui.safe_program", str(LOIS)]
    return TerminalSession(command, columns=columns, lines=lines, env={"PYTHONPATH": str(ROOT), **env}, cwd=ROOT)


def unfold(terminal: TerminalSession) -> None:
    """The folder of many LOIs: it is the first."""
    terminal.wait_for(lambda text: text.count("3,020 LOIs") == 2)
    terminal.settle()
    for key in ("enter", "pagedown"):
        cost_of(terminal, key)
    terminal.wait_for(lambda text: "reserved" in text)
    terminal.settle()


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_bytes_of_the_tree(columns: int, lines: int) -> None:
    with session(columns, lines) as terminal:
        terminal.wait_for(lambda text: text.count("3,020 LOIs") == 2)
        terminal.settle()
        costs = {"first screen": terminal.bytes_received}
        unfold(terminal)
        for name, key in (("step", "down"), ("second step", "down"), ("page", "pagedown"), ("mark", " ")):
            costs[name] = cost_of(terminal, key)
        costs["switch"] = cost_of(terminal, "tab")
        before = terminal.bytes_received
        time.sleep(0.7)
        costs["idle"] = terminal.bytes_received - before

    limits = {"screen": 15_000 if columns == 80 else 30_000, "step": 400, "switch": 1000, "page": 6000, "mark": 800,
              "idle": 0}  # fmt: skip

    assert {name: cost for name, cost in costs.items() if cost > limits[name.split()[-1]]} == {}, costs
    assert costs["step"] > 0 and costs["page"] > 0


@pytest.mark.parametrize(
    ("term", "env"), [("xterm", {}), ("xterm-256color", {"NO_COLOR": "1"})], ids=["16-colours", "no-colour"]
)
def test_states_are_legible_on_poorer_terminals(term: str, env: dict[str, str]) -> None:
    with session(80, 24, TERM=term, **env) as terminal:
        unfold(terminal)
        terminal.wait_for(lambda text: "✗ damaged" in text and "○ reserved" in text)

        if term == "xterm":
            assert b"38;5;" not in terminal.output and b"38;2;" not in terminal.output
        if env:
            assert not any(code in terminal.output for code in (b"[31m", b"[32m", b"38;5;", b"38;2;"))


def test_without_utf8_nothing_but_ascii_is_sent() -> None:
    with session(80, 24, LC_ALL="C", LANG="C", PYTHONUTF8=None) as terminal:
        unfold(terminal)
        terminal.wait_for(lambda text: "X damaged" in text and "o reserved" in text)
        terminal.settle()

        assert all(byte < 0x80 for byte in terminal.output)

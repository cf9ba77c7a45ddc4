"""What manifest and vault panes cost on a real terminal, in bytes, with a state on every row."""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path

import pytest

from tests.servers.terminal import TerminalSession
from tests.tui.test_terminal_bytes import ROOT, cost_of

LINES = 1500


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A third of its files are missing."""
    folder = tmp_path_factory.mktemp("lines")
    names = [f"measurement-{number:05d}.csv" for number in range(LINES)]
    for name in names[::3] + names[1::3]:
        (folder / name).write_bytes(b"0123456789")
    path = folder / "SHA256SUMS"
    path.write_text("".join(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in names))
    return path


def session(manifest: Path, columns: int, lines: int, **env: str | None) -> TerminalSession:
    command = [sys.executable, "-m", "tests.tui.manifest_program", str(manifest)]
    return TerminalSession(command, columns=columns, lines=lines, env={"PYTHONPATH": str(ROOT), **env}, cwd=ROOT)


def wait_for_rows(terminal: TerminalSession) -> None:
    terminal.wait_for(lambda text: "1,500 contents" in text and "○ missing" in text and "○ 500" in text)
    terminal.settle()


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_bytes_of_manifest_and_vault(manifest: Path, columns: int, lines: int) -> None:
    with session(manifest, columns, lines) as terminal:
        wait_for_rows(terminal)
        costs = {"first screen": terminal.bytes_received}
        for side in ("manifest", "vault"):
            for name, key in (("step", "down"), ("second step", "down"), ("page", "pagedown"), ("mark", " ")):
                costs[f"{side} {name}"] = cost_of(terminal, key)
            costs[f"{side} switch"] = cost_of(terminal, "tab")
        before = terminal.bytes_received
        time.sleep(0.7)
        costs["idle"] = terminal.bytes_received - before

    limits = {"screen": 15_000 if columns == 80 else 30_000, "step": 400, "switch": 1000, "page": 6000, "mark": 800,
              "idle": 0}  # fmt: skip

    assert {name: cost for name, cost in costs.items() if cost > limits[name.split()[-1]]} == {}
    assert costs["manifest step"] > 0 and costs["vault page"] > 0


@pytest.mark.parametrize(
    ("term", "env"), [("xterm", {}), ("xterm-256color", {"NO_COLOR": "1"})], ids=["16-colours", "no-colour"]
)
def test_states_are_legible_on_poorer_terminals(manifest: Path, term: str, env: dict[str, str]) -> None:
    with session(manifest, 80, 24, TERM=term, **env) as terminal:
        terminal.wait_for(lambda text: all(word in text for word in ("✗ changed", "○ missing", "○ no", "✗ damaged")))
        terminal.settle()

        if term == "xterm":
            assert b"38;5;" not in terminal.output and b"38;2;" not in terminal.output
        if env:
            assert not any(code in terminal.output for code in (b"[31m", b"[32m", b"38;5;", b"38;2;"))


def test_without_utf8_nothing_but_ascii_is_sent(manifest: Path) -> None:
    with session(manifest, 80, 24, LC_ALL="C", LANG="C", PYTHONUTF8=None) as terminal:
        terminal.wait_for(lambda text: "X changed" in text and "o missing" in text and "o no" in text)
        terminal.settle()

        assert all(byte < 0x80 for byte in terminal.output)

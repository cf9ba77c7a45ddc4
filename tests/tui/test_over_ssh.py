"""The real program over ssh, at 80×24: a folder is published through the guide, arrives, and is verified."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.servers.sshd import REPOSITORY, RunOverSsh
from tests.servers.terminal import TerminalSession


@pytest.fixture
def panes(run_over_ssh: RunOverSsh, tmp_path: Path) -> TerminalSession:
    folder = tmp_path / "station-07"
    folder.mkdir()
    for number in range(5):
        (folder / f"day-{number}.csv").write_text("time,value\n" * 100)
    script = f"cd {shlex.quote(str(tmp_path))} && PYTHONPATH={shlex.quote(str(REPOSITORY))} exec python -m archive_tui"
    terminal = run_over_ssh(f"sh -c {shlex.quote(script)}")
    terminal.wait_for("station-07/")
    terminal.settle()
    return terminal


def test_a_dataset_is_published_and_verified(panes: TerminalSession) -> None:
    assert panes.bytes_received < 15_000
    panes.send("P")
    panes.wait_for("step 1 of 7")
    panes.send("enter")
    panes.wait_for("Everything here can be published")
    panes.send("enter")
    panes.wait_for("0.0.1")
    panes.send("enter")
    panes.wait_for("step 4 of 7")
    panes.send("pagedown")
    panes.wait_for("station-07.0.0.1.zip")
    panes.send("enter")
    panes.wait_for("step 7 of 7")
    assert "verified" in panes.text
    panes.send("enter")
    panes.wait_for("1 dataset · 1 version")
    panes.send("tab")
    panes.settle()
    panes.send("f6")
    panes.wait_for("Verified: 5 of 5 files, all bytes")
    panes.send("escape")
    panes.wait_for("1 dataset · 1 version")
    panes.send("q")
    assert panes.wait_exit() == 0

"""The commands over ssh, in a terminal of 80×24, as most of their users see them."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from tests.servers.sshd import REPOSITORY, RunOverSsh


def publish_command(workplace: Path, *options: str) -> str:
    words = shlex.join(["python", "-m", "archive_tui", "dataset", "publish", "lab", "winds", *options])
    script = f"cd {shlex.quote(str(workplace))} && PYTHONPATH={shlex.quote(str(REPOSITORY))} exec {words}"
    return f"sh -c {shlex.quote(script)}"


def test_publish_shows_its_progress_and_its_receipt(run_over_ssh: RunOverSsh, workplace: Path) -> None:
    terminal = run_over_ssh(publish_command(workplace))
    text = terminal.wait_for("Published winds 0.0.1: 2 files, 10 KB")
    assert "pack" in text
    assert terminal.wait_exit() == 0


def test_ctrl_c_stops_and_says_what_is_left(run_over_ssh: RunOverSsh, workplace: Path) -> None:
    large = workplace / "work" / "winds" / "large.dat"
    large.touch()
    os.truncate(large, 6 << 30)
    terminal = run_over_ssh(publish_command(workplace, "--compression-level", "9"))
    terminal.wait_for("pack")
    terminal.send("ctrl+c")
    terminal.wait_for("Nothing of winds 0.0.1 is visible")
    assert terminal.wait_exit() == 130

"""The commands over ssh, in a terminal of 80×24, as most of their users see them."""

from __future__ import annotations

from pathlib import Path

from tests.servers.sshd import RunOverSsh


def test_publish_shows_its_progress_and_its_receipt(run_over_ssh: RunOverSsh, workplace: Path) -> None:
    command = f"cd {workplace} && archive-tui dataset publish lab winds"
    terminal = run_over_ssh(command, columns=80, lines=24)
    text = terminal.wait_for("Published winds 0.0.1: 2 files, 10 KB")
    assert "pack" in text
    assert terminal.wait_exit() == 0


def test_ctrl_c_stops_and_says_what_is_left(run_over_ssh: RunOverSsh, workplace: Path) -> None:
    import os

    large = workplace / "work" / "winds" / "large.dat"
    large.touch()
    os.truncate(large, 6 << 30)
    command = f"cd {workplace} && archive-tui dataset publish lab winds --compression-level 9"
    terminal = run_over_ssh(command, columns=80, lines=24)
    terminal.wait_for("pack")
    terminal.send("ctrl+c")
    terminal.wait_for("Nothing of winds 0.0.1 is visible")
    assert terminal.wait_exit() == 130

"""What the tutorial and the README tell people to type is typed, in this order, in a real shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT


@pytest.fixture
def shell(tmp_path: Path, isolated_home: Path) -> Path:
    """A folder to work in, and an `archive-tui` on the path."""
    program = isolated_home / "bin" / "archive-tui"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m archive_tui "$@"\n')
    program.chmod(0o755)
    return tmp_path


def type_in(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(Path(os.environ["HOME"]) / "bin"), os.environ["PATH"]))
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def shell_lines(text: str) -> list[str]:
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


def test_the_tutorial_can_be_followed(shell: Path) -> None:
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    lines = shell_lines(page)
    assert lines.pop() == "archive-tui playground/data demo-archive"  # opens the panes
    assert lines[-2].startswith("printf X >>")
    done = type_in(shell, "set -e\n" + "\n".join(lines[:-1]))
    assert done.returncode == 0, done.stderr
    assert "Verified: 14 of 14 files, all bytes" in done.stdout
    damaged = type_in(shell, lines[-1])
    assert damaged.returncode == 1
    assert "changed    README.md" in damaged.stdout


def test_the_first_steps_of_the_readme_can_be_followed(shell: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    steps = next(block for block in blocks if "cd ~/data" in block).replace("/tmp", "there")
    source = Path(os.environ["HOME"]) / "data" / "station-07"
    source.mkdir(parents=True)
    (source / "table.csv").write_text("1,2\n")
    done = type_in(shell, "set -e\n" + steps)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Verified: 1 of 1 files, all bytes") == 3


def test_the_page_on_manifests_can_be_followed(shell: Path) -> None:
    page = (ROOT / "docs" / "manifests.md").read_text(encoding="utf-8")
    done = type_in(shell, "set -e\n" + "\n".join(shell_lines(page)))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("campaign/first.dat: OK") == 3
    assert "campaign/raw/t2.dat: MOVED" in done.stdout
    assert "Deleted: 0 contents, 0 B; 1 newly marked, 1 wait" in done.stdout
    assert "Deleted: 0 contents, 0 B; 0 newly marked, 0 wait" in done.stdout
    assert "3 listed files not in the vault" in done.stderr
    assert (shell / "campaign" / "raw" / "t1.dat").read_text() == "21.5\n"


def test_the_page_on_the_datasafe_can_be_followed(shell: Path) -> None:
    page = (ROOT / "docs" / "datasafe.md").read_text(encoding="utf-8")
    done = type_in(shell, "set -e\n" + "\n".join(shell_lines(page)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("42.1001/ds/exp/sa/42/cwepr/1\n")
    assert "Verified: 3 of 3 files, all bytes" in done.stdout
    assert (shell / "retrieved" / "exp-sa-42-cwepr-1" / "sample42.dat").read_text().count("\n") == 2
    assert (shell / "before" / "exp-sa-42-cwepr-1.old-1" / "sample42.dat").read_text().count("\n") == 2
    assert "is served at http://127.0.0.1:" in done.stderr and "Stopped." in done.stderr
    assert "Adopted 0 datasets of issuer 1001; 1 adopted before" in done.stdout

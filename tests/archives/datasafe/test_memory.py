"""The memory of a deposit, an update and a retrieval does not grow with the dataset."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from archive_tui.archives.datasafe.opening import open_folder_safe
from tests.archives.datasafe.safe_places import PARENT
from tests.archives.faults.commands import ROOT, program_environment

MOST_KIB = 200 << 10
BLOCK = bytes(range(256)) * 4096


def measure(act: str, *words: Path | str) -> int:
    """Returns the most memory, in KiB, of a process that does this."""
    command = [sys.executable, "-m", "tests.archives.datasafe.memory_program", act, *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, env=program_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def write_dataset(folder: Path, size: int) -> Path:
    folder.mkdir()
    with (folder / "data.bin").open("wb") as file:
        for _ in range(size // len(BLOCK)):
            file.write(BLOCK)
    (folder / "sample.info").write_text("cwEPR Info file - v. 0.1.4 (2020-01-21)\n")
    return folder


@pytest.mark.parametrize(
    "size", [300 << 20, pytest.param(2 << 30, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
)
def test_memory_does_not_grow_with_the_dataset(size: int, tmp_path: Path) -> None:
    root, out = tmp_path / "safe", tmp_path / "out"
    out.mkdir()
    with open_folder_safe(root, create=True) as safe:
        loi = safe.reserve(PARENT)
    source = write_dataset(tmp_path / "measured", size)
    deposited = measure("deposit", root, loi, source)
    updated = measure("update", root, loi, source)
    retrieved = measure("retrieve", root, loi, out)
    assert (out / "exp-sa-42-cwepr-1" / "data.bin").stat().st_size == size
    for folder in (root, source, out):  # what tests leave behind is kept for a while
        shutil.rmtree(folder)
    assert max(deposited, updated, retrieved) < MOST_KIB, (deposited, updated, retrieved)

"""The memory of a deposit into an object store, and of reading it, does not grow with the dataset."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from archive_tui.archives.datasafe.deposit_source import prepare_deposit
from tests.archives.datasafe.safe_places import PARENT, PREFIX, make_safe_place
from tests.archives.faults.commands import ROOT, program_environment
from tests.archives.faults.places import SEAWEEDFS

MOST_KIB = 200 << 10
PROGRAM = """
import re, sys
from pathlib import Path
from archive_tui.archives.datasafe.opening import open_store_safe
from archive_tui.archives.storages import open_storage
from archive_tui.integrity.report import Verdict
from archive_tui.integrity.streams import read_chunks
from archive_tui.settings import load_settings
settings, prefix, parent, archive = sys.argv[1:]
with open_store_safe(open_storage(load_settings(Path(settings)), "lab").store, prefix) as safe:
    loi = safe.reserve(parent)
    with open(archive, "rb") as file:
        safe.deposit(loi, read_chunks(file))
    assert safe.verify(loi).verdict is Verdict.VERIFIED
sys.stdout.write(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.parametrize("size", [200 << 20, pytest.param(1 << 30, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_memory_does_not_grow_with_the_dataset(
    size: int, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_safe_place(SEAWEEDFS, tmp_path / "place", request, monkeypatch)
    source, archive = tmp_path / "source", tmp_path / "dataset.zip"
    source.mkdir()
    with (source / "data.bin").open("wb") as file:
        file.truncate(size)
    with archive.open("wb") as file:
        for chunk in prepare_deposit(source, loi="").chunks():
            file.write(chunk)
    words = (str(place.place.settings), PREFIX, PARENT, str(archive))
    command = [sys.executable, "-c", PROGRAM, *words]
    done = subprocess.run(command, cwd=ROOT, env=program_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < MOST_KIB, done.stdout

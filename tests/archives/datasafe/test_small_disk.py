"""A datasafe whose disk is full, or cannot be written: it says so, the old dataset stays, nothing half-done is left,
and the same commands work once there is room."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.archives.datasafe.safe_places import PARENT
from tests.archives.faults.commands import ROOT, Finished, program_environment
from tests.archives.test_disk_full import namespace

__all__ = ["namespace"]

MANY = 200
BIG = 6_000_000
LARGER_THAN_THE_DISK = 24_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, size in (("little", 20_000), ("big", BIG)):
        (tmp_path / name).mkdir()
        write_noise(tmp_path / name / "data.bin", size)
    for number in range(MANY):
        (tmp_path / "big" / f"{number}.dat").write_text(str(number))
    (tmp_path / "small").mkdir()
    (tmp_path / "out").mkdir()
    return tmp_path


def write_noise(path: Path, size: int) -> None:
    path.write_bytes(random.Random(size).randbytes(size))


def play(scenario: str, folder: Path, namespace: tuple[str, ...]) -> dict[str, Any]:
    command = [*namespace, sys.executable, "-m", "tests.archives.datasafe.small_disk_program", scenario, str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=program_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    steps: dict[str, Any] = json.loads(done.stdout)
    assert [step["status"] for step in steps["prepared"]] == [0, 0, 0], steps["prepared"]
    return steps


def check_refusal(step: dict[str, Any], *parts: str) -> None:
    Finished(step["status"], step["out"], step["err"]).check_refusal(*parts)


@pytest.mark.parametrize(("scenario", "size"), [("bytes", BIG), ("bytes", LARGER_THAN_THE_DISK), ("names", BIG)])
def test_disk_without_room(scenario: str, size: int, folder: Path, namespace: tuple[str, ...]) -> None:
    """The second fails in the middle of a write, the first by the look at what is free before anything is unpacked."""
    write_noise(folder / "big" / "data.bin", size)
    steps = play(scenario, folder, namespace)
    before = steps["prepared"][-1]["files"]
    for step in (steps["deposit"], steps["update"]):
        check_refusal(step, "oom")
        assert step["files"] == before, sorted({*step["files"]} ^ {*before})
    assert steps["verified"]["status"] == 0, steps["verified"]
    assert [step["status"] for step in steps["again"]] == [0, 0, 0], steps["again"]
    assert f"safe/.old/{PARENT.partition('/ds/')[2]}/1/1/data.bin" in steps["again"][-1]["files"]


def test_disk_that_cannot_be_written(folder: Path, namespace: tuple[str, ...]) -> None:
    steps = play("read-only", folder, namespace)
    before = steps["prepared"][-1]["files"]
    for step in steps["refused"]:
        check_refusal(step, "Read-only file system")
        assert step["files"] == before
    assert [step["status"] for step in steps["read"]] == [0, 0, 0, 0], steps["read"]
    found = folder / "out" / "exp-sa-42-cwepr-1" / "data.bin"
    assert found.read_bytes() == (folder / "little" / "data.bin").read_bytes()

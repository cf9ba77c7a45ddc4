"""The real commands, killed at random moments: whole files only are ever visible, and the same command completes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.archives.faults.commands import run_program, start_program

SETTINGS = "[lab]\nstorage_client = archive_tui.core.LocalStorageClient\nstorage_area = archive\nlocal_path = .\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "settings.ini").write_text(SETTINGS)
    for number in range(150):
        path = tmp_path / "data" / f"{number % 7}" / f"{number}.dat"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(number * 100))
    (tmp_path / "data" / "large.dat").write_bytes(os.urandom(12_000_000))
    (tmp_path / "archive").mkdir()
    return tmp_path


def tree_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".part"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def count_files(folder: Path) -> int:
    """While somebody else deletes them."""
    return sum(len(files) for _, _, files in os.walk(folder))


def kill_at(folder: Path, seconds: float, *words: str) -> bool:
    """Starts the program and kills it after so many seconds; False when it had ended before."""
    process = start_program(folder, *words)
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        return True
    finally:
        process.communicate()


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_a_copy_that_is_killed(kills: int, place: Path) -> None:
    chance = random.Random(4)
    whole = tree_of(place / "data")
    command = ("copy", "data/", "lab:in", "--quiet", "--bandwidth", "12MB/s")
    done = 0
    for _ in range(kills):
        done += kill_at(place, chance.uniform(0.4, 1.6), *command)
        visible = tree_of(place / "archive" / "in")
        assert visible.items() <= whole.items()
        if len(visible) == len(whole):
            for path in sorted((place / "archive" / "in").rglob("*.dat"))[:: chance.randint(1, 3)]:
                path.unlink()
    assert done
    finished = run_program(place, "copy", "data/", "lab:in", "--quiet")
    assert finished.status == 0, finished.err
    assert tree_of(place / "archive" / "in") == whole


@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_a_deletion_that_is_killed(kills: int, place: Path) -> None:
    chance = random.Random(4)
    archive = place / "archive"
    (archive / "kept.txt").write_text("kept")
    for _ in range(kills):
        for number in range(1500):
            path = archive / "old" / f"{number % 11}" / f"{number}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"old")
        process = start_program(place, "delete", "lab:old/", "--yes", "--quiet")
        while process.poll() is None and count_files(archive / "old") == 1500:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.2))
        process.kill()
        process.communicate()
        finished = run_program(place, "delete", "lab:old/", "--yes", "--quiet")
        is_over = "Nothing to delete lies there" in finished.err  # it had come to its end before it was killed
        assert finished.status == 0 or is_over, finished.err
        assert [path.name for path in archive.iterdir()] == ["kept.txt"]


def test_a_copy_that_is_stopped_says_how_it_goes_on_and_does(place: Path) -> None:
    process = start_program(place, "copy", "data/", "lab:in", "--bandwidth", "4MB/s")
    deadline = time.monotonic() + 60
    while count_files(place / "archive" / "in") < 40:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "archive-tui jobs resume 1 goes on where it stopped, and so does the same command." in err
    finished = run_program(place, "copy", "data/", "lab:in", "--json")
    assert finished.status == 0, finished.err
    copy = finished.document["copies"][0]
    assert (copy["job"], copy["copied"] + copy["same"]) == (1, 151)
    assert copy["inherited"] >= 30
    assert tree_of(place / "archive" / "in") == tree_of(place / "data")

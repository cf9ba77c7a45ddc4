from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from tests.archives.faults.commands import run_program, start_program
from tests.cli.conftest import Run


def test_into_a_storage_and_back(run: Run, workplace: Path) -> None:
    call = run("move", "work/winds", "lab:in")
    assert (call.status, call.out) == (0, "Moved: 2 objects, 10 KB\n")
    assert (workplace / "archive/in/winds/raw/log.dat").stat().st_size == 10240
    assert list((workplace / "work").iterdir()) == []
    call = run("move", "lab:in/winds/", "back", "--json")
    assert call.status == 0
    move = call.document["moves"][0]
    assert (move["moved"], move["weakest"], move["state"]) == (2, "read", "verified")
    assert (workplace / "back/table.csv").exists()
    assert not list((workplace / "archive").rglob("*.csv"))


def test_within_a_file_system_it_is_a_rename(run: Run, workplace: Path) -> None:
    inode = (workplace / "work/winds/table.csv").stat().st_ino
    call = run("move", "work/winds", "other/place")
    assert (call.status, call.out) == (0, "Moved: 2 objects, 10 KB\n")
    assert "moved within the file system" in call.err
    assert (workplace / "other/place/winds/table.csv").stat().st_ino == inode


def test_another_content_is_kept_unless_somebody_says_so(run: Run, workplace: Path) -> None:
    (workplace / "there").mkdir()
    (workplace / "there/table.csv").write_text("another")
    call = run("move", "work/winds/", "there")
    assert call.status == 1
    assert "another content lies there and was kept" in call.out
    assert (workplace / "work/winds/table.csv").exists()
    assert run("move", "work/winds/", "there", "--on-conflict", "replace").status == 0
    assert (workplace / "there/table.csv").read_text() == "hour,speed\n1,3.5\n"
    assert not (workplace / "work/winds/table.csv").exists()


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("absent", "lab:in"), 1, "No such file or folder: absent"),
        (("lab:absent", "work"), 1, "lies at or below this key: absent"),
        (("work/winds", "nowhere:in"), 2, "No storage of this name: nowhere"),
        (("work/winds", "work/winds/raw"), 2, "The target lies in what is to be"),
        (("work/winds", "settings.ini"), 1, "Not a folder: settings.ini"),
        (("work/winds",), 2, "Missing argument"),
    ],
)
def test_what_cannot_be_done_is_said(words: tuple[str, ...], status: int, message: str, run: Run) -> None:
    call = run("move", *words)
    assert (call.status, call.out) == (status, "")
    assert message in call.err


def test_protected_objects_are_named_with_the_command_that_deletes_them(run: Run, workplace: Path) -> None:
    (workplace / "work/winds/waves.1.0.0.zip").write_text("published")
    call = run("move", "work/winds", "other")
    assert call.status == 1
    assert "a published version is never moved this way" in call.err
    assert "archive-tui dataset delete STORAGE NAME VERSION" in call.err
    assert (workplace / "work/winds/table.csv").exists()


SETTINGS = "[lab]\nstorage_client = archive_tui.core.LocalStorageClient\nstorage_area = archive\nlocal_path = .\n"


def tree_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".part"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_a_move_that_is_killed_loses_nothing(kills: int, tmp_path: Path) -> None:
    (tmp_path / "settings.ini").write_text(SETTINGS)
    for number in range(300):
        path = tmp_path / "data" / f"{number % 7}" / f"{number}.dat"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(number * 100))
    whole, chance = tree_of(tmp_path / "data"), random.Random(6)
    (tmp_path / "archive").mkdir()
    command = ("move", "data/", "lab:in", "--quiet", "--bandwidth", "6MB/s")
    killed = 0
    for _ in range(kills):
        process = start_program(tmp_path, *command)
        try:
            deadline = time.monotonic() + 60
            while process.poll() is None and not any((tmp_path / "archive").rglob("*.dat")):
                assert time.monotonic() < deadline
                time.sleep(0.005)
            process.wait(chance.uniform(0, 0.3))
        except subprocess.TimeoutExpired:
            process.kill()
            killed += 1
        process.communicate()
        here, there = tree_of(tmp_path / "data"), tree_of(tmp_path / "archive" / "in")
        assert here | there == whole
        assert there.items() <= whole.items()
        for path in list((tmp_path / "archive" / "in").rglob("*.dat"))[
            ::2
        ]:  # some come back, so that there is more to do
            back = tmp_path / "data" / path.relative_to(tmp_path / "archive" / "in")
            back.parent.mkdir(parents=True, exist_ok=True)
            back.write_bytes(path.read_bytes())
            path.unlink()
    assert killed
    finished = run_program(tmp_path, "move", "data/", "lab:in", "--quiet")
    assert finished.status == 0, finished.err
    assert tree_of(tmp_path / "archive" / "in") == whole
    assert tree_of(tmp_path / "data") == {}

"""`archive-tui safe put` and `update`, killed at numbered steps and at random moments: the old dataset or the new one
lies there whole, the same command completes, and what is left behind goes with the next deposit."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.archives.datasafe.opening import open_folder_safe
from archive_tui.archives.datasafe.safe import Safe, SafeState
from archive_tui.integrity.report import Verdict
from archive_tui.names.object_keys import TEMPORARY_PREFIX
from tests.archives.datasafe.safe_places import PARENT, held_files, pack_dataset
from tests.archives.faults.commands import Tracer, run_program, start_program

OLD = {"old.dat": b"acknowledged", "old.info": b""}
NEW = {"new.dat": random.Random(5).randbytes(8_000_000), "deep/new.info": b"cwEPR Info file - v. 0.1.4 (2020-01-21)\n"}
STEPS = ("renameat", "rename", "mkdir", "linkat", "link", "unlink", "unlinkat", "rmdir", "fsync", "chmod", "write")
MOST_OF_A_KIND = 1
LONG = [pytest.mark.slow, pytest.mark.timeout(1800)]


class KilledCommand:
    """One datasafe; each death has a LOI of its own, beside a neighbour that nothing may befall."""

    def __init__(self, folder: Path, verb: str) -> None:
        self.folder = folder
        self._verb = verb
        self._root = folder / "safe"
        for path, content in NEW.items():
            (folder / "measured" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "measured" / path).write_bytes(content)
        self._neighbour = self._reserve(OLD)
        self._loi = ""

    def prepare(self) -> tuple[str, ...]:
        """Returns the words of the command that is going to be killed."""
        self._loi = self._reserve(OLD if self._verb == "update" else {})
        return ("safe", self._verb, self._loi, "measured", "--root", "safe", "--quiet")

    def check(self, words: tuple[str, ...]) -> bool:
        """Repeats the command; returns whether the killed one had come so far that the new dataset lay there."""
        with self._open() as safe:
            was_new = self._check_whole(safe)
        repeat = run_program(self.folder, *words)
        if was_new and self._verb == "put":
            repeat.check_refusal("Directory not empty.")
        else:
            assert repeat.status == 0, repeat.err
        with self._open() as safe:
            assert self._check_whole(safe), "the repeat has completed the work"
            assert held_files(safe, self._neighbour)["old.dat"] == OLD["old.dat"]
            if self._verb == "update":
                assert held_files(safe, self._loi, 1) == OLD
        self._reserve(OLD)
        assert list(self._root.rglob(f"{TEMPORARY_PREFIX}*")) == []
        return was_new

    def _check_whole(self, safe: Safe) -> bool:
        entry = safe.look(self._loi)
        assert [each.loi for each in safe.entries()].count(self._loi) == 1
        if self._verb == "put" and entry.state is SafeState.RESERVED:
            return False
        assert entry.state is SafeState.DEPOSITED, entry
        assert safe.verify(self._loi).verdict is Verdict.VERIFIED
        found = held_files(safe, self._loi)
        assert found == NEW or (self._verb == "update" and found == OLD), sorted(found)
        return found == NEW

    def _reserve(self, files: dict[str, bytes]) -> str:
        """Returns a new LOI, with a dataset under it when there are files."""
        with self._open() as safe:
            loi = safe.reserve(PARENT)
            if files:
                safe.deposit(loi, [pack_dataset(loi, files)])
            return loi

    def _open(self) -> Safe:
        return open_folder_safe(self._root, create=True)


@pytest.fixture(params=["put", "update"])
def killed(request: pytest.FixtureRequest, tmp_path: Path) -> KilledCommand:
    return KilledCommand(tmp_path, request.param)


def numbered_steps(counts: dict[str, int], most: int) -> Iterator[str]:
    """Of each kind of call the last `most`: those before belong to the start of the program."""
    for name, count in sorted(counts.items()):
        for number in range(max(1, count - most + 1), count + 1):
            yield f"{name}:signal=KILL:when={number}"


@pytest.mark.parametrize("most", [MOST_OF_A_KIND, pytest.param(40, marks=LONG)])
def test_killed_at_numbered_steps(most: int, killed: KilledCommand, tmp_path: Path) -> None:
    tracer = Tracer(tmp_path)
    counts = tracer.count_calls(tmp_path, STEPS, *killed.prepare())
    outcomes = []
    for injection in numbered_steps(counts, most):
        words = killed.prepare()
        finished = tracer.run(tmp_path, *words, inject=injection)
        assert finished.was_killed or finished.status == 0, (injection, finished.err)
        outcomes.append((finished.was_killed, killed.check(words)))
    assert (True, False) in outcomes and (True, True) in outcomes, "killed before it counted, and after"


def kill_after(process: subprocess.Popen[str], root: Path, seconds: float) -> bool:
    """Kills the program so long after it has made its stage; False when it had ended before."""
    while process.poll() is None and next(root.rglob(f"{TEMPORARY_PREFIX}*"), None) is None:
        time.sleep(0.002)
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        return True
    finally:
        process.communicate()


@pytest.mark.parametrize("kills", [4, pytest.param(30, marks=LONG)])
def test_killed_at_random_moments(kills: int, killed: KilledCommand, tmp_path: Path) -> None:
    chance = random.Random(5)
    died = 0
    for number in range(kills):
        words = killed.prepare()
        process = start_program(tmp_path, *words)
        died += kill_after(process, tmp_path / "safe", chance.uniform(0, 0.2) if number else 0.001)
        killed.check(words)
    assert died

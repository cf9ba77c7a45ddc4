"""Deposits and updates whose process is killed: afterwards the old or the new lies there whole, the repeat completes,
and nothing that was acknowledged is lost."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.archives.datasafe.safe import SafeState
from archive_tui.errors import ExistingFileError
from archive_tui.integrity.report import Verdict
from tests.archives.datasafe.dying_store import AFTER, BEFORE, HALF
from tests.archives.datasafe.safe_places import (
    PARENT,
    PREFIX,
    SafePlace,
    held_files,
    make_safe_place,
    pack_dataset,
)
from tests.archives.datasafe.safe_processes import Processes, Work, running_processes
from tests.archives.faults.places import AZURITE, FOLDER, SEAWEEDFS
from tests.objects.dying_child import run_and_die

SERVERS = (SEAWEEDFS, AZURITE)
MOST_CALLS = 60
OLD = {"old.dat": b"acknowledged"}
NEW = {"new.dat": random.Random(5).randbytes(300_000), "deep/new.info": b"x - v. 1 (2026-01-01)\n"}


class KilledWork:
    """One datasafe for all deaths; each has a LOI of its own, with a neighbour that nothing may befall."""

    def __init__(self, place: SafePlace, *, is_update: bool) -> None:
        self.place = place
        self.is_update = is_update
        self.loi = ""
        self._safe = place.open()
        self._neighbour = self._safe.reserve(PARENT)
        self._safe.deposit(self._neighbour, [pack_dataset(self._neighbour, OLD)])

    def prepare(self) -> None:
        self.loi = self._safe.reserve(PARENT)
        if self.is_update:
            self._safe.deposit(self.loi, [pack_dataset(self.loi, OLD)])

    def run(self) -> None:
        with self.place.open() as safe:
            act = safe.update if self.is_update else safe.deposit
            act(self.loi, [pack_dataset(self.loi, NEW)])

    def is_killed(self, processes: Processes, step: int, moment: str, *, only_writes: bool) -> bool:
        """Runs it in a process of its own; False when it came to its end."""
        archive = self.place.place.folder / "new.zip"
        archive.write_bytes(pack_dataset(self.loi, NEW))
        act = "update" if self.is_update else "deposit"
        settings = str(self.place.place.settings)
        work = Work(settings, PREFIX, act, self.loi, str(archive), 1, step, moment, only_writes)
        (ended,) = processes.run(work)
        return ended.was_killed

    def check(self, *, was_acknowledged: bool) -> bool:
        """Returns whether the new dataset lies there; then lets somebody repeat the work."""
        safe = self._safe
        entry = safe.look(self.loi)
        if entry.state is SafeState.RESERVED:
            assert not self.is_update
            found = {}
        else:
            assert entry.state is SafeState.DEPOSITED
            found = held_files(safe, self.loi)
            assert found in ([OLD, NEW] if self.is_update else [NEW]), sorted(found)
        is_new = found == NEW
        assert is_new or not was_acknowledged
        assert entry.old_versions == int(self.is_update and is_new)
        self._repeat(is_new=is_new)
        return is_new

    def _repeat(self, *, is_new: bool) -> None:
        act = self._safe.update if self.is_update else self._safe.deposit
        try:
            act(self.loi, [pack_dataset(self.loi, NEW)])
        except ExistingFileError:
            assert is_new and not self.is_update
        assert held_files(self._safe, self.loi) == NEW
        assert self._safe.verify(self.loi).verdict is Verdict.VERIFIED
        assert self._safe.look(self.loi).digest is not None
        if self.is_update:
            old = self._safe.describe(self.loi).old_versions
            assert [held_files(self._safe, self.loi, each.number) for each in old] in ([OLD], [OLD, NEW])

    def close(self) -> None:
        """What killed processes have left goes with the next work; nothing has befallen anything else."""
        with self._safe:
            self.prepare()
            self.run()
            assert self.place.temporary_entries() == []
            assert held_files(self._safe, self._neighbour) == OLD
            entries = list(self._safe.entries())
            assert [entry.loi for entry in entries] == [f"{PARENT}/{number + 1}" for number in range(len(entries))]
            assert {entry.state for entry in entries} == {SafeState.DEPOSITED}


@pytest.fixture(params=[False, True], ids=["deposit", "update"])
def is_update(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def deaths(work: KilledWork, moments: tuple[str, ...], *, only_writes: bool) -> Iterator[bool]:
    """Kills the work at each call into the store; yields whether the new dataset lay there afterwards."""
    with running_processes() as processes:
        for step in range(1, MOST_CALLS):
            for moment in moments:
                work.prepare()
                if not work.is_killed(processes, step, moment, only_writes=only_writes):
                    assert work.check(was_acknowledged=True)
                    return
                yield work.check(was_acknowledged=False)
    pytest.fail("the work never came to its end")


def check_deaths(work: KilledWork, moments: tuple[str, ...], *, only_writes: bool, least: int) -> None:
    outcomes = list(deaths(work, moments, only_writes=only_writes))
    assert len(outcomes) >= least
    assert False in outcomes and True in outcomes, "killed before it counted, and after"
    work.close()


@pytest.mark.parametrize("kind", SERVERS)
def test_killed_at_every_write(
    kind: str, is_update: bool, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_safe_place(kind, tmp_path / "place", request, monkeypatch)
    check_deaths(KilledWork(place, is_update=is_update), (HALF, AFTER), only_writes=True, least=4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SERVERS)
def test_killed_at_every_call(
    kind: str, is_update: bool, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_safe_place(kind, tmp_path / "place", request, monkeypatch)
    check_deaths(KilledWork(place, is_update=is_update), (BEFORE, HALF, AFTER), only_writes=False, least=12)


def kill_in_a_folder(work: KilledWork, stride: int) -> int:
    """The process dies at every `stride`-th call into the file system; returns how often it did."""
    for killed, number in enumerate(range(1, 2000, stride)):
        work.prepare()
        if run_and_die(number, work.run):
            assert work.check(was_acknowledged=True)
            work.close()
            return killed
        work.check(was_acknowledged=False)
    pytest.fail("the work never came to its end")


def test_killed_in_a_folder(
    is_update: bool, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_safe_place(FOLDER, tmp_path / "place", request, monkeypatch)
    assert kill_in_a_folder(KilledWork(place, is_update=is_update), 5) >= 8


@pytest.mark.slow
def test_killed_in_a_folder_at_every_call(
    is_update: bool, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_safe_place(FOLDER, tmp_path / "place", request, monkeypatch)
    assert kill_in_a_folder(KilledWork(place, is_update=is_update), 1) >= 40

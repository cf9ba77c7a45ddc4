"""Fetching where something lies already: what is asked, and what each answer does."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from archive_tui.archives.datasets import fetching
from archive_tui.archives.datasets.fetching import SWAPPING, fetch_dataset
from archive_tui.conflicts import Conflict, ConflictRule
from archive_tui.errors import OperationStopped, TargetExists
from archive_tui.integrity.report import Verdict
from archive_tui.objects.memory import MemoryStore
from tests.archives.conftest import Publisher
from tests.jobs.kinds.job_work import MemoryJournal


class Answering:
    def __init__(self, rule: ConflictRule) -> None:
        self.rule = rule
        self.asked: list[Conflict] = []

    def __call__(self, conflict: Conflict) -> ConflictRule:
        self.asked.append(conflict)
        return self.rule


@pytest.fixture(name="into")
def publish_one(publish_source: Publisher, tmp_path: Path) -> Path:
    publish_source()
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("rule", ConflictRule)
def test_what_is_the_same_is_no_conflict(store: MemoryStore, into: Path, rule: ConflictRule) -> None:
    fetch_dataset(store, "station", into=into)
    resolve = Answering(rule)
    receipt = fetch_dataset(store, "station", into=into, resolve=resolve)
    assert receipt.already_there
    assert not receipt.is_undecided
    assert resolve.asked == []
    assert names(into) == ["station.0.0.1"]


def damage(folder: Path) -> None:
    (folder / "notes.md").write_text("changed by hand")


def test_asking_leaves_it_and_says_so(store: MemoryStore, into: Path) -> None:
    damage(fetch_dataset(store, "station", into=into).folder)
    resolve = Answering(ConflictRule.ASK)
    receipt = fetch_dataset(store, "station", into=into, resolve=resolve)
    assert (receipt.is_undecided, receipt.already_there) == (True, True)
    assert receipt.report.verdict is Verdict.FINDINGS
    (conflict,) = resolve.asked
    assert conflict.item == "station.0.0.1"
    assert conflict.place == str(into / "station.0.0.1")
    assert conflict.found.startswith("Findings: 1 changed")
    assert conflict.wanted.startswith("station 0.0.1")
    assert ConflictRule.REPLACE in conflict.choices
    assert (into / "station.0.0.1" / "notes.md").read_text() == "changed by hand"


def test_a_folder_of_other_content_is_a_conflict_too(
    store: MemoryStore, into: Path, publish_source: Publisher, source: Path
) -> None:
    fetch_dataset(store, "station", into=into)
    (source / "notes.md").write_text("another version")
    publish_source()
    shutil.move(into / "station.0.0.1", into / "station.0.0.2")
    resolve = Answering(ConflictRule.ASK)
    assert fetch_dataset(store, "station", "0.0.2", into=into, resolve=resolve).is_undecided
    assert resolve.asked[0].found == "a whole folder of other content"


def test_keeping_is_what_happens_without_asking(store: MemoryStore, into: Path) -> None:
    damage(fetch_dataset(store, "station", into=into).folder)
    asked = fetch_dataset(store, "station", into=into, resolve=Answering(ConflictRule.KEEP))
    plain = fetch_dataset(store, "station", into=into)
    assert asked.report.findings == plain.report.findings
    assert (asked.already_there, asked.is_undecided) == (plain.already_there, False)


def test_replacing(store: MemoryStore, into: Path) -> None:
    damage(fetch_dataset(store, "station", into=into).folder)
    receipt = fetch_dataset(store, "station", into=into, resolve=Answering(ConflictRule.REPLACE))
    assert not receipt.already_there
    assert (into / "station.0.0.1" / "notes.md").read_text() == "# station 7\n"
    assert names(into) == ["station.0.0.1"]


def test_keeping_both(store: MemoryStore, into: Path) -> None:
    damage(fetch_dataset(store, "station", into=into).folder)
    (into / "station.0.0.1 (2)").write_text("a file in the way")
    resolve = Answering(ConflictRule.KEEP_BOTH)
    receipt = fetch_dataset(store, "station", into=into, resolve=resolve)
    assert receipt.folder.name == "station.0.0.1 (3)"
    assert (receipt.folder / "notes.md").read_text() == "# station 7\n"
    again = fetch_dataset(store, "station", into=into, resolve=resolve)
    assert (again.folder, again.already_there) == (receipt.folder, True)
    assert names(into) == ["station.0.0.1", "station.0.0.1 (2)", "station.0.0.1 (3)"]


@pytest.mark.parametrize("what", ["file", "link"])
def test_what_is_no_folder_is_never_replaced(store: MemoryStore, into: Path, what: str, tmp_path: Path) -> None:
    there = into / "station.0.0.1"
    (tmp_path / "folder").mkdir()
    there.write_text("mine") if what == "file" else there.symlink_to(tmp_path / "folder")
    for rule in (ConflictRule.KEEP, ConflictRule.REPLACE):
        resolve = Answering(rule)
        with pytest.raises(TargetExists):
            fetch_dataset(store, "station", into=into, resolve=resolve)
        assert resolve.asked[0].choices == (ConflictRule.KEEP, ConflictRule.KEEP_BOTH)
    with pytest.raises(TargetExists):
        fetch_dataset(store, "station", into=into, overwrite=True)
    undecided = fetch_dataset(store, "station", into=into, resolve=Answering(ConflictRule.ASK))
    assert undecided.is_undecided
    assert undecided.report.verdict is Verdict.STOPPED
    both = fetch_dataset(store, "station", into=into, resolve=Answering(ConflictRule.KEEP_BOTH))
    assert both.folder.name == "station.0.0.1 (2)"
    assert there.is_symlink() or there.read_text() == "mine"


def test_a_stop_while_looking_asks_nobody(store: MemoryStore, into: Path) -> None:
    damage(fetch_dataset(store, "station", into=into).folder)

    class Stopped:
        def is_set(self) -> bool:
            return True

    resolve = Answering(ConflictRule.REPLACE)
    with pytest.raises(OperationStopped):
        fetch_dataset(store, "station", into=into, resolve=resolve, stop=Stopped())
    assert resolve.asked == []


def test_what_a_killed_run_has_brought_in_is_not_replaced_again(
    store: MemoryStore, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "KEPT_FROM", 1)
    damage(fetch_dataset(store, "station", into=into).folder)
    journal = MemoryJournal()
    fetch_dataset(store, "station", into=into, overwrite=True, journal=journal)
    assert SWAPPING in journal.saved
    again = fetch_dataset(store, "station", into=into, overwrite=True, journal=journal)
    assert again.already_there
    assert again.report.verdict is Verdict.VERIFIED
    damage(again.folder)
    assert not fetch_dataset(store, "station", into=into, overwrite=True, journal=journal).already_there

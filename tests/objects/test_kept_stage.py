from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path

import pytest

from archive_tui.errors import OperationStopped, StorageUnavailable
from archive_tui.objects.folder.kept_stage import STAGE, kept_stage, remove_kept_stage
from archive_tui.objects.folder.swap import remove_kept_stage as remove_as_agreed
from archive_tui.objects.folder.swap import swap_folder
from archive_tui.objects.folder.temporary_entries import KEPT_AGE, remove_abandoned
from tests.jobs.kinds.job_work import MemoryJournal


class Watching(MemoryJournal):
    """Notes whether the stage was there when its name was saved, and whether that was durable."""

    def save(self, name: str, content: bytes | None, *, durable: bool = False) -> None:
        super().save(name, content, durable=durable)
        if content is not None:
            token = json.loads(content)
            self.saw = ((Path(token["folder"]) / token["name"]).exists(), durable)


def leave_stage(parent: Path, journal: MemoryJournal, error: BaseException | None = None) -> Path:
    with pytest.raises(type(error or OperationStopped())), kept_stage(parent, journal) as stage:
        (stage.path / "file").write_bytes(b"begun")
        raise error or OperationStopped
    return stage.path


@pytest.mark.parametrize("error", [OperationStopped(), StorageUnavailable("gone"), KeyboardInterrupt(), SystemExit()])
def test_it_stays_for_the_next_run(tmp_path: Path, error: BaseException) -> None:
    journal = Watching()
    left = leave_stage(tmp_path / "new" / "parent", journal, error)
    assert journal.saw == (False, True)
    with kept_stage(tmp_path / "new" / "parent", journal) as stage:
        assert stage.path == left
        assert stage.is_continued
        assert (stage.path / "file").read_bytes() == b"begun"
        swap_folder(stage.path, tmp_path / "new" / "parent" / "there")
    assert [path.name for path in (tmp_path / "new" / "parent").iterdir()] == ["there"]
    assert STAGE not in journal.saved


@pytest.mark.parametrize("error", [RuntimeError(), OSError(28, "full")])
def test_any_other_end_removes_it(tmp_path: Path, error: Exception) -> None:
    journal = MemoryJournal()
    leave_stage(tmp_path, journal, error)
    assert list(tmp_path.iterdir()) == []
    assert not journal.saved


def test_others_leave_it_alone_for_a_month(tmp_path: Path) -> None:
    journal = MemoryJournal()
    stage = leave_stage(tmp_path, journal)
    assert remove_abandoned(tmp_path) == 0
    assert stage.exists()


def test_after_a_month_it_is_removed_unless_somebody_works_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = MemoryJournal()
    leave_stage(tmp_path, journal)
    later = time.time() + KEPT_AGE + 60
    with kept_stage(tmp_path, journal) as stage:
        monkeypatch.setattr(time, "time", lambda: later)
        assert remove_abandoned(tmp_path) == 0
        monkeypatch.undo()
        (stage.path / "more").touch()
    left = leave_stage(tmp_path, journal)
    monkeypatch.setattr(time, "time", lambda: later)
    assert remove_abandoned(tmp_path) == 1
    assert not left.exists()


def test_its_token_removes_it_once_nobody_works_in_it(tmp_path: Path) -> None:
    journal = MemoryJournal()
    assert remove_as_agreed is remove_kept_stage
    with pytest.raises(OperationStopped), kept_stage(tmp_path, journal) as stage:
        token = journal.saved[STAGE]
        assert not remove_kept_stage(token)
        assert stage.path.exists()
        raise OperationStopped
    assert remove_kept_stage(token)
    assert list(tmp_path.iterdir()) == []
    assert remove_kept_stage(token), "it is gone already"


def test_a_token_removes_stages_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    name = ".archive-tui-kept-0123456789abcdef.part"
    (tmp_path / name).write_text("a file of that name")
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / name).symlink_to(tmp_path / "precious")
    for token in (
        b"",
        b"{}",
        b"[]",
        b"7",
        b"\xff",
        json.dumps({"folder": str(tmp_path), "name": "precious"}).encode(),
        json.dumps({"folder": str(tmp_path), "name": f"../{tmp_path.name}/precious"}).encode(),
        json.dumps({"folder": str(tmp_path), "name": ""}).encode(),
        json.dumps({"folder": ".", "name": name}).encode(),
        json.dumps({"folder": 7, "name": name}).encode(),
        json.dumps({"folder": str(tmp_path), "name": name}).encode(),
        json.dumps({"folder": str(tmp_path / "link"), "name": name}).encode(),
        json.dumps({"folder": f"{tmp_path}\0", "name": name}).encode(),
    ):
        assert not remove_kept_stage(token), token
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "link", "precious"]
    assert (tmp_path / "link" / name).is_symlink()


def test_a_stage_elsewhere_gives_way(tmp_path: Path) -> None:
    journal = MemoryJournal()
    left = leave_stage(tmp_path / "one", journal)
    with kept_stage(tmp_path / "other", journal) as stage:
        assert not stage.is_continued
        assert stage.path.parent == tmp_path / "other"
        assert not left.exists()


def test_a_link_in_its_place_is_not_entered(tmp_path: Path) -> None:
    journal = MemoryJournal()
    left = leave_stage(tmp_path / "one", journal)
    left.rename(tmp_path / "elsewhere")
    left.symlink_to(tmp_path / "elsewhere")
    with kept_stage(tmp_path / "one", journal) as stage:
        assert stage.path != left
        assert not stage.is_continued
    assert (tmp_path / "elsewhere" / "file").exists()


def test_a_second_run_at_the_same_time_gets_another_one(tmp_path: Path) -> None:
    journal = MemoryJournal()
    with pytest.raises(OperationStopped), kept_stage(tmp_path, journal) as stage:
        token = journal.saved[STAGE]
        with kept_stage(tmp_path, journal) as other:
            assert other.path != stage.path
            assert not other.is_continued
        assert not other.path.exists()
        assert journal.saved[STAGE] == token
        assert stage.path.exists()
        raise OperationStopped


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(95, os.strerror(95))

    monkeypatch.setattr(fcntl, "flock", refuse)
    journal = MemoryJournal()
    left = leave_stage(tmp_path, journal)
    with pytest.raises(OperationStopped), kept_stage(tmp_path, journal) as stage:
        assert stage.path == left
        raise OperationStopped
    assert remove_kept_stage(journal.saved[STAGE])

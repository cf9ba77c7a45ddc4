"""Parts of large files that outlive their writer: what is gone on with, what is left, and what is never touched."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.errors import OperationStopped, StorageFull
from archive_tui.names.object_keys import is_temporary_name
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.folder.atomic_file import write_in_folder
from archive_tui.objects.folder.kept_parts import (
    KEPT_FROM,
    KeptPart,
    is_kept_name,
    new_kept_name,
    remove_kept_part,
)

CONTENT = os.urandom(KEPT_FROM + (3 << 20))
BLOCK = 1 << 20


class Note:
    """Where the name is kept; `history` are all names it was told."""

    def __init__(self) -> None:
        self.history: list[str | None] = []

    def __call__(self, name: str | None) -> None:
        self.history.append(name)

    @property
    def name(self) -> str | None:
        return self.history[-1] if self.history else None


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def blocks(begin: int = 0, end: int | None = None, error: Exception | None = None) -> Iterator[bytes]:
    for start in range(begin, len(CONTENT) if end is None else end, BLOCK):
        yield CONTENT[start : start + BLOCK]
    if error is not None:
        raise error


def part_of(note: Note, *, survives: bool = True) -> KeptPart:
    return KeptPart(note.name, note=note, survives=lambda error: survives)


def write(folder: int, part: KeptPart, chunks: Iterator[bytes], *, overwrite: bool = False) -> str:
    source = CheckedSource(chunks, len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    return write_in_folder(folder, "file", source, part=part, overwrite=overwrite).digest


def begin(folder: int, note: Note, size: int = 10 << 20) -> None:
    with pytest.raises(OperationStopped):
        write(folder, part_of(note), blocks(0, size, OperationStopped()))


def rest_of(part: KeptPart) -> Iterator[bytes]:
    yield from part.chunks()
    yield from blocks(part.size)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_part_is_gone_on_with_in_the_same_file(tmp_path: Path, folder: int, overwrite: bool) -> None:
    note = Note()
    begin(folder, note)
    (kept,) = tmp_path.iterdir()
    inode = kept.stat().st_ino
    assert kept.name == note.name and is_kept_name(kept.name) and is_temporary_name(kept.name)
    if overwrite:
        (tmp_path / "file").write_bytes(b"older")
    part = part_of(note)
    assert write(folder, part, rest_of(part), overwrite=overwrite) == hashlib.sha256(CONTENT).hexdigest()
    (whole,) = tmp_path.iterdir()
    assert (whole.name, whole.stat().st_ino, whole.read_bytes()) == ("file", inode, CONTENT)
    assert note.name is None and whole.stat().st_nlink == 1


def test_the_name_is_noted_before_the_file_has_it(tmp_path: Path, folder: int) -> None:
    seen: list[list[str]] = []
    note = Note()

    def look(name: str | None) -> None:
        seen.append([path.name for path in tmp_path.iterdir()])
        note(name)

    with pytest.raises(OperationStopped):
        part = KeptPart(None, note=look, survives=lambda error: True)
        write(folder, part, blocks(0, 10 << 20, OperationStopped()))
    assert note.name not in seen[0] and [path.name for path in tmp_path.iterdir()] == [note.name]


def test_a_small_part_is_not_worth_keeping(tmp_path: Path, folder: int) -> None:
    note = Note()
    begin(folder, note, KEPT_FROM - BLOCK)
    assert list(tmp_path.iterdir()) == [] and note.history == []


def test_an_error_that_it_does_not_survive_removes_it(tmp_path: Path, folder: int) -> None:
    note = Note()
    with pytest.raises(StorageFull):
        write(folder, part_of(note, survives=False), blocks(0, 10 << 20, StorageFull("full")))
    assert list(tmp_path.iterdir()) == [] and note.name is None and len(note.history) >= 2


def test_a_part_that_somebody_works_on_is_left_to_him(tmp_path: Path, folder: int) -> None:
    note = Note()
    begin(folder, note)
    (kept,) = tmp_path.iterdir()
    with kept.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        part = part_of(note)
        write(folder, part, rest_of(part))
        assert not remove_kept_part(kept.name, folder) and kept.exists()
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert remove_kept_part(kept.name, folder) and remove_kept_part(kept.name, folder)


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "published"])
def test_what_is_no_part_is_not_written_to(tmp_path: Path, folder: int, kind: str) -> None:
    mine = tmp_path / "mine"
    mine.write_bytes(b"mine")
    name = new_kept_name()
    if kind == "link":
        (tmp_path / name).symlink_to("mine")
    elif kind == "folder":
        (tmp_path / name).mkdir()
    elif kind == "pipe":
        os.mkfifo(tmp_path / name)
    else:
        os.link(mine, tmp_path / name)
    note = Note()
    note(name)
    part = part_of(note)
    write(folder, part, rest_of(part))
    assert mine.read_bytes() == b"mine" and (tmp_path / "file").read_bytes() == CONTENT

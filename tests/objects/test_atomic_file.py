from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.errors import AccessDenied, HashError, ObjectExists, SourceChanged, StorageError, StorageFull
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.names.object_keys import is_temporary_name
from archive_tui.objects.folder import temporary_entries
from archive_tui.objects.folder.atomic_file import write_atomically
from archive_tui.objects.folder.read_back import TRAILING_FROM
from archive_tui.objects.folder.temporary_entries import (
    claim_name,
    create_locked_folder,
    new_temporary_name,
    remove_abandoned,
)


@pytest.fixture
def umask() -> Iterator[None]:
    old = os.umask(0o027)
    yield
    os.umask(old)


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_file_is_there_whole_with_its_digest(tmp_path: Path) -> None:
    written = write_atomically(tmp_path / "file", [b"con", b"tent"], 7, digest=sha256_of_bytes(b"content"))
    assert (written.digest, written.size) == (sha256_of_bytes(b"content"), 7)
    assert written.hard_links
    assert (tmp_path / "file").read_bytes() == b"content"
    assert written.status.st_ino == (tmp_path / "file").stat().st_ino
    assert written.status.st_ctime_ns == (tmp_path / "file").stat().st_ctime_ns
    assert written.status.st_nlink == 1


@pytest.mark.parametrize(("mode", "expected"), [(0o666, 0o640), (0o444, 0o440), (0o600, 0o600)])
def test_mode_is_limited_by_the_umask(tmp_path: Path, umask: None, mode: int, expected: int) -> None:
    write_atomically(tmp_path / "file", [b"x"], mode=mode)
    assert permissions(tmp_path / "file") == expected


def test_private_file_is_private_from_its_first_moment(tmp_path: Path) -> None:
    seen: list[int] = []

    def looking() -> Iterator[bytes]:
        seen.extend(permissions(path) for path in tmp_path.iterdir())
        yield b"secret"

    write_atomically(tmp_path / "file", looking(), mode=0o600)
    assert seen == [0o600]


def test_overwrite_replaces_a_read_only_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "file", [b"old"], mode=0o444)
    write_atomically(tmp_path / "file", [b"new"], mode=0o444, overwrite=True)
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize("overwrite", [True, False])
def test_folder_in_the_way_is_named(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(ObjectExists):
        write_atomically(tmp_path / "file", [b"x"], overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_broken_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "file").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ObjectExists):
        write_atomically(tmp_path / "file", [b"x"])
    assert not (tmp_path / "elsewhere").exists()


def test_absent_folder_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        write_atomically(tmp_path / "absent" / "file", [b"x"])


@pytest.mark.parametrize("size", [100, TRAILING_FROM + 5])
def test_other_bytes_read_back_never_become_visible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """As a disk with bad blocks, or a computer with bad memory, would have it."""
    true_pread = os.pread

    def flip(descriptor: int, count: int, offset: int) -> bytes:
        block = bytearray(true_pread(descriptor, count, offset))
        if offset == 0 and block:
            block[50] ^= 4
        return bytes(block)

    monkeypatch.setattr(os, "pread", flip)
    with pytest.raises(HashError) as caught:
        write_atomically(tmp_path / "file", [bytes(size)], size)
    assert caught.value.code == "read-back-differs"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [100, TRAILING_FROM + 5])
def test_file_cut_by_somebody_else_never_becomes_visible(tmp_path: Path, size: int) -> None:
    def cutting() -> Iterator[bytes]:
        yield bytes(size)
        for path in tmp_path.iterdir():
            os.truncate(path, 10)

    with pytest.raises((HashError, StorageError)):
        write_atomically(tmp_path / "file", cutting())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.ENOSPC, StorageFull),
        (errno.EDQUOT, StorageFull),
        (errno.EROFS, AccessDenied),
        (errno.EACCES, AccessDenied),
        (errno.EIO, StorageError),
    ],
)
def test_failing_write_is_named_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, error: type[StorageError]
) -> None:
    def fail(*args: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(error) as caught:
        write_atomically(tmp_path / "file", [b"x"])
    assert caught.value.hint
    assert isinstance(caught.value.__cause__, OSError)
    assert list(tmp_path.iterdir()) == []


def test_error_of_the_source_is_not_taken_for_one_of_the_disk(tmp_path: Path) -> None:
    def failing() -> Iterator[bytes]:
        yield b"x"
        raise OSError(errno.ENOSPC, "of the source")

    with pytest.raises(OSError, match="of the source") as caught:
        write_atomically(tmp_path / "file", failing())
    assert type(caught.value) is OSError
    assert list(tmp_path.iterdir()) == []


def test_wrong_size_is_refused_before_the_byte_too_many_is_written(tmp_path: Path) -> None:
    with pytest.raises(SourceChanged):
        write_atomically(tmp_path / "file", [b"12", b"3"], 2)
    assert list(tmp_path.iterdir()) == []


def test_lost_reply_of_a_link_is_recognised_as_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A share may repeat a request whose reply was lost, and then refuse its own first success."""
    true_link = os.link

    def link_twice(*args: str, **kwargs: int) -> None:
        true_link(*args, **kwargs)  # type: ignore[arg-type]
        true_link(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", link_twice)
    write_atomically(tmp_path / "file", [b"content"])
    assert (tmp_path / "file").read_bytes() == b"content"
    with pytest.raises(ObjectExists):
        write_atomically(tmp_path / "file", [b"content"])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# ---- temporary entries of the dead


def hold_entry_elsewhere(folder: Path, make: str) -> subprocess.Popen[str]:
    """Another process makes a temporary entry, says its name, and lives until its input ends."""
    code = f"""
import os, sys
from pathlib import Path
from archive_tui.objects.folder.temporary_entries import *
folder = Path(sys.argv[1])
descriptor = os.open(folder, os.O_RDONLY)
held = {make}
print("made", flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "made\n"
    return process


@pytest.mark.parametrize(
    "make",
    [
        "create_locked_file(new_temporary_name(), descriptor)",
        "create_locked_folder(folder)",
        "create_claim(claim_name('target'), descriptor)",
    ],
    ids=["file", "folder", "claim"],
)
def test_entry_of_a_living_process_stays_and_of_a_killed_one_goes(tmp_path: Path, make: str) -> None:
    process = hold_entry_elsewhere(tmp_path, make)
    with process:
        assert remove_abandoned(tmp_path) == 0
        assert len(list(tmp_path.iterdir())) == 1
        process.kill()
    assert remove_abandoned(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


def test_abandoned_folder_goes_with_all_that_it_holds(tmp_path: Path) -> None:
    stage, descriptor = create_locked_folder(tmp_path)
    (stage / "deep" / "er").mkdir(parents=True)
    (stage / "deep" / "er" / "file").write_bytes(b"x")
    assert remove_abandoned(tmp_path) == 0
    os.close(descriptor)
    assert remove_abandoned(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


def test_entry_of_another_system_stays_for_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = ".archive-tui-0123456789ab-0123456789abcdef.part"
    assert is_temporary_name(name)
    (tmp_path / name).write_bytes(b"")
    assert remove_abandoned(tmp_path) == 0
    later = time.time() + temporary_entries.FOREIGN_AGE + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert remove_abandoned(tmp_path) == 1


def test_unsigned_claim_stays_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / claim_name("target")).write_bytes(b"")
    assert remove_abandoned(tmp_path) == 0
    later = time.time() + temporary_entries.UNSIGNED_CLAIM_AGE + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert remove_abandoned(tmp_path) == 1


def test_names_that_are_not_ours_stay(tmp_path: Path) -> None:
    for name in (".archive-tui-notes.part", ".archive-tui-swap-00.part", "file.part", f"x{new_temporary_name()}"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / new_temporary_name()).symlink_to(tmp_path / "file.part")
    assert remove_abandoned(tmp_path) == 0
    assert len(list(tmp_path.iterdir())) == 5


def test_folder_that_cannot_be_read_is_no_error(tmp_path: Path) -> None:
    assert remove_abandoned(tmp_path / "absent") == 0


def test_cleaner_that_comes_between_making_and_locking_costs_a_second_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_lock = temporary_entries.lock
    removed: list[int] = []

    def clean_first(descriptor: int) -> bool:
        if not removed:
            removed.append(remove_abandoned(tmp_path))
        return true_lock(descriptor)

    monkeypatch.setattr(temporary_entries, "lock", clean_first)
    write_atomically(tmp_path / "file", [b"content"])
    assert removed == [1]
    assert (tmp_path / "file").read_bytes() == b"content"
    removed.clear()
    stage, descriptor = create_locked_folder(tmp_path)
    os.close(descriptor)
    assert removed == [1]
    assert stage.is_dir()

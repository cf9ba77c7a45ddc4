"""What lies at the places of a datasafe in a folder, by a short look: names, sizes and the record, no content."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from archive_tui.archives.datasafe.dataset_record import RECORD_NAME, DatasetRecord, parse_record
from archive_tui.archives.datasafe.shelf import ShelvedDataset
from archive_tui.integrity.streams import read_bounded
from archive_tui.names.loi import read_number
from archive_tui.names.object_keys import is_temporary_name
from archive_tui.progress import StopSignal, check_stop, never

_LARGEST_RECORD = 256 << 20


def resolve_place(root: Path, place: str) -> Path | None:
    """Returns the folder of a place; None when there is none.

    Raises: OSError (ELOOP) when a link is on the way.
    """
    path = root
    for segment in place.split("/"):
        if segment in ("", ".", ".."):
            return None
        path /= segment
        try:
            mode = path.lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.S_ISLNK(mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        if not stat.S_ISDIR(mode):
            return None
    return path


def find_numbers(folder: Path) -> list[int]:
    """Returns the numbers that are names in a folder, whatever has them; none where there is no folder."""
    try:
        with os.scandir(folder) as entries:
            numbers = (read_number(entry.name) for entry in entries)
            return [number for number in numbers if number is not None]
    except (FileNotFoundError, NotADirectoryError):
        return []


def list_files(folder: Path) -> list[tuple[str, int]]:
    """Returns the regular files below a folder, with their sizes in bytes, sorted; our own record left out."""
    return sorted(_walk_files(folder, ""))


def _walk_files(folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = f"{prefix}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if not is_temporary_name(entry.name):
                    yield from _walk_files(folder / entry.name, f"{path}/")
            elif entry.is_file(follow_symlinks=False) and path != RECORD_NAME and not is_temporary_name(entry.name):
                yield path, entry.stat(follow_symlinks=False).st_size


def look_at_dataset(path: Path, place: str) -> ShelvedDataset:
    """Returns what lies in the folder of a place. A record counts while names and sizes of the files are those that it
    lists.

    Raises: OSError.
    """
    status = path.stat()
    names = [name for name in os.listdir(path) if not is_temporary_name(name)]  # noqa: PTH208  (names only, quickly)
    version = f"{status.st_ino}-{status.st_mtime_ns}-{status.st_ctime_ns}"
    if not names:
        return ShelvedDataset(place, is_empty=True, version=version, modified=status.st_mtime)
    record = _read_record(path) if RECORD_NAME in names else None
    if record is None:
        detail = "its record cannot be read" if RECORD_NAME in names else ""
        return ShelvedDataset(place, False, None, version, status.st_mtime, detail)
    detail = _find_difference(record, list_files(path))
    return ShelvedDataset(place, False, None if detail else record, version, record.deposited_at, detail)


def read_kept_record(path: Path) -> DatasetRecord | None:
    """Returns the record in a dataset's folder, whether or not it fits what lies there."""
    return _read_record(path)


def walk_places(folder: Path, place: str, stop: StopSignal = never) -> Iterator[ShelvedDataset]:
    """Yields what lies in folders with a number for a name, at `place` or below. One that holds files, or nothing, is a
    place; one that holds folders only is on the way to others. Links and names that begin with a dot are passed over.

    Raises: OSError; OperationStopped.
    """
    check_stop(stop)
    try:
        with os.scandir(folder) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return
    folders = [name for name, is_folder in found if is_folder and not name.startswith(".")]
    has_files = any(not is_folder and not is_temporary_name(name) for name, is_folder in found)
    if read_number(folder.name) is not None and place and (has_files or not folders):
        yield look_at_dataset(folder, place)
        return
    for name in folders:
        yield from walk_places(folder / name, f"{place}/{name}" if place else name, stop)


def _read_record(path: Path) -> DatasetRecord | None:
    try:
        descriptor = os.open(path / RECORD_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return parse_record(read_bounded(descriptor, _LARGEST_RECORD))
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _find_difference(record: DatasetRecord, files: list[tuple[str, int]]) -> str:
    listed, there = {file.path: file.size for file in record.files}, dict(files)
    for path, size in listed.items():
        if path not in there:
            return f"a file is missing: {path}"
        if there[path] != size:
            return f"a file has {there[path]:,} bytes instead of {size:,}: {path}"
    extra = next((path for path in there if path not in listed), None)
    return "" if extra is None else f"a file was added: {extra}"

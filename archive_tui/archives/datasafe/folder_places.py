"""What lies at the places of a datasafe in a folder, by a short look: names, sizes and the record, no content."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from archive_tui.archives.datasafe.dataset_record import RECORD_NAME, DatasetRecord, parse_record
from archive_tui.archives.datasafe.shelf import ShelvedDataset
from archive_tui.integrity.streams import read_bounded
from archive_tui.manifests.datasafe_manifest import MANIFEST_FILE
from archive_tui.names.loi import read_number
from archive_tui.names.object_keys import is_temporary_name
from archive_tui.objects.folder.swap import find_interrupted_swaps, finish_interrupted_swap, is_swap_note
from archive_tui.progress import StopSignal, check_stop, never

Result = TypeVar("Result")

_LARGEST_RECORD = 256 << 20
_LOOKS = 20
"""So many times a dataset may be updated while it is looked at."""
_DEEPEST = 16
"""Folders below the root; places have seven at most."""


def resolve_place(root: Path, place: str) -> Path | None:
    """Returns the folder of a place; None when there is none.

    Raises: OSError (ELOOP) when a link is on the way.
    """
    path = root
    if not is_plain_place(place):
        return None
    for segment in place.split("/"):
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


def is_plain_place(place: str) -> bool:
    """False for what leads out of the root, or can be no path at all."""
    return "\0" not in place and not any(segment in ("", ".", "..") for segment in place.split("/"))


def find_numbers(folder: Path | int, *, only_folders: bool = False) -> list[int]:
    """Returns the numbers that are names in a folder, whatever has them unless `only_folders`; none where there is no
    folder.

    Raises: OSError.
    """
    try:
        with os.scandir(folder) as entries:
            names = [each.name for each in entries if not only_folders or each.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    numbers = (read_number(name) for name in names)
    return [number for number in numbers if number is not None]


def are_linked(first: Path, second: Path) -> bool:
    """True if one folder is a snapshot of the other: their records are equal, or their manifests the same file."""
    record = _read_record(first)
    if record is not None:
        return record == _read_record(second)
    try:
        one, other = ((folder / MANIFEST_FILE).stat(follow_symlinks=False) for folder in (first, second))
    except OSError:
        return False
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def list_files(folder: Path) -> list[tuple[str, int]]:
    """Returns the regular files below a folder, with their sizes in bytes, sorted; our own record left out."""
    return sorted(_walk_files(folder, ""))


def _walk_files(folder: Path, prefix: str, *, with_record: bool = False) -> Iterator[tuple[str, int]]:
    waiting = [(folder, prefix)]
    while waiting:
        folder, prefix = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                path = f"{prefix}{entry.name}"
                if is_temporary_name(entry.name) or (path == RECORD_NAME and not with_record):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((folder / entry.name, f"{path}/"))
                elif entry.is_file(follow_symlinks=False):
                    yield path, entry.stat(follow_symlinks=False).st_size


def read_steadily(folder: Path, look: Callable[[Path], Result]) -> Result:
    """Returns what `look` says of the folder of a dataset. It is called again when the dataset is updated meanwhile, so
    that what it says is of one dataset; and what an update that was killed has put aside is brought back first.

    Raises: FileNotFoundError when there is no such folder, and what `look` raises.
    """
    for _ in range(_LOOKS):
        before = identify_folder(folder)
        if before is None:
            finish_interrupted_swap(folder)
            continue
        try:
            result = look(folder)
        except (FileNotFoundError, NotADirectoryError):
            if before == identify_folder(folder):
                raise
            continue
        if before == identify_folder(folder):
            return result
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))


def identify_folder(folder: Path) -> str | None:
    """Returns the version of what lies in the folder of a dataset; None: there is no folder.

    Raises: OSError.
    """
    # An inode alone may be that of a folder that was removed a moment ago.
    try:
        status = folder.stat(follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _version_of(status)


def _version_of(status: os.stat_result) -> str:
    return f"{status.st_ino}-{status.st_mtime_ns}-{status.st_ctime_ns}"


def look_at_dataset(path: Path, place: str) -> ShelvedDataset:
    """Returns what lies in the folder of a place. A record counts while names and sizes of the files are those that it
    lists.

    Raises: OSError.
    """
    status = path.stat(follow_symlinks=False)
    names = [name for name in os.listdir(path) if not is_temporary_name(name)]  # noqa: PTH208  (names only, quickly)
    version = _version_of(status)
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
    """Yields what lies in folders with a number for a name, at `place` or below, and is reserved or filled. Links and
    names that begin with a dot are passed over, and so are stray files on the way to other places.

    Raises: OSError; OperationStopped.
    """
    depth = place.count("/") + 1 if place else 0
    yield from _walk(folder, place, depth, stop)


def _walk(folder: Path, place: str, depth: int, stop: StopSignal) -> Iterator[ShelvedDataset]:
    check_stop(stop)
    try:
        names, folders = read_steadily(folder, _list_folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    is_numbered = bool(place) and read_number(folder.name) is not None
    is_dataset = not names.isdisjoint((MANIFEST_FILE, RECORD_NAME))
    has_places = False
    if depth < _DEEPEST and not (is_numbered and is_dataset):
        for name in folders:
            for found in _walk(folder / name, f"{place}/{name}" if place else name, depth + 1, stop):
                has_places = True
                yield found
    if not is_numbered or has_places:
        return
    with contextlib.suppress(FileNotFoundError):
        if not names or is_dataset or read_steadily(folder, _holds_files):
            yield read_steadily(folder, lambda path: look_at_dataset(path, place))


def _holds_files(folder: Path) -> bool:
    return next(_walk_files(folder, "", with_record=True), None) is not None


def _list_folder(folder: Path) -> tuple[set[str], list[str]]:
    """Returns all names in a folder, and the folders among them that may lead to places. What an update that was
    killed has put aside is brought back first.

    Raises: OSError.
    """
    for _ in range(_LOOKS):
        with os.scandir(folder) as entries:
            found = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
        aside = find_interrupted_swaps(folder) if any(map(is_swap_note, found)) else []
        missing = [name for name in aside if name not in found]
        if not missing:
            break
        for name in missing:
            finish_interrupted_swap(folder / name)
    names = {name for name in found if not is_temporary_name(name)}
    return names, sorted(name for name in names if found[name] and not name.startswith("."))


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

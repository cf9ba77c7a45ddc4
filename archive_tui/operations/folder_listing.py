"""Everything below a folder that is not a folder, whatever it is, but for unfinished writes of our own."""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterator
from pathlib import Path
from typing import NamedTuple

from archive_tui.names.object_keys import is_temporary_name
from archive_tui.progress import StopSignal, check_stop, never

EMPTY_FOLDER = "an empty folder"


class ListedFile(NamedTuple):
    """`path` is relative, with `/`; `size` None when it is no regular file, and then `detail` says what it is; `status`
    is that of a regular file. With an `error`, `path` is a folder that could not be listed."""

    path: str
    size: int | None
    detail: str = ""
    error: OSError | None = None
    status: os.stat_result | None = None


_VANISHED = ListedFile("", None)


def list_folder_files(
    folder: Path, *, known: Container[str] = (), stop: StopSignal = never, empty_folders: bool = False
) -> Iterator[ListedFile]:
    """Yields all files below `folder` but the `known`, in any order; symbolic links are named, not followed.
    `empty_folders`: those as well, with that as their `detail`.

    What vanishes meanwhile is left out. Raises: OperationStopped.
    """
    prefix = str(folder) + "/"
    pending = [""]
    while pending:
        check_stop(stop)
        path = pending.pop()
        is_empty = empty_folders
        try:
            with os.scandir(prefix + path) as entries:
                for entry in entries:
                    is_empty = False
                    if path + entry.name in known and not entry.is_dir(follow_symlinks=False):
                        continue
                    found = _look_at(entry, path + entry.name)
                    if found is None:
                        pending.append(f"{path}{entry.name}/")
                    elif found is not _VANISHED and not is_temporary_name(entry.name):
                        yield found
        except OSError as error:
            if path and isinstance(error, FileNotFoundError):
                continue
            yield ListedFile(path.rstrip("/") or ".", None, error=error)
            continue
        if is_empty:
            yield ListedFile(path.rstrip("/") or ".", None, EMPTY_FOLDER)


def _look_at(entry: os.DirEntry[str], path: str) -> ListedFile | None:
    """Returns None for a folder."""
    if entry.is_symlink():
        return ListedFile(path, None, "a symbolic link")
    if entry.is_dir(follow_symlinks=False):
        return None
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return _VANISHED
    if stat.S_ISREG(status.st_mode):
        return ListedFile(path, status.st_size, status=status)
    return ListedFile(path, None, "a socket, pipe or device")

"""Everything below a folder that is not a folder, whatever it is, but for unfinished writes of our own."""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterator
from pathlib import Path
from typing import NamedTuple

from archive_tui.names.object_keys import is_temporary_name
from archive_tui.progress import StopSignal, check_stop, never


class ListedFile(NamedTuple):
    """`path` is relative, with `/`; `size` None when it is no regular file, and then `detail` says what it is. With an
    `error`, `path` is a folder that could not be listed."""

    path: str
    size: int | None
    detail: str = ""
    error: OSError | None = None


def list_folder_files(folder: Path, *, known: Container[str] = (), stop: StopSignal = never) -> Iterator[ListedFile]:
    """Yields all files below `folder` but the `known`, in any order; symbolic links are named, not followed.

    Raises: OperationStopped.
    """
    prefix = str(folder) + "/"
    pending = [""]
    while pending:
        check_stop(stop)
        path = pending.pop()
        try:
            with os.scandir(prefix + path) as entries:
                for entry in entries:
                    if path + entry.name in known and not entry.is_dir(follow_symlinks=False):
                        continue
                    found = _look_at(entry, path + entry.name)
                    if found is None:
                        pending.append(f"{path}{entry.name}/")
                    elif not is_temporary_name(entry.name):
                        yield found
        except OSError as error:
            yield ListedFile(path.rstrip("/") or ".", None, error=error)


def _look_at(entry: os.DirEntry[str], path: str) -> ListedFile | None:
    """Returns None for a folder."""
    if entry.is_symlink():
        return ListedFile(path, None, "a symbolic link")
    if entry.is_dir(follow_symlinks=False):
        return None
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISREG(status.st_mode):
        return ListedFile(path, status.st_size)
    return ListedFile(path, None, "a socket, pipe or device")

"""The trash of this machine, as desktops know it: what is put there can be taken back.

Format: https://specifications.freedesktop.org/trash-spec/1.0/. A file `info/NAME.trashinfo` is made first, which claims
the name; then the thing itself becomes `files/NAME` by a rename. Nothing is ever copied, so it has to be on the file
system of the thing: the home trash, or one at the top of the mounted file system.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time
from pathlib import Path
from urllib.parse import quote

from archive_tui.errors import ObjectNotFound, StorageError
from archive_tui.names.numbered_names import number_name
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.paths import open_folder, split_key, sync_folder
from archive_tui.objects.folder.store import FolderStore

_INFO = ".trashinfo"
_LONGEST_NAME = 200
"""Bytes, so that the name of the info file fits as well."""

_MOST_NUMBERS = 100_000


def move_to_trash(store: FolderStore, key: str) -> Path:
    """Moves the file or folder into the trash, never over what lies there; returns where it lies now.

    A link goes itself, never what it leads to; what it lies in is not left by a link.

    Raises: ObjectNotFound; StorageError (trash-unavailable) when there is no trash on its file system, or it cannot be
    used; what the folder raises.
    """
    folder, name = split_key(key)
    with translate_os_errors(key, store.label):
        parent_fd = open_folder(store.root, folder, enters_symlinks=store.enters_symlinks)
    try:
        status = _status(name, parent_fd, key, store.label)
        original = os.path.join(os.path.realpath(store.root / folder), name)  # noqa: PTH118
        try:
            return _put(name, parent_fd, original, status)
        except OSError as error:
            raise StorageError(
                f"{store.label}: {key!r} cannot go to the trash: {error.strerror or error}",
                key=key,
                store=store.label,
                hint="It lies where it was. Delete it for good, without the trash, if you mean that.",
                code="trash-unavailable",
            ) from error
    finally:
        os.close(parent_fd)


def _status(name: str, parent_fd: int, key: str, label: str) -> os.stat_result:
    try:
        return os.stat(name, dir_fd=parent_fd, follow_symlinks=False)
    except FileNotFoundError as error:
        raise ObjectNotFound(f"{label}: No such object: {key!r}", key=key, store=label) from error


def _put(name: str, parent_fd: int, original: str, status: os.stat_result) -> Path:
    trash, relative_to = _find_trash(original, status)
    for part in ("files", "info"):
        (trash / part).mkdir(mode=0o700, parents=True, exist_ok=True)
    path = os.path.relpath(original, relative_to) if relative_to is not None else original
    taken = _claim(trash / "info", name, path)
    try:
        _take(name, parent_fd, trash / "files" / taken, is_folder=stat.S_ISDIR(status.st_mode))
    except BaseException:
        with contextlib.suppress(OSError):
            (trash / "info" / f"{taken}{_INFO}").unlink()
        raise
    _sync(trash / "files", parent_fd)
    return trash / "files" / taken


def _find_trash(original: str, status: os.stat_result) -> tuple[Path, str | None]:
    """Returns the trash, and the folder that paths in it are relative to (None: they are whole)."""
    if sys.platform == "darwin":
        raise OSError(errno.ENOTSUP, "this system has a trash of another kind")
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "Trash"
    if status.st_dev == _device_of(home):
        return home, None
    top = os.path.dirname(original)  # noqa: PTH120
    while not os.path.ismount(top):
        top = os.path.dirname(top)  # noqa: PTH120
    user = os.getuid()
    shared = Path(top) / ".Trash"
    with contextlib.suppress(OSError):
        kind = shared.lstat().st_mode
        if stat.S_ISDIR(kind) and kind & stat.S_ISVTX and os.access(shared, os.W_OK):
            return shared / str(user), top
    own = Path(top) / f".Trash-{user}"
    own.mkdir(mode=0o700, exist_ok=True)
    found = own.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_dev != status.st_dev:
        raise OSError(errno.EPERM, f"{own} is not your trash")
    return own, top


def _device_of(path: Path) -> int:
    while not path.exists():
        path = path.parent
    return path.stat().st_dev


def _claim(info: Path, name: str, path: str) -> str:
    """Makes the info file; returns the name in the trash that it claims."""
    raw = os.fsencode(name)
    short = name if len(raw) <= _LONGEST_NAME else os.fsdecode(raw[:_LONGEST_NAME])
    text = f"[Trash Info]\nPath={quote(os.fsencode(path))}\nDeletionDate={time.strftime('%Y-%m-%dT%H:%M:%S')}\n"
    for number in range(1, _MOST_NUMBERS):
        taken = short if number == 1 else number_name(short, number)
        if os.path.lexists(info.parent / "files" / taken):
            continue  # left there without its info file
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(info / f"{taken}{_INFO}", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            return taken
    raise OSError(errno.EEXIST, "too many of this name are in the trash")


def _take(name: str, parent_fd: int, target: Path, *, is_folder: bool) -> None:
    if not is_folder:
        try:
            os.link(name, target, src_dir_fd=parent_fd, follow_symlinks=False)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
                raise  # no hard links here, or not to this file: the claim has to do
        else:
            os.unlink(name, dir_fd=parent_fd)
            return
    os.rename(name, target, src_dir_fd=parent_fd)


def _sync(files: Path, parent_fd: int) -> None:
    with contextlib.suppress(OSError):
        files_fd = os.open(files, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            sync_folder(files_fd)
        finally:
            os.close(files_fd)
        sync_folder(parent_fd)

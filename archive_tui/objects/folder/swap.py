"""Makes a finished folder visible in the place of another, so that no crash leaves neither of them.

A folder is built in a *stage* beside its target: a temporary folder that is locked while its process lives. When all
of it is durable the target goes aside, the stage takes its name, and the old one is removed:

    1  a note is written beside the target: which stage is to replace it
    2  target → aside
    3  stage → target
    4  aside → a temporary name, the note is removed
    5  what has that name is removed

A crash before 2 leaves the old one in place, one between 2 and 3 leaves the note, by which the next run brings the
stage in, or the old one back if the stage is gone; later the new one is there. The names of the note and of what went
aside follow from the target's, so whoever works on the target finds them (`finish_interrupted_swap`).
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive_tui.errors import ObjectNotFound, TargetExists
from archive_tui.names.object_keys import TEMPORARY_PREFIX, TEMPORARY_SUFFIX
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.folder.atomic_file import LABEL, sync_folder, write_in_folder
from archive_tui.objects.folder.create_only import exists
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.kept_stage import remove_kept_stage as remove_kept_stage
from archive_tui.objects.folder.temporary_entries import (
    create_locked_folder,
    locked_folder,
    new_temporary_name,
    remove_abandoned,
)

SYNC_ONE_BY_ONE = 64
"""Files up to which each is synced by itself; for more, one sync of the whole file system is quicker by far."""


@contextmanager
def staged_folder(parent: Path) -> Iterator[Path]:
    """Makes an empty temporary folder in `parent`, and removes it at the end unless it was swapped in.

    `parent` is made if it does not exist. Stages that killed processes have left there are removed first. A
    living process's stage is locked and stays.

    Raises: AccessDenied, StorageFull, StorageError.
    """
    with translate_os_errors(str(parent), LABEL, writing=True):
        parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(parent)
        stage, descriptor = create_locked_folder(parent)
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        os.close(descriptor)


def swap_folder(stage: Path, target: Path, *, overwrite: bool = False) -> None:
    """Gives the finished `stage`, which lies in the folder of `target`, the name of `target`.

    Everything in the stage is made durable first. An existing target is replaced only with `overwrite`; at no moment
    are both gone, and of racing callers one after the other has its turn.

    Raises: TargetExists, AccessDenied, StorageFull, StorageError.
    """
    with translate_os_errors(str(target), LABEL, writing=True):
        sync_tree(stage)
        parent_fd = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with locked_folder(parent_fd):
                _finish(target.name, parent_fd)
                replaced = _exchange(stage.name, target.name, parent_fd, overwrite=overwrite)
            if replaced:
                _remove(replaced, parent_fd)
        finally:
            os.close(parent_fd)


def fill_folder(stage: Path, target: Path) -> None:
    """Gives the finished `stage`, which lies in the folder of `target`, the name of `target`, an empty folder.

    Everything in the stage is made durable first. There is always a folder of that name, and of racing callers one
    wins.

    Raises: ObjectNotFound when there is no such folder; TargetExists when it is not empty; AccessDenied, StorageFull,
    StorageError.
    """
    with translate_os_errors(str(target), LABEL, writing=True):
        sync_tree(stage)
        parent_fd = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with locked_folder(parent_fd):
                _finish(target.name, parent_fd)
                if not exists(target.name, parent_fd):
                    raise ObjectNotFound(f"No such folder: {target}", key=str(target), store=LABEL)
                _rename(stage.name, target.name, parent_fd)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            raise TargetExists(f"Not empty: {target}", hint="Choose another folder.") from error
        finally:
            os.close(parent_fd)


def find_interrupted_swaps(folder: Path) -> list[str]:
    """Returns the names of targets in `folder` that somebody is swapping, or was when it was killed.

    Raises: OSError when the folder cannot be listed.
    """
    folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        notes = [name for name in os.listdir(folder_fd) if is_swap_note(name)]  # noqa: PTH208  (an open folder)
        targets = [_read_target(note, folder_fd) for note in notes]
    finally:
        os.close(folder_fd)
    return sorted(target for target in targets if target)


def is_swap_note(name: str) -> bool:
    return name.startswith(f"{TEMPORARY_PREFIX}swap-") and name.endswith(TEMPORARY_SUFFIX)


def finish_interrupted_swap(target: Path) -> bool:
    """Completes or undoes what a killed `swap_folder` has left of `target`; True if there was something to do.

    Call it before looking whether `target` exists. Waits for a swap that is going on.

    Raises: AccessDenied, StorageError.
    """
    with translate_os_errors(str(target), LABEL, writing=True):
        try:
            parent_fd = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            return False
        try:
            if not exists(_note_name(target.name), parent_fd):
                return False
            with locked_folder(parent_fd):
                return _finish(target.name, parent_fd)
        finally:
            os.close(parent_fd)


def sync_tree(folder: Path) -> None:
    """Makes every file and folder below `folder`, and itself, durable.

    Raises: OSError of the first that cannot be.
    """
    files = [Path(root) / name for root, _, names in os.walk(folder) for name in names]
    if len(files) > SYNC_ONE_BY_ONE and _sync_file_system(folder):
        return
    for path in [*files, *(Path(root) for root, _, _ in os.walk(folder, topdown=False))]:
        if path.is_symlink():
            continue
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        try:
            sync_folder(descriptor) if path.is_dir() else os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sync_file_system(folder: Path) -> bool:
    import ctypes  # here, because it costs more than the rest of the start, and few fetches need it

    # syncfs reports write errors of the whole file system since Linux 5.8; elsewhere the slow way is the honest one.
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "syncfs") or _kernel_version() < (5, 8):
        return False
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if library.syncfs(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(folder))
    finally:
        os.close(descriptor)
    return True


def _kernel_version() -> tuple[int, ...]:
    numbers = os.uname().release.split("-")[0].split(".")[:2]
    return tuple(int(number) for number in numbers if number.isdigit())


def _exchange(stage: str, target: str, parent_fd: int, *, overwrite: bool) -> str:
    """Returns the name under which the replaced folder waits for its removal, or an empty text."""
    if not exists(target, parent_fd):
        _rename(stage, target, parent_fd)
        return ""
    if not overwrite:
        raise TargetExists(f"Exists already: {target}", hint="Ask for overwriting it, or choose another folder.")
    _write_note(stage, target, parent_fd)
    _rename(target, _aside_name(target), parent_fd)
    _rename(stage, target, parent_fd)
    return _drop_aside(target, parent_fd)


def _finish(target: str, parent_fd: int) -> bool:
    """Under the lock of the parent: whoever wrote the note is dead."""
    if not exists(_note_name(target), parent_fd):
        return False
    if not exists(target, parent_fd):
        stage = _read_note(target, parent_fd)
        comes_in = stage if stage and exists(stage, parent_fd) else _aside_name(target)
        with contextlib.suppress(FileNotFoundError):
            _rename(comes_in, target, parent_fd)
    replaced = _drop_aside(target, parent_fd)
    if replaced:
        _remove(replaced, parent_fd)
    return True


def _remove(name: str, parent_fd: int) -> None:
    # What cannot be removed now is a temporary entry that the next writer tries again.
    shutil.rmtree(name, ignore_errors=True, dir_fd=parent_fd)
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=parent_fd)


def _drop_aside(target: str, parent_fd: int) -> str:
    removed = ""
    if exists(_aside_name(target), parent_fd):
        removed = new_temporary_name()
        _rename(_aside_name(target), removed, parent_fd)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_note_name(target), dir_fd=parent_fd)
    sync_folder(parent_fd)
    return removed


def _rename(old: str, new: str, parent_fd: int) -> None:
    os.rename(old, new, src_dir_fd=parent_fd, dst_dir_fd=parent_fd)
    sync_folder(parent_fd)


def _write_note(stage: str, target: str, parent_fd: int) -> None:
    text = json.dumps({"target": target, "stage": stage}).encode()
    write_in_folder(parent_fd, _note_name(target), CheckedSource([text], len(text)), key=target)


def _read_note(target: str, parent_fd: int) -> str:
    stage = _read_text(_note_name(target), "stage", parent_fd)
    return stage if stage.startswith(TEMPORARY_PREFIX) and "/" not in stage else ""


def _read_target(note: str, parent_fd: int) -> str:
    try:
        target = _read_text(note, "target", parent_fd)
    except OSError:
        return ""
    return target if _note_name(target) == note else ""


def _read_text(note: str, key: str, parent_fd: int) -> str:
    descriptor = os.open(note, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent_fd)
    try:
        document = json.loads(os.read(descriptor, 1 << 16))
    except (ValueError, RecursionError):
        return ""
    finally:
        os.close(descriptor)
    text = document.get(key) if isinstance(document, dict) else None
    return text if isinstance(text, str) else ""


def _note_name(target: str) -> str:
    return f"{TEMPORARY_PREFIX}swap-{_short(target)}{TEMPORARY_SUFFIX}"


def _aside_name(target: str) -> str:
    return f"{TEMPORARY_PREFIX}old-{_short(target)}{TEMPORARY_SUFFIX}"


def _short(target: str) -> str:
    return hashlib.sha256(os.fsencode(target)).hexdigest()[:32]

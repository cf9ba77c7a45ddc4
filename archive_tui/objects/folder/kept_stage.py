"""A stage that outlives the run that has begun it: the next run of the same job goes on with what lies in it.

Its name is of the kind that no other writer takes for abandoned before it is a month old. The journal knows it before
it is made, so that whoever cleans up after the job finds it. Nothing of what lies in it is believed here.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from archive_tui.continuation import Journal
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.kept_parts import is_kept_name, new_kept_name
from archive_tui.objects.folder.temporary_entries import NO_LOCKS, create_locked_folder, remove_abandoned
from archive_tui.objects.unfinished import keeps_parts

STAGE = "stage"
"""The name under which the journal keeps the token of the stage."""

_LABEL = "the local file system"
_NO_FOLDER = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class KeptStage:
    """`is_continued`: an earlier run has worked in it."""

    path: Path
    is_continued: bool


@contextmanager
def kept_stage(parent: Path, journal: Journal) -> Iterator[KeptStage]:
    """Gives the stage of an earlier run in `parent`, or an empty one, locked while it is worked in.

    It stays when the block ends because of a stop, a storage that is not available, or the end of the process; any
    other end removes it unless it was swapped in. What killed processes have left in `parent` is removed first.

    Raises: AccessDenied, StorageFull, StorageError.
    """
    with translate_os_errors(str(parent), _LABEL, writing=True):
        parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(parent)
        stage, descriptor = _open_stage(Path(os.path.abspath(parent)), journal)  # noqa: PTH100  (links stay links)
    is_kept = False
    try:
        yield stage
    except BaseException as error:
        is_kept = keeps_parts(error) and is_kept_name(stage.path.name)
        raise
    finally:
        if not is_kept:
            shutil.rmtree(stage.path, ignore_errors=True)
            if is_kept_name(stage.path.name):
                journal.save(STAGE, None)
        os.close(descriptor)


def remove_kept_stage(token: bytes) -> bool:
    """Removes the stage that a journal knows by `token`, unless somebody works in it; True if it is gone. Never raises
    OSError."""
    place = _read_token(token)
    if place is None:
        return False
    descriptor = -1
    try:
        descriptor = os.open(place, _FLAGS)
        if not _lock(descriptor) or not _is_still_named(place, descriptor):
            return False
        shutil.rmtree(place)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    return True


def _open_stage(parent: Path, journal: Journal) -> tuple[KeptStage, int]:
    """Raises: OSError."""
    token = journal.load(STAGE)
    known = None if token is None else _read_token(token)
    if known is not None and known.parent == parent:
        descriptor = _open_folder(known)
        if descriptor is not None:
            if _lock(descriptor) and _is_still_named(known, descriptor):
                os.utime(descriptor)  # it is not abandoned
                return KeptStage(known, is_continued=True), descriptor
            os.close(descriptor)
            # Another run of the same job works in it, which should not be: both get along, and one of them wins.
            return _plain_stage(parent)
    elif token is not None:
        remove_kept_stage(token)
    return _new_stage(parent, journal)


def _open_folder(place: Path) -> int | None:
    """None: there is no folder of that name. Raises: OSError."""
    try:
        return os.open(place, _FLAGS)
    except OSError as error:
        if error.errno in _NO_FOLDER:
            return None
        raise


def _plain_stage(parent: Path) -> tuple[KeptStage, int]:
    folder, descriptor = create_locked_folder(parent)
    return KeptStage(folder, is_continued=False), descriptor


def _new_stage(parent: Path, journal: Journal) -> tuple[KeptStage, int]:
    folder = parent / new_kept_name()
    token = json.dumps({"folder": os.fspath(parent), "name": folder.name}).encode("ascii")
    journal.save(STAGE, token, durable=True)
    folder.mkdir()
    descriptor = os.open(folder, _FLAGS)
    if not _lock(descriptor):
        os.close(descriptor)
        raise OSError(errno.EBUSY, "Somebody else has locked the new stage", str(folder))
    return KeptStage(folder, is_continued=False), descriptor


def _read_token(token: bytes) -> Path | None:
    """Returns the place of a stage, and of nothing else, whatever the token says."""
    try:
        document = json.loads(token)
        folder, name = document["folder"], document["name"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(folder, str) or not isinstance(name, str) or not is_kept_name(name):
        return None
    return Path(folder) / name if folder.startswith("/") and "\0" not in folder else None


def _lock(descriptor: int) -> bool:
    """False: somebody holds the lock. A file system without locks leaves it to the owner of the job."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in NO_LOCKS
    return True


def _is_still_named(place: Path, descriptor: int) -> bool:
    try:
        named = os.stat(place, follow_symlinks=False)  # noqa: PTH116
    except FileNotFoundError:
        return False
    return os.path.samestat(named, os.fstat(descriptor))

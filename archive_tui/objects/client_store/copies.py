"""Files that a stranger's storage client leaves in, or takes from, `local_path`, without harm to the user's own there.

Such a client knows only names below `local_path`. A file of the user's that bears the name of an object is renamed to
`NAME.archive-tui-kept` for the moment of the transfer and put back after it; what a killed process has left under
that name is put back by the next transfer. Nothing of the user's is ever deleted or copied over.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive_tui.errors import TargetExists

KEPT_SUFFIX = ".archive-tui-kept"


class LocalPlace:
    """`local_path` of a client, used by one transfer at a time, in this process and in others of this user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._lock = threading.RLock()
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:24]
        self._lock_file = Path(tempfile.gettempdir()) / f"archive-tui-{os.getuid()}-{name}.lock"

    @contextmanager
    def borrowed_name(self, key: str) -> Iterator[Path]:
        """Gives the path of `key` with nothing there; afterwards, what lies there is removed and the user's put back.

        Raises: TargetExists when a file of the user's can be neither used nor put back; OSError.
        """
        path = self.folder / key
        kept = path.with_name(path.name + KEPT_SUFFIX)
        with self._lock, self._only_one_process():
            made = _make_folders(path.parent, self.folder)
            try:
                _put_back_after_crash(path, kept)
                if os.path.lexists(path):
                    path.rename(kept)
                try:
                    yield path
                finally:
                    _restore(path, kept)
            finally:
                for folder in made:
                    with contextlib.suppress(OSError):  # it is not empty: then it is no longer only ours
                        folder.rmdir()

    @contextmanager
    def _only_one_process(self) -> Iterator[None]:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._lock_file, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _put_back_after_crash(path: Path, kept: Path) -> None:
    if not os.path.lexists(kept):
        return
    if os.path.lexists(path):
        raise TargetExists(
            f"Two files of the same name are in the way: {path} and {kept.name}",
            hint="An earlier transfer was killed. Look which of them is yours, and remove or rename the other.",
            code="kept-file",
        )
    kept.rename(path)


def _restore(path: Path, kept: Path) -> None:
    if os.path.lexists(kept) and not kept.is_dir():
        kept.replace(path)  # one step: what the transfer has left there goes, the user's comes back
        return
    path.unlink(missing_ok=True)
    if kept.is_dir():
        kept.rename(path)


def _make_folders(folder: Path, root: Path) -> list[Path]:
    """Makes the folder and those above it; returns the ones made below `root`, the deepest first."""
    missing: list[Path] = []
    current = folder
    while not current.exists():
        missing.append(current)
        current = current.parent
    folder.mkdir(parents=True, exist_ok=True)
    return [made for made in missing if made != root and root in made.parents]

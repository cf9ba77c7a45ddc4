"""A local file as the source of an upload: opened anew whenever it is read, never trusted to be what it was."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from archive_tui.errors import SourceChanged, SourceError, SourceNotFound, SourceUnreadable
from archive_tui.integrity.streams import BLOCK_SIZE, hash_stream, read_chunks
from archive_tui.names.display import escape_for_display
from archive_tui.progress import StopSignal, never

# Without O_NONBLOCK, a pipe that took the place of a file would hang the reader.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR})


class LocalContent:
    """The content of the file `name`, relative to `root` or absolute; links are followed. `size` in bytes, as it was
    when this was made.

    Each iteration opens the file anew, so that an upload can be begun again without keeping what was read. What comes
    may differ from one iteration to the next: who takes it has to compare digests.

    Raises, when made and in each iteration: SourceNotFound, SourceUnreadable.
    """

    def __init__(self, root: Path, name: str, *, stop: StopSignal = never) -> None:
        self._path = Path(root, name)
        self._name = name
        self._stop = stop
        try:
            self.size = self._check_regular(self._path.stat())
        except (OSError, ValueError) as error:
            raise self._explained(error) from error

    def __iter__(self) -> Iterator[bytes]:
        try:
            with open(self._open(), "rb", buffering=0) as file:  # noqa: PTH123  (a descriptor)
                size = self._check_regular(os.fstat(file.fileno()))
                # One byte more: a small file then ends with its first block.
                yield from read_chunks(file, block_size=min(BLOCK_SIZE, size + 1), stop=self._stop)
        except SourceError:
            raise
        except (OSError, ValueError) as error:
            raise self._explained(error) from error

    def find_digest(self) -> tuple[str, int]:
        """Reads the file as it is now. Raises: SourceNotFound, SourceUnreadable, OperationStopped."""
        return hash_stream(self)

    def _open(self) -> int:
        return os.open(self._path, _FLAGS)

    def _check_regular(self, status: os.stat_result) -> int:
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "Not a regular file")
        return status.st_size

    def _explained(self, error: OSError | ValueError) -> SourceError:
        shown = escape_for_display(self._name)
        if isinstance(error, ValueError):
            return SourceNotFound(f"No file can have this name: {shown}", path=self._name)
        if error.errno in _ABSENT:
            hint = "Check the folder that the names are relative to (--root)."
            if "\\" in self._name and "/" not in self._name:
                hint += " Here a backslash is a part of a name: a manifest made on Windows has to be written with /."
            return SourceNotFound(f"No such file: {shown}", path=self._name, hint=hint)
        reason = error.strerror or type(error).__name__
        hint = "Check its permissions and its disk; the other lines are done all the same."
        return SourceUnreadable(f"Cannot be read: {shown}: {reason}", path=self._name, hint=hint)


def check_size(content: LocalContent, name: str, expected: int | None) -> None:
    """Raises: SourceChanged when the file has another size than its line says (None: it does not)."""
    if expected is not None and content.size != expected:
        raise SourceChanged(f"Another size than its line says: {escape_for_display(name)}", path=name)

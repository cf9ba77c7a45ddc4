"""Opens files below a folder without ever following a symbolic link, and cheaply for many files of the same folders."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from archive_tui.errors import SourceChanged, SourceError, SourceNotFound, SourceUnreadable
from archive_tui.names.display import escape_for_display
from archive_tui.operations.scanning.open_folders import OpenFolders

# Without O_NONBLOCK, a pipe that took the place of a file would hang the reader.
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_MOVING_HINT = "Wait until nothing changes the source any more, then run the same again."


class ContainedOpener(OpenFolders):
    """Opens regular files below its base. Safe to use from several threads; holds at most 33 folders open."""

    def open_regular_file(self, path: str) -> int:
        """Returns a descriptor for reading, at the beginning of the file; the caller closes it.

        Raises: SourceChanged (vanished, or something else than a regular file is there), SourceUnreadable,
        SourceError for what else the system refuses.
        """
        parent, _, name = path.rpartition("/")
        try:
            folder = self.open_folder(parent)
            descriptor = os.open(name, _FILE_FLAGS, dir_fd=folder.descriptor)
        except OSError as error:
            raise translate_read_error(path, error) from error
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        raise SourceChanged(f"No regular file any more: {escape_for_display(path)}", path=path, hint=_MOVING_HINT)


def translate_read_error(path: str, error: OSError) -> SourceError:
    """Returns the error of this package for a file that could not be opened or read."""
    shown = escape_for_display(path)
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE):
        return SourceChanged(
            f"Vanished while it was read: {shown}", path=path, hint=_MOVING_HINT, code="source-vanished"
        )
    if error.errno == errno.ELOOP:
        return SourceChanged(
            f"A symbolic link took the place of a file or folder: {shown}", path=path, hint=_MOVING_HINT
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return SourceUnreadable(
            f"May not be read: {shown}", path=path, hint="Give your user the right to read it, or leave it out."
        )
    reason = error.strerror or str(error)
    return SourceError(f"Cannot be read ({reason}): {shown}", path=path, hint="Check the disk or the connection to it.")


def source_not_found(source: Path) -> SourceNotFound:
    return SourceNotFound(
        f"No such file or folder: {escape_for_display(str(source))}",
        path=str(source),
        hint="Check the spelling; a relative path starts at the current folder.",
    )

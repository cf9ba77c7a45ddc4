"""Where on this machine a dataset is unpacked and proven before it goes to an object store."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from archive_tui.errors import ConfigurationError
from archive_tui.objects.folder.errors import translate_os_errors


def own_temporary_folder() -> Path:
    """Returns a folder in TMPDIR that is the same in every process of this user, so that the next deposit finds what a
    killed one has left there.

    Raises: ConfigurationError when somebody else has made a folder of that name; StorageError.
    """
    folder = Path(tempfile.gettempdir()) / f"archive-tui-{os.getuid()}-datasafe"
    with translate_os_errors(str(folder), "the stage of the datasafe", writing=True):
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
                raise _refuse(folder) from None
    return folder


def _refuse(folder: Path) -> ConfigurationError:
    return ConfigurationError(
        f"This folder is not ours alone, so no dataset is unpacked there: {folder}",
        hint="Remove it, or name another folder for temporary files in TMPDIR.",
    )

"""A second name for everything in a folder: what is replaced there afterwards stays reachable."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


def link_tree(source: Path, target: Path) -> None:
    """Gives every file below `source` the same name below `target`, a folder that is empty: by hard links, and by
    copies where there are none. Links are kept as links, and not followed.

    Raises: OSError.
    """
    with os.scandir(source) as entries:
        for entry in entries:
            path, other = source / entry.name, target / entry.name
            if entry.is_dir(follow_symlinks=False):
                other.mkdir()
                link_tree(path, other)
                continue
            try:
                os.link(path, other, follow_symlinks=False)
            except OSError as error:
                if error.errno not in _NO_HARD_LINKS:
                    raise
                shutil.copy2(path, other, follow_symlinks=False)

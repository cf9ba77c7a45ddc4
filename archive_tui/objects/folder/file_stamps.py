"""What tells a later run that a file is still the one that was read: its size, its times and its inode.

Times of a file move in ticks. Two changes within one tick leave the same times, so a file that was changed a moment
before it was read has no stamp: it may have been changed a moment after as well.
"""

from __future__ import annotations

import os
import time

from archive_tui.objects.folder.listing import file_version

TICK = 20_000_000
"""Nanoseconds that times may lag behind; kernels keep them every 1 to 10 ms."""

COARSE_TICK = 2_500_000_000
"""The same where a file system keeps whole seconds, or every second one."""

_SECOND = 1_000_000_000


def stamp_file(path: str, now: int | None = None) -> str:
    """Returns the stamp of the file at `path`, links followed; empty: it has none, or nobody can look. Never raises.

    `now`: nanoseconds since the epoch, None: the clock is asked.
    """
    try:
        status = os.stat(path)  # noqa: PTH116  (called for every file: a Path would cost as much again)
    except (OSError, ValueError):
        return ""
    return stamp_status(status, time.time_ns() if now is None else now)


def stamp_status(status: os.stat_result, now: int) -> str:
    """Returns the stamp of a file that is going to be read; empty when it was changed within the last tick."""
    is_coarse = has_coarse_times(status)
    is_settled = max(status.st_mtime_ns, status.st_ctime_ns) < now - (COARSE_TICK if is_coarse else TICK)
    return file_version(status) if is_settled else ""


def stamp_written(status: os.stat_result) -> str:
    """Returns the stamp of a file that was written here and read back; empty where times are too coarse to tell a
    change right afterwards."""
    return "" if has_coarse_times(status) else file_version(status)


def has_coarse_times(status: os.stat_result) -> bool:
    return not (status.st_mtime_ns % _SECOND or status.st_ctime_ns % _SECOND)

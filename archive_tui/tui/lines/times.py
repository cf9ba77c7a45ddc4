"""Points in time and ages as every screen writes them."""

from __future__ import annotations

import time

from archive_tui.names.quantities import format_span

_HALF_A_YEAR = 365.25 / 2 * 86400


def format_age(moment: float | None, now: float | None = None) -> str:
    """The time since `moment` (seconds since the epoch); empty when it is not known."""
    if moment is None:
        return ""
    return format_span((time.time() if now is None else now) - moment)


def format_clock(moment: float) -> str:
    """`14:02`, in local time."""
    return time.strftime("%H:%M", time.localtime(moment))


def format_time(moment: float | None, now: float | None = None) -> str:
    """`11-20 14:02` within half a year, else `2024-11-20`, as wide as each other; empty when it is not known."""
    if moment is None:
        return ""
    now = time.time() if now is None else now
    try:
        local = time.localtime(moment)
    except (OverflowError, OSError, ValueError):
        return ""
    if abs(now - moment) < _HALF_A_YEAR:
        return time.strftime("%m-%d %H:%M", local)
    return time.strftime(" %Y-%m-%d", local)

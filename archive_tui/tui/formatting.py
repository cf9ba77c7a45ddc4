"""Numbers, sizes, times and ages as every screen writes them. Pure functions."""

from __future__ import annotations

import time

_UNITS = ("B", "KB", "MB", "GB", "TB", "PB", "EB")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_MONTH, _YEAR = 30.44 * _DAY, 365.25 * _DAY


def format_size(size: int | float) -> str:
    """`14 KB`, `1.2 GB`: decimal units, at most three digits."""
    value = float(size)
    for unit in _UNITS:
        if value < 999.5 or unit == _UNITS[-1]:
            return f"{value:.1f} {unit}" if value < 9.95 and unit != "B" else f"{value:.0f} {unit}"
        value /= 1000
    raise AssertionError("unreachable")


def format_rate(bytes_per_second: float | None) -> str:
    return "" if bytes_per_second is None else f"{format_size(bytes_per_second)}/s"


def format_count(count: int) -> str:
    return f"{count:,}"


def count_of(count: int, noun: str) -> str:
    """`1 file`, `1,000 files`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def format_duration(seconds: float) -> str:
    """`9 s`, `3 m`, `2 h`, `5 d`, `2 mo`, `1 y`: one unit, rounded down."""
    seconds = max(0.0, seconds)
    for limit, divisor, unit in (
        (_MINUTE, 1, "s"),
        (_HOUR, _MINUTE, "m"),
        (_DAY, _HOUR, "h"),
        (2 * _MONTH, _DAY, "d"),
        (2 * _YEAR, _MONTH, "mo"),
    ):
        if seconds < limit:
            return f"{int(seconds // divisor)} {unit}"
    return f"{int(seconds // _YEAR)} y"


def format_age(moment: float | None, now: float | None = None) -> str:
    """The time since `moment` (seconds since the epoch); empty when it is not known."""
    if moment is None:
        return ""
    return format_duration((time.time() if now is None else now) - moment)


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
    if abs(now - moment) < _YEAR / 2:
        return time.strftime("%m-%d %H:%M", local)
    return time.strftime(" %Y-%m-%d", local)

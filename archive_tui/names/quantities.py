"""Figures as people read them, the same on the command line and on the screens: sizes, rates, durations. Pure."""

from __future__ import annotations

_UNITS = ("B", "KB", "MB", "GB", "TB", "PB", "EB")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_MONTH, _YEAR = 30.44 * _DAY, 365.25 * _DAY

NOT_KNOWN = "?"


def format_size(size: float) -> str:
    """Returns bytes in decimal units with at most three digits: `999 B`, `1.2 GB`, `31 MB`; `?` for a negative size,
    by which a store says that it does not know."""
    value = float(size)
    if value < 0:
        return NOT_KNOWN
    for unit in _UNITS:
        if value < 999.5 or unit == _UNITS[-1]:
            return f"{value:.1f} {unit}" if value < 9.95 and unit != "B" else f"{value:.0f} {unit}"
        value /= 1000
    raise AssertionError("unreachable")


def format_total(size: int, unknown: int) -> str:
    """Returns the sum of the sizes that are known, and says when there are `unknown` others: `1.2 GB + ?`, `?`."""
    if not unknown:
        return format_size(size)
    return f"{format_size(size)} + {NOT_KNOWN}" if size else NOT_KNOWN


def format_rate(bytes_per_second: float | None) -> str:
    """Returns `3.4 MB/s`; empty when the rate is not known."""
    return "" if bytes_per_second is None else f"{format_size(bytes_per_second)}/s"


def format_number(count: int) -> str:
    """Returns `1,204`."""
    return f"{count:,}"


def format_count(count: int, singular: str, plural: str = "") -> str:
    """Returns `1 file`, `1,204 files`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def format_span(seconds: float) -> str:
    """Returns an age or the time left in one unit, rounded down: `9 s`, `3 m`, `2 h`, `5 d`, `2 mo`, `1 y`."""
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


def format_duration(seconds: float) -> str:
    """Returns how long something took: `38 ms`, `1.4 s`, `12 s`, `3 m 20 s`, `2 h 05 m`, `4 d`."""
    if seconds < 0.9995:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} m {whole % _MINUTE:02d} s"
    if whole < 48 * _HOUR:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} m"
    return f"{whole // _DAY} d"

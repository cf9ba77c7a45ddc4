"""Figures as people read them: sizes, rates, durations. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

_UNITS = ("B", "KB", "MB", "GB", "TB", "PB", "EB")


def format_size(size: float) -> str:
    """Returns bytes in decimal units with two or three digits: `999 B`, `1.2 GB`, `31 MB`."""
    value = float(size)
    for unit in _UNITS:
        if value < 999.5 or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 9.95 else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable")


def format_duration(seconds: float) -> str:
    """Returns seconds in the unit that fits: `38 ms`, `1.4 s`, `12 s`, `3 m 20 s`, `2 h 05 m`, `4 d`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} m"
    return f"{whole // 86400} d"


def format_count(count: int, singular: str, plural: str = "") -> str:
    """Returns `1 file`, `1,204 files`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def format_time(seconds: float | None) -> str:
    """Returns a point in time as `2026-11-22 14:02` in local time; None as `-`."""
    return "-" if seconds is None else datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def iso_time(seconds: float | None) -> str | None:
    """Returns a point in time as ISO 8601 in UTC, for JSON."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")

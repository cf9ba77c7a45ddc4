"""Points in time, for people and for programs."""

from __future__ import annotations

from datetime import UTC, datetime


def format_time(seconds: float | None) -> str:
    """Returns a point in time as `2026-11-22 14:02` in local time; None as `-`."""
    return "-" if seconds is None else datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def iso_time(seconds: float | None) -> str | None:
    """Returns a point in time as ISO 8601 in UTC, for JSON."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")

from __future__ import annotations

from archive_tui.cli.times import format_time, iso_time


def test_times_for_programs_are_utc() -> None:
    assert iso_time(0) == "1970-01-01T00:00:00+00:00"
    assert iso_time(None) is None


def test_a_time_that_is_not_known_is_a_dash() -> None:
    assert format_time(None) == "-"

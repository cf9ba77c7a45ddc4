from __future__ import annotations

import pytest

from archive_tui.cli.formatting import format_count, format_duration, format_size, iso_time


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (9949, "9.9 KB"),
        (9951, "10 KB"),
        (999_499, "999 KB"),
        (999_500, "1.0 MB"),
        (1_234_567_890, "1.2 GB"),
        (5 * 10**12, "5.0 TB"),
        (10**21, "1000 EB"),
    ],
)
def test_sizes_have_decimal_units_and_at_most_three_digits(size: int, text: str) -> None:
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0004, "0 ms"),
        (0.038, "38 ms"),
        (0.9996, "1.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (60, "1 m 00 s"),
        (3599, "59 m 59 s"),
        (3600, "1 h 00 m"),
        (7500, "2 h 05 m"),
        (4 * 86400, "4 d"),
    ],
)
def test_durations_have_the_unit_that_fits(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_counts_agree_with_their_noun() -> None:
    assert format_count(1, "file") == "1 file"
    assert format_count(1204, "file") == "1,204 files"
    assert format_count(2, "copy", "copies") == "2 copies"


def test_times_for_programs_are_utc() -> None:
    assert iso_time(0) == "1970-01-01T00:00:00+00:00"
    assert iso_time(None) is None

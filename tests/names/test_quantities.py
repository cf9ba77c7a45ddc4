from __future__ import annotations

import pytest

from archive_tui.names.quantities import (
    format_count,
    format_duration,
    format_rate,
    format_size,
    format_span,
    format_total,
)


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


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (9, "9 s"),
        (180, "3 m"),
        (7200, "2 h"),
        (2 * 86400, "2 d"),
        (70 * 86400, "2 mo"),
        (800 * 86400, "2 y"),
    ],
)
def test_spans_have_one_unit(seconds: float, text: str) -> None:
    assert format_span(seconds) == text


def test_what_is_not_known_is_not_a_number() -> None:
    assert format_size(-1) == "?"
    assert format_rate(None) == ""
    assert format_rate(3_400_000) == "3.4 MB/s"


def test_a_sum_says_when_a_part_of_it_is_not_known() -> None:
    assert format_total(1_200_000_000, 0) == "1.2 GB"
    assert format_total(1_200_000_000, 2) == "1.2 GB + ?"
    assert format_total(0, 2) == "?"

"""Quantities as people type them."""

from __future__ import annotations

import pytest

from archive_tui.names.typed_quantities import parse_duration, parse_rate


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("1", 1),
        ("1048576", 1 << 20),
        ("20 MB/s", 20_000_000),
        ("20MB", 20_000_000),
        ("20m", 20_000_000),
        ("1.5 GB / s", 1_500_000_000),
        ("512k", 512_000),
        ("512 KiB/s", 512 << 10),
        ("8MBps", 8_000_000),
        (" 3 b/s ", 3),
    ],
)
def test_rates(text: str, rate: int) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["", "fast", "-1", "0", "0.4", "20 Mbit/s", "1,5 MB", "20 MB/h", "8i", "MB", "9" * 400]
)
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match="not a rate"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90 s", 90), ("30m", 1800), ("30 min", 1800), ("8h", 28_800), ("1.5 H", 5400), ("2 d", 172_800)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0h", "-1h", "tomorrow", "8h30m", "1w", "9" * 400])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a length of time"):
        parse_duration(text)

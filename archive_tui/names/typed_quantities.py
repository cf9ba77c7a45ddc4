"""Quantities as people type them: `20 MB/s`, `1.5GiB`, `90m`. Pure."""

from __future__ import annotations

import re

_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)\s*(?:([kmgt])(i?))?b?(?:\s*/\s*s|ps)?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_DURATION = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)\s*(s|m|min|h|d|)", re.IGNORECASE)
_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def parse_rate(text: str) -> int:
    """Returns bytes per second for `20 MB/s`, `20MB`, `512k` or `1048576`: decimal units, `MiB` for binary ones.

    Raises: ValueError, with a sentence, also for less than a byte.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"not a rate: {text!r}; write something like 20 MB/s")
    number, unit, binary = found.groups()
    rate = int(float(number) * (1024 if binary else 1000) ** _POWERS[(unit or "").lower()])
    if rate < 1:
        raise ValueError(f"not a rate that anything could be done with: {text!r}")
    return rate


def parse_duration(text: str) -> float:
    """Returns seconds for `90`, `90 s`, `30m`, `8h` or `2 d`.

    Raises: ValueError, with a sentence, also for zero.
    """
    found = _DURATION.fullmatch(text.strip())
    seconds = float(found[1]) * _SECONDS[found[2].lower()] if found is not None else 0.0
    if seconds <= 0.0:
        raise ValueError(f"not a length of time: {text!r}; write something like 90m, 8h or 2d")
    return seconds

"""How long a job waits before it is tried again by itself."""

from __future__ import annotations

import random

FIRST_SECONDS = 10.0
LONGEST_SECONDS = 600.0
_JITTER = 0.2
"""Share by which a wait is shortened at random, so that many do not come back at the same moment."""


def back_off(retries: int, *, chance: float | None = None) -> float:
    """Returns the seconds before the next attempt, after so many retries before. `chance` from 0 to 1; None: drawn."""
    drawn = random.random() if chance is None else chance
    whole: float = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(retries, 30))
    return whole * (1.0 - _JITTER * drawn)

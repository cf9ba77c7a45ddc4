"""What is known about one object: what was proven, by whom, how strongly, and when.

"Exists" is never "has the right bytes": the levels are ordered, and a screen shows the level, not a tick.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class EvidenceLevel(IntEnum):
    """From weak to strong; the comments say what has been proven."""

    LISTED = 10  # the store lists it, with a size
    COPIED = 15  # we sent the bytes and the store said yes; nothing was compared
    UNCHANGED = 20  # same entity tag or times as when it was last read in full
    RECORDED = 25  # the store keeps the expected digest beside the object, as its writer noted it after a checked put
    SAMPLED = 30  # some blocks were read and were right
    ATTESTED = 40  # the store's own digest of what it received is the expected one
    READ = 50  # read in full and hashed by us
    RESTORED = 60  # unpacked, every member hashed and compared with its manifest
    DAMAGED = 0  # the last look found wrong bytes; no level at all


@dataclass(frozen=True, slots=True)
class Evidence:
    """`store` is the store's identity, `digest` the SHA-256 that was proven (of the object itself; None for LISTED),
    `version` the store's entity tag at that moment (None: it has none), `method` one sentence, `checked_at` seconds
    since the epoch."""

    store: str
    key: str
    level: EvidenceLevel
    digest: str | None
    size: int
    checked_at: float
    method: str
    version: str | None = None

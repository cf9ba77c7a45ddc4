"""What a short listing knows in advance, so that nobody asks a distant store for each absent object by itself.

A page of a listing costs about as much as ten questions and names a thousand objects. But a listing names whatever
lies there, wanted or not, and digests are spread evenly: the lines of any manifest of some size touch every prefix, so
that listing prefix by prefix means to list everything. Therefore: all of it when it is small beside the number of
questions, else nothing.
"""

from __future__ import annotations

import time

from archive_tui.errors import StorageError, StorageUnavailable
from archive_tui.objects.object_store import ObjectInfo, ObjectStore, Support
from archive_tui.progress import StopSignal, check_stop, never

KEYS_PER_QUESTION = 20
"""Listed keys that are spent for each question. A hundred cost as much as one question on S3, three hundred on Azure,
so a listing that turns out to be of no use has cost at most a fifth more."""

LEAST_KEYS = 1_000
"""A page is worth a try for any number of lines that is not tiny."""

MOST_KEYS = 1_000_000
MOST_DESCRIBED = 100_000
FEWEST_QUESTIONS = 20
"""Fewer are asked sooner than a page is listed."""

_SLOTS = 1 << 24


class Presence:
    """Which keys a listing has named. `may_hold` False is certain; True is wrong for six keys of a hundred at a
    million names, and then costs a question. Holds 2 MiB, and the entries that carry a digest, up to 100,000.
    `listed_at`: seconds since the epoch, when the listing began."""

    def __init__(self) -> None:
        self.listed_at = time.time()
        self._slots = bytearray(_SLOTS // 8)
        self._described: dict[str, ObjectInfo] = {}

    def add(self, info: ObjectInfo) -> None:
        slot = hash(info.key) % _SLOTS
        self._slots[slot >> 3] |= 1 << (slot & 7)
        if info.digest is not None and len(self._described) < MOST_DESCRIBED:
            self._described[info.key] = info

    def may_hold(self, key: str) -> bool:
        slot = hash(key) % _SLOTS
        return bool(self._slots[slot >> 3] & (1 << (slot & 7)))

    def described(self, key: str) -> ObjectInfo | None:
        """Returns the entry of the listing where it says all that a question would."""
        return self._described.get(key)


def list_presence(store: ObjectStore, prefix: str, questions: int, *, stop: StopSignal = never) -> Presence | None:
    """Lists what lies below `prefix`; None: it is too much for so many questions, or it cannot be listed.

    A store of local files is not listed: there a question costs less than an entry of a listing.

    Raises: StorageUnavailable, OperationStopped.
    """
    if questions < FEWEST_QUESTIONS or store.traits.atomic_rename is Support.YES:
        return None
    most = max(LEAST_KEYS, min(MOST_KEYS, questions * KEYS_PER_QUESTION))
    presence = Presence()
    try:
        for count, entry in enumerate(store.list(prefix), 1):
            if count > most:
                return None
            if count % 1000 == 0:
                check_stop(stop)
            if isinstance(entry, ObjectInfo):
                presence.add(entry)
    except StorageUnavailable:
        raise
    except StorageError:
        return None
    return presence

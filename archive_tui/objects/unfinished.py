"""Uploads in parts that were begun and not completed: remembered, so that a later put continues them.

A put through a store with `unfinished` set keeps the parts that the server has when it is stopped, when the storage
is unavailable, or when its process dies; the next put of the same key compares each of them by digest with what it
would send, and sends what is missing. Without it, whatever ends a put removes its parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class UnfinishedUpload:
    """`token` is the store's own word for it. `begun` in seconds since the epoch, `size` in bytes that lie there so
    far; None: the store does not say."""

    key: str
    token: str
    begun: float | None = None
    size: int | None = None


class UnfinishedUploads(Protocol):
    """Where tokens are kept, by the identity of the store and the key. May be called from several threads."""

    def find(self, identity: str, key: str) -> str | None: ...

    def keep(self, identity: str, key: str, token: str) -> None:
        """On the disk when it returns: only then is the first part sent."""

    def forget(self, identity: str, key: str) -> None:
        """The upload is completed, or gone."""

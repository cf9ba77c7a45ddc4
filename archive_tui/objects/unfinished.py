"""Uploads in parts that were begun and not completed: remembered, so that a later put continues them.

A put through a store with `unfinished` set keeps the parts that the server has when it is stopped, when the storage
is unavailable, or when its process dies; the next put of the same key compares each of them by digest with what it
would send, and sends what is missing. Without it, whatever ends a put removes its parts.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from archive_tui.errors import AccessDenied, OperationStopped, StorageUnavailable


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


def is_same_upload(token: str, other: str) -> bool:
    """True when both tokens mean one upload, however little a listing says of it: their first words are alike."""
    return token.partition(" ")[0] == other.partition(" ")[0] != ""


class UploadMemory:
    """What is remembered of the upload of one key, for the time of one put."""

    def __init__(self, uploads: UnfinishedUploads, identity: str, key: str) -> None:
        self._uploads = uploads
        self._place = (identity, key)
        self._has_token = False

    def find(self) -> str | None:
        token = self._uploads.find(*self._place)
        self._has_token = token is not None
        return token

    def keep(self, token: str) -> None:
        """On the disk when it returns."""
        self._has_token = True
        self._uploads.keep(*self._place, token)

    def forget(self) -> None:
        """The upload is completed, or gone; nothing where nothing was kept or found."""
        if self._has_token:
            self._uploads.forget(*self._place)
            self._has_token = False


_claimed: set[tuple[str, str]] = set()
_claimed_lock = threading.Lock()


@contextmanager
def remember_upload(uploads: UnfinishedUploads | None, identity: str, key: str) -> Iterator[UploadMemory | None]:
    """Gives the memory of the key's upload; None where nothing is to be remembered.

    Two puts of one key never share it: the second of this process is not remembered, so that it neither takes nor
    removes the parts of the first. Processes exclude each other by the jobs that they own.
    """
    if uploads is None:
        yield None
        return
    place = (identity, key)
    with _claimed_lock:
        is_free = place not in _claimed
        _claimed.add(place)
    if not is_free:
        yield None
        return
    try:
        yield UploadMemory(uploads, identity, key)
    finally:
        with _claimed_lock:
            _claimed.discard(place)


def keeps_parts(error: BaseException) -> bool:
    """True for an end of a put after which a later one can go on: stopped, unavailable, or the process is to end."""
    return isinstance(error, OperationStopped | StorageUnavailable) or not isinstance(error, Exception)


@contextmanager
def forgetting_ended(memory: UploadMemory | None) -> Iterator[None]:
    """Forgets the upload when the block ends, unless it ends in such a way that a later put can go on: also where
    access was lost in the middle, for then nobody has removed the parts."""
    try:
        yield
    except BaseException as error:
        if memory is not None and not (keeps_parts(error) or isinstance(error, AccessDenied)):
            memory.forget()
        raise
    if memory is not None:
        memory.forget()

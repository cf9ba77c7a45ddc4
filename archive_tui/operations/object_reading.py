"""Reads objects whole and hashes them; a large one in pieces, so that the next run of a job goes on at the next piece.

After each 64 MiB the state of the digest is written down, with the version that is read. It counts only while that
version lies there, and a digest that was gone on with and is not the expected one is computed anew, from the beginning,
before anything is said of the object.
"""

from __future__ import annotations

import base64
import json
import threading
from typing import NamedTuple

from archive_tui.continuation import Journal, no_journal
from archive_tui.errors import StorageError
from archive_tui.integrity.resumable_digest import ResumableSha256, new_resumable_sha256, restore_sha256
from archive_tui.integrity.streams import hash_stream, read_chunks
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from archive_tui.progress import StopSignal, never

PIECE = 64 << 20
"""Bytes after which the state is written down."""

ATTEMPTS = 3
"""How often an object is read again that was replaced while it was read."""

NOTE = "reading"
"""The name in the journal."""


class ReadObject(NamedTuple):
    """`info` describes the version whose bytes were read, with their number as its size."""

    digest: str
    info: ObjectInfo


class _Piece(NamedTuple):
    """Of which version so many bytes are hashed; `state` is that of the digest."""

    version: str
    offset: int
    state: bytes


class ObjectReading:
    """Reads objects of one store, several at once; a few large ones are noted in the journal at a time."""

    def __init__(self, store: ObjectStore, journal: Journal = no_journal, *, stop: StopSignal = never) -> None:
        self._store = store
        self._journal = journal
        self._stop = stop
        self._lock = threading.Lock()
        self._pieces = _read_note(journal.load(NOTE)) if journal.is_kept else {}

    def read(self, key: str, expected: str) -> ReadObject:
        """Returns what lies there. `expected` is the digest that it should have.

        Raises: StorageError (object-changed) when it is replaced again and again; what the store raises;
        OperationStopped.
        """
        for _ in range(ATTEMPTS):
            before = self._store.info(key)
            digest, size, is_continued = self._hash(before)
            # A version is part of the evidence: it has to be that of the bytes which were read.
            info = self._store.info(key)
            if before.version == info.version and (digest == expected or not is_continued):
                return ReadObject(digest, ObjectInfo(key, size, info.modified, info.version))
        raise StorageError(
            f"Replaced again and again while it was read: {key}",
            key=key,
            store=self._store.label,
            hint="Somebody writes to it. Look again later.",
            code="object-changed",
        )

    def _hash(self, info: ObjectInfo) -> tuple[str, int, bool]:
        """Returns digest and size, and whether the work of an earlier run is in it. What was noted is used up."""
        hasher, offset = self._begin(info)
        if hasher is None or info.version is None:
            with self._store.open(info.key) as reader:
                return (*hash_stream(read_chunks(reader, stop=self._stop)), False)
        size = offset
        with self._store.open(info.key, offset) as reader:
            for chunk in read_chunks(reader, stop=self._stop):
                hasher.update(chunk)
                size += len(chunk)
                if size // PIECE > (size - len(chunk)) // PIECE:
                    self._note(info.key, _Piece(info.version, size, hasher.save()))
        self._note(info.key, None)
        return hasher.hexdigest(), size, offset > 0

    def _begin(self, info: ObjectInfo) -> tuple[ResumableSha256 | None, int]:
        if not self._journal.is_kept or info.version is None or 0 <= info.size <= PIECE:
            return None, 0
        with self._lock:
            piece = self._pieces.get(info.key)
        if piece is None or piece.version != info.version or not 0 < piece.offset <= max(info.size, 0):
            return new_resumable_sha256(), 0
        self._note(info.key, None)
        hasher = restore_sha256(piece.state)
        return (hasher, piece.offset) if hasher is not None else (new_resumable_sha256(), 0)

    def _note(self, key: str, piece: _Piece | None) -> None:
        with self._lock:
            if piece is not None:
                self._pieces[key] = piece
            elif self._pieces.pop(key, None) is None:
                return
            self._journal.save(NOTE, _write_note(self._pieces) if self._pieces else None)


def _write_note(pieces: dict[str, _Piece]) -> bytes:
    rows = {
        key: [piece.version, piece.offset, base64.b64encode(piece.state).decode("ascii")]
        for key, piece in pieces.items()
    }
    return json.dumps(rows).encode("ascii")


def _read_note(note: bytes | None) -> dict[str, _Piece]:
    try:
        pieces = json.loads(note or b"{}")
        return {
            str(key): _Piece(str(version), int(offset), base64.b64decode(state, validate=True))
            for key, (version, offset, state) in pieces.items()
        }
    except (ValueError, TypeError, AttributeError):
        return {}  # written by another release: the objects are read from the beginning

"""What was proven of the archives in an object store: one small object for each archive that was ever put at a place.

A record is written before its archive, so that no archive is ever without; its name is the archive's digest, so that
it counts for that one alone.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from archive_tui.archives.datasafe.dataset_record import DatasetRecord, format_record, parse_record
from archive_tui.errors import ObjectNotFound
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.objects.object_store import ObjectInfo, ObjectStore

LARGEST_RECORD = 256 << 20
UNUSED_AGE = 24 * 3600.0
"""Seconds after which a record without archive is one that a killed deposit has left."""


class ObjectRecords:
    """`prefix` ends in `/`. Raises: what the store raises."""

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        self._store = store
        self._prefix = prefix

    def write(self, place: str, record: DatasetRecord) -> None:
        content = format_record(record)
        key, digest = self._key(place, record.archive_digest), sha256_of_bytes(content)
        self._store.put(key, [content], len(content), overwrite=True, digest=digest)

    def read(self, place: str, digest: str) -> DatasetRecord | None:
        """Returns None when there is none that could be read."""
        return parse_record(read_object(self._store, self._key(place, digest), LARGEST_RECORD))

    def drop(self, place: str, digest: str) -> None:
        self._store.delete(self._key(place, digest))

    def find_unused(self, place: str, used: Collection[str]) -> list[str]:
        """Returns the digests of the records that belong to no archive in `used`, and are too old to belong to one that
        is being put."""
        begin, latest = f"{self._prefix}{place}/", time.time() - UNUSED_AGE
        return [
            digest
            for listed in self._store.list(begin)
            if isinstance(listed, ObjectInfo)
            and (digest := listed.key.removeprefix(begin)) not in used
            and (listed.modified or latest + 1) < latest
        ]

    def _key(self, place: str, digest: str) -> str:
        return f"{self._prefix}{place}/{digest}"


def read_object(store: ObjectStore, key: str, most: int) -> bytes | None:
    """Returns the first `most` bytes of an object; None: there is none."""
    try:
        with store.open(key, 0, most) as reader:
            content = bytearray()
            while piece := reader.read(most - len(content)):
                content += piece
            return bytes(content)
    except ObjectNotFound:
        return None

"""One file of a results store, and the receipts for it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from archive_tui.integrity.evidence import Evidence
from archive_tui.manifests.store_manifest import Listed


@dataclass(frozen=True, slots=True)
class ResultEntry:
    """One file of a results store. `md5` and `sha256` in hexadecimal digits, `size` in bytes; None: nobody has written
    it down. `uuid` are 32 hexadecimal digits. `key` is where its content lies below the top of the store; from a
    listing it is where it should lie, from `locate` where it does."""

    event: str
    production: str
    name: str
    uuid: str
    md5: str
    sha256: str | None
    size: int | None
    key: str

    @property
    def path(self) -> str:
        """`EVENT/PRODUCTION/NAME`, for people."""
        return f"{self.event}/{self.production}/{self.name}"


@dataclass(frozen=True, slots=True)
class CheckInReceipt:
    """What lies in the store now, and how that was proven."""

    event: str
    production: str
    name: str
    uuid: str
    md5: str
    sha256: str
    size: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class CheckOutReceipt:
    """What was written to `path`, read whole and compared with the manifest on the way."""

    entry: ResultEntry
    path: Path
    evidence: Evidence


def content_keys(entry: ResultEntry) -> tuple[str, str]:
    """Returns where the content may lie: under the uuid, as it is written here, or under the name."""
    folder = f"{entry.event}/{entry.production}"
    return f"{folder}/{entry.uuid}", f"{folder}/{entry.name}"


def make_entry(listed: Listed) -> ResultEntry:
    record = listed.record
    key = f"{listed.event}/{listed.production}/{record.uuid}"
    return ResultEntry(
        listed.event, listed.production, listed.name, record.uuid, record.md5, record.sha256, record.size, key
    )


def match_content(entry: ResultEntry, chunks: Iterable[bytes]) -> int | None:
    """Returns the size of a content in bytes when it is that of the entry, by its SHA-256, or by its MD5 where the
    manifest has no other; else None. Raises: what iterating raises."""
    digest = hashlib.md5(usedforsecurity=False) if entry.sha256 is None else hashlib.sha256()
    size = 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return size if digest.hexdigest() == (entry.sha256 or entry.md5) else None

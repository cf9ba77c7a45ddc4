"""What was proven when a dataset was deposited: written down beside it, so that later looks need not read it.

The record is a sealed document (`integrity.sealed_document`). In a folder it lies in the dataset's
own folder under RECORD_NAME, so that it comes and goes with it; it is no file of the dataset, and in no archive of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from archive_tui.integrity.digest import is_sha256_hex
from archive_tui.integrity.inventory import Entry, Inventory
from archive_tui.integrity.sealed_document import open_sealed, seal_document

RECORD_NAME = ".dataset-record"
FORMAT = "archive-tui datasafe record"
VERSION = 1


class RecordedFile(NamedTuple):
    """`path` relative to the dataset, with `/`; `size` in bytes; `crc` the CRC-32; `digest` the SHA-256."""

    path: str
    size: int
    crc: int
    digest: str


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """`files` sorted by path, MANIFEST.yaml among them; `archive_size` and `archive_digest` (SHA-256) are those of the
    archive that is handed out; `deposited_at` in seconds since the epoch."""

    files: tuple[RecordedFile, ...]
    archive_size: int
    archive_digest: str
    deposited_at: float

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def inventory(self) -> Inventory:
        return Inventory(Entry(file.path, file.size, file.digest) for file in self.files)


def make_record(
    files: Iterable[RecordedFile], archive_size: int, archive_digest: str, deposited_at: float
) -> DatasetRecord:
    return DatasetRecord(tuple(sorted(files)), archive_size, archive_digest, deposited_at)


def format_record(record: DatasetRecord) -> bytes:
    return seal_document(
        {
            "format": FORMAT,
            "version": VERSION,
            "deposited_at": record.deposited_at,
            "archive": {"size": record.archive_size, "sha256": record.archive_digest},
            "files": [list(file) for file in record.files],
        }
    )


def parse_record(content: bytes | None) -> DatasetRecord | None:
    """Returns None for what is no whole record of a version that we know: then it is as if there were none."""
    document = open_sealed(content)
    if document is None or document.get("format") != FORMAT or document.get("version") != VERSION:
        return None
    try:
        files = tuple(RecordedFile(*file) for file in document["files"])
        archive = document["archive"]
        record = DatasetRecord(files, archive["size"], archive["sha256"], float(document["deposited_at"]))
    except (KeyError, TypeError, ValueError):
        return None
    is_right = is_sha256_hex(record.archive_digest) and all(is_sha256_hex(file.digest) for file in files)
    return record if is_right else None

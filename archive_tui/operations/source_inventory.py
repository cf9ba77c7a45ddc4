"""The inventory of a scanned source: by hashing its files where they lie, or while they are copied."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from archive_tui.integrity.inventory import Entry, Inventory
from archive_tui.operations.hashing.files import hash_files
from archive_tui.operations.packing.source_reading import OpenSource, open_source
from archive_tui.operations.scanning.source_scan import SourceFile, SourceScan
from archive_tui.operations.unpacking.stage_folder import StageWriter
from archive_tui.progress import Report, StopSignal, ignore, never

PIECE = 1 << 20
"""Bytes that are read and written at a time."""


def hash_source(scan: SourceScan, *, report: Report = ignore, stop: StopSignal = never) -> Inventory:
    """Hashes every file of the scan where it lies.

    Raises: SourceError of the first file that cannot be read, OperationStopped.
    """
    listed = {scan.real_paths.get(file.path, file.path): file.path for file in scan.files}
    entries = []
    for hashed in hash_files(scan.base, listed, report=report, stop=stop):
        if hashed.error is not None:
            raise hashed.error
        entries.append(Entry(listed[hashed.path], hashed.size, hashed.digest))
    return Inventory(entries)


def copy_source(scan: SourceScan, stage: Path) -> Inventory:
    """Copies every file of the scan below `stage`, which is empty, and hashes it on the way; each is read once.

    Raises: SourceError for a file that changes or cannot be read, StorageFull, StorageError.
    """
    with StageWriter(stage) as writer:
        return Inventory(_copy_file(scan, file, writer) for file in scan.files)


def _copy_file(scan: SourceScan, file: SourceFile, writer: StageWriter) -> Entry:
    source = open_source(scan, file)
    try:
        copy = writer.create_file(file.path, is_executable=bool(os.fstat(source.fd).st_mode & stat.S_IXUSR))
        try:
            digest, size = hashlib.sha256(), 0
            for piece in _read_pieces(source):
                digest.update(piece)
                size += len(piece)
                writer.write(file.path, copy, piece)
        finally:
            os.close(copy)
        source.check_unchanged()
    finally:
        os.close(source.fd)
    return Entry(file.path, size, digest.hexdigest())


def _read_pieces(source: OpenSource) -> Iterator[bytes]:
    size = source.file.size
    for offset in range(0, size, PIECE):
        yield source.read_at(offset, min(PIECE, size - offset))

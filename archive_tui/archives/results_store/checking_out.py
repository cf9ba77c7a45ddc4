"""Gets a file out of a results store: read whole, compared with the manifest, and only then there."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

from archive_tui.archives.results_store.result_entry import CheckOutReceipt, ResultEntry
from archive_tui.archives.results_store.results_store import ResultsStore
from archive_tui.errors import HashError
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.streams import hash_stream, read_chunks
from archive_tui.objects.folder.atomic_file import write_atomically
from archive_tui.progress import BytesDone, Ended, Planned, Report, StopSignal, ignore, never

PHASE = "check out"
METHOD = "Read whole, and compared with the manifest of the store."


class CheckedRead:
    """Reads the content of an entry; `check` compares what has passed with the manifest."""

    def __init__(self, results: ResultsStore, entry: ResultEntry) -> None:
        self.entry, self.info = results.locate(entry)
        self._results = results
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        self._size = 0

    @property
    def digest(self) -> str:
        return self._sha256.hexdigest()

    def chunks(self, stop: StopSignal = never) -> Iterator[bytes]:
        """Raises: what the store raises; OperationStopped; HashError at the end."""
        with self._results.store.open(self._results.prefix + self.entry.key) as reader:
            for chunk in read_chunks(reader, stop=stop):
                self._sha256.update(chunk)
                if self.entry.sha256 is None:
                    self._md5.update(chunk)
                self._size += len(chunk)
                yield chunk
        self._check()

    def _check(self) -> None:
        expected, found = self.entry.sha256, self.digest
        if expected is None:
            expected, found = self.entry.md5, self._md5.hexdigest()
        if expected != found:
            raise HashError(
                f"The file is not what was checked in: {self.entry.path}",
                hint=f"The manifest says {expected}, and there is {found}. See: archive-tui store verify",
            )

    def evidence(self) -> Evidence:
        key = self._results.prefix + self.entry.key
        return Evidence(
            self._results.store.identity, key, EvidenceLevel.READ, self.digest, self._size, time.time(), METHOD,
            self.info.version,
        )  # fmt: skip


def check_out(
    results: ResultsStore,
    event: str,
    production: str,
    name: str,
    target: Path,
    *,
    hash: str | None = None,  # noqa: A002  (the word of the contract)
    overwrite: bool = False,
    report: Report = ignore,
    stop: StopSignal = never,
) -> CheckOutReceipt:
    """Writes a file of the store to `target`, whose folder exists. It is there whole and right, or not at all.

    Raises: ObjectNotFound; HashError for a content that is not that of the manifest, and for a `hash` that is not;
    ObjectExists when `target` is there, unless `overwrite`; what store and file system raise; OperationStopped.
    """
    entry = results.find(event, production, name)
    results.check_hash(entry, hash)
    reading = CheckedRead(results, entry)
    report(Planned(PHASE, 1, reading.info.size))
    is_finished = False
    try:
        write_atomically(
            target,
            reading.chunks(stop),
            overwrite=overwrite,
            stop=stop,
            sent=lambda total: report(BytesDone(PHASE, total)),
        )
        is_finished = True
    finally:
        report(Ended(PHASE, is_finished))
    return CheckOutReceipt(reading.entry, target, reading.evidence())


def verify_entry(
    results: ResultsStore,
    entry: ResultEntry,
    *,
    hash: str | None = None,  # noqa: A002  (the word of the contract)
    stop: StopSignal = never,
) -> tuple[ResultEntry, Evidence]:
    """Reads the content of an entry where it lies, and returns the entry with the key under which that is.

    Raises: as `check_out`.
    """
    reading = CheckedRead(results, entry)
    hash_stream(reading.chunks(stop))
    results.check_hash(entry, hash)
    return reading.entry, reading.evidence()

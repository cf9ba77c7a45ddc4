"""Verifies a whole results store: every listed content is read and hashed, and whatever else lies there is named."""

from __future__ import annotations

import contextlib
import hashlib
import stat
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from archive_tui.archives.results_store.result_entry import ResultEntry, content_keys
from archive_tui.archives.results_store.results_store import ResultsStore
from archive_tui.continuation import ItemMark, Journal, no_journal
from archive_tui.errors import ArchiveError, ObjectNotFound, OperationStopped
from archive_tui.integrity.report import Finding, FindingKind, IntegrityReport
from archive_tui.integrity.streams import read_chunks
from archive_tui.names.result_names import MANIFEST_FOLDER
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectInfo
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from archive_tui.operations.earlier_runs import EarlierRuns
from archive_tui.operations.object_failures import ends_run
from archive_tui.operations.object_reading import ObjectReading
from archive_tui.operations.parallel_map import map_in_order
from archive_tui.progress import BytesDone, Ended, ItemDone, ItemFailed, Planned, Report, StopSignal, check_stop, never
from archive_tui.progress import ignore as ignore_events

PHASE = "verify"
THREADS = 4
PROVEN = "every listed file read and hashed, compared with the manifest of the store"
NOT_LISTED = "nothing in the manifest refers to it"
IS_WRITABLE = "its mode lets somebody change it"


def verify_results(
    results: ResultsStore,
    *,
    report: Report = ignore_events,
    stop: StopSignal = never,
    journal: Journal = no_journal,
) -> IntegrityReport:
    """Returns what was found. Findings name `EVENT/PRODUCTION/NAME`, what is not listed its key: MISSING, CHANGED,
    EXTRA (unlisted), WRITABLE (in a folder: not read-only any more), UNREADABLE.

    The SHA-256 counts where the manifest has one, else the MD5. What an earlier run with the same `journal` has found
    right is not read again while its version is the same; large ones are gone on with after each 64 MiB.

    Raises: NotAStoreError, ManifestError; what befalls the store as a whole. A stop gives a report that is not
    complete.
    """
    return _Verification(results, report, stop, journal).run()


class _Looked(NamedTuple):
    """What became of one entry. `finding` None: it is right. `read` in bytes."""

    entry: ResultEntry
    finding: Finding | None
    size: int
    read: int
    earlier: float | None = None


class _Verification:
    def __init__(self, results: ResultsStore, report: Report, stop: StopSignal, journal: Journal) -> None:
        self._results = results
        self._report = report
        self._stop = stop
        self._journal = journal
        self._reading = ObjectReading(results.store, journal, stop=stop)
        self._lock = threading.Lock()
        self._bytes = 0

    def run(self) -> IntegrityReport:
        started = time.monotonic()
        there = self._list_contents()
        entries = list(self._results.entries())  # read after the listing: what was added between is listed nowhere
        found: list[Finding] = []
        earlier, total, right = EarlierRuns(), sum(_size_of(entry, there) for entry in entries), 0
        self._report(Planned(PHASE, len(entries), total))
        is_complete = False
        try:
            with closing(self._look_at_all(entries, there)) as looks:
                for number, looked in enumerate(looks, 1):
                    right += looked.finding is None
                    if looked.finding is not None:
                        found.append(looked.finding)
                        self._report(ItemFailed(PHASE, looked.entry.path, number, looked.finding.detail))
                    else:
                        self._report(ItemDone(PHASE, looked.entry.path, number))
                    if looked.earlier is not None:
                        earlier.add(looked.earlier, 1)
            found += self._find_unlisted(entries, there)
            found += self._find_writable(entries, there)
            is_complete = True
        except OperationStopped:
            pass
        finally:
            self._report(Ended(PHASE, is_complete))
        note = earlier.describe("read")
        return IntegrityReport(
            subject=self._results.label,
            files_total=len(entries),
            files_ok=right,
            bytes_total=total,
            bytes_read=self._bytes,
            findings=tuple(sorted(found, key=lambda finding: (finding.path, finding.kind))),
            complete=is_complete,
            proven=PROVEN,
            seconds=time.monotonic() - started,
            notes=(note,) if note else (),
        )

    def _list_contents(self) -> dict[str, ObjectInfo]:
        """All objects of the store but its manifest, by their keys below its top."""
        prefix = self._results.prefix
        there = {}
        for listed in self._results.store.list(prefix):
            check_stop(self._stop)
            key = listed.key.removeprefix(prefix)
            if isinstance(listed, ObjectInfo) and not key.startswith(f"{MANIFEST_FOLDER}/"):
                there[key] = listed
        return there

    def _look_at_all(
        self, entries: list[ResultEntry], there: Mapping[str, ObjectInfo]
    ) -> Generator[_Looked, None, None]:
        def look(entry: ResultEntry) -> _Looked:
            check_stop(self._stop)
            return self._look(entry, there)

        with closing(map_in_order(look, entries, threads=THREADS, stop=self._stop)) as looks:
            yield from looks

    def _look(self, entry: ResultEntry, there: Mapping[str, ObjectInfo]) -> _Looked:
        try:
            info = there.get(entry.key) or self._results.locate(entry)[1]
            mark = self._find_mark(entry, info)
            if mark is not None:
                self._count(max(0, info.size), was_read=False)
                return _Looked(entry, None, info.size, 0, mark.at)
            found, size = self._hash(entry, info.key)
        except ObjectNotFound:
            expected = entry.sha256 or entry.md5
            finding = Finding(FindingKind.MISSING, entry.path, expected, expected_size=entry.size, detail="not there")
            return self._conclude(entry, None, finding)
        except ArchiveError as error:
            if isinstance(error, OperationStopped) or ends_run(error, None):
                raise
            return self._conclude(entry, None, Finding(FindingKind.UNREADABLE, entry.path, detail=error.message))
        self._count(size)
        expected = entry.sha256 or entry.md5
        if found == expected:
            return self._conclude(entry, info, None, size)
        finding = Finding(FindingKind.CHANGED, entry.path, expected, found, entry.size, size, "not what was checked in")
        return self._conclude(entry, info, finding, size)

    def _hash(self, entry: ResultEntry, key: str) -> tuple[str, int]:
        if entry.sha256 is not None:
            read = self._reading.read(key, entry.sha256)
            return read.digest, read.info.size
        md5, size = hashlib.md5(usedforsecurity=False), 0
        with self._results.store.open(key) as reader:
            for chunk in read_chunks(reader, stop=self._stop):
                md5.update(chunk)
                size += len(chunk)
        return md5.hexdigest(), size

    def _count(self, size: int, *, was_read: bool = True) -> None:
        with self._lock:
            self._bytes += size if was_read else 0
            self._report(BytesDone(PHASE, self._bytes))

    def _find_mark(self, entry: ResultEntry, info: ObjectInfo) -> ItemMark | None:
        if not self._journal.has_earlier or info.version is None:
            return None
        mark = self._journal.find(PHASE, [entry.path]).get(entry.path)
        is_same = mark is not None and mark.is_good and mark.stamp == _stamp(entry, info)
        return mark if is_same else None

    def _conclude(self, entry: ResultEntry, info: ObjectInfo | None, finding: Finding | None, size: int = 0) -> _Looked:
        if self._journal.is_kept:
            stamp = _stamp(entry, info) if info is not None and info.version is not None else ""
            outcome = "same" if finding is None else str(finding.kind)
            detail = "" if finding is None else finding.detail
            mark = ItemMark(entry.path, outcome, finding is None, stamp, entry.sha256, size, detail=detail)
            self._journal.record(PHASE, [mark])
        return _Looked(entry, finding, size, size)

    def _find_unlisted(self, entries: list[ResultEntry], there: Mapping[str, ObjectInfo]) -> Iterator[Finding]:
        listed = {key for entry in entries if (key := _content_key(entry, there)) is not None}
        for key, info in there.items():
            if key not in listed:
                yield Finding(FindingKind.EXTRA, key, found_size=info.size, detail=NOT_LISTED)

    def _find_writable(self, entries: list[ResultEntry], there: Mapping[str, ObjectInfo]) -> Iterator[Finding]:
        bare = self._results.store
        while isinstance(bare, WrappedStore):
            bare = bare.inner
        if not isinstance(bare, FolderStore):
            return
        for entry in entries:
            key = _content_key(entry, there)
            if key is not None and _is_writable(bare.local_path(self._results.prefix + key)):
                yield Finding(FindingKind.WRITABLE, entry.path, detail=IS_WRITABLE)


def _size_of(entry: ResultEntry, there: Mapping[str, ObjectInfo]) -> int:
    if entry.size is not None:
        return entry.size
    key = _content_key(entry, there)
    return 0 if key is None else max(0, there[key].size)


def _content_key(entry: ResultEntry, there: Mapping[str, ObjectInfo]) -> str | None:
    """What lies under the name while the content lies under its uuid is somebody else's."""
    return next((key for key in content_keys(entry) if key in there), None)


def _stamp(entry: ResultEntry, info: ObjectInfo) -> str:
    return f"{info.size}:{info.version}:{entry.sha256 or entry.md5}"


def _is_writable(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return bool(path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    return False

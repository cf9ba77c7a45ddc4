"""What a verification of a folder writes down, and what it takes over from an earlier run of the same job.

A file counts as verified only while its stamp (size, times, inode) is the one that it had before it was read, and only
while the manifest still wants the digest that was found. Everything else, and every finding, is read again.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from pathlib import Path

from archive_tui.continuation import ItemMark, Journal
from archive_tui.integrity.inventory import Entry, Inventory
from archive_tui.integrity.report import Finding
from archive_tui.names.display import escape_for_display
from archive_tui.objects.folder.file_stamps import stamp_status
from archive_tui.operations.earlier_runs import EarlierRuns, format_moment
from archive_tui.operations.hashing.batches import BATCH_FILES, HashBatch
from archive_tui.operations.hashing.file_checkpoints import ContinuedFile, FileCheckpoints
from archive_tui.operations.hashing.files import count_workers, hash_batches
from archive_tui.operations.hashing.opened_paths import ContainedPaths
from archive_tui.operations.hashing.workers import LARGEST_SMALL, PROCESSES_AFTER, HashWorkers
from archive_tui.progress import BytesDone, Event, ItemDone, ItemFailed, Report, StopSignal, check_stop

SAME = "same"
READ = "read"

Stamps = list[str]
"""Those that the files of a batch had before they were read; an empty one: the file was changed just now."""


class FolderMarks:
    """The marks of one phase for the files of `inventory` below `folder`; no symbolic link is followed there.

    `earlier` and `earlier_bytes` grow with what is taken over, `continued` with the large files that are gone on with.
    """

    def __init__(self, journal: Journal, phase: str, folder: Path, inventory: Inventory, stop: StopSignal) -> None:
        self.earlier = EarlierRuns()
        self.earlier_bytes = 0
        self.continued: dict[str, ContinuedFile] = {}
        self._journal = journal
        self._phase = phase
        self._folder = folder
        self._inventory = inventory
        self._stop = stop
        self._paths = ContainedPaths(os.fspath(folder.absolute()))

    def close(self) -> None:
        self._paths.close()

    def hash_unread(self, *, report: Report) -> Generator[HashBatch[Stamps]]:
        """Yields what has to be read, hashed. What is not right after it was gone on with is read again as a whole.

        Raises: OperationStopped.
        """
        checkpoints = FileCheckpoints(self._journal, self._phase)
        workers: HashWorkers[Stamps] = HashWorkers(
            self._folder, count_workers(), stop=self._stop, report=report, phase=self._phase, checkpoints=checkpoints
        )
        are_many = len(self._inventory) >= PROCESSES_AFTER
        with contextlib.closing(workers.hash_all(self._unread_batches(), are_many=are_many)) as batches:
            for batch in batches:
                for position, path in enumerate(batch.paths) if checkpoints.continued else ():
                    continued = checkpoints.continued.pop(path, None)
                    if continued is not None and self._is_right(batch, position):
                        self.continued[path] = continued
                    elif continued is not None:
                        self._hash_again(batch)
                yield batch

    def _is_right(self, batch: HashBatch[Stamps], position: int) -> bool:
        digest = self._inventory[batch.paths[position]].digest
        return position not in batch.errors and batch.hex_digests()[position] == digest

    def _hash_again(self, batch: HashBatch[Stamps]) -> None:
        """All of the batch; such a file is nearly always alone in it."""
        for again in hash_batches(self._folder, batch.paths, stop=self._stop, phase=self._phase):
            batch.sizes, batch.digests, batch.errors = again.sizes, again.digests, again.errors
            batch.changed = again.changed

    def _unread_batches(self) -> Iterator[HashBatch[Stamps]]:
        """Yields the files that have to be read; a large one is alone, so that no others wait for it to be marked.

        Raises: OperationStopped.
        """
        entries, has_earlier = iter(self._inventory), self._journal.has_earlier
        while part := list(islice(entries, BATCH_FILES)):
            check_stop(self._stop)
            marks = self._journal.find(self._phase, [entry.path for entry in part]) if has_earlier else {}
            names: list[str] = []
            stamps: Stamps = []
            for entry, stamp in zip(part, self._stamp_all([entry.path for entry in part]), strict=True):
                mark = marks.get(entry.path)
                if mark is not None and stamp and _still_holds(mark, entry, stamp):
                    self.earlier.add(mark.at)
                    self.earlier_bytes += mark.size or 0
                elif (entry.size or 0) > LARGEST_SMALL:
                    yield HashBatch([entry.path], [stamp])
                else:
                    names.append(entry.path)
                    stamps.append(stamp)
            if names:
                yield HashBatch(names, stamps)

    def record(self, batch: HashBatch[Stamps], findings: dict[str, Finding]) -> None:
        """Keeps what was found of a batch that has been hashed; `findings` by path."""
        now = time.time()
        columns = zip(batch.paths, batch.tag, batch.hex_digests(), batch.sizes, strict=True)
        # The stamp is that of before the reading: whoever changes the file from then on changes its stamp.
        marks = [
            ItemMark(path, SAME, True, stamp, digest, size, READ, "", now) for path, stamp, digest, size in columns
        ]
        for position, path in enumerate(batch.paths) if findings else ():
            if path in findings:
                marks[position] = mark_finding(findings[path], now)
        self._journal.record(self._phase, marks)

    def notes(self) -> list[str]:
        """What was taken over, in sentences."""
        sentence = self.earlier.describe("read", "sizes, times and inodes")
        notes = [f"{sentence}."] if sentence else []
        for path, begun in sorted(self.continued.items()):
            shown, moment = escape_for_display(path), format_moment(begun.at)
            notes.append(f"The first {begun.size:,} bytes of {shown} were read earlier in this job, until {moment}.")
        return notes

    def add_earlier(self, report: Report) -> Report:
        """Returns a report that counts what was taken over as done."""

        def told(event: Event) -> None:
            if isinstance(event, BytesDone):
                event = BytesDone(event.phase, event.total + self.earlier_bytes)
            elif isinstance(event, ItemDone):
                event = ItemDone(event.phase, event.item, event.items_total + self.earlier.count)
            elif isinstance(event, ItemFailed):
                event = ItemFailed(event.phase, event.item, event.items_total + self.earlier.count, event.reason)
            report(event)

        return told

    def _stamp_all(self, paths: Sequence[str]) -> Stamps:
        """Fastest where neighbours share a folder; an empty one for what has none."""
        now = time.time_ns()
        current, folder = None, None
        stamps = []
        for path in paths:
            above, _, name = path.rpartition("/")
            try:
                if folder is None or above != current:
                    folder, current = self._paths.open_folder(os.fsencode(above) + b"/" * bool(above)), above
                status = os.stat(name, dir_fd=folder.descriptor, follow_symlinks=False)
            except (OSError, ValueError):
                stamps.append("")
                continue
            stamps.append(stamp_status(status, now))
        return stamps


def mark_finding(finding: Finding, at: float) -> ItemMark:
    evidence = READ if finding.found else ""
    return ItemMark(
        finding.path, finding.kind.value, False, "", finding.found, finding.found_size, evidence, finding.detail, at
    )


def _still_holds(mark: ItemMark, entry: Entry, stamp: str) -> bool:
    if not mark.is_good or mark.stamp != stamp or entry.digest is None or mark.digest != entry.digest:
        return False
    return entry.size in (None, mark.size)

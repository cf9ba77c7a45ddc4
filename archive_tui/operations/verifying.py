"""Compares a folder with the manifest in it: every listed file is read and hashed, and every other one is named."""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from archive_tui.continuation import Journal, no_journal
from archive_tui.errors import ManifestError, OperationStopped
from archive_tui.integrity.inventory import Entry, Inventory
from archive_tui.integrity.report import Finding, FindingKind, IntegrityReport
from archive_tui.manifests import FoundManifest, find_manifest
from archive_tui.manifests.checksum_lines.reading import open_manifest
from archive_tui.manifests.dataset_manifest import MANIFEST_NAME
from archive_tui.names.display import escape_for_display
from archive_tui.names.manifest_names import has_manifest_name
from archive_tui.operations.folder_listing import list_folder_files
from archive_tui.operations.folder_marks import FolderMarks
from archive_tui.operations.hashing.batches import HashBatch, HashedFile
from archive_tui.operations.hashing.files import hash_batches
from archive_tui.operations.manifest_checking import check_manifest
from archive_tui.operations.scanning.contained_open import source_not_found
from archive_tui.progress import BytesDone, Ended, ItemFailed, Notice, Planned, Report, StopSignal, ignore, never

PHASE = "verify"
PROVEN = "every listed file read in full and hashed here"

_GONE = (errno.ENOENT, errno.ENOTDIR)


def verify_folder(
    folder: Path, *, report: Report = ignore, stop: StopSignal = never, journal: Journal = no_journal
) -> IntegrityReport:
    """Returns what was found when every file of the folder's manifest was hashed. Nothing is changed.

    Findings, sorted by path: CHANGED (another digest, or a symbolic link, folder or device in the file's place),
    MISSING, EXTRA (there, but not listed; the manifest itself and unfinished writes of this program do not count),
    UNREADABLE. Symbolic links below `folder` are never followed. A stop gives a report with `complete` False. Phase
    `verify`: bytes and items of the listed files. Memory grows with the manifest, not with the files.

    With a `journal`, what an earlier run has found good and whose stamp has not changed since is not read again, and a
    large file is gone on with where it was left; the notes say so, and `bytes_read` is what this run has read. Findings
    are always looked at again.

    Without a manifest.json the one checksum manifest at the top of the folder counts (`SHA256SUMS`, `*.sha256`), its
    names taken from the folder; see `check_manifest`.

    Raises: SourceNotFound when there is no such folder, ManifestError when there is no manifest, several checksum
    manifests, or one that cannot be used.
    """
    if not folder.is_dir():
        if folder.exists():
            raise ManifestError(
                f"Not a folder: {escape_for_display(str(folder))}",
                hint="Name the folder that holds the manifest.",
                code="manifest-missing",
            )
        raise source_not_found(folder)
    lists = [] if (folder / MANIFEST_NAME).exists() else _find_checksum_manifests(folder)
    if len(lists) > 1:
        raise ManifestError(
            f"Several manifests in the folder: {escape_for_display(', '.join(path.name for path in lists[:5]))}",
            hint="Check one of them: archive-tui manifest --check --manifest FILE --root FOLDER",
            code="manifest-several",
        )
    if lists:
        with open_manifest(lists[0], root=folder) as manifest:
            return check_manifest(manifest, root=folder, extra_folders=["."], report=report, stop=stop, journal=journal)
    return _Verification(folder, find_manifest(folder), report, stop, journal).run()


def _find_checksum_manifests(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if has_manifest_name(path.name) and path.is_file())
    except OSError:  # said by whoever looks for the other kinds
        return []


class _Verification:
    def __init__(
        self, folder: Path, manifest: FoundManifest, report: Report, stop: StopSignal, journal: Journal
    ) -> None:
        self._folder = folder
        self._manifest = manifest
        self._inventory: Inventory = manifest.inventory
        self._report = report
        self._stop = stop
        self._journal = journal
        self._findings: list[Finding] = []
        self._notes: list[str] = []
        self._ok = 0
        self._bytes = 0
        self._looked_at = 0

    def run(self) -> IntegrityReport:
        begun = time.monotonic()
        complete = False
        self._report(Planned(PHASE, len(self._inventory), self._inventory.total_bytes))
        try:
            if self._journal.is_kept:
                self._hash_unread()
            else:
                self._hash_listed()
            self._find_extra()
            complete = True
        except OperationStopped:
            self._report(Notice("Stopped; nothing is claimed for what was not read."))
        finally:
            self._report(Ended(PHASE, complete))
        return IntegrityReport(
            subject=str(self._folder),
            files_total=len(self._inventory),
            files_ok=self._ok,
            bytes_total=self._inventory.total_bytes,
            bytes_read=self._bytes,
            findings=tuple(sorted(self._findings, key=lambda finding: (finding.path, finding.kind))),
            complete=complete,
            proven=PROVEN,
            seconds=time.monotonic() - begun,
            notes=tuple(self._notes),
        )

    def _hash_listed(self) -> None:
        paths = self._inventory.by_path
        found = hash_batches(self._folder, paths, report=self._report, stop=self._stop, phase=PHASE)
        with contextlib.closing(found) as batches:
            for batch in batches:
                self._compare(batch)

    def _hash_unread(self) -> None:
        """The same with a journal."""
        marks = FolderMarks(self._journal, PHASE, self._folder, self._inventory, self._stop)
        plain, self._report = self._report, marks.add_earlier(self._report)
        try:
            self._hash_and_mark(marks)
            self._report(BytesDone(PHASE, self._bytes))
        finally:
            marks.close()
            self._report = plain
            self._ok += marks.earlier.count
            self._looked_at += marks.earlier.count
            self._bytes -= sum(continued.size for continued in marks.continued.values())
            self._notes = marks.notes()

    def _hash_and_mark(self, marks: FolderMarks) -> None:
        with contextlib.closing(marks.hash_unread(report=self._report)) as batches:
            for batch in batches:
                before = len(self._findings)
                self._compare(batch)
                marks.record(batch, {finding.path: finding for finding in self._findings[before:]})

    def _compare(self, batch: HashBatch[Any]) -> None:
        entries = [self._inventory[path] for path in batch.paths]
        digests_fit = "".join([entry.digest or "" for entry in entries]) == batch.digests.hex()
        sizes_fit = all(entry.size in (None, size) for entry, size in zip(entries, batch.sizes, strict=True))
        if digests_fit and sizes_fit and not batch.errors:
            self._looked_at += len(entries)
            self._ok += len(entries)
            self._bytes += sum(batch.sizes)
            return
        for hashed in batch.files():
            self._looked_at += 1
            self._bytes += hashed.size
            entry = self._inventory[hashed.path]
            if hashed.digest is not None and hashed.digest == entry.digest and entry.size in (None, hashed.size):
                self._ok += 1
            else:
                self._add(_describe(entry, hashed))

    def _find_extra(self) -> None:
        own = self._manifest.path.name
        for path, size, detail in self._list_files():
            if path != own:
                self._add(Finding(FindingKind.EXTRA, path, found_size=size, detail=detail))

    def _list_files(self) -> Iterator[tuple[str, int | None, str]]:
        for found in list_folder_files(self._folder, known=self._inventory.by_path, stop=self._stop):
            if found.error is None:
                yield found.path, found.size, found.detail
            else:
                reason = found.error.strerror or str(found.error)
                detail = f"the folder cannot be listed: {reason}"
                self._add(Finding(FindingKind.UNREADABLE, found.path, detail=detail))

    def _add(self, finding: Finding) -> None:
        self._findings.append(finding)
        reason = f"{finding.kind.value}: {finding.detail}" if finding.detail else finding.kind.value
        self._report(ItemFailed(PHASE, finding.path, self._looked_at, reason))


def _describe(entry: Entry, hashed: HashedFile) -> Finding:
    """Returns the finding for a listed file that is not what it should be."""

    def finding(kind: FindingKind, detail: str, found: str | None = None, size: int | None = None) -> Finding:
        return Finding(kind, entry.path, entry.digest, found, entry.size, size, detail)

    if hashed.error is None:
        detail = "other content"
        if entry.size is not None and entry.size != hashed.size:
            detail = f"{hashed.size:,} bytes instead of {entry.size:,}"
        return finding(FindingKind.CHANGED, detail, hashed.digest, hashed.size)
    number = hashed.error.errno
    if number in _GONE:
        return finding(FindingKind.MISSING, "not there")
    if number == errno.ELOOP:
        return finding(FindingKind.CHANGED, "a symbolic link is in its place")
    if number in (errno.EINVAL, errno.EISDIR, errno.ENXIO):
        return finding(FindingKind.CHANGED, "no regular file is in its place")
    return finding(FindingKind.UNREADABLE, hashed.error.strerror or str(hashed.error))

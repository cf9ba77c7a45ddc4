"""Checks a whole checksum manifest and reports what was found, up to files that moved or that no line covers."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archive_tui.continuation import Journal, no_journal
from archive_tui.errors import ManifestError, OperationStopped
from archive_tui.integrity.report import Finding, FindingKind, IntegrityReport
from archive_tui.manifests.checksum_lines.line import BadLine, ManifestLine
from archive_tui.names.display import escape_for_display
from archive_tui.operations.earlier_runs import EarlierRuns, describe_continued
from archive_tui.operations.line_checking import (
    PHASE,
    CheckedLine,
    CheckedLines,
    LineState,
    check_batches,
    check_lines,
)
from archive_tui.operations.uncovered_files import find_uncovered
from archive_tui.progress import Ended, ItemFailed, Notice, Planned, Report, StopSignal, ignore, never

if TYPE_CHECKING:
    from archive_tui.manifests.checksum_lines.reading import ChecksumManifest

__all__ = ["CheckedLine", "LineState", "check_lines", "check_manifest"]

PROVEN = "every listed file read in full and hashed here"

MOST_FINDINGS = 100_000
"""Findings that are kept; of the rest the number is said."""

BAD_LINES_NAMED = 20

_KINDS = {
    LineState.CHANGED: FindingKind.CHANGED,
    LineState.MISSING: FindingKind.MISSING,
    LineState.UNREADABLE: FindingKind.UNREADABLE,
}


def check_manifest(
    manifest: ChecksumManifest,
    *,
    root: Path = Path(),
    ignore_missing: bool = False,
    extra_folders: Sequence[str] | None = None,
    report: Report = ignore,
    stop: StopSignal = never,
    journal: Journal = no_journal,
) -> IntegrityReport:
    """Returns what was found when every listed file was hashed; nothing is changed.

    Findings in the order of the lines: CHANGED, MISSING (not with `ignore_missing`), UNREADABLE. With `extra_folders`
    (empty: the deepest folder that all names share) also EXTRA, and MOVED in the place of MISSING where a file that no
    line covers has the content; what that costs in memory says find_uncovered. A stop gives a report with `complete`
    False. At most 100,000 findings are kept, and the first 20 lines that cannot be read are named; the notes say how
    many more there are, and what was taken over from an earlier run of the same `journal` (see `check_lines`), which
    `bytes_read` leaves out. `bytes_total` is what was read where the manifest has no sizes. Phase `check`: items are
    lines.

    Raises: ManifestError with code manifest-no-lines when no line is good, SourceUnreadable for the manifest.
    """
    return _Check(manifest, root, ignore_missing, report, stop, journal).run(extra_folders)


class _Check:
    def __init__(
        self,
        manifest: ChecksumManifest,
        root: Path,
        ignore_missing: bool,
        report: Report,
        stop: StopSignal,
        journal: Journal,
    ) -> None:
        self._manifest = manifest
        self._root = root
        self._ignore_missing = ignore_missing
        self._report = report
        self._stop = stop
        self._journal = journal
        self._earlier = EarlierRuns()
        self._earlier_bytes = 0
        self._continued: list[str] = []
        self._findings: list[Finding] = []
        self._more_findings = 0
        self._bad_lines: list[BadLine] = []
        self._bad_count = self._ignored = 0
        self._files = self._ok = self._bytes = self._listed_bytes = 0
        self._missing: dict[str, list[ManifestLine]] = {}

    def run(self, extra_folders: Sequence[str] | None) -> IntegrityReport:
        begun = time.monotonic()
        complete = False
        lines = self._manifest.count_lines()
        self._report(Planned(PHASE, lines, None))
        try:
            self._check_all()
            if extra_folders is not None and self._files:
                self._find_uncovered(extra_folders)
            complete = True
        except OperationStopped:
            self._report(Notice("Stopped; nothing is claimed for what was not read."))
        finally:
            self._report(Ended(PHASE, complete))
        if complete and not self._files:
            raise self._no_good_line()
        return IntegrityReport(
            subject=self._manifest.where,
            files_total=self._files if complete else max(lines - self._bad_count, self._files),
            files_ok=self._ok,
            bytes_total=max(self._listed_bytes, self._bytes),
            bytes_read=self._bytes - self._earlier_bytes,
            findings=tuple(self._findings),
            complete=complete,
            proven=PROVEN,
            seconds=time.monotonic() - begun,
            notes=tuple(self._notes()),
            sought_extra=extra_folders is not None,
        )

    def _check_all(self) -> None:
        batches = check_batches(
            self._manifest, root=self._root, report=self._report, stop=self._stop, journal=self._journal
        )
        with contextlib.closing(batches):
            for batch in batches:
                for mark in batch.earlier:
                    self._earlier.add(mark.at)
                    self._earlier_bytes += mark.size or 0
                self._take_continued(batch)
                if batch.all_same:
                    self._ok += len(batch.lines)
                    self._files += len(batch.lines)
                    self._bytes += sum(batch.sizes)
                else:
                    self._take_each(batch)

    def _take_continued(self, batch: CheckedLines) -> None:
        for name, begun in batch.continued.items():
            self._earlier_bytes += begun.size
            self._continued.append(describe_continued(escape_for_display(name), begun.size, begun.at))

    def _take_each(self, batch: CheckedLines) -> None:
        for checked in batch.checked:
            if isinstance(checked, BadLine):
                self._bad_count += 1
                if self._bad_count <= BAD_LINES_NAMED:
                    self._bad_lines.append(checked)
                continue
            self._files += 1
            self._bytes += checked.size or 0
            self._listed_bytes += checked.line.size or 0
            if checked.state is LineState.SAME:
                self._ok += 1
            elif checked.state is LineState.MISSING and self._ignore_missing:
                self._ignored += 1
            else:
                self._take_finding(checked)

    def _take_finding(self, checked: CheckedLine) -> None:
        line = checked.line
        detail = "other content"
        if checked.error is not None:
            detail = checked.error.strerror or str(checked.error)
        elif line.size is not None and line.size != checked.size:
            detail = f"{checked.size:,} bytes instead of {line.size:,}"
        kind = _KINDS[checked.state]
        is_kept = self._add(Finding(kind, line.name, line.digest, checked.found, line.size, checked.size, detail))
        if is_kept and kind is FindingKind.MISSING:
            self._missing.setdefault(line.digest, []).append(line)

    def _find_uncovered(self, folders: Sequence[str]) -> None:
        found = find_uncovered(
            self._manifest,
            folders or None,
            root=self._root,
            missing=self._missing,
            report=self._report,
            stop=self._stop,
        )
        places = {line.number: (path, size) for line, path, size in found.moved}
        if places:
            self._mark_moved(places)
        for extra in found.extra:
            kind = FindingKind.EXTRA if extra.error is None else FindingKind.UNREADABLE
            self._add(Finding(kind, extra.path, found_size=extra.size, detail=extra.detail))
        self._more_findings += found.more

    def _mark_moved(self, places: dict[int, tuple[str, int]]) -> None:
        """Turns MISSING into MOVED; the findings of missing lines stand in the order of those lines."""
        missing = iter(
            sorted((line for lines in self._missing.values() for line in lines), key=lambda line: line.number)
        )
        for position, finding in enumerate(self._findings):
            if finding.kind is not FindingKind.MISSING:
                continue
            line = next(missing)
            if line.number in places:
                path, size = places[line.number]
                self._findings[position] = Finding(
                    FindingKind.MOVED, line.name, line.digest, line.digest, line.size, size, f"now at {path}"
                )

    def _add(self, finding: Finding) -> bool:
        if len(self._findings) >= MOST_FINDINGS:
            self._more_findings += 1
            return False
        self._findings.append(finding)
        self._report(ItemFailed(PHASE, finding.path, self._files, f"{finding.kind.value}: {finding.detail}"))
        return True

    def _notes(self) -> list[str]:
        word = "Entry" if self._manifest.dialect == "json" else "Line"
        notes = [f"{word} {bad.number} is no line of a manifest: {bad.reason}" for bad in self._bad_lines]
        if self._bad_count > len(self._bad_lines):
            notes.append(f"{self._bad_count - len(self._bad_lines):,} more lines are no lines of a manifest")
        if self._ignored:
            notes.append(f"{self._ignored:,} listed files are not there and were passed over")
        if self._earlier.count:
            notes.append(f"{self._earlier.describe('read', 'sizes, times and inodes')}.")
        notes += [f"{sentence}." for sentence in self._continued]
        if self._more_findings:
            notes.append(f"{self._more_findings:,} more findings are not named")
        return notes

    def _no_good_line(self) -> ManifestError:
        reason = self._bad_lines[0].reason if self._bad_lines else "it holds no line"
        number = f"line {self._bad_lines[0].number}: " if self._bad_lines else ""
        return ManifestError(
            f"Not one line of {escape_for_display(self._manifest.where)} lists a file ({number}{reason})",
            hint="Is it a manifest of SHA-256 digests? The documentation on manifests shows the forms that are read.",
            code="manifest-no-lines",
        )

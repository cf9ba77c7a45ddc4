"""What `manifest --check` prints: the lines, messages and counts of `sha256sum --check`, and those it has not."""

from __future__ import annotations

import errno
import os
import time
from typing import TYPE_CHECKING, Any

from archive_tui.cli.diagnostics import ExitStatus, report_message
from archive_tui.cli.output import ByteWriter, path_fields
from archive_tui.manifests.checksum_lines.line import BadLine, Dialect, ManifestLine
from archive_tui.names.quantities import format_count
from archive_tui.names.shell_quoting import quote_name
from archive_tui.operations.line_checking import CheckedLine, CheckedLines, LineState

if TYPE_CHECKING:
    from archive_tui.operations.uncovered_files import UncoveredFiles

MOST_BAD_LINES = 1000
"""Bad lines that a document names; it counts all of them."""

OF_SHA256SUM = (Dialect.SHA256SUM, Dialect.BSD)
"""Dialects whose messages are those of sha256sum and no more."""

OK, FAILED, UNREADABLE, EXTRA = "OK", "FAILED", "FAILED open or read", "EXTRA"


class CheckResults:
    """Takes the results in the order of the lines and writes them at once; keeps findings only.

    `title` names the manifest in messages; `loudness`: see `CheckRequest`. `writes_lines` False: a document will be
    printed instead. `missing` are the lines whose file is not there, by digest, when `keeps_missing`.
    """

    def __init__(
        self,
        *,
        title: str,
        dialect: Dialect,
        loudness: str | None,
        strict: bool,
        ignore_missing: bool,
        writes_lines: bool,
        keeps_missing: bool,
    ) -> None:
        self.missing: dict[str, list[ManifestLine]] = {}
        self._title = quote_name(title)
        self._dialect = dialect
        self._loudness = loudness
        self._strict = strict
        self._ignore_missing = ignore_missing
        self._writes_lines = writes_lines and loudness != "status"
        self._writes_ok = self._writes_lines and loudness != "quiet"
        self._keeps_findings = not writes_lines
        self._keeps_missing = keeps_missing
        self._writer = ByteWriter()
        self._begun = time.monotonic()
        self._ok = self._failed = self._unreadable = self._ignored = self._bytes = self._bad_count = 0
        self._findings: list[dict[str, Any]] = []
        self._bad_lines: list[BadLine] = []
        self._extra = self._moved = self._closed_folders = 0

    @property
    def good_lines(self) -> int:
        return self._ok + self._failed + self._unreadable + self._ignored

    @property
    def progress(self) -> str:
        """How far it is, as a part of a sentence."""
        findings = format_count(self._failed + self._unreadable, "finding")
        return f"{format_count(self.good_lines + self._bad_count, 'line')}, {findings}"

    def add_batch(self, batch: CheckedLines) -> None:
        """Raises: OutputClosed, OutputFailed."""
        if not batch.all_same:
            for checked in batch.checked:
                self.add(checked)
            return
        self._ok += len(batch.lines)
        self._bytes += sum(batch.sizes)
        if not self._writes_ok:
            return
        text = "".join([f"{line.name}: {OK}\n" for line in batch.lines if isinstance(line, ManifestLine)])
        if text.count("\n") == len(batch.lines):
            self._writer.write(os.fsencode(text))
            return
        for line in batch.lines:
            if isinstance(line, ManifestLine):
                self._write(line.name, OK)

    def add(self, checked: CheckedLine | BadLine) -> None:
        """Raises: OutputClosed, OutputFailed."""
        if isinstance(checked, BadLine):
            self._add_bad_line(checked)
        elif checked.error is not None:
            self._add_unreadable(checked, checked.error)
        elif checked.state is LineState.SAME:
            self._ok += 1
            self._bytes += checked.size or 0
            if self._writes_ok:
                self._write(checked.line.name, OK)
        else:
            self._add_changed(checked)

    def _add_bad_line(self, bad: BadLine) -> None:
        self._bad_count += 1
        if self._keeps_findings and len(self._bad_lines) < MOST_BAD_LINES:
            self._bad_lines.append(bad)
        if self._loudness == "warn":
            reason = "" if self._dialect in OF_SHA256SUM else f" ({bad.reason})"
            report_message(f"{self._title}: {bad.number}: improperly formatted SHA256 checksum line{reason}")

    def _add_unreadable(self, checked: CheckedLine, error: OSError) -> None:
        line = checked.line
        if error.errno == errno.ENOENT:
            if self._keeps_missing:
                self.missing.setdefault(line.digest, []).append(line)
            if self._ignore_missing:
                self._ignored += 1
                return
        self._unreadable += 1
        reason = error.strerror or str(error)
        report_message(f"{quote_name(line.name)}: {reason}")
        self._write(line.name, UNREADABLE)
        self._keep(line, UNREADABLE, reason=reason)

    def _add_changed(self, checked: CheckedLine) -> None:
        line = checked.line
        self._failed += 1
        self._bytes += checked.size or 0
        if line.size is not None and checked.size != line.size and self._loudness != "status":
            report_message(f"{quote_name(line.name)}: {line.size} bytes expected, {checked.size} found")
        self._write(line.name, FAILED)
        self._keep(line, FAILED, found=checked.found, found_size=checked.size)

    def add_uncovered(self, found: UncoveredFiles) -> None:
        """Raises: OutputClosed, OutputFailed."""
        for moved in found.moved:
            self._moved += 1
            self._write(moved.line.name, f"MOVED to {moved.path}")
            self._keep(moved.line, "MOVED", to=path_fields(moved.path), found_size=moved.size)
        self._extra += found.more
        for extra in found.extra:
            if extra.error is not None:
                self._add_closed_folder(extra.path, extra.error.strerror or str(extra.error))
                continue
            self._extra += 1
            self._write(extra.path, EXTRA)
            self._find(extra.path, EXTRA, found_size=extra.size, reason=extra.detail or None)

    def _add_closed_folder(self, path: str, reason: str) -> None:
        self._closed_folders += 1
        report_message(f"{quote_name(path)}: {reason}")
        self._find(path, UNREADABLE, reason=reason)

    def _write(self, name: str, word: str) -> None:
        r"""As sha256sum: a name that holds an LF has it escaped, with `\` and CR, after a backslash at the beginning of
        the line; other names are written as they are, backslashes included."""
        if not self._writes_lines:
            return
        text = os.fsencode(f"{name}: {word}")
        if b"\n" in text:
            text = b"\\" + text.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
        self._writer.write(text + b"\n")

    def _keep(self, line: ManifestLine, verdict: str, **fields: Any) -> None:
        self._find(line.name, verdict, line=line.number, expected=line.digest, expected_size=line.size, **fields)

    def _find(self, name: str, verdict: str, **fields: Any) -> None:
        if self._keeps_findings:
            self._findings.append({**path_fields(name), "verdict": verdict, **fields})

    def summarize(self) -> None:
        """Writes the counts to standard error, in the order and the words of sha256sum."""
        if not self.good_lines:
            report_message(f"{self._title}: no properly formatted checksum lines found")
            return
        if self._loudness == "status":
            return
        for count, one, many in (
            (self._bad_count, "line is improperly formatted", "lines are improperly formatted"),
            (self._unreadable, "listed file could not be read", "listed files could not be read"),
            (self._failed, "computed checksum did NOT match", "computed checksums did NOT match"),
            (self._moved, "listed file has moved", "listed files have moved"),
            (self._extra, "file is not listed", "files are not listed"),
            (self._closed_folders, "folder could not be searched", "folders could not be searched"),
        ):
            if count:
                report_message(f"WARNING: {count} {one if count == 1 else many}")
        if self._ignore_missing and not self._ok:
            report_message(f"{self._title}: no file was verified")

    @property
    def status(self) -> ExitStatus:
        findings = self._failed + self._unreadable + self._extra + self._moved + self._closed_folders
        is_clean = self._ok and not findings and not (self._strict and self._bad_count)
        return ExitStatus.CLEAN if is_clean else ExitStatus.FINDINGS

    def document(self, manifest: str) -> dict[str, Any]:
        """Returns all of it for `--json`."""
        return {
            "manifest": manifest,
            "format": str(self._dialect),
            "verdict": "verified" if self.status is ExitStatus.CLEAN else "findings",
            "counts": {
                "ok": self._ok,
                "failed": self._failed,
                "unreadable": self._unreadable,
                "ignored": self._ignored,
                "bad_lines": self._bad_count,
                "moved": self._moved,
                "extra": self._extra,
                "closed_folders": self._closed_folders,
            },
            "bytes": self._bytes,
            "seconds": round(time.monotonic() - self._begun, 3),
            "findings": self._findings,
            "bad_lines": [{"line": bad.number, "reason": bad.reason} for bad in self._bad_lines],
            "status": int(self.status),
        }

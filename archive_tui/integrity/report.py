"""The result of a verification: findings are returned, exceptions are for not being able to look."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class FindingKind(StrEnum):
    CHANGED = "changed"
    MISSING = "missing"
    MOVED = "moved"  # not at its path; the same content lies elsewhere, as `detail` says
    EXTRA = "extra"
    WRITABLE = "writable"  # right, but nothing keeps it from being changed
    UNREADABLE = "unreadable"


class Verdict(StrEnum):
    VERIFIED = "verified"
    FINDINGS = "findings"
    INCONCLUSIVE = "inconclusive"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Finding:
    """`expected` and `found` are SHA-256 digests, sizes are bytes; None: not known or not applicable."""

    kind: FindingKind
    path: str
    expected: str | None = None
    found: str | None = None
    expected_size: int | None = None
    found_size: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class IntegrityReport:
    """`files_total` and `bytes_total` are what the manifest lists, `files_ok` what was hashed and found right.

    `complete` is False when the verification was stopped: nothing is claimed for the rest. `proven` says in a
    sentence what a clean result proves and how (for example "every byte read and hashed here"). `sought_extra` False:
    nobody has looked for files that are not listed, and none are said not to be there."""

    subject: str
    files_total: int
    files_ok: int
    bytes_total: int
    bytes_read: int
    findings: tuple[Finding, ...] = ()
    complete: bool = True
    proven: str = "every byte read and hashed"
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())
    sought_extra: bool = True

    def count(self, kind: FindingKind) -> int:
        return sum(1 for finding in self.findings if finding.kind is kind)

    @property
    def verdict(self) -> Verdict:
        if any(finding.kind is not FindingKind.UNREADABLE for finding in self.findings):
            return Verdict.FINDINGS
        if not self.complete:
            return Verdict.STOPPED
        return Verdict.INCONCLUSIVE if self.findings else Verdict.VERIFIED

    @property
    def _always_said(self) -> tuple[FindingKind, ...]:
        always = (FindingKind.CHANGED, FindingKind.MISSING)
        return (*always, FindingKind.EXTRA) if self.sought_extra else always

    @property
    def sentence(self) -> str:
        """The one line with which every face ends a verification."""
        unreadable = self.count(FindingKind.UNREADABLE)
        beside = self.count(FindingKind.EXTRA) + self.count(FindingKind.WRITABLE)
        done = self.files_ok + len(self.findings) - beside
        counts = ", ".join(
            f"{self.count(kind)} {kind}" for kind in FindingKind if kind in self._always_said or self.count(kind)
        )
        if self.verdict is Verdict.FINDINGS:
            tail = "" if self.complete else f"; stopped at {done}, nothing is claimed for the rest"
            return f"Findings: {counts} of {self.files_total}{tail}"
        if self.verdict is Verdict.STOPPED:
            return f"Stopped at {done} of {self.files_total}: nothing is claimed for the rest"
        if self.verdict is Verdict.INCONCLUSIVE:
            return f"Inconclusive: {unreadable} file{'s' if unreadable != 1 else ''} could not be read"
        return f"Verified: {self.files_ok} of {self.files_total} files, all bytes"

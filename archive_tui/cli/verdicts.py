"""Prints the result of a verification: findings first, the sentence last."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from archive_tui.cli.diagnostics import STATUS_OF_VERDICT
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.names.quantities import format_duration, format_size

if TYPE_CHECKING:
    from archive_tui.cli.invocation import Invocation
    from archive_tui.integrity.evidence import Evidence
    from archive_tui.integrity.report import Finding, IntegrityReport

SIGNS = {"changed": "✗", "missing": "○", "moved": "→", "extra": "+", "writable": "w", "unreadable": "!"}


def show_report(invocation: Invocation, report: IntegrityReport, evidence: Evidence | None = None) -> int:
    """Prints a report and returns the exit status of its verdict."""
    status = STATUS_OF_VERDICT[report.verdict]
    if invocation.as_json:
        write_json({**report_document(report), "evidence": evidence_document(evidence), "status": int(status)})
        return status
    for note in report.notes:
        invocation.note(note)
    for finding in report.findings:
        write_line(describe_finding(finding))
    write_line(report.sentence)
    if not invocation.quiet:
        pace = f"{format_size(report.bytes_read)} read in {format_duration(report.seconds)}"
        write_line(f"{show_name(report.subject)}: {pace}; {report.proven}.")
    return status


def describe_finding(finding: Finding) -> str:
    """Returns one finding in a line: sign, word, path, and what was expected and found."""
    parts = []
    if finding.expected_size is not None and finding.found_size not in (None, finding.expected_size):
        parts.append(f"expected {finding.expected_size} bytes, found {finding.found_size}")
    if finding.expected and finding.found:
        parts.append(f"expected {finding.expected}, found {finding.found}")
    if finding.detail:
        parts.append(finding.detail)
    tail = f"  ({'; '.join(parts)})" if parts else ""
    return f"{SIGNS[finding.kind]} {finding.kind:<10} {show_name(finding.path)}{show_name(tail)}"


def report_document(report: IntegrityReport) -> dict[str, Any]:
    """Returns a report for `--json`."""
    return {**asdict(report), "verdict": str(report.verdict), "sentence": report.sentence}


def evidence_document(evidence: Evidence | None) -> dict[str, Any] | None:
    """Returns evidence for `--json`; the level by its name."""
    return None if evidence is None else {**asdict(evidence), "level": evidence.level.name.lower()}

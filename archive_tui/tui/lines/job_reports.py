"""The results of jobs that can be saved: verifications, and runs over a manifest with a vault. As text and as JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from archive_tui.archives.datasets.fetching import FetchReceipt
from archive_tui.integrity.report import Finding, IntegrityReport
from archive_tui.jobs.manifests.manifest_ends import LEVEL_WORDS, VaultReport

Reported = IntegrityReport | VaultReport


def report_of(result: Any) -> Reported | None:
    """The report in the result of a job; None where there is none."""
    if isinstance(result, FetchReceipt):
        return result.report
    return result if isinstance(result, IntegrityReport | VaultReport) else None


def report_text(report: Reported, sentence: str) -> str:
    """A report for people; `sentence` is how its job has ended."""
    lines = [report.subject, sentence, ""]
    for finding in report.findings:
        lines += _finding_lines(finding)
    lines += ["" if report.findings else "No findings."]
    lines += _integrity_lines(report) if isinstance(report, IntegrityReport) else _vault_lines(report)
    return "\n".join([*lines, ""])


def report_json(report: Reported, sentence: str) -> str:
    """The same for programs; sizes in bytes, digests SHA-256."""
    values: dict[str, Any]
    if isinstance(report, IntegrityReport):
        values = {**dataclasses.asdict(report), "verdict": str(report.verdict), "sentence": sentence}
    else:
        tally = report.tally
        values = {
            "subject": report.subject,
            "vault": report.vault,
            "sentence": sentence,
            "complete": report.complete,
            "seconds": report.seconds,
            "findings": [dataclasses.asdict(finding) for finding in report.findings],
            "outcomes": {str(outcome): count for outcome, count in tally.outcomes.items()},
            "evidence": dict(tally.evidence),
            "bad_lines": tally.bad_lines,
            "bytes_moved": tally.bytes_moved,
        }
    return json.dumps(values, indent=2, sort_keys=True, default=str) + "\n"


def _finding_lines(finding: Finding) -> list[str]:
    lines = [f"{finding.kind:<10} {finding.path}"]
    for label, digest, size in (
        ("expected", finding.expected, finding.expected_size),
        ("found", finding.found, finding.found_size),
    ):
        if digest is not None or size is not None:
            lines.append(f"           {label:<8} {digest or 'no digest'}  {size if size is not None else '?'} bytes")
    return [*lines, f"           {finding.detail}"] if finding.detail else lines


def _integrity_lines(report: IntegrityReport) -> list[str]:
    lines = [
        f"files  {report.files_ok} of {report.files_total} right",
        f"bytes  {report.bytes_read} read of {report.bytes_total}",
        f"time   {report.seconds:.1f} s",
        *(f"note   {note}" for note in report.notes),
    ]
    return [*lines, f"proven {report.proven}"] if report.verdict == "verified" else lines


def _vault_lines(report: VaultReport) -> list[str]:
    tally = report.tally
    lines = [f"vault  {report.vault}", f"time   {report.seconds:.1f} s"]
    lines += [f"lines  {count} {outcome}" for outcome, count in tally.outcomes.items()]
    lines += [f"known  {tally.evidence[level]} {word}" for level, word in LEVEL_WORDS.items() if tally.evidence[level]]
    return lines

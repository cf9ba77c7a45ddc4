"""Receipts as rows for a screen and as text for a file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from archive_tui.archives.datasets.receipt import PublishReceipt
from archive_tui.errors import ObjectExists, SourceNotFound
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.jobs.commands import fetch_command, fetch_python
from archive_tui.jobs.job import JobSnapshot
from archive_tui.names.quantities import format_duration, format_number, format_size
from archive_tui.objects.folder.atomic_file import write_atomically
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.text_rows import labelled_rows
from archive_tui.tui.lines.times import format_time

EVIDENCE_WORDS = {
    EvidenceLevel.DAMAGED: "damaged",
    EvidenceLevel.LISTED: "listed: it exists, no more",
    EvidenceLevel.COPIED: "copied, not verified",
    EvidenceLevel.UNCHANGED: "unchanged since it was last read",
    EvidenceLevel.RECORDED: "recorded",
    EvidenceLevel.SAMPLED: "sampled",
    EvidenceLevel.ATTESTED: "attested",
    EvidenceLevel.READ: "verified",
    EvidenceLevel.RESTORED: "verified",
}

Item = tuple[str, str, str]
"""Label, text, name of a style."""


def evidence_sentence(evidence: Evidence | None) -> str:
    if evidence is None:
        return "nothing was looked at"
    method = evidence.method[:1].lower() + evidence.method[1:]
    return f"{EVIDENCE_WORDS[evidence.level]}: {method}"


def publish_items(
    receipt: PublishReceipt, job: JobSnapshot, storage_name: str, settings_path: Path | None
) -> list[Item]:
    """What a receipt says, in its order."""
    is_new = receipt.outcome == "published"
    headline = f"{receipt.name} {receipt.version}" + ("" if is_new else "  (already published, nothing was written)")
    proven = receipt.evidence is not None and receipt.evidence.level >= EvidenceLevel.ATTESTED
    items: list[Item] = [
        ("Published" if is_new else "Identical", headline, "heading"),
        ("in", f"{storage_name}  ({receipt.store_label})", ""),
        ("key", receipt.key, ""),
        (
            "amount",
            f"{format_number(receipt.files)} files, {format_size(receipt.source_bytes)},"
            f" as {format_size(receipt.archive_size)}, in {format_duration(receipt.seconds)}",
            "",
        ),
    ]
    if is_new:
        items.append(("evidence", evidence_sentence(receipt.evidence), "proven" if proven else "doubtful"))
    for label, digest in (("archive", receipt.archive_digest), ("manifest", receipt.manifest_digest)):
        if digest is not None:
            items.append((label, f"SHA-256 {digest}", ""))
    items += [("note", remark, "doubtful") for remark in receipt.remarks]
    fetch = fetch_command(storage_name, receipt.name, receipt.version, Path(), overwrite=False)
    items += [("", "", ""), ("fetch it", fetch, "")]
    lines = fetch_python(settings_path, storage_name, receipt.name, receipt.version).splitlines()
    items += [("in Python" if index == 0 else "", line, "") for index, line in enumerate(lines)]
    if job.command:
        items += [("", "", ""), ("command", job.command, "weak")]
    return items


def receipt_rows(
    receipt: PublishReceipt, job: JobSnapshot, storage_name: str, settings_path: Path | None, width: int
) -> list[list[Cell]]:
    rows: list[list[Cell]] = [[]]
    for label, text, style in publish_items(receipt, job, storage_name, settings_path):
        rows += labelled_rows(label, text, width, style)
    return rows


def publish_receipt_text(
    receipt: PublishReceipt, job: JobSnapshot, storage_name: str, settings_path: Path | None
) -> str:
    lines = [
        f"{label:<12}{text}".rstrip() for label, text, _ in publish_items(receipt, job, storage_name, settings_path)
    ]
    ended = format_time(job.ended_at)
    return "\n".join([*lines, "", f"{'ended':<12}{ended}", ""])


def default_receipt_name(name: str, version: str) -> str:
    return f"{name.rpartition('/')[2]}.{version}.receipt.txt"


def save_text(path: Path, text: str) -> Path:
    """Writes a new file; an existing one is never replaced.

    Raises: ObjectExists, AccessDenied, StorageFull, SourceNotFound for a folder that does not exist.
    """
    return save_pieces(path, [text])


def save_pieces(path: Path, pieces: Iterable[str]) -> Path:
    """The same for a text that is too long to be held whole."""
    if not path.parent.is_dir():
        raise SourceNotFound(f"No such folder: {path.parent}", hint="Choose a folder that exists.")
    if path.is_dir():
        raise ObjectExists(f"That is a folder: {path}", hint="Name a file in it.")
    if path.exists() or path.is_symlink():
        raise ObjectExists(f"There is a file of that name already: {path}", hint="Choose another name.")
    write_atomically(path, (piece.encode("utf-8", "surrogateescape") for piece in pieces))
    return path

"""Where a retrieved dataset goes, and what is done when something lies there already."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from archive_tui.archives.datasafe.folder_places import list_files
from archive_tui.archives.datasafe.held_dataset import HeldDataset
from archive_tui.archives.datasafe.manifest_check import FileDigests
from archive_tui.archives.datasafe.staged_dataset import hash_files
from archive_tui.conflicts import Conflict, ConflictRule, Resolve, keep_what_is_there
from archive_tui.errors import TargetExists
from archive_tui.integrity.report import Finding, FindingKind, IntegrityReport, Verdict
from archive_tui.names.quantities import format_size
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.swap import finish_interrupted_swap
from archive_tui.progress import Report, StopSignal

PROVEN = "the archive was unpacked, every file hashed and compared with its manifest before it took its place"
LOOKED = "every file in the folder was read, hashed and compared with the manifest in the datasafe"


@dataclass(frozen=True, slots=True)
class RetrievalTarget:
    """`existing` is what looking at a folder found that stays as it is: nothing is retrieved then. `is_undecided`: so
    it is because somebody has to decide."""

    path: Path
    replaces: bool = False
    existing: IntegrityReport | None = None
    is_undecided: bool = False


@dataclass(frozen=True, slots=True)
class RetrievalRules:
    """`is_repeated`: an earlier run of the same job was about to bring its folder in, so that it may be the one that
    lies there."""

    overwrite: bool
    is_repeated: bool
    resolve: Resolve
    report: Report
    stop: StopSignal


def choose_retrieval_target(held: HeldDataset, first: Path, rules: RetrievalRules) -> RetrievalTarget:
    """Returns `first`, or what the rules make of it when something is there.

    Raises: TargetExists when what is there is no folder and stays; StorageError for a folder that cannot be read;
    OperationStopped.
    """
    finish_interrupted_swap(first)
    if not _is_there(first):
        return RetrievalTarget(first)
    is_folder = first.is_dir() and not first.is_symlink()
    if rules.overwrite and is_folder and not rules.is_repeated:
        return RetrievalTarget(first, replaces=True)
    existing = look_at_folder(held, first, rules) if is_folder else None
    if existing is not None and existing.verdict is Verdict.VERIFIED:
        return RetrievalTarget(first, existing=existing)
    if rules.overwrite and is_folder:
        return RetrievalTarget(first, replaces=True)
    match _ask(held, first, existing, rules):
        case ConflictRule.REPLACE if is_folder:
            return RetrievalTarget(first, replaces=True)
        case ConflictRule.KEEP_BOTH:
            return _choose_other_name(held, first, rules)
        case ConflictRule.ASK:
            nothing = IntegrityReport(str(first), 0, 0, 0, 0, complete=False, proven="nothing")
            return RetrievalTarget(first, existing=existing or nothing, is_undecided=True)
    if existing is None:
        raise TargetExists(f"Not a folder, and in the way: {first}", hint="Move it away, or retrieve elsewhere.")
    return RetrievalTarget(first, existing=existing)


def look_at_folder(held: HeldDataset, folder: Path, rules: RetrievalRules) -> IntegrityReport:
    """Compares a folder that is there with the dataset in the datasafe.

    Raises: StorageError when it cannot be read; OperationStopped.
    """
    started = time.monotonic()
    with translate_os_errors(str(folder), f"folder {folder.parent}"):
        names = [name for name, _ in list_files(folder)]
        digests, _ = hash_files(folder, names, held.algorithm, report=rules.report, stop=rules.stop)
    return make_report(str(folder), held, digests, held.judge(digests), started, LOOKED)


def make_report(
    subject: str,
    held: HeldDataset,
    digests: Sequence[FileDigests],
    findings: tuple[Finding, ...],
    started: float,
    proven: str,
) -> IntegrityReport:
    """Returns the report on files that were all read; `started` by the clock of time.monotonic."""
    listed = {*held.names, *(entry.path for entry in held.recorded), *held.manifest.names}
    extra = {finding.path for finding in findings if finding.kind is FindingKind.EXTRA}
    wrong = {finding.path for finding in findings} - extra
    size = sum(file.size for file in digests)
    total = len(listed - extra)
    return IntegrityReport(
        subject=subject,
        files_total=total,
        files_ok=total - len(wrong),
        bytes_total=size,
        bytes_read=size,
        findings=findings,
        proven=proven,
        seconds=time.monotonic() - started,
    )


def _ask(held: HeldDataset, path: Path, existing: IntegrityReport | None, rules: RetrievalRules) -> ConflictRule:
    if rules.resolve is keep_what_is_there:
        return ConflictRule.KEEP
    found = "no folder" if existing is None else existing.sentence
    choices = (ConflictRule.KEEP, ConflictRule.KEEP_BOTH, *((ConflictRule.REPLACE,) if existing is not None else ()))
    wanted = f"a dataset of {format_size(held.archive.size)}"
    return rules.resolve(Conflict(path.name, str(path), found, wanted, choices))


def _choose_other_name(held: HeldDataset, first: Path, rules: RetrievalRules) -> RetrievalTarget:
    """The next free name, or the one that an earlier run of the same job has given it."""
    for number in count(2):
        path = first.with_name(f"{first.name} ({number})")
        finish_interrupted_swap(path)
        if not _is_there(path):
            return RetrievalTarget(path)
        if path.is_dir() and not path.is_symlink():
            existing = look_at_folder(held, path, rules)
            if existing.verdict is Verdict.VERIFIED:
                return RetrievalTarget(path, existing=existing)
    raise AssertionError("count() ends never")


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()

"""Where a fetched version goes, and what is done when something lies there already."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path

from archive_tui.archives.datasets.catalog import DatasetVersion, read_version_manifest
from archive_tui.conflicts import Conflict, ConflictRule, Resolve, keep_what_is_there
from archive_tui.errors import IntegrityError, ManifestError, TargetExists
from archive_tui.integrity.report import IntegrityReport, Verdict
from archive_tui.manifests import find_manifest
from archive_tui.objects.folder.swap import finish_interrupted_swap
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.verifying import verify_folder
from archive_tui.progress import Report, StopSignal, check_stop


@dataclass(frozen=True, slots=True)
class FetchTarget:
    """`existing` is what looking at a folder found that stays as it is: nothing is fetched then. `is_undecided`: so it
    is because somebody has to decide."""

    path: Path
    replaces: bool = False
    existing: IntegrityReport | None = None
    is_undecided: bool = False


@dataclass(frozen=True, slots=True)
class TargetRules:
    """How the target is chosen. `is_repeated`: an earlier run of the same job was about to bring its folder in, so that
    it may be the one that lies there."""

    overwrite: bool
    is_repeated: bool
    resolve: Resolve
    report: Report
    stop: StopSignal


def choose_target(store: ObjectStore, version: DatasetVersion, into: Path, rules: TargetRules) -> FetchTarget:
    """Returns `into/NAME.VERSION`, or what the rules make of it when something is there.

    Raises: TargetExists when what is there stays and is no folder that could be verified; OperationStopped; what the
    store raises.
    """
    first = into / f"{version.name}.{version.version}"
    finish_interrupted_swap(first)
    if not _is_there(first):
        return FetchTarget(first)
    is_folder = first.is_dir() and not first.is_symlink()
    if rules.overwrite and is_folder and not rules.is_repeated:
        return FetchTarget(first, replaces=True)
    existing = _verify(first, rules) if is_folder else None
    if rules.resolve is keep_what_is_there and not rules.is_repeated:
        return _keep(first, existing, is_folder)
    check_stop(rules.stop)
    if existing is not None and _is_same(store, version, first, existing):
        return FetchTarget(first, existing=existing)
    if rules.overwrite and is_folder:
        return FetchTarget(first, replaces=True)
    match rules.resolve(_describe(version, first, existing, is_folder)):
        case ConflictRule.REPLACE if is_folder:
            return FetchTarget(first, replaces=True)
        case ConflictRule.KEEP_BOTH:
            return _choose_other_name(store, version, first, rules)
        case ConflictRule.ASK:
            return FetchTarget(first, existing=existing or _nothing_known(first), is_undecided=True)
    return _keep(first, existing, is_folder)


def _keep(path: Path, existing: IntegrityReport | None, is_folder: bool) -> FetchTarget:
    if not is_folder:
        raise TargetExists(f"Not a folder, and in the way: {path}", hint="Move it away, or fetch elsewhere.")
    if existing is None:
        raise TargetExists(
            f"A folder without a usable manifest is in the way: {path}",
            hint="Move it away, fetch elsewhere with --to, or replace it with --overwrite.",
        )
    return FetchTarget(path, existing=existing)


def _choose_other_name(store: ObjectStore, version: DatasetVersion, first: Path, rules: TargetRules) -> FetchTarget:
    """The next free name, or the one that an earlier run of the same job has given it."""
    for number in count(2):
        path = first.with_name(f"{first.name} ({number})")
        finish_interrupted_swap(path)
        if not _is_there(path):
            return FetchTarget(path)
        if path.is_dir() and not path.is_symlink():
            existing = _verify(path, rules)
            check_stop(rules.stop)
            if existing is not None and _is_same(store, version, path, existing):
                return FetchTarget(path, existing=existing)
    raise AssertionError("count() ends never")


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _verify(folder: Path, rules: TargetRules) -> IntegrityReport | None:
    """None: there is no manifest that could be used."""
    try:
        return verify_folder(folder, report=rules.report, stop=rules.stop)
    except ManifestError:
        return None


def _is_same(store: ObjectStore, version: DatasetVersion, folder: Path, existing: IntegrityReport) -> bool:
    """True when the folder is whole, and holds what the version holds."""
    if existing.verdict is not Verdict.VERIFIED:
        return False
    try:
        wanted = read_version_manifest(store, version).inventory
        return find_manifest(folder).inventory.same_content(wanted)
    except IntegrityError:
        return False


def _describe(version: DatasetVersion, path: Path, existing: IntegrityReport | None, is_folder: bool) -> Conflict:
    found = "no folder" if not is_folder else "a folder without a usable manifest"
    if existing is not None:
        found = existing.sentence if existing.verdict is not Verdict.VERIFIED else "a whole folder of other content"
    size = f", {version.size:,} bytes packed" if version.size >= 0 else ""
    item = f"{version.name}.{version.version}"
    choices = (ConflictRule.KEEP, ConflictRule.KEEP_BOTH, *((ConflictRule.REPLACE,) if is_folder else ()))
    return Conflict(item, str(path), found, f"{version.name} {version.version}{size}", choices)


def _nothing_known(path: Path) -> IntegrityReport:
    return IntegrityReport(str(path), 0, 0, 0, 0, complete=False, proven="nothing")

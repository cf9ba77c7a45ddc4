"""Looks at a source before it is published: names, sizes and times of its files, and everything that is in the way."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive_tui.errors import SourceError
from archive_tui.names.display import escape_for_display
from archive_tui.operations.scanning.contained_open import source_not_found, translate_read_error
from archive_tui.operations.scanning.ignore_rules import Ignores, load_ignore_rules
from archive_tui.operations.scanning.source_scan import ScanRemark, SourceFile, SourceScan
from archive_tui.operations.scanning.source_walk import SourceWalk
from archive_tui.progress import BytesDone, Ended, ItemDone, Planned, Report, StopSignal, ignore, never

__all__ = ["PartialScan", "ScanRemark", "SourceFile", "SourceScan", "iter_scan", "scan_source"]

PHASE = "scan"
FILES_BETWEEN = 1000
SECONDS_BETWEEN = 0.1


@dataclass(frozen=True, slots=True)
class PartialScan:
    """What has been found so far: `files` and `bytes` are totals, `remarks` those that are new since the last one.
    `latest` is the path last looked at; `scan` is None until the last of all."""

    files: int
    bytes: int
    latest: str
    remarks: tuple[ScanRemark, ...] = ()
    scan: SourceScan | None = None


def scan_source(
    source: Path, *, follow_symlinks: bool = False, report: Report = ignore, stop: StopSignal = never
) -> SourceScan:
    """Returns what `source`, a folder or a single file, holds. No content is read but that of a `manifest.json` and of
    an ignore file at its top.

    Symbolic links are kept out and named in `skipped`; with `follow_symlinks` they are followed when the target lies
    inside the source, and are a refusal otherwise.

    Raises: SourceNotFound, SourceUnreadable, SourceError (neither file nor folder), OperationStopped.
    """
    scan: SourceScan | None = None
    for partial in iter_scan(source, follow_symlinks=follow_symlinks, report=report, stop=stop):
        scan = partial.scan
    assert scan is not None
    return scan


def iter_scan(
    source: Path, *, follow_symlinks: bool = False, report: Report = ignore, stop: StopSignal = never
) -> Iterator[PartialScan]:
    """Yields what has been found so far, after every 1,000 files or 0.1 s; the last one carries the whole scan.

    Raises: as `scan_source`.
    """
    finished = False
    report(Planned(PHASE))
    try:
        walk, root = _begin(source, follow_symlinks)
        for latest in _pace(walk.visit_all(stop), walk):
            report(BytesDone(PHASE, walk.bytes))
            report(ItemDone(PHASE, latest, len(walk.files)))
            yield PartialScan(len(walk.files), walk.bytes, latest, walk.take_new_remarks())
        scan = walk.finish(root)
        report(Planned(PHASE, len(scan.files), scan.total_bytes))
        report(BytesDone(PHASE, scan.total_bytes))
        finished = True
    finally:
        report(Ended(PHASE, finished))
    yield PartialScan(len(scan.files), scan.total_bytes, "", walk.take_new_remarks(), scan)


def _pace(visited: Iterator[str], walk: SourceWalk) -> Iterator[str]:
    told_files, told_at = 0, time.monotonic()
    for latest in visited:
        now = time.monotonic()
        if len(walk.files) - told_files >= FILES_BETWEEN or now - told_at >= SECONDS_BETWEEN:
            told_files, told_at = len(walk.files), now
            yield latest


def _begin(source: Path, follow_symlinks: bool) -> tuple[SourceWalk, Path]:
    """Returns a walk that is ready to go, and the source as an absolute path."""
    shown = escape_for_display(str(source))
    try:
        root = source.absolute()
        real = source.resolve(strict=True)
        mode = real.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise source_not_found(source) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise translate_read_error(str(source), error if isinstance(error, OSError) else OSError(str(error))) from error
    if stat.S_ISDIR(mode):
        return SourceWalk(real, follow_symlinks=follow_symlinks, ignores=_load_rules(real)), root
    if not stat.S_ISREG(mode):
        raise SourceError(
            f"Neither a file nor a folder: {shown}",
            path=str(source),
            hint="Name a folder of data, or a single file.",
            code="source-kind",
        )
    walk = SourceWalk(real.parent, follow_symlinks=follow_symlinks)
    walk.take_single_file(root.name, real.name)
    return walk, root


def _load_rules(folder: Path) -> Ignores | None:
    return load_ignore_rules(folder) if os.access(folder, os.X_OK) else None

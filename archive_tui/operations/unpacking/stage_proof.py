"""What an earlier run has left in a stage, proven from the disk before anything is added to it.

A crash of the machine may have torn files that looked whole to the run that wrote them: so nothing of it is believed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from archive_tui.integrity.streams import BLOCK_SIZE
from archive_tui.operations.hashing.files import hash_batches
from archive_tui.operations.hashing.opened_paths import ContainedPaths
from archive_tui.operations.unpacking.central_directory import ArchiveMember
from archive_tui.operations.unpacking.continuation import ArchiveJournal
from archive_tui.operations.unpacking.points import MemberPoint
from archive_tui.operations.unpacking.structure import ArchiveStructure
from archive_tui.progress import BytesDone, Ended, Planned, Report, StopSignal, check_stop

PHASE = "check again"


def prove_stage(
    stage: Path, structure: ArchiveStructure, journal: ArchiveJournal, *, report: Report, stop: StopSignal
) -> bool:
    """True when the stage holds what was unpacked before the journal's point, every byte of it read and hashed now. All
    else is removed from it. False: it has to be begun anew.

    Raises: OperationStopped, OSError when something cannot be removed.
    """
    if journal.point is None:
        return False
    done = [member for member in journal.done_members() if not member.is_folder]
    inside = journal.point.inside
    begun = None if inside is None else structure.members[journal.point.index]
    total = sum(member.size for member in done) + (inside.size if inside is not None else 0)
    report(Planned(PHASE, len(done) + (begun is not None), total))
    is_proven = False
    try:
        known = {member.path for member in (*done, *([begun] if begun is not None else ()))}
        is_proven = (
            _remove_others(stage, known)
            and _are_as_expected(stage, done, journal, report, stop)
            and (begun is None or inside is None or _is_begun(stage, begun, inside, journal, report, stop))
        )
        return is_proven
    finally:
        report(Ended(PHASE, is_proven))


def clear_stage(stage: Path) -> None:
    """Removes all that is in the stage. Raises: OSError."""
    with os.scandir(stage) as entries:
        for entry in list(entries):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)  # noqa: PTH108  (an entry, not a Path)


def _remove_others(stage: Path, known: set[str]) -> bool:
    """Removes files of members that are not done. False: there are links, which nobody of us makes."""
    root = os.fspath(stage)
    for folder, folders, files in os.walk(root):
        if any(os.path.islink(f"{folder}/{name}") for name in folders):  # noqa: PTH114
            return False
        below = folder[len(root) + 1 :]
        for name in files:
            path = f"{below}/{name}" if below else name
            if path not in known:
                os.unlink(f"{folder}/{name}")  # noqa: PTH108
    return True


def _are_as_expected(
    stage: Path, done: list[ArchiveMember], journal: ArchiveJournal, report: Report, stop: StopSignal
) -> bool:
    members = {member.path: member for member in done}
    batches = hash_batches(stage, sorted(members), report=report, stop=stop, phase=PHASE)
    with contextlib.closing(batches):
        for batch in batches:
            if batch.errors:
                return False
            for path, size, digest in zip(batch.paths, batch.sizes, batch.hex_digests(), strict=True):
                entry = journal.expected(members[path])
                if entry is None or entry.digest != digest or entry.size != size:
                    return False
    return True


def _is_begun(
    stage: Path,
    member: ArchiveMember,
    inside: MemberPoint,
    journal: ArchiveJournal,
    report: Report,
    stop: StopSignal,
) -> bool:
    """True when the first bytes of the file are those that have given the state of the digest."""
    digest = journal.new_member_digest(None)
    if digest is None:
        return False
    before = journal.done_bytes - inside.size
    with contextlib.closing(ContainedPaths(os.fspath(stage.absolute()))) as paths:
        try:
            descriptor = paths.open_file(os.fsencode(member.path))
        except OSError:
            return False
        try:
            while digest.size < inside.size:
                check_stop(stop)
                block = os.pread(descriptor, min(BLOCK_SIZE, inside.size - digest.size), digest.size)
                if not block:
                    return False
                digest.update(block)
                report(BytesDone(PHASE, before + digest.size))
        except OSError:
            return False
        finally:
            os.close(descriptor)
    return digest.save() == inside.state

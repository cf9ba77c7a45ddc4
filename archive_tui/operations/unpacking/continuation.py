"""How far an archive has been read, written down from time to time, so that a later run goes on in the middle of it.

A point is written only while everything before it was what the manifest says. So it holds no list of members: what lies
before it is what the manifest lists, and a finding is always behind it, and looked at again. The digest of the whole
archive goes on from a written state; whoever finds anything wrong after going on begins anew before saying so.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from typing import Any

from archive_tui.continuation import ItemMark, Journal
from archive_tui.integrity.inventory import Entry, Inventory
from archive_tui.integrity.report import Finding
from archive_tui.integrity.resumable_digest import ResumableSha256, new_resumable_sha256, restore_sha256
from archive_tui.integrity.sealed_document import open_sealed, seal_document
from archive_tui.names.member_paths import MANIFEST_NAME
from archive_tui.operations.folder_marks import mark_finding
from archive_tui.operations.unpacking.central_directory import ArchiveMember
from archive_tui.operations.unpacking.points import MemberPoint, UnpackPoint
from archive_tui.operations.unpacking.structure import ArchiveStructure

POINT_BYTES = 64 << 20
"""Bytes of the archive between two points; so many are read again at the most."""

_POINT = "archive point"
_DESCRIPTOR_SIZES = (12, 16, 20, 24)
RESTORED = "restored"


class ArchiveJournal:
    """What one run writes down of the archive whose manifest and structure are given. `stamp` tells the object, its
    version and where it is unpacked to. `point` is where this run goes on, None: at the beginning."""

    def __init__(
        self,
        journal: Journal,
        phase: str,
        stamp: str,
        structure: ArchiveStructure,
        inventory: Inventory,
        manifest: bytes,
        *,
        every: int | None = None,
        manifest_name: str = MANIFEST_NAME,
    ) -> None:
        self.every = POINT_BYTES if every is None else every
        self.manifest = manifest
        self._manifest_name = manifest_name
        self.point: UnpackPoint | None = None
        self._journal = journal
        self._phase = phase
        self._structure = structure
        self._inventory = inventory
        self._manifest_digest = hashlib.sha256(manifest).hexdigest()
        self._stamp = f"{stamp} {structure.size} {structure.directory_digest} {self._manifest_digest}"
        self._is_clean = True
        self._marks: list[ItemMark] = []

    def load(self) -> UnpackPoint | None:
        """Takes over the point of an earlier run; None when there is none that counts."""
        document = open_sealed(self._journal.load(_POINT))
        if document is None or document.get("stamp") != self._stamp:
            return None
        try:
            point = _read_point(document)
            self.point = point if self._is_possible(point) else None
        except (KeyError, TypeError, ValueError):
            self.point = None
        return self.point

    @property
    def can_save(self) -> bool:
        """False: this system cannot write down the states of digests, so there will be no points."""
        return new_resumable_sha256() is not None

    @property
    def done_bytes(self) -> int:
        """Bytes of content before the point."""
        if self.point is None:
            return 0
        inside = self.point.inside
        return sum(member.size for member in self.done_members()) + (0 if inside is None else inside.size)

    def forget(self) -> None:
        """The next run, or the rest of this one, begins at the beginning."""
        self.point = None
        self._is_clean = True
        self._marks.clear()
        self._journal.save(_POINT, None)

    def expected(self, member: ArchiveMember) -> Entry | None:
        """What the member should be by the manifest; None: it is not listed."""
        if member.path == self._manifest_name:
            return Entry(member.path, len(self.manifest), self._manifest_digest)
        entry = self._inventory.get(member.path)
        if entry is None or entry.digest is None or entry.size not in (None, member.size):
            return None
        return Entry(member.path, member.size, entry.digest)

    def done_members(self) -> list[ArchiveMember]:
        """The members before the point."""
        return [] if self.point is None else list(self._structure.members[: self.point.index])

    def take(self, member: ArchiveMember, digest: str | None, damage: str) -> None:
        """Marks a member that has been read. After one that is not right no points are written."""
        if member.is_folder:
            return
        entry = self.expected(member)
        is_good = not damage and entry is not None and entry.digest == digest
        self._is_clean = self._is_clean and is_good
        word = "same" if is_good else "changed"
        self._marks.append(
            ItemMark(
                member.path, word, is_good, "", digest, member.size, RESTORED if digest else "", damage, time.time()
            )
        )
        if len(self._marks) >= 256:
            self.flush_marks()

    def end(self, findings: Sequence[Finding]) -> None:
        """The archive was read whole; a later run of a verification begins anew, unless something was found."""
        now = time.time()
        self._journal.record(self._phase, [mark_finding(finding, now) for finding in findings])
        if not findings:
            self.forget()

    def flush_marks(self) -> None:
        marks, self._marks = self._marks, []
        if marks:
            self._journal.record(self._phase, marks)

    def save(self, point: UnpackPoint) -> None:
        """Everything before the point has been taken, and came out as expected, or nothing is written."""
        if not self._is_clean:
            return
        self.flush_marks()
        inside = point.inside
        document: dict[str, Any] = {
            "stamp": self._stamp,
            "index": point.index,
            "hashed": point.hashed,
            "state": point.state.hex(),
            "at": time.time(),
        }
        if inside is not None:
            document["inside"] = [inside.packed_left, inside.tail, inside.size, inside.state.hex(), inside.crc]
        self._journal.save(_POINT, seal_document(document))

    def new_digest(self) -> ResumableSha256 | None:
        """The digest of the archive, up to the point; None: states cannot be written down here."""
        return new_resumable_sha256() if self.point is None else restore_sha256(self.point.state)

    def new_member_digest(self, inside: MemberPoint | None) -> ResumableSha256 | None:
        """The same of a large member, up to the place within it."""
        return new_resumable_sha256() if inside is None else restore_sha256(inside.state)

    def _is_possible(self, point: UnpackPoint) -> bool:
        """A point that was written by this program is; nothing that is computed from it may go astray all the same."""
        members, inside = self._structure.members, point.inside
        digest = restore_sha256(point.state)
        if digest is None or digest.size != point.hashed or not 0 <= point.index <= len(members):
            return False
        if any(not member.is_folder and self.expected(member) is None for member in members[: point.index]):
            return False
        if inside is not None and not self._is_possible_inside(point.index, inside):
            return False
        return 0 < point.hashed <= point.position(self._structure)

    def _is_possible_inside(self, index: int, inside: MemberPoint) -> bool:
        if index == len(self._structure.members):
            return False
        member, digest = self._structure.members[index], restore_sha256(inside.state)
        return (
            digest is not None
            and digest.size == inside.size <= member.size
            and 0 <= inside.packed_left <= member.compressed_size
            and 0 <= inside.crc < 1 << 32
            and inside.tail in (_DESCRIPTOR_SIZES if member.has_descriptor else (0,))
        )


def _read_point(document: dict[str, Any]) -> UnpackPoint:
    """Raises: KeyError, TypeError, ValueError."""
    inside = None
    if "inside" in document:
        packed_left, tail, size, state, crc = document["inside"]
        inside = MemberPoint(int(packed_left), int(tail), int(size), bytes.fromhex(state), int(crc))
    return UnpackPoint(
        int(document["index"]),
        int(document["hashed"]),
        bytes.fromhex(document["state"]),
        inside,
        float(document["at"]),
    )

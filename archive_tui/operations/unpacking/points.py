"""Places in an archive where unpacking it can go on."""

from __future__ import annotations

from dataclasses import dataclass

from archive_tui.operations.unpacking.structure import ArchiveStructure


@dataclass(frozen=True, slots=True)
class MemberPoint:
    """Where to go on within a large member: `packed_left` bytes of it are to come and `tail` of its data descriptor,
    `size` bytes have come out of it, with the state of their digest and their CRC-32."""

    packed_left: int
    tail: int
    size: int
    state: bytes
    crc: int


@dataclass(frozen=True, slots=True)
class UnpackPoint:
    """`index` is the first member that is not done. The first `hashed` bytes of the archive have given `state`.
    `at`: seconds since the epoch."""

    index: int
    hashed: int
    state: bytes
    inside: MemberPoint | None = None
    at: float = 0.0

    def position(self, structure: ArchiveStructure) -> int:
        """Offset in the archive where unpacking goes on; not before `hashed`."""
        if self.inside is not None:
            return structure.record_end(self.index) - self.inside.tail - self.inside.packed_left
        return structure.record_end(self.index - 1) if self.index else 0

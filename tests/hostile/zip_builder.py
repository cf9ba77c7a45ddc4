"""Writes zip archives in which every field may lie."""

from __future__ import annotations

import dataclasses
import struct
import zlib
from dataclasses import dataclass
from typing import Any

DATE = (1 << 5) | 1


@dataclass(frozen=True)
class Lying:
    """A member whose headers say what they are told; None: the truth."""

    name: bytes = b"a.txt"
    content: bytes = b"some content\n" * 20
    method: int = 8
    flags: int = 0
    host: int = 3
    attributes: int = 0o100644 << 16
    crc: int | None = None
    size: int | None = None
    compressed_size: int | None = None
    offset: int | None = None
    disk: int = 0
    extra: bytes = b""
    comment: bytes = b""
    body: bytes | None = None
    local: dict[str, Any] = dataclasses.field(default_factory=dict)
    descriptor: bytes | None = None
    before: bytes = b""

    def packed(self) -> bytes:
        if self.body is not None:
            return self.body
        return deflate(self.content) if self.method == 8 else self.content

    def told(self) -> dict[str, int]:
        body = self.packed()
        truth = {"crc": zlib.crc32(self.content), "size": len(self.content), "compressed_size": len(body)}
        return {key: value if (lie := getattr(self, key)) is None else lie for key, value in truth.items()}

    def local_record(self) -> bytes:
        told = {"name": self.name, "extra": b"", "flags": self.flags, "method": self.method, "date": DATE}
        told |= self.told() | ({"crc": 0, "size": 0, "compressed_size": 0} if self.flags & 8 else {}) | self.local
        header = struct.pack(
            "<4s5H3L2H", told.get("signature", b"PK\3\4"), 20, told["flags"], told["method"], 0, told["date"],
            told["crc"], told["compressed_size"], told["size"], len(told["name"]), len(told["extra"]),
        )  # fmt: skip
        record = header + told["name"] + told["extra"] + self.packed()
        if self.descriptor is not None:
            return record + self.descriptor
        return record + (struct.pack("<4s3L", b"PK\7\x08", *self.descriptor_values()) if self.flags & 8 else b"")

    def descriptor_values(self) -> tuple[int, int, int]:
        told = self.told()
        return told["crc"], told["compressed_size"], told["size"]

    def central_record(self, offset: int) -> bytes:
        told = self.told()
        return (
            struct.pack(
                "<4s4B4H3L5H2L", b"PK\1\2", 20, self.host, 20, 0, self.flags, self.method, 0, DATE, told["crc"],
                told["compressed_size"], told["size"], len(self.name), len(self.extra), len(self.comment), self.disk, 0,
                self.attributes, offset if self.offset is None else self.offset,
            )
            + self.name + self.extra + self.comment
        )  # fmt: skip


def deflate(content: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(content) + stream.flush()


def end_record(
    count: int, size: int, offset: int, *, comment: bytes = b"", disk: int = 0, total: int | None = None
) -> bytes:
    total = count if total is None else total
    return struct.pack("<4s4H2LH", b"PK\5\6", disk, 0, count, total, size, offset, len(comment)) + comment


def zip64_end(count: int, size: int, offset: int, **lies: int) -> bytes:
    """The zip64 end record and its locator, both told what to say."""
    record = struct.pack(
        "<4sQ2H2L4Q", b"PK\6\6", lies.get("record_size", 44), 45, 45, lies.get("record_disk", 0), 0, count, count, size,
        offset,
    )  # fmt: skip
    locator = struct.pack(
        "<4sLQL", b"PK\6\7", lies.get("disk", 0), lies.get("record_offset", offset + size), lies.get("disks", 1)
    )
    return record + locator


def build(*members: Lying, end: bytes | None = None, before: bytes = b"") -> bytes:
    """Returns the archive; `end` replaces all that follows the central directory."""
    records = [before]
    entries = []
    offset = len(before)
    for member in members:
        entries.append(member.central_record(offset + len(member.before)))
        records.append(member.before + member.local_record())
        offset += len(records[-1])
    archive = b"".join(records)
    central = b"".join(entries)
    return archive + central + (end if end is not None else end_record(len(members), len(central), len(archive)))


def split(*members: Lying) -> tuple[bytes, bytes]:
    """Returns the members and the central directory of an archive, without what ends it."""
    archive = build(*members, end=b"")
    central = sum(len(member.central_record(0)) for member in members)
    return archive[:-central], archive[-central:]

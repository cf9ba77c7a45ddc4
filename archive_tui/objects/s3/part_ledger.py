"""What is known of the parts of one upload, sent now or found on the server: all that its completion is proven by."""

from __future__ import annotations

import hashlib
import threading
from base64 import b64encode

from archive_tui.objects.s3.connection import Payload, Reply
from archive_tui.objects.s3.full_crc import (
    CRC_HEADER,
    TYPE_HEADER,
    combine_crcs,
    compute_crc,
    crc_text,
    find_full_crc,
)
from archive_tui.objects.s3.kept_upload import PartChecksum
from archive_tui.objects.s3.probing import checksum_header
from archive_tui.objects.s3.replies import Part


class PartLedger:
    """Filled by several threads, a part each; read when all are done."""

    def __init__(self, checksum: PartChecksum) -> None:
        self.checksum = checksum
        self._lock = threading.Lock()
        self._parts: list[Part] = []
        self._digests: dict[int, bytes] = {}
        self._crcs: dict[int, tuple[int, int]] = {}

    def check(self, number: int, payload: Payload) -> dict[str, str]:
        """Notes what the part is by its bytes; returns the checksum header that it is sent with.

        Its SHA-256 is known in any case: the signature of the request names it."""
        self._digests[number] = bytes.fromhex(payload.digest)
        if self.checksum is PartChecksum.CRC32:
            crc = compute_crc(payload.pieces)
            self._crcs[number] = (crc, payload.size)
            return {CRC_HEADER: crc_text(crc)}
        return checksum_header(payload.digest) if self.checksum is PartChecksum.SHA256 else {}

    def add(self, number: int, etag: str, headers: dict[str, str]) -> None:
        """The server has the part: under this entity tag, sent now or earlier with these checksum headers."""
        told = None
        if self.checksum is PartChecksum.CRC32:
            told = ("ChecksumCRC32", headers[CRC_HEADER])
        elif self.checksum is PartChecksum.SHA256:
            told = ("ChecksumSHA256", headers["x-amz-checksum-sha256"])
        with self._lock:
            self._parts.append((number, etag, told))

    @property
    def parts(self) -> list[Part]:
        return self._parts

    def completion_headers(self) -> dict[str, str]:
        """What the server shall refuse to complete if it has something else."""
        if self.checksum is not PartChecksum.CRC32:
            return {}
        length = sum(size for _, size in self._crcs.values())
        return {CRC_HEADER: self._full_crc(), TYPE_HEADER: "FULL_OBJECT", "x-amz-mp-object-size": str(length)}

    def compare(self, head: Reply | None) -> bool | None:
        """Compares with what the server tells of the whole; None: no checksum of the kind that was asked for."""
        if self.checksum is PartChecksum.CRC32:
            crc = find_full_crc(head)
            return None if crc is None else crc == self._full_crc()
        found = head.headers.get("x-amz-checksum-sha256") if head is not None else None
        return None if found is None else found == self._composite()

    def _full_crc(self) -> str:
        return crc_text(combine_crcs(self._crcs[number] for number in sorted(self._crcs)))

    def _composite(self) -> str:
        together = hashlib.sha256(b"".join(self._digests[number] for number in sorted(self._digests)))
        return f"{b64encode(together.digest()).decode()}-{len(self._digests)}"

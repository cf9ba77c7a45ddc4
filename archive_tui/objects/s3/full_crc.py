"""The CRC-32 over a whole object in parts, which a server works out from those of the parts, however they were cut."""

from __future__ import annotations

import contextlib
from base64 import b64encode
from collections.abc import Iterable, Mapping

from isal import isal_zlib

from archive_tui.errors import ArchiveError, StorageUnavailable
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.object_store import Support
from archive_tui.objects.s3.connection import Reply, S3Connection
from archive_tui.objects.s3.pieces import MIB, make_payload
from archive_tui.objects.s3.probing import Canary, find_facts, learn_fact
from archive_tui.objects.s3.replies import Part, completion_document, parse_upload_id

CRC_HEADER = "x-amz-checksum-crc32"
TYPE_HEADER = "x-amz-checksum-type"
ASKING_FOR_CRC: Mapping[str, str] = {"x-amz-checksum-algorithm": "CRC32", TYPE_HEADER: "FULL_OBJECT"}

_SMALLEST_FIRST_PART = 5 * MIB


def compute_crc(pieces: Iterable[Chunk]) -> int:
    """Returns the CRC-32 (ISO-HDLC, as in zip and gzip) of the pieces in a row."""
    crc = 0
    for piece in pieces:
        crc = isal_zlib.crc32(piece, crc)
    return crc


def combine_crcs(parts: Iterable[tuple[int, int]]) -> int:
    """Returns the CRC-32 of the parts in a row, each given by its CRC-32 and its length in bytes."""
    whole = 0
    for crc, length in parts:
        whole = isal_zlib.crc32_combine(whole, crc, length)
    return whole


def crc_text(crc: int) -> str:
    """Returns a CRC as S3 writes it: four bytes, the highest first, in base64."""
    return b64encode(crc.to_bytes(4, "big")).decode()


def find_full_crc(reply: Reply | None) -> str | None:
    """Returns the CRC over the whole object that a server tells, in base64; one over the CRCs of parts is not it."""
    found = reply.headers.get(CRC_HEADER) if reply is not None else None
    if not found or "-" in found or (reply is not None and reply.headers.get(TYPE_HEADER) == "COMPOSITE"):
        return None
    return str(found)


def honours_full_crc(connection: S3Connection) -> bool:
    """True if the server refuses a part with a wrong CRC and works out the right one over the whole.

    Asked once per endpoint, with two parts of together 5 MiB that are removed again; AWS is documented to do so.

    Raises: what the server answers to a request that should have worked, but for one that it is too busy to answer.
    """
    facts = find_facts(connection)
    if facts.full_crc is Support.UNKNOWN:
        try:
            facts = learn_fact(connection, full_crc=Support.YES if _probe(connection) else Support.NO)
        except StorageUnavailable:
            return False  # this has proven nothing: the next put asks again
    return facts.full_crc is Support.YES


def _probe(connection: S3Connection) -> bool:
    canary = Canary(connection, "probe-crc")
    created = connection.send("POST", canary.key, query={"uploads": ""}, headers=dict(ASKING_FOR_CRC))
    upload = parse_upload_id(created.body)
    if upload is None:
        return False
    try:
        if not _probe_parts(connection, canary, upload):
            return False
        head = connection.send("HEAD", canary.key, headers={"x-amz-checksum-mode": "ENABLED"})
        return find_full_crc(head) == crc_text(compute_crc(_probe_contents()))
    finally:
        with contextlib.suppress(ArchiveError):
            connection.send_once("DELETE", canary.key, query={"uploadId": upload})
            canary.remove()


def _probe_parts(connection: S3Connection, canary: Canary, upload: str) -> bool:
    """Sends the parts, one of them with a wrong CRC first, and completes; False where that is not as it should be."""
    parts: list[Part] = []
    for number, content in enumerate(_probe_contents(), 1):
        query = {"partNumber": str(number), "uploadId": upload}
        right, wrong = compute_crc([content]), compute_crc([content]) ^ 1
        payload = make_payload([content])
        if number == 2:
            refused = connection.send_once(
                "PUT", canary.key, query=query, headers={CRC_HEADER: crc_text(wrong)}, payload=payload
            )
            if refused.status != 400:
                return False
        headers = {CRC_HEADER: crc_text(right)}
        taken = connection.send("PUT", canary.key, query=query, headers=headers, payload=payload)
        parts.append((number, taken.headers.get("etag", ""), ("ChecksumCRC32", crc_text(right))))
    done = connection.send_once("POST", canary.key, query={"uploadId": upload}, payload=completion_document(parts))
    return done.is_success and b"<Error" not in done.body


def _probe_contents() -> tuple[bytes, bytes]:
    return bytes(_SMALLEST_FIRST_PART), b"archive-tui asks for a CRC over the whole"

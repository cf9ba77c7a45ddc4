"""Puts in one request: repeated as often as it takes, and a lost reply is settled by asking what lies there."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator

from archive_tui.errors import ArchiveError, StorageUnavailable
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.s3.connection import ATTEMPTS, Payload, Reply, pause
from archive_tui.objects.s3.failures import DAMAGED_IN_TRANSIT
from archive_tui.objects.s3.pieces import cut_pieces
from archive_tui.objects.s3.probing import checksum_header
from archive_tui.objects.s3.replies import plain_etag
from archive_tui.objects.s3.write import DIGEST_HEADER, NONCE_HEADER, Committed, Write
from archive_tui.objects.s3.writing import S3Writer


class SourceFailed(Exception):
    """Carries what a source has raised past the transport, which would take an OSError for one of its own."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class StreamedPieces:
    """The pieces of a source that is read anew each time they are iterated.

    The last piece is given only when the source has proven to have the digest and the size that were promised: until
    then the request is not whole, so even a server that checks nothing stores nothing.
    """

    def __init__(self, source: CheckedSource) -> None:
        self._source = source

    def __iter__(self) -> Iterator[Chunk]:
        held: Chunk | None = None
        for piece in cut_pieces(self._read()):
            if held is not None:
                yield held
            held = piece
        if held is not None:
            yield held

    def _read(self) -> Iterator[Chunk]:
        try:
            yield from self._source.again()
        except Exception as error:
            raise SourceFailed(error) from error


def put_streamed(writer: S3Writer, write: Write, source: CheckedSource, digest: str, size: int) -> Committed:
    """Sends a source of known digest and size as it is read; it is read again for each attempt. Memory: one chunk.

    `Expect: 100-continue` is not asked for: the HEAD before has told already what most refusals would, and a server
    that does not know it would cost a second of waiting.

    Raises: as `put_whole`, and whatever the source raises, unchanged.
    """
    try:
        return put_whole(writer, write, Payload(StreamedPieces(source), size, digest))
    except SourceFailed as failed:
        raise failed.error from None


def put_whole(writer: S3Writer, write: Write, payload: Payload) -> Committed:
    """Sends the payload until the server has it.

    Raises: ObjectExists, HashError when it was damaged on the way, and the error that the last refusal stands for.
    """
    failure: ArchiveError | None = None
    for attempt in range(ATTEMPTS):
        if attempt:
            pause(attempt, write.stop)
        try:
            reply = _send(writer, write, payload)
        except StorageUnavailable as error:
            failure, unsure = error, True
        else:
            if reply.is_success:
                return _committed(writer, payload, reply)
            failure, unsure = _judge(writer, write, reply, unsure=failure is not None)
        if unsure and (found := writer.own(write)) is not None:
            return _committed(writer, payload, found)
    assert failure is not None
    raise failure


def _send(writer: S3Writer, write: Write, payload: Payload) -> Reply:
    reply = writer.send_small(write, payload)
    if reply is not None:
        if write.sent is not None:
            write.sent(payload.size)
        return reply
    headers = write.conditions | {NONCE_HEADER: write.nonce, DIGEST_HEADER: payload.digest}
    if writer.facts.takes_checksums:
        headers |= checksum_header(payload.digest)
    return writer.connection.send_once(
        "PUT", write.full_key, headers=headers, payload=payload, stop=write.stop, sent=write.sent
    )


def _judge(writer: S3Writer, write: Write, reply: Reply, *, unsure: bool) -> tuple[ArchiveError, bool]:
    """Returns the error to raise if it stays so, and whether the write may have been done all the same.

    Raises: at once what no repetition can cure.
    """
    refusal = reply.refusal
    if refusal.is_precondition:
        if not unsure:
            raise writer.exists(write)
        return writer.exists(write), True
    error = writer.refused(write, reply)
    if not (refusal.is_busy or refusal.is_conflict or refusal.code in DAMAGED_IN_TRANSIT):
        raise error
    return error, reply.status >= 500


def _committed(writer: S3Writer, payload: Payload, reply: Reply) -> Committed:
    """Success means that the digest was right, on a server that refuses wrong ones; what it echoes must agree."""
    echoed = reply.headers.get("x-amz-checksum-sha256")
    attested: bool | None = None
    if writer.facts.attests:
        attested = echoed in (None, b64encode(bytes.fromhex(payload.digest)).decode())
    return Committed(payload.digest, payload.size, plain_etag(reply.headers.get("etag")), attested)

"""Puts one object: in one request if it may be sent so, else in parts; proven before it returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archive_tui.errors import StorageError
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.object_store import PutResult
from archive_tui.objects.s3.failures import TOO_LARGE
from archive_tui.objects.s3.multipart import put_in_parts
from archive_tui.objects.s3.pieces import PieceQueue, TransferSizes, make_payload
from archive_tui.objects.s3.whole_put import put_streamed, put_whole
from archive_tui.objects.s3.write import Committed, Write
from archive_tui.objects.s3.writing import S3Writer


def put_object(writer: S3Writer, write: Write, source: CheckedSource, sizes: TransferSizes) -> PutResult:
    """Puts the source within the limits of `sizes`; see `ObjectStore.put` for the guarantees and errors."""
    if not writer.refuses_by_itself(write):
        writer.look_first(write)
    size = source.promised_size
    if write.digest is None or size is None or not source.can_be_read_again:
        return writer.proven(write, _put_pulled(writer, write, source, sizes))
    if not sizes.in_memory < size <= sizes.attested_put:
        return writer.proven(write, _put_pulled(writer, write, source, sizes))
    writer.look_first(write)
    try:
        return writer.proven(write, put_streamed(writer, write, source, write.digest, size))
    except StorageError as error:
        if error.code != TOO_LARGE or size <= sizes.part:
            raise
    return writer.proven(write, _put_pulled(writer, write, source, replace(sizes, single_put=sizes.part)))


def _put_pulled(writer: S3Writer, write: Write, source: CheckedSource, sizes: TransferSizes) -> Committed:
    """The way of a source that can be read once only, or whose digest nobody knows yet."""
    queue = PieceQueue()
    chunks: Iterator[Chunk] = iter(source)
    for chunk in chunks:
        queue.add(chunk)
        if queue.size > sizes.single_put:
            writer.look_first(write)
            return put_in_parts(writer, write, queue, chunks, source, sizes.part)
    if not writer.refuses_by_itself(write):
        writer.look_first(write)
    return put_whole(writer, write, make_payload(queue.take(queue.size), source.digest))

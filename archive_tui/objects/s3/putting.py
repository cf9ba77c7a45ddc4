"""Puts one object: in one request if it may be sent so, else in parts; proven before it returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archive_tui.errors import StorageError
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.object_store import PutResult
from archive_tui.objects.s3.failures import TOO_LARGE
from archive_tui.objects.s3.kept_upload import KeptUpload
from archive_tui.objects.s3.multipart import put_in_parts
from archive_tui.objects.s3.pieces import PieceQueue, TransferSizes, make_payload, part_size
from archive_tui.objects.s3.upload_start import find_kept, forget_kept, look_past
from archive_tui.objects.s3.whole_put import put_streamed, put_whole
from archive_tui.objects.s3.write import Write
from archive_tui.objects.s3.writing import S3Writer


def put_object(writer: S3Writer, write: Write, source: CheckedSource, sizes: TransferSizes) -> PutResult:
    """Puts the source within the limits of `sizes`; see `ObjectStore.put` for the guarantees and errors."""
    size = source.promised_size
    kept = find_kept(writer, write, size) if size is None or size > sizes.part else None
    if not writer.refuses_by_itself(write):
        look_past(writer, write, kept)
    if kept is not None and size is not None:
        return _put_pulled(writer, write, source, replace(sizes, single_put=sizes.part), kept)
    largest = sizes.attested_put if writer.memory is None else min(sizes.attested_put, sizes.continued_put)
    if write.digest is None or size is None or not source.can_be_read_again:
        return _put_pulled(writer, write, source, sizes, kept)
    if not sizes.in_memory < size <= largest:
        return _put_pulled(writer, write, source, sizes, kept)
    writer.look_first(write)
    try:
        return writer.proven(write, put_streamed(writer, write, source, write.digest, size))
    except StorageError as error:
        if error.code != TOO_LARGE or size <= sizes.part:
            raise
    return _put_pulled(writer, write, source, replace(sizes, single_put=sizes.part), kept)


def _put_pulled(
    writer: S3Writer, write: Write, source: CheckedSource, sizes: TransferSizes, kept: KeptUpload | None
) -> PutResult:
    """The way of a source that can be read once only, or whose digest nobody knows yet."""
    most = sizes.single_put
    if kept is not None:
        most = max(most, part_size(1, kept.size, kept.smallest))  # its first part tells whether it is the same source
    queue = PieceQueue()
    chunks: Iterator[Chunk] = iter(source)
    for chunk in chunks:
        queue.add(chunk)
        if queue.size > most:
            return put_in_parts(writer, write, queue, chunks, source, sizes.part, kept)
    if not writer.refuses_by_itself(write):
        writer.look_first(write)
    result = writer.proven(write, put_whole(writer, write, make_payload(queue.take(queue.size), source.digest)))
    if kept is not None:
        forget_kept(writer, kept)
    return result

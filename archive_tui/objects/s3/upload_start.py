"""Begins an upload in parts, or finds the one that an earlier put has left; removes one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from archive_tui.errors import ArchiveError, ObjectExists, ObjectNotFound, StorageUnavailable
from archive_tui.objects.s3.connection import Reply, S3Connection
from archive_tui.objects.s3.full_crc import ASKING_FOR_CRC, TYPE_HEADER, honours_full_crc
from archive_tui.objects.s3.kept_upload import KeptUpload, PartChecksum, parse_token, place_of
from archive_tui.objects.s3.listed_parts import ListedPart, list_parts
from archive_tui.objects.s3.pieces import PieceQueue, make_payload, part_size
from archive_tui.objects.s3.replies import parse_upload_id
from archive_tui.objects.s3.write import DIGEST_HEADER, NONCE_HEADER, Write
from archive_tui.objects.s3.writing import S3Writer

_ENCRYPTION_HEADER = "x-amz-server-side-encryption"


@dataclass(frozen=True, slots=True)
class StartedUpload:
    """`write` has the nonce of the upload. `parts` are those that the server has. `completed`: the headers of the
    object, when the earlier put has completed it and was not able to tell."""

    write: Write
    kept: KeptUpload
    parts: dict[int, ListedPart] = field(default_factory=dict)
    is_continued: bool = False
    completed: Reply | None = None


def find_kept(writer: S3Writer, write: Write, size: int | None) -> KeptUpload | None:
    """Returns what an earlier put of the same source has written down; that of another source is removed."""
    if writer.memory is None:
        return None
    kept = parse_token(writer.memory.find(), place_of(writer.connection), write.full_key)
    if kept is not None and not kept.fits(write, size):
        forget_kept(writer, kept)
        return None
    return kept


def forget_kept(writer: S3Writer, kept: KeptUpload) -> None:
    """Removes the parts. Where the server does not let them go the token stays, for a later put or for cleaning."""
    if remove_upload(writer.connection, kept.full_key, kept.upload) and writer.memory is not None:
        writer.memory.forget()


def continue_upload(writer: S3Writer, write: Write, queue: PieceQueue, kept: KeptUpload) -> StartedUpload | None:
    """Returns None when there is nothing to go on with: it is gone, or its first part is of another source.

    Raises: ObjectExists when another writer was first, StorageUnavailable, OperationStopped.
    """
    write = replace(write, nonce=kept.nonce)
    head = writer.head(write)
    if head is not None and head.headers.get(NONCE_HEADER) == kept.nonce:
        return StartedUpload(write, kept, is_continued=True, completed=head)
    parts = list_parts(writer.connection, kept.full_key, kept.upload, stop=write.stop)
    if parts is None or not _begins_alike(queue, kept, parts):
        forget_kept(writer, kept)
        return None
    look_past(writer, write, kept)
    return StartedUpload(write, kept, parts, is_continued=True)


def look_past(writer: S3Writer, write: Write, kept: KeptUpload | None) -> None:
    """Looks first, but not at what the earlier put has completed; parts that can never become the object go.

    Raises: ObjectExists.
    """
    try:
        writer.look_first(write, kept.nonce if kept is not None else None)
    except ObjectExists:
        if kept is not None:
            forget_kept(writer, kept)
        raise


def _begins_alike(queue: PieceQueue, kept: KeptUpload, parts: dict[int, ListedPart]) -> bool:
    """Another source is known by its first part, before anything of it was sent over parts of the old one."""
    length = part_size(1, kept.size, kept.smallest)
    if queue.size < length:
        return False
    if 1 not in parts:
        return True
    pieces = queue.take(length)
    queue.put_back(pieces)
    return parts[1].holds(make_payload(pieces), {})


def begin_upload(writer: S3Writer, write: Write, size: int | None, smallest: int) -> StartedUpload:
    """Begins one, and has it written down, where that is wished, before the first part is sent.

    Raises: StorageUnavailable and the error of a refusal; what was begun is removed when it cannot be written down.
    """
    checksum = _choose_checksum(writer, write)
    upload, reply = _create(writer, write, checksum)
    if writer.memory is not None and checksum is PartChecksum.CRC32 and _hides_content(reply):
        remove_upload(writer.connection, write.full_key, upload)
        checksum = PartChecksum.SHA256
        upload, _ = _create(writer, write, checksum)
    place = place_of(writer.connection)
    kept = KeptUpload(upload, place, write.full_key, write.nonce, smallest, size, write.digest, checksum)
    if writer.memory is not None:
        try:
            writer.memory.keep(kept.to_token())
        except BaseException:
            remove_upload(writer.connection, write.full_key, upload)
            raise
    return StartedUpload(write, kept)


def _choose_checksum(writer: S3Writer, write: Write) -> PartChecksum:
    """Chooses what the server shall work out over the whole: a CRC where a recorded SHA-256 stands beside it, for
    that can be checked however the object was cut; otherwise a digest over the digests of the parts."""
    if not writer.facts.takes_checksums:
        return PartChecksum.NONE
    if write.digest is not None and writer.facts.attests and honours_full_crc(writer.connection):
        return PartChecksum.CRC32
    return PartChecksum.SHA256


def _create(writer: S3Writer, write: Write, checksum: PartChecksum) -> tuple[str, Reply]:
    headers = {NONCE_HEADER: write.nonce}
    if checksum is PartChecksum.CRC32:
        headers |= ASKING_FOR_CRC
    elif checksum is PartChecksum.SHA256:
        headers |= {"x-amz-checksum-algorithm": "SHA256", TYPE_HEADER: "COMPOSITE"}
    if write.digest is not None:
        headers[DIGEST_HEADER] = write.digest  # completed only when the source has proven to have it
    reply = writer.connection.send("POST", write.full_key, query={"uploads": ""}, headers=headers, stop=write.stop)
    upload = parse_upload_id(reply.body)
    if upload is None:
        raise StorageUnavailable(f"{writer.connection.label} begins no upload in parts", key=write.key)
    return upload, reply


def _hides_content(reply: Reply) -> bool:
    """With a key of its own the entity tags of parts are no MD5, and a CRC-32 is not enough to know a part again."""
    return str(reply.headers.get(_ENCRYPTION_HEADER, "")).startswith("aws:kms")


def remove_upload(connection: S3Connection, full_key: str, upload: str) -> bool:
    """Returns whether it is gone; what cannot be removed now falls to the bucket's own rule for unfinished uploads."""
    if not upload:
        return False  # the request would remove the object
    try:
        connection.send("DELETE", full_key, query={"uploadId": upload})
    except ObjectNotFound:
        return True
    except ArchiveError:
        return False
    return True

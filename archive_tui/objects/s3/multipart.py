"""Uploads in parallel parts. Whatever ends the upload before its completion, the parts are removed from the server."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from archive_tui.errors import ArchiveError, OperationStopped, StorageUnavailable
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.s3.connection import ATTEMPTS, Payload, Reply, pause
from archive_tui.objects.s3.full_crc import (
    ASKING_FOR_CRC,
    CRC_HEADER,
    TYPE_HEADER,
    combine_crcs,
    compute_crc,
    crc_text,
    find_full_crc,
    honours_full_crc,
)
from archive_tui.objects.s3.pieces import MIB, PieceQueue, make_payload, part_size
from archive_tui.objects.s3.probing import checksum_header
from archive_tui.objects.s3.replies import Part, completion_document, parse_etag, parse_upload_id, plain_etag
from archive_tui.objects.s3.write import ATTESTED_PARTS, ATTESTED_WHOLE, DIGEST_HEADER, NONCE_HEADER, Committed, Write
from archive_tui.objects.s3.writing import S3Writer
from archive_tui.progress import StopSignal, check_stop

PARALLEL_PARTS = 4
MOST_BYTES_IN_FLIGHT = 64 * MIB


class _EitherStop:
    """Set when the user stops, or when another part has failed."""

    def __init__(self, stop: StopSignal) -> None:
        self._stop = stop
        self.failed = threading.Event()

    def is_set(self) -> bool:
        return self.failed.is_set() or self._stop.is_set()


class _Progress:
    """The sum over the parts, told in order."""

    def __init__(self, write: Write) -> None:
        self._sent = write.sent
        self._by_part: dict[int, int] = {}
        self._total = 0
        self._lock = threading.Lock()

    def of_part(self, number: int, done: int) -> None:
        with self._lock:
            self._total += done - self._by_part.get(number, 0)
            self._by_part[number] = done
            if self._sent is not None:
                self._sent(self._total)


def put_in_parts(
    writer: S3Writer,
    write: Write,
    queue: PieceQueue,
    chunks: Iterator[Chunk],
    source: CheckedSource,
    smallest: int,
) -> Committed:
    """Sends what is queued and what still comes, then completes under the write's condition."""
    upload = _Upload(writer, write, source.promised_size, smallest)
    try:
        upload.begin()
        upload.send_all(queue, chunks)
        head = upload.complete()
    except BaseException:
        upload.abort()
        raise
    return upload.committed(source, head)


class _Upload:
    def __init__(self, writer: S3Writer, write: Write, size: int | None, smallest: int) -> None:
        self._writer = writer
        self._connection = writer.connection
        self._write = write
        self._size = size
        self._smallest = smallest
        self._uses_crc = False
        self._id: str | None = None
        self._stop = _EitherStop(write.stop)
        self._failures: list[BaseException] = []
        self._progress = _Progress(write)
        self._parts: list[Part] = []
        self._digests: dict[int, bytes] = {}
        self._crcs: dict[int, tuple[int, int]] = {}
        self._etag: str | None = None

    def begin(self) -> None:
        headers = {NONCE_HEADER: self._write.nonce} | self._asked_checksum()
        if self._write.digest is not None:
            headers[DIGEST_HEADER] = self._write.digest  # completed only when the source has proven to have it
        reply = self._connection.send(
            "POST", self._write.full_key, query={"uploads": ""}, headers=headers, stop=self._stop
        )
        self._id = parse_upload_id(reply.body)
        if self._id is None:
            raise StorageUnavailable(f"{self._connection.label} begins no upload in parts", key=self._write.key)

    def _asked_checksum(self) -> dict[str, str]:
        """Chooses what the server shall work out over the whole: a CRC where a recorded SHA-256 stands beside it, for
        that can be checked however the object was cut; otherwise a digest over the digests of the parts."""
        facts = self._writer.facts
        if not facts.takes_checksums:
            return {}
        self._uses_crc = self._write.digest is not None and facts.attests and honours_full_crc(self._connection)
        if self._uses_crc:
            return dict(ASKING_FOR_CRC)
        return {"x-amz-checksum-algorithm": "SHA256", TYPE_HEADER: "COMPOSITE"}

    def send_all(self, queue: PieceQueue, chunks: Iterator[Chunk]) -> None:
        pool = ThreadPoolExecutor(PARALLEL_PARTS, thread_name_prefix="s3-part")
        running: set[Future[None]] = set()
        try:
            for number, pieces in self._cut(queue, chunks, running):
                running.add(pool.submit(self._send_part, number, pieces))
            while running:
                self._settle(running, wait_for_one=True)
        except OperationStopped:
            self._stop.failed.set()
            raise self._failures[0] if self._failures else OperationStopped() from None
        except BaseException:
            self._stop.failed.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _cut(
        self, queue: PieceQueue, chunks: Iterator[Chunk], running: set[Future[None]]
    ) -> Iterator[tuple[int, tuple[Chunk, ...]]]:
        number = 1
        for chunk in self._then(chunks):
            queue.add(chunk)
            while queue.size >= (wanted := part_size(number, self._size, self._smallest)):
                yield number, queue.take(wanted)
                number += 1
                self._settle(running, wait_for_one=len(running) >= self._room(number))
        if queue.size:
            yield number, queue.take(queue.size)

    @staticmethod
    def _then(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        yield b""  # what is queued already may fill several parts
        yield from chunks

    def _room(self, number: int) -> int:
        """How many parts may be under way while the next is filled: memory is bounded, however long the parts."""
        in_memory = MOST_BYTES_IN_FLIGHT // part_size(number, self._size, self._smallest)
        return max(1, min(PARALLEL_PARTS, in_memory))

    def _settle(self, running: set[Future[None]], *, wait_for_one: bool) -> None:
        if wait_for_one and running:
            wait(running, return_when=FIRST_COMPLETED)
        for future in [future for future in running if future.done()]:
            running.discard(future)
            future.result()

    def _send_part(self, number: int, pieces: tuple[Chunk, ...]) -> None:
        check_stop(self._stop)
        payload = make_payload(pieces)
        assert self._id is not None
        headers, told = self._check_part(number, payload)
        try:
            reply = self._connection.send(
                "PUT",
                self._write.full_key,
                query={"partNumber": str(number), "uploadId": self._id},
                headers=headers,
                payload=payload,
                stop=self._stop,
                sent=lambda done: self._progress.of_part(number, done),
            )
        except BaseException as error:
            self._failures.append(error)
            self._stop.failed.set()
            raise
        self._parts.append((number, reply.headers.get("etag", ""), told))

    def _check_part(self, number: int, payload: Payload) -> tuple[dict[str, str], tuple[str, str] | None]:
        """Returns the checksum header of a part and what the completion tells of it. The SHA-256 goes with each part in
        any case: the signature names it."""
        self._digests[number] = bytes.fromhex(payload.digest)
        if self._uses_crc:
            crc = compute_crc(payload.pieces)
            self._crcs[number] = (crc, payload.size)
            return {CRC_HEADER: crc_text(crc)}, ("ChecksumCRC32", crc_text(crc))
        if not self._writer.facts.takes_checksums:
            return {}, None
        headers = checksum_header(payload.digest)
        return headers, ("ChecksumSHA256", headers["x-amz-checksum-sha256"])

    def complete(self) -> Reply | None:
        """Makes the object visible; returns its headers if they had to be asked for already."""
        if not self._writer.facts.completes_only_new:
            self._writer.look_first(self._write)
        failure: ArchiveError | None = None
        for attempt in range(ATTEMPTS):
            if attempt:
                pause(attempt, self._write.stop)
            try:
                reply = self._send_completion()
            except StorageUnavailable as error:
                failure = error
            else:
                if reply.is_success and b"<Error" not in reply.body:
                    self._etag = parse_etag(reply.body)
                    return None
                failure = self._judge(reply, unsure=failure is not None)
            if (found := self._writer.own(self._write)) is not None:
                return found
        assert failure is not None
        raise failure

    def _send_completion(self) -> Reply:
        assert self._id is not None
        check_stop(self._write.stop)
        return self._connection.send_once(
            "POST",
            self._write.full_key,
            query={"uploadId": self._id},
            headers=self._write.conditions | self._checked_completion(),
            payload=completion_document(self._parts),
        )

    def _checked_completion(self) -> dict[str, str]:
        """What the server shall refuse to complete if it has something else."""
        if not self._uses_crc:
            return {}
        length = sum(size for _, size in self._crcs.values())
        return {CRC_HEADER: self._full_crc(), TYPE_HEADER: "FULL_OBJECT", "x-amz-mp-object-size": str(length)}

    def _judge(self, reply: Reply, *, unsure: bool) -> ArchiveError:
        """Returns the error to raise if it stays so. A reply of success may carry an error in its body.

        Raises: at once what no repetition can cure.
        """
        refusal = reply.refusal
        if refusal.is_precondition:
            if not unsure:
                raise self._writer.exists(self._write)
            return self._writer.exists(self._write)
        error = self._writer.refused(self._write, reply)
        gone = refusal.code == "NoSuchUpload" and unsure
        if not (refusal.is_busy or refusal.is_conflict or gone):
            raise error
        return error

    def committed(self, source: CheckedSource, head: Reply | None) -> Committed:
        """Compares what the server has worked out over the parts with what was computed here."""
        version = self._etag
        attested: bool | None = None
        if self._writer.facts.attests:
            head = head or self._writer.head(self._write)
            headers = head.headers if head is not None else {}
            version = plain_etag(headers.get("etag")) or version
            attested = self._compare(head)
        method = ATTESTED_WHOLE if self._uses_crc else ATTESTED_PARTS
        return Committed(source.digest, source.size, version, attested, method)

    def _compare(self, head: Reply | None) -> bool | None:
        """None: the server tells no checksum of the kind that was asked for."""
        if self._uses_crc:
            crc = find_full_crc(head)
            return None if crc is None else crc == self._full_crc()
        found = head.headers.get("x-amz-checksum-sha256") if head is not None else None
        return None if found is None else found == self._composite()

    def _full_crc(self) -> str:
        return crc_text(combine_crcs(self._crcs[number] for number in sorted(self._crcs)))

    def _composite(self) -> str:
        together = hashlib.sha256(b"".join(self._digests[number] for number in sorted(self._digests)))
        return f"{b64encode(together.digest()).decode()}-{len(self._digests)}"

    def abort(self) -> None:
        """What cannot be removed now falls to the bucket's own rule for unfinished uploads; the first error counts."""
        if self._id is None:
            return
        with contextlib.suppress(ArchiveError):
            self._connection.send("DELETE", self._write.full_key, query={"uploadId": self._id})

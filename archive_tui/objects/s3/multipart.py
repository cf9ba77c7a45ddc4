"""Uploads in parallel parts. Whatever ends one before its completion, the parts are removed from the server, unless a
later put is to go on with them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from archive_tui.errors import ObjectNotFound, OperationStopped, StorageError
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.object_store import PutResult
from archive_tui.objects.s3.completion import Completed, PartsLost, complete_upload
from archive_tui.objects.s3.connection import Payload, Reply
from archive_tui.objects.s3.kept_upload import KeptUpload, PartChecksum
from archive_tui.objects.s3.part_ledger import PartLedger
from archive_tui.objects.s3.pieces import MOST_BYTES_IN_FLIGHT, PieceQueue, make_payload, part_size
from archive_tui.objects.s3.replies import plain_etag
from archive_tui.objects.s3.upload_start import (
    StartedUpload,
    begin_upload,
    continue_upload,
    forget_kept,
    remove_upload,
)
from archive_tui.objects.s3.write import ATTESTED_PARTS, ATTESTED_WHOLE, Committed, Write
from archive_tui.objects.s3.writing import S3Writer
from archive_tui.objects.unfinished import keeps_parts
from archive_tui.progress import StopSignal, check_stop

PARALLEL_PARTS = 4


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
    kept: KeptUpload | None,
) -> PutResult:
    """Sends what is queued and what still comes, then completes under the write's condition, and proves it.

    Parts that the server has of the upload `kept` are compared with what would be sent, and not sent where they are
    the same.

    Raises: as `ObjectStore.put`; StorageUnavailable also when parts that were begun earlier are of no use any more,
    and nothing of them is left.
    """
    started = continue_upload(writer, write, queue, kept) if kept is not None else None
    if started is None:
        writer.look_first(write)
        started = begin_upload(writer, write, source.promised_size, smallest)
    return _Upload(writer, started).run(queue, chunks, source)


class _Upload:
    def __init__(self, writer: S3Writer, started: StartedUpload) -> None:
        self._writer = writer
        self._started = started
        self._write = started.write
        self._plan = started.kept
        self._stop = _EitherStop(started.write.stop)
        self._failures: list[BaseException] = []
        self._progress = _Progress(started.write)
        self._ledger = PartLedger(started.kept.checksum)

    def run(self, queue: PieceQueue, chunks: Iterator[Chunk], source: CheckedSource) -> PutResult:
        try:
            self._send_all(queue, chunks)
            done = Completed(head=self._started.completed)
            if done.head is None:
                done = complete_upload(self._writer, self._started, self._ledger)
        except PartsLost as lost:
            remove_upload(self._writer.connection, self._write.full_key, self._plan.upload)
            self._forget()
            raise lost.error from lost.__cause__
        except BaseException as error:
            self._end(error)
            raise
        return self._prove(source, done)

    def _end(self, error: BaseException) -> None:
        """The parts of an upload that is completed are the object's."""
        if self._writer.memory is not None and keeps_parts(error):
            return
        if self._started.completed is not None:
            self._forget()
        else:
            forget_kept(self._writer, self._plan)

    def _forget(self) -> None:
        if self._writer.memory is not None:
            self._writer.memory.forget()

    def _prove(self, source: CheckedSource, done: Completed) -> PutResult:
        try:
            result = self._writer.proven(self._write, self._committed(source, done))
        except BaseException as error:
            if not keeps_parts(error):
                self._forget()
            raise
        self._forget()
        return result

    def _send_all(self, queue: PieceQueue, chunks: Iterator[Chunk]) -> None:
        pool = ThreadPoolExecutor(PARALLEL_PARTS, thread_name_prefix="s3-part")
        running: set[Future[None]] = set()
        try:
            for number, pieces in self._cut(queue, chunks, running):
                running.add(pool.submit(self._settle_part, number, pieces))
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
            while queue.size >= (wanted := self._part_size(number)):
                yield number, queue.take(wanted)
                number += 1
                self._settle(running, wait_for_one=len(running) >= self._room(number))
        if queue.size:
            yield number, queue.take(queue.size)

    @staticmethod
    def _then(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        yield b""  # what is queued already may fill several parts
        yield from chunks

    def _part_size(self, number: int) -> int:
        return part_size(number, self._plan.size, self._plan.smallest)

    def _room(self, number: int) -> int:
        """How many parts may be under way while the next is filled: memory is bounded, however long the parts."""
        return max(1, min(PARALLEL_PARTS, MOST_BYTES_IN_FLIGHT // self._part_size(number)))

    def _settle(self, running: set[Future[None]], *, wait_for_one: bool) -> None:
        if wait_for_one and running:
            wait(running, return_when=FIRST_COMPLETED)
        for future in [future for future in running if future.done()]:
            running.discard(future)
            future.result()

    def _settle_part(self, number: int, pieces: tuple[Chunk, ...]) -> None:
        """Sends the part unless the server has it."""
        check_stop(self._stop)
        payload = make_payload(pieces)
        headers = self._ledger.check(number, payload)
        found = self._started.parts.get(number)
        if found is not None and found.holds(payload, headers):
            self._ledger.add(number, f'"{found.etag}"', headers)
        elif self._started.completed is None:
            reply = self._send_part(number, payload, headers)
            self._ledger.add(number, reply.headers.get("etag", ""), headers)
        self._progress.of_part(number, payload.size)

    def _send_part(self, number: int, payload: Payload, headers: dict[str, str]) -> Reply:
        try:
            return self._writer.connection.send(
                "PUT",
                self._write.full_key,
                query={"partNumber": str(number), "uploadId": self._plan.upload},
                headers=headers,
                payload=payload,
                stop=self._stop,
                sent=lambda done: self._progress.of_part(number, done),
            )
        except BaseException as error:
            failure = self._judge(error)
            self._failures.append(failure)
            self._stop.failed.set()
            if failure is error:
                raise
            raise failure from error

    def _judge(self, error: BaseException) -> BaseException:
        """A refusal of a part may be one of the upload: removed by somebody meanwhile, or one whose parts a careless
        server does not let be replaced."""
        is_gone = isinstance(error, ObjectNotFound)
        is_odd = type(error) is StorageError and error.code == StorageError.code and self._started.is_continued
        if self._writer.memory is not None and (is_gone or is_odd):
            return PartsLost(self._writer, self._write.key)
        return error

    def _committed(self, source: CheckedSource, done: Completed) -> Committed:
        """Compares what the server has worked out over the parts with what was computed here."""
        version, attested, head = done.etag, None, done.head
        if self._writer.facts.attests:
            head = head or self._writer.head(self._write)
            headers = head.headers if head is not None else {}
            version = plain_etag(headers.get("etag")) or version
            attested = self._ledger.compare(head)
        method = ATTESTED_WHOLE if self._plan.checksum is PartChecksum.CRC32 else ATTESTED_PARTS
        # A nonce that was written down may be that of another process which goes on with the same upload.
        is_surely_ours = done.etag is not None or self._writer.memory is None
        return Committed(source.digest, source.size, version, attested, method, is_surely_ours)

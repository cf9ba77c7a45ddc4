"""Puts one object, and proves what lies there before it says so."""

from __future__ import annotations

import secrets
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from archive_tui.errors import ArchiveError, HashError, ObjectExists, ObjectNotFound, StorageError, StorageUnavailable
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.streams import Chunk, hash_stream, read_chunks
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.object_store import ObjectInfo, ObjectReader, PutResult
from archive_tui.objects.s3.connection import ATTEMPTS, Payload, Reply, S3Connection, pause
from archive_tui.objects.s3.failures import refusal_error
from archive_tui.objects.s3.pieces import PieceQueue, make_payload
from archive_tui.objects.s3.probing import ServerFacts, checksum_header
from archive_tui.objects.s3.replies import plain_etag
from archive_tui.progress import StopSignal

NONCE_HEADER = "x-amz-meta-archive-tui-nonce"
DIGEST_HEADER = "x-amz-meta-archive-tui-sha256"

ATTESTED = "sent with its SHA-256, which the server checked against what it received"
ATTESTED_PARTS = "sent in parts, each with its SHA-256; the server's digest over these is the one computed here"
READ_BACK = "read back in full after it was put, and hashed here"
NOT_EXCLUDED = "; the server cannot refuse to overwrite, so another writer at the same moment is not excluded"

_DAMAGED_IN_TRANSIT = frozenset(
    {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"}
)

Sent = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Write:
    """One put: `key` is relative to the store's prefix, `full_key` is what the server is told. `nonce` marks the
    object as written by this very call, so that a lost reply can be told from a rival."""

    key: str
    full_key: str
    overwrite: bool
    if_match: str | None
    stop: StopSignal
    sent: Sent | None
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def creates_only(self) -> bool:
        return not self.overwrite and self.if_match is None

    @property
    def conditions(self) -> dict[str, str]:
        if self.if_match is not None:
            return {"If-Match": f'"{self.if_match}"'}
        return {} if self.overwrite else {"If-None-Match": "*"}


@dataclass(frozen=True, slots=True)
class Committed:
    """What the server said it has. `attested` None: it has not been asked for its digest."""

    digest: str
    size: int
    version: str | None
    attested: bool | None
    method: str = ATTESTED


class S3Writer:
    """The way of a put through one connection, knowing what the server keeps of its promises."""

    def __init__(
        self,
        connection: S3Connection,
        facts: ServerFacts,
        identity: str,
        open_reader: Callable[[str], ObjectReader],
        send_small: Callable[[Write, Payload], Reply | None],
    ) -> None:
        self.connection = connection
        self.facts = facts
        self._identity = identity
        self._open_reader = open_reader
        self._send_small = send_small

    def put(self, write: Write, source: CheckedSource, size: int | None, single_put: int, part: int) -> PutResult:
        """Puts up to `single_put` bytes in one request, more in parts of at least `part` bytes."""
        from archive_tui.objects.s3.multipart import put_in_parts

        if not self._refuses_by_itself(write):
            self.look_first(write)
        queue = PieceQueue()
        chunks: Iterator[Chunk] = iter(source)
        for chunk in chunks:
            queue.add(chunk)
            if queue.size > single_put:
                self.look_first(write)
                return self._proven(write, put_in_parts(self, write, queue, chunks, source, size, part))
        if not self._refuses_by_itself(write):
            self.look_first(write)
        return self._proven(write, self._put_whole(write, make_payload(queue.take(queue.size), source.digest)))

    def _refuses_by_itself(self, write: Write) -> bool:
        if write.creates_only:
            return self.facts.creates_only
        return write.if_match is None or self.facts.replaces_conditionally

    def look_first(self, write: Write) -> None:
        """Refuses early what the server would refuse late, or (a poor server) not at all."""
        if write.overwrite and write.if_match is None:
            return
        found = self.head(write)
        if found is not None and write.creates_only:
            raise self.exists(write)
        if write.if_match is not None and (found is None or plain_etag(found.headers.get("etag")) != write.if_match):
            raise self.exists(write)

    def head(self, write: Write) -> Reply | None:
        """Returns the object's headers with the server's digest, None when it is absent."""
        try:
            return self.connection.send("HEAD", write.full_key, headers=self.asking_digest(), stop=write.stop)
        except ObjectNotFound:
            return None

    def asking_digest(self) -> dict[str, str]:
        return {"x-amz-checksum-mode": "ENABLED"} if self.facts.takes_checksums else {}

    def own(self, write: Write) -> Reply | None:
        """Returns the headers of the object under the key when this call has written it.

        Raises: ObjectExists when it is a rival's and this call may not replace it.
        """
        found = self.head(write)
        if found is not None and found.headers.get(NONCE_HEADER) == write.nonce:
            return found
        if found is not None and write.creates_only:
            raise self.exists(write)
        return None

    def exists(self, write: Write) -> ObjectExists:
        label = self.connection.label
        if write.if_match is not None:
            message = f"Not the expected version any more in {label}: {write.key}"
        else:
            message = f"Already in {label}: {write.key}"
        return ObjectExists(message, key=write.key, store=label, hint="Choose another name or version.")

    def refused(self, write: Write, reply: Reply) -> ArchiveError:
        refusal = reply.refusal
        if refusal.code in _DAMAGED_IN_TRANSIT:
            return HashError(
                f"Damaged on the way, says {self.connection.label}: {write.key}",
                hint="Nothing was stored. Repeat the command; if it stays, something between here and there is broken.",
            )
        return refusal_error(refusal, self.connection.where(write.key))

    def _put_whole(self, write: Write, payload: Payload) -> Committed:
        failure: ArchiveError | None = None
        for attempt in range(ATTEMPTS):
            if attempt:
                pause(attempt, write.stop)
            try:
                reply = self._send_whole(write, payload)
            except StorageUnavailable as error:
                failure, unsure = error, True
            else:
                if reply.is_success:
                    return self._committed_whole(payload, reply)
                failure, unsure = self._judge(write, reply, unsure=failure is not None)
            if unsure and (found := self.own(write)) is not None:
                return self._committed_whole(payload, found)
        assert failure is not None
        raise failure

    def _judge(self, write: Write, reply: Reply, *, unsure: bool) -> tuple[ArchiveError, bool]:
        """Returns the error to raise if it stays so, and whether the write may have been done all the same.

        Raises: at once what no repetition can cure.
        """
        refusal = reply.refusal
        if refusal.is_precondition:
            if not unsure:
                raise self.exists(write)
            return self.exists(write), True
        error = self.refused(write, reply)
        if not (refusal.is_busy or refusal.is_conflict or refusal.code in _DAMAGED_IN_TRANSIT):
            raise error
        return error, reply.status >= 500

    def _send_whole(self, write: Write, payload: Payload) -> Reply:
        reply = self._send_small(write, payload)
        if reply is not None:
            if write.sent is not None:
                write.sent(payload.size)
            return reply
        headers = write.conditions | {NONCE_HEADER: write.nonce, DIGEST_HEADER: payload.digest}
        if self.facts.takes_checksums:
            headers |= checksum_header(payload.digest)
        return self.connection.send_once(
            "PUT", write.full_key, headers=headers, payload=payload, stop=write.stop, sent=write.sent
        )

    def _committed_whole(self, payload: Payload, reply: Reply) -> Committed:
        """Success means that the digest was right, on a server that refuses wrong ones; what it echoes must agree."""
        echoed = reply.headers.get("x-amz-checksum-sha256")
        attested: bool | None = None
        if self.facts.attests:
            attested = echoed in (None, b64encode(bytes.fromhex(payload.digest)).decode())
        return Committed(payload.digest, payload.size, plain_etag(reply.headers.get("etag")), attested)

    def _proven(self, write: Write, done: Committed) -> PutResult:
        poor = not self._refuses_by_itself(write)
        if done.attested is False:
            raise self._withdrawn(write, "the server's digest is another")
        if done.attested and not poor and done.version is not None:
            return self._result(write, done, EvidenceLevel.ATTESTED, done.method)
        found = self.head(write)
        if found is None:
            raise StorageError(f"Gone right after it was put: {write.key}", key=write.key, store=self.connection.label)
        if found.headers.get(NONCE_HEADER) not in (None, write.nonce):
            raise self.exists(write)
        version = plain_etag(found.headers.get("etag"))
        seen = Committed(done.digest, done.size, version, done.attested)
        if done.attested:
            return self._result(write, seen, EvidenceLevel.ATTESTED, done.method + (NOT_EXCLUDED if poor else ""))
        self._read_back(write, done)
        return self._result(write, seen, EvidenceLevel.READ, READ_BACK + (NOT_EXCLUDED if poor else ""))

    def _read_back(self, write: Write, done: Committed) -> None:
        with self._open_reader(write.key) as reader:
            found = hash_stream(read_chunks(reader, stop=write.stop))
        if found != (done.digest, done.size):
            raise self._withdrawn(write, "what was read back is something else")

    def _withdrawn(self, write: Write, why: str) -> ArchiveError:
        found = self.head(write)
        nonce = found.headers.get(NONCE_HEADER) if found is not None else None
        if nonce not in (None, write.nonce):
            return self.exists(write)  # a rival's, put in between: not ours to judge or to remove
        if nonce == write.nonce:
            self.connection.send("DELETE", write.full_key)
        return HashError(
            f"Damaged in {self.connection.label}, {why}: {write.key}",
            hint="It was removed again. Repeat the command; if it stays, do not trust this storage.",
        )

    def _result(self, write: Write, done: Committed, level: EvidenceLevel, method: str) -> PutResult:
        evidence = Evidence(self._identity, write.key, level, done.digest, done.size, time.time(), method, done.version)
        attested = bool(done.attested) and done.method is ATTESTED
        return PutResult(ObjectInfo(write.key, done.size, None, done.version, done.digest, attested), evidence)

"""What every way of putting an object needs: looking first, recognising our own write, proving what lies there."""

from __future__ import annotations

import time
from collections.abc import Callable

from archive_tui.errors import ArchiveError, HashError, ObjectExists, ObjectNotFound, StorageError
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.streams import hash_stream, read_chunks
from archive_tui.objects.object_store import ObjectInfo, ObjectReader, PutResult
from archive_tui.objects.s3.connection import Payload, Reply, S3Connection
from archive_tui.objects.s3.failures import DAMAGED_IN_TRANSIT, refusal_error
from archive_tui.objects.s3.probing import ServerFacts
from archive_tui.objects.s3.replies import plain_etag
from archive_tui.objects.s3.write import ATTESTED, NONCE_HEADER, NOT_EXCLUDED, READ_BACK, Committed, Write
from archive_tui.objects.unfinished import UploadMemory


class S3Writer:
    """The way of a put through one connection, knowing what the server keeps of its promises."""

    def __init__(
        self,
        connection: S3Connection,
        facts: ServerFacts,
        identity: str,
        open_reader: Callable[[str], ObjectReader],
        send_small: Callable[[Write, Payload], Reply | None],
        memory: UploadMemory | None = None,
    ) -> None:
        self.connection = connection
        self.facts = facts
        self._identity = identity
        self._open_reader = open_reader
        self.send_small = send_small
        self.memory = memory

    def refuses_by_itself(self, write: Write) -> bool:
        """True when the server keeps the write's condition itself, so that nobody has to look first."""
        if write.creates_only:
            return self.facts.creates_only
        return write.if_match is None or self.facts.replaces_conditionally

    def look_first(self, write: Write, own: str | None = None) -> None:
        """Refuses early what the server would refuse late, or (a poor server) not at all; but not an object with the
        nonce `own`, which an earlier run of this very put has left."""
        if write.overwrite and write.if_match is None:
            return
        found = self.head(write)
        if found is not None and own is not None and found.headers.get(NONCE_HEADER) == own:
            return
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
        if refusal.code in DAMAGED_IN_TRANSIT:
            return HashError(
                f"Damaged on the way, says {self.connection.label}: {write.key}",
                hint="Nothing was stored. Repeat the command; if it stays, something between here and there is broken.",
            )
        return refusal_error(refusal, self.connection.where(write.key))

    def proven(self, write: Write, done: Committed) -> PutResult:
        poor = not self.refuses_by_itself(write)
        if done.attested is False:
            raise self._withdrawn(write, done, "the server's digest is another")
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
            raise self._withdrawn(write, done, "what was read back is something else")

    def _withdrawn(self, write: Write, done: Committed, why: str) -> ArchiveError:
        found = self.head(write)
        nonce = found.headers.get(NONCE_HEADER) if found is not None else None
        if nonce not in (None, write.nonce) or not done.is_surely_ours:
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

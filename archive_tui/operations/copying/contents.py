"""The content of one object, as the source of a put and as one side of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from archive_tui.errors import ArchiveError, HashError, SourceChanged
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.integrity.streams import hash_stream, read_chunks
from archive_tui.objects.object_store import ObjectInfo, ObjectStore, Support
from archive_tui.progress import StopSignal

ASKED_BEFORE_GIVING_UP = 32
"""Objects of which a store may know no digest before it is no longer asked for any."""


class KnownDigests:
    """The digests that a store has beside its objects. Safe to use from several threads."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self._may_know = store.traits.atomic_rename is not Support.YES  # a folder knows none
        self._misses = 0

    def find(self, info: ObjectInfo) -> ObjectInfo:
        """Returns the object with its digest where the store has one; asks no longer when it seems to have none.

        Raises: what the store raises.
        """
        if info.digest is not None or not self._may_know:
            return info
        told = self.store.info(info.key)
        if told.digest is None:
            self._misses += 1  # a count that is missed in a race costs a question
            self._may_know = self._misses < ASKED_BEFORE_GIVING_UP
        else:
            self._misses = 0
        return told


class SourceContent:
    """An object of the source; each iteration reads it anew. `info` is what the source said of it last.

    What the source raises is noted in `failures`, so that it can be told from a failure of the target. `version` is
    that of what was read last, None: the store does not say.

    Raises: ObjectNotFound and what else the source raises, when it has to be asked what the object is.
    """

    def __init__(
        self, digests: KnownDigests, key: str, info: ObjectInfo | None, stop: StopSignal, failures: list[ArchiveError]
    ) -> None:
        self._digests = digests
        self._store = digests.store
        self._key = key
        self._stop = stop
        self._failures = failures
        with self._noting_failure():
            self.info = info or self._store.info(key)
        self.version = self.info.version

    @property
    def size(self) -> int | None:
        """In bytes; None when the store does not know."""
        return self.info.size if self.info.size >= 0 else None

    def __iter__(self) -> Iterator[bytes]:
        return self.read_from(0)

    def read_from(self, offset: int) -> Iterator[bytes]:
        """Reads from `offset` to the end.

        Raises: SourceChanged when the rest would be that of another version; what the source raises, OperationStopped.
        """
        with self._noting_failure(), closing(self._store.open(self._key, offset)) as reader:
            self.version = getattr(reader, "version", None) or self.info.version
            if offset and self.version != self.info.version:
                raise SourceChanged(f"Another version than was begun with: {self._key}", path=self._key)
            yield from read_chunks(reader, stop=self._stop)

    def ask_digest(self) -> None:
        """Lets the source say which digest the object has, where it knows. Raises: what the source raises."""
        with self._noting_failure():
            self.info = self._digests.find(self.info)

    def look_again(self) -> None:
        """Asks the source what it is now. Raises: ObjectNotFound, what the source raises."""
        with self._noting_failure():
            self.info = self._store.info(self._key)
        self.version = self.info.version

    def read_whole(self) -> tuple[bytes, str]:
        """Returns the content and its digest.

        Raises: SourceChanged for another size than was told, HashError for another digest than the source has beside
        it; what the source raises, OperationStopped.
        """
        content = b"".join(self)
        if self.size not in (None, len(content)):
            raise SourceChanged(
                f"Another size than was listed: {len(content)} instead of {self.size} bytes", path=self._key
            )
        digest = sha256_of_bytes(content)
        if self.info.digest not in (None, digest):
            raise HashError(f"The source says that its digest is {self.info.digest}, and its bytes have {digest}")
        return content, digest

    def find_digest(self, done: Callable[[int], None] | None = None) -> str:
        """Returns the digest that the source itself has computed; where it has none, reads the object.

        Raises: what the source raises, OperationStopped.
        """
        if self.info.digest is not None and self.info.attested:
            return self.info.digest
        return hash_stream(self, done=done)[0]

    @contextmanager
    def _noting_failure(self) -> Iterator[None]:
        try:
            yield
        except ArchiveError as error:
            self._failures.append(error)
            raise


def find_proven_digest(
    store: ObjectStore, info: ObjectInfo, stop: StopSignal, done: Callable[[int], None] | None = None
) -> tuple[str, bool]:
    """Returns the digest of an object, and whether its bytes were read: what the store has not computed itself is read.

    Raises: what the store raises, OperationStopped.
    """
    if info.digest is not None and info.attested:
        return info.digest, False
    with closing(store.open(info.key)) as reader:
        return hash_stream(read_chunks(reader, stop=stop), done=done)[0], True

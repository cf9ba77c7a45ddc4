"""Puts one object into the target, in the way that proves most for the least reading."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from archive_tui.errors import HashError
from archive_tui.integrity.streams import Chunk
from archive_tui.names.protected_keys import find_content_digest
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectStore, PutResult
from archive_tui.operations.copying.contents import SourceContent
from archive_tui.operations.copying.continued_file import ContinuedFiles, PartKeeper
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.selected_entries import innermost, whole_key
from archive_tui.progress import StopSignal, check_stop

LARGE = 4 << 20
"""Bytes from which an object is streamed; a smaller one is read into memory."""

LARGE_AT_ONCE = 4
"""Of each a store may hold some blocks, up to 64 MiB."""

HASHED_FIRST = 1 << 30
"""Bytes up to which a file is read once before it is sent to a server, which can then attest the digest of the whole:
a later copy of it asks for that digest instead of reading the object."""


class Putter:
    """Called from several threads; large objects take their turns."""

    def __init__(
        self,
        source: ObjectStore,
        target: ObjectStore,
        paced: PacedReport,
        stop: StopSignal,
        parts: PartKeeper | None = None,
    ) -> None:
        self._target = target
        self._paced = paced
        self._stop = stop
        self._turns = threading.BoundedSemaphore(LARGE_AT_ONCE)
        is_local = isinstance(innermost(source), FolderStore)
        folder = innermost(target)
        # Not by what is known of the server so far: a later run has to promise the same, for the parts to fit.
        self._hashes_first = is_local and not isinstance(folder, FolderStore)
        self._continued: ContinuedFiles | None = None
        if parts is not None and not is_local and isinstance(folder, FolderStore):
            self._continued = ContinuedFiles(folder, parts, stop)

    def put(self, content: SourceContent, item: str, key: str, *, if_match: str | None = None) -> PutResult:
        """Puts the object as it is now; `if_match` as of `ObjectStore.put`.

        Raises: ObjectExists; SourceChanged and HashError when it is not what was promised, by the source or by its
        address in a vault; what source and target raise, OperationStopped.
        """
        size = content.size
        if size is not None and size < LARGE:
            data, digest = content.read_whole()
            return self._send(item, key, [data], len(data), self._check_address(key, digest), if_match)
        if content.info.digest is None and self._hashes_first and size is not None and size <= HASHED_FIRST:
            digest = content.find_digest()
            return self._send(item, key, content, size, self._check_address(key, digest), if_match)
        known = content.info.digest or self._address(key)
        if self._continued is not None and if_match is None and known is not None and self._continued.takes(content):
            self._check_address(key, known)
            continued = self._continued
            return self._told(item, size, lambda sent: continued.put(content, key, sent))
        if known is not None:
            return self._send(item, key, content, size, self._check_address(key, known), if_match)
        chunks: Iterator[Chunk] = iter(content)  # what is read once only, so that nobody reads it twice
        return self._send(item, key, chunks, size, None, if_match)

    def _send(
        self,
        item: str,
        key: str,
        chunks: Iterable[Chunk],
        size: int | None,
        digest: str | None,
        if_match: str | None,
    ) -> PutResult:
        return self._told(
            item,
            size,
            lambda sent: self._target.put(
                key, chunks, size, digest=digest, if_match=if_match, stop=self._stop, sent=sent
            ),
        )

    def _told(self, item: str, size: int | None, write: Callable[[Callable[[int], None]], PutResult]) -> PutResult:
        """Tells how far the writing of an item is."""
        self._paced.begin_item(item, size or 0)
        try:
            put = write(self.watch(item))
        finally:
            self._paced.end_partial(item)
        self._paced.add(put.info.size, 0, item)
        return put

    @contextmanager
    def turn(self, size: int | None) -> Iterator[None]:
        """Waits until so large an object may begin. Raises: OperationStopped."""
        if size is not None and size < LARGE:
            yield
            return
        while not self._turns.acquire(timeout=0.05):
            check_stop(self._stop)
        try:
            yield
        finally:
            self._turns.release()

    def watch(self, item: str) -> Callable[[int], None]:
        """Returns what tells how far the reading of an item is that is not sent."""
        return lambda count: self._paced.set_partial(item, count)

    def end_watch(self, item: str) -> None:
        self._paced.end_partial(item)

    def count(self, item: str, size: int) -> None:
        """The bytes of an item that lies there already are done."""
        self._paced.add(max(size, 0), 0, item)

    def _check_address(self, key: str, digest: str) -> str:
        """Returns the digest. Raises: HashError when the key is the address of another content."""
        address = self._address(key)
        if address is not None and address != digest:
            raise HashError(
                f"The content is not that of its address in a vault: expected {address}, found {digest}",
                hint="Nothing was stored. Verify the object at the source.",
                code="digest-mismatch",
            )
        return digest

    def _address(self, key: str) -> str | None:
        return find_content_digest(whole_key(self._target, key))

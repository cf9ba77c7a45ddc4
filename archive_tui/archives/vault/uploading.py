"""Uploads single files, large ones only a few at a time, and tells a changed file from a broken store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive_tui.archives.vault.line_results import changed, failed, is_fatal
from archive_tui.archives.vault.local_content import LocalContent, check_size
from archive_tui.archives.vault.outcomes import LineResult, Outcome
from archive_tui.errors import ArchiveError, HashError, ObjectExists, SourceChanged, SourceError
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.progress import StopSignal, check_stop

LARGE = 4 << 20
"""Bytes from which a file counts as large: a store may hold some blocks of it, up to 64 MiB."""

LARGE_AT_ONCE = 2
"""Two keep two cores busy with hashing; more would only need more memory."""

MIDDLE = 256 << 10
"""Bytes from which a file counts as one of middle size: a store may hold all of it."""

MIDDLE_AT_ONCE = 16
"""They wait for their bytes rather than for the answer; all together need 64 MiB at most."""


class Uploader:
    """Puts files into one store. Its methods are called from several threads."""

    def __init__(self, store: ObjectStore, root: Path, paced: PacedReport, stop: StopSignal) -> None:
        self._store = store
        self._root = root
        self._paced = paced
        self._stop = stop
        self._large = threading.BoundedSemaphore(LARGE_AT_ONCE)
        self._middle = threading.BoundedSemaphore(MIDDLE_AT_ONCE)

    def upload(self, line: ManifestLine, key: str) -> LineResult:
        """Stores the file of the line under `key`, which must be new, if its digest is that of the line.

        Raises: ObjectExists, and what ends the run; whatever else goes wrong is the result.
        """
        content: LocalContent | None = None
        try:
            content = LocalContent(self._root, line.name, stop=self._stop)
            check_size(content, line.name, line.size)
            with self._turn(content.size):
                return self._put(line, key, content)
        except ObjectExists:
            raise
        except (HashError, SourceChanged) as error:
            assert content is not None
            return self._judge(line, key, content, error)
        except ArchiveError as error:
            if is_fatal(error, self._store, writing=True):
                raise
            return failed(line, error, key)

    def _put(self, line: ManifestLine, key: str, content: LocalContent) -> LineResult:
        self._paced.begin_item(line.name, content.size)
        try:
            put = self._store.put(
                key, content, content.size, digest=line.digest, stop=self._stop,
                sent=lambda count: self._paced.set_partial(key, count),
            )  # fmt: skip
        finally:
            self._paced.end_partial(key)
        self._paced.add(put.info.size, 0, line.name)
        return LineResult(line, Outcome.UPLOADED, key, put.evidence, put.info.size)

    def _judge(self, line: ManifestLine, key: str, content: LocalContent, error: ArchiveError) -> LineResult:
        """Reads the file once more: a put fails in the same words when the file is another one, and when the bytes
        were damaged on their way or in the store."""
        try:
            found, size = content.find_digest()
        except SourceError as unreadable:
            return failed(line, unreadable)
        if found != line.digest or size != (line.size if line.size is not None else size):
            return changed(line, found, size)
        if isinstance(error, SourceChanged):
            return changed(line, None, size)
        return failed(line, error, key)

    @contextmanager
    def _turn(self, size: int) -> Iterator[None]:
        if size < MIDDLE:
            yield
            return
        places = self._large if size >= LARGE else self._middle
        while not places.acquire(timeout=0.05):
            check_stop(self._stop)
        try:
            yield
        finally:
            places.release()

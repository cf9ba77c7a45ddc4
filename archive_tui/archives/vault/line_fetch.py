"""Fetches the content of one line to its path: looks at what is there, reads the vault, judges what came."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from itertools import chain, islice
from typing import NamedTuple

from archive_tui.archives.vault.line_results import failed, from_look, is_fatal
from archive_tui.archives.vault.looking import READ, Look, require_place
from archive_tui.archives.vault.outcomes import LineNews, LineResult, Outcome
from archive_tui.archives.vault.recent_files import RecentFile, RecentFiles
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import (
    AccessDenied,
    ArchiveError,
    HashError,
    InvalidName,
    ManifestError,
    ObjectExists,
    ObjectNotFound,
    OperationStopped,
    SourceChanged,
    StorageError,
    StorageFull,
    StorageUnavailable,
    TargetExists,
)
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.streams import Chunk, Readable, hash_stream, read_chunks
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.names.display import escape_for_display
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.folder.atomic_file import WrittenFile
from archive_tui.objects.folder.contained_write import SMALL, ContainedFolder
from archive_tui.objects.object_store import Support
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.progress import StopSignal

BLOCKS_IN_MEMORY = 2
"""A content of fewer blocks is hashed before a folder is made or a byte is written for it."""


class Fetched(NamedTuple):
    """`written` is set when a file has been written at `path`, whose name is not durable yet."""

    news: LineNews
    path: str = ""
    written: WrittenFile | None = None


class _SourceFailed(Exception):
    """Reading has failed, not writing; the cause is the error of the store."""

    def __init__(self, error: StorageError) -> None:
        super().__init__(str(error))
        self.error = error


class LineFetch:
    """Fetches lines, several at once, each to a path of its own."""

    def __init__(
        self, vault: Vault, target: ContainedFolder, *, overwrite: bool, paced: PacedReport, stop: StopSignal
    ) -> None:
        self._vault = vault
        self._target = target
        self._overwrite = overwrite
        self._paced = paced
        self._stop = stop
        self._recent = RecentFiles()
        self._place: Future[None] | None = None
        self._place_lock = threading.Lock()
        is_local = vault.store.traits.atomic_rename is Support.YES
        self._reading: AbstractContextManager[object] = target.turn if is_local else nullcontext()

    def fetch(self, line: ManifestLine, path: str) -> Fetched:
        """Returns what became of the line; the file is durable, its name is not yet.

        Raises: AccessDenied and StorageUnavailable of the vault, StorageFull and StorageUnavailable of the disk: there
        is no use in going on; OperationStopped.
        """
        try:
            return self._fetch(line, path)
        except (StorageFull, StorageUnavailable, OperationStopped):
            raise
        except _SourceFailed as failure:
            if is_fatal(failure.error, self._vault.store):
                raise failure.error from failure
            return Fetched(failed(line, failure.error, self._vault.key(line.digest)))
        except ArchiveError as error:
            is_refused = isinstance(error, InvalidName) or error.code == "symlink-in-path"
            return Fetched(LineResult(line, Outcome.REFUSED if is_refused else Outcome.FAILED, error=error))

    def _fetch(self, line: ManifestLine, path: str) -> Fetched:
        there = self._target.find_digest(path, stop=self._stop)
        if there == line.digest:
            return Fetched(LineResult(line, Outcome.ALREADY_THERE))
        if there is not None and not self._overwrite:
            return _exists(line, there)
        try:
            return self._copy_recent(line, path) or self._fetch_from_vault(line, path)
        except ObjectExists as error:
            return self._judge_late_arrival(line, path, error)

    def _copy_recent(self, line: ManifestLine, path: str) -> Fetched | None:
        recent = self._recent.find(line.digest)
        if recent is None:
            return None
        try:
            with self._target.open(recent.path) as reader:
                written = self._write(line, path, self._read(reader))
        except (ObjectNotFound, AccessDenied, HashError, _SourceFailed):
            self._recent.forget(line.digest)  # somebody has changed the file meanwhile: the vault is asked again
            return None
        return self._fetched(line, path, written, recent.evidence)

    def _fetch_from_vault(self, line: ManifestLine, path: str) -> Fetched:
        key = self._vault.key(line.digest)
        try:
            self._require_place()
            with self._reading:
                reader = self._vault.store.open(key)
        except ObjectNotFound:
            return Fetched(from_look(line, Look(Outcome.ABSENT, key), self._vault.title))
        except StorageError as error:
            raise _SourceFailed(error) from error
        with reader:
            try:
                written = self._write(line, path, self._read(reader))
            except _WrongContent as wrong:
                evidence = self._evidence(key, EvidenceLevel.DAMAGED, wrong.found, wrong.size, reader)
                look = Look(Outcome.DAMAGED, key, evidence, wrong.size, wrong.found)
                return Fetched(from_look(line, look, self._vault.title))
            evidence = self._evidence(key, EvidenceLevel.READ, line.digest, written.size, reader)
        self._recent.remember(line.digest, RecentFile(path, evidence))
        return self._fetched(line, path, written, evidence)

    def _require_place(self) -> None:
        """Before the first content is asked for, and not when all files are there already; what came of it holds for
        every line. Raises: as `require_place`."""
        with self._place_lock:
            if self._place is None:
                self._place = Future()
                try:
                    require_place(self._vault.store, stop=self._stop)
                    self._place.set_result(None)
                except BaseException as error:  # noqa: BLE001  (raised below, for this line and every other one)
                    self._place.set_exception(error)
        self._place.result()

    def _write(self, line: ManifestLine, path: str, chunks: Iterator[Chunk]) -> WrittenFile:
        with self._reading:
            head = list(islice(chunks, BLOCKS_IN_MEMORY))
        whole: Iterable[Chunk] = chain((head.pop(0) for _ in range(len(head))), chunks)  # what is written is let go
        is_small = False
        if len(head) < BLOCKS_IN_MEMORY:
            found, size = hash_stream(head)
            if found != line.digest:
                raise _WrongContent(found, size)
            whole, is_small = head, size <= SMALL
        source = CheckedSource(
            whole, line.size, line.digest, stop=self._stop, sent=lambda done: self._paced.set_partial(path, done)
        )
        try:
            written = self._target.write(path, source, overwrite=self._overwrite, is_at_hand=is_small)
        except HashError as error:
            if source.digest == line.digest:  # what came was right, what the disk returns is not
                raise
            raise _WrongContent(source.digest, source.size) from error
        except SourceChanged as error:
            raise ManifestError(
                f"The content has not the {line.size:,} bytes of its line: {escape_for_display(line.name)}",
                hint="Nothing was written. Either the line or the object in the vault is wrong; verify the latter.",
            ) from error
        finally:
            self._paced.end_partial(path)
        self._paced.add(written.size, 0, line.name)
        return written

    def _read(self, reader: Readable) -> Iterator[bytes]:
        try:
            yield from read_chunks(reader, stop=self._stop)
        except StorageError as error:
            raise _SourceFailed(error) from error

    def _judge_late_arrival(self, line: ManifestLine, path: str, error: ObjectExists) -> Fetched:
        """Something has got the name while the content was on its way, or is where a folder should be."""
        there = self._target.find_digest(path, stop=self._stop)
        if there == line.digest:
            return Fetched(LineResult(line, Outcome.ALREADY_THERE))
        if there is not None:
            return _exists(line, there)
        in_the_way = TargetExists(
            f"A file is where its folder should be: {escape_for_display(line.name)}",
            hint="Move it away, or fetch into another folder.",
        )
        in_the_way.__cause__ = error
        return Fetched(LineResult(line, Outcome.EXISTS, error=in_the_way))

    def _evidence(self, key: str, level: EvidenceLevel, digest: str, size: int, reader: object) -> Evidence:
        # A reader that knows which version it reads makes the evidence one that a later look can build on.
        version = getattr(reader, "version", None)
        return Evidence(self._vault.store.identity, key, level, digest, size, time.time(), READ, version)

    def _fetched(self, line: ManifestLine, path: str, written: WrittenFile, evidence: Evidence) -> Fetched:
        return Fetched(LineResult(line, Outcome.FETCHED, evidence.key, evidence, written.size), path, written)


class _WrongContent(HashError):
    """What was read has another digest than the line."""

    def __init__(self, found: str, size: int) -> None:
        super().__init__(f"Another content was found: {found}")
        self.found = found
        self.size = size


def _exists(line: ManifestLine, found: str) -> Fetched:
    name = escape_for_display(line.name)
    what = f"expected {line.digest}, found {found}" if found else "it is no file that can be read"
    error = TargetExists(
        f"Something else is there: {name}: {what}",
        hint="Move it away, fetch into another folder, or replace files with --overwrite; folders never are.",
    )
    return Fetched(LineResult(line, Outcome.EXISTS, found=found or None, error=error))

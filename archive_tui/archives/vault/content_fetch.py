"""Brings one content of a vault to a path: from a file that has just been written, from the vault, or from where an
earlier run has stopped in the middle of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from itertools import chain, islice
from typing import NamedTuple

from archive_tui.archives.vault.line_results import from_look, is_fatal
from archive_tui.archives.vault.looking import READ, Look, require_place
from archive_tui.archives.vault.outcomes import LineResult, Outcome
from archive_tui.archives.vault.recent_files import RecentFile, RecentFiles
from archive_tui.archives.vault.unfinished_parts import UnfinishedPart, UnfinishedParts
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import (
    AccessDenied,
    HashError,
    ManifestError,
    ObjectNotFound,
    OperationStopped,
    SourceChanged,
    StorageError,
    StorageUnavailable,
)
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.streams import Chunk, Readable, hash_stream, read_chunks
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.names.display import escape_for_display
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.folder.atomic_file import WrittenFile
from archive_tui.objects.folder.contained_write import SMALL, ContainedFolder
from archive_tui.objects.folder.kept_parts import KeptPart
from archive_tui.objects.object_store import ObjectReader, Support
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.progress import StopSignal

BLOCKS_IN_MEMORY = 2
"""A content of fewer blocks is hashed before a folder is made or a byte is written for it."""


class Brought(NamedTuple):
    """`written` is set when a file has been written, whose name is not durable yet."""

    result: LineResult
    written: WrittenFile | None = None


class SourceFailed(Exception):
    """Reading has failed, not writing; the cause is the error of the store."""

    def __init__(self, error: StorageError) -> None:
        super().__init__(str(error))
        self.error = error


class ContentFetch:
    """Brings contents, several at once, each to a path of its own below `target`."""

    def __init__(
        self, vault: Vault, target: ContainedFolder, *, parts: UnfinishedParts, paced: PacedReport, stop: StopSignal
    ) -> None:
        self._vault = vault
        self._target = target
        self._parts = parts
        self._paced = paced
        self._stop = stop
        self._recent = RecentFiles()
        self._place: Future[None] | None = None
        self._place_lock = threading.Lock()
        is_local = vault.store.traits.atomic_rename is Support.YES
        self._reading: AbstractContextManager[object] = target.turn if is_local else nullcontext()

    def bring(self, line: ManifestLine, path: str, *, overwrite: bool) -> Brought:
        """Writes the content of the line as the file at `path`; its name is not durable yet.

        Raises: ObjectExists; SourceFailed when the vault fails; what ContainedFolder.write raises.
        """
        return (
            self._copy_recent(line, path, overwrite)
            or self._continue(line, path, overwrite)
            or self._fetch(line, path, overwrite)
        )

    def forget_part(self, path: str) -> None:
        """Removes what an earlier run has left of a file that is there by now."""
        part = self._parts.find(path)
        if part is not None and self._target.remove_part(path, part.name):
            self._parts.forget(path)

    def _copy_recent(self, line: ManifestLine, path: str, overwrite: bool) -> Brought | None:
        recent = self._recent.find(line.digest)
        if recent is None:
            return None
        try:
            with self._target.open(recent.path) as reader:
                written = self._write(line, path, self._read(reader), overwrite)
        except (ObjectNotFound, AccessDenied, HashError, SourceFailed):
            self._recent.forget(line.digest)  # somebody has changed the file meanwhile: the vault is asked again
            return None
        self.forget_part(path)
        return _fetched(line, written, recent.evidence)

    def _fetch(self, line: ManifestLine, path: str, overwrite: bool) -> Brought:
        key = self._vault.key(line.digest)
        try:
            reader = self._open(key)
        except _Absent:
            return Brought(from_look(line, Look(Outcome.ABSENT, key), self._vault.title))
        with reader:
            part = self._new_part(line, path, None, lambda: _version_of(reader))
            try:
                written = self._write(line, path, self._read(reader), overwrite, part if self._parts.is_kept else None)
            except WrongContent as wrong:
                version = _version_of(reader)
                evidence = self._evidence(key, EvidenceLevel.DAMAGED, wrong.found, wrong.size, version)
                look = Look(Outcome.DAMAGED, key, evidence, wrong.size, wrong.found)
                return Brought(from_look(line, look, self._vault.title))
            evidence = self._evidence(key, EvidenceLevel.READ, line.digest, written.size, _version_of(reader))
        self._recent.remember(line.digest, RecentFile(path, evidence))
        return _fetched(line, written, evidence)

    def _continue(self, line: ManifestLine, path: str, overwrite: bool) -> Brought | None:
        """Goes on with the part that an earlier run has left; None: there is none, or it is of no use."""
        known = self._parts.find(path)
        if known is None:
            return None
        if known.digest != line.digest:
            self.forget_part(path)
            return None
        key = self._vault.key(line.digest)
        readers: list[ObjectReader] = []
        part = self._new_part(line, path, known.name, lambda: _version_of(*readers))
        try:
            written = self._send(line, path, self._read_rest(key, part, readers), overwrite, part)
        except (WrongContent, ManifestError, _Absent):
            return None  # anew, from the vault alone: then it is known whose fault it is
        if known.version is None or _version_of(*readers) != known.version:
            # The file is right, but no version of the object was read whole: nothing is claimed for it.
            return Brought(LineResult(line, Outcome.FETCHED, key, None, written.size), written)
        evidence = self._evidence(key, EvidenceLevel.READ, line.digest, written.size, known.version)
        self._recent.remember(line.digest, RecentFile(path, evidence))
        return _fetched(line, written, evidence)

    def _read_rest(self, key: str, part: KeptPart, readers: list[ObjectReader]) -> Iterator[Chunk]:
        """What lies there, and then, from the vault, what is missing."""
        yield from part.chunks(stop=self._stop)
        with self._open(key, part.size) as reader:
            readers.append(reader)
            yield from self._read(reader)

    def _new_part(self, line: ManifestLine, path: str, name: str | None, version: Callable[[], str | None]) -> KeptPart:
        def note(new: str | None) -> None:
            if new is None:
                self._parts.forget(path)
            else:
                self._parts.keep(path, UnfinishedPart(new, line.digest, version()))

        return KeptPart(name, note=note, survives=self._leaves_part)

    def _leaves_part(self, error: BaseException) -> bool:
        if isinstance(error, SourceFailed):
            return is_fatal(error.error, self._vault.store)
        return isinstance(error, OperationStopped | StorageUnavailable) or not isinstance(error, Exception)

    def _open(self, key: str, offset: int = 0) -> ObjectReader:
        try:
            self._require_place()
            with self._reading:
                return self._vault.store.open(key, offset)
        except ObjectNotFound as error:
            raise _Absent from error
        except StorageError as error:
            raise SourceFailed(error) from error

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

    def _write(
        self, line: ManifestLine, path: str, chunks: Iterator[Chunk], overwrite: bool, part: KeptPart | None = None
    ) -> WrittenFile:
        with self._reading:
            head = list(islice(chunks, BLOCKS_IN_MEMORY))
        if len(head) < BLOCKS_IN_MEMORY:
            found, size = hash_stream(head)
            if found != line.digest:
                raise WrongContent(found, size)
            return self._send(line, path, head, overwrite, None, is_at_hand=size <= SMALL)
        whole = chain((head.pop(0) for _ in range(len(head))), chunks)  # what is written is let go
        return self._send(line, path, whole, overwrite, part)

    def _send(
        self,
        line: ManifestLine,
        path: str,
        chunks: Iterable[Chunk],
        overwrite: bool,
        part: KeptPart | None,
        *,
        is_at_hand: bool = False,
    ) -> WrittenFile:
        source = CheckedSource(
            chunks, line.size, line.digest, stop=self._stop, sent=lambda done: self._paced.set_partial(path, done)
        )
        try:
            written = self._target.write(path, source, overwrite=overwrite, is_at_hand=is_at_hand, part=part)
        except HashError as error:
            if source.digest == line.digest:  # what came was right, what the disk returns is not
                raise
            raise WrongContent(source.digest, source.size) from error
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
            raise SourceFailed(error) from error

    def _evidence(self, key: str, level: EvidenceLevel, digest: str, size: int, version: str | None) -> Evidence:
        return Evidence(self._vault.store.identity, key, level, digest, size, time.time(), READ, version)


class WrongContent(HashError):
    """What was read has another digest than the line."""

    def __init__(self, found: str, size: int) -> None:
        super().__init__(f"Another content was found: {found}")
        self.found = found
        self.size = size


class _Absent(Exception):
    """The vault does not hold the content."""


def _version_of(*readers: ObjectReader) -> str | None:
    """The version that was read: evidence with it is one that a later look can build on; None: nobody knows."""
    return getattr(readers[-1], "version", None) if readers else None


def _fetched(line: ManifestLine, written: WrittenFile, evidence: Evidence) -> Brought:
    return Brought(LineResult(line, Outcome.FETCHED, evidence.key, evidence, written.size), written)

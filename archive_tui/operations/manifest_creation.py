"""Makes a checksum manifest: every named file is read whole, and becomes one line."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import NamedTuple

from archive_tui.errors import ObjectExists, OperationStopped, SourceError, SourceNotFound, TargetExists
from archive_tui.integrity.streams import hash_descriptor
from archive_tui.manifests.checksum_lines.line import Dialect, ManifestLine
from archive_tui.manifests.checksum_lines.writing import format_lines, format_names
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count
from archive_tui.objects.folder.atomic_file import write_atomically
from archive_tui.operations.hashing.batches import DIGEST_BYTES, HashBatch
from archive_tui.operations.hashing.files import hash_batches
from archive_tui.operations.named_files import STANDARD_INPUT, Failed, find_unreadable
from archive_tui.progress import Ended, ItemFailed, Notice, Planned, Report, StopSignal, ignore, never

PHASE = "hash"

MOST_MEASURED = 5000
"""Names up to which their sizes are asked for beforehand, to tell progress in bytes. Above, files are counted."""


@dataclass(frozen=True, slots=True)
class CreatedManifest:
    """`path` None: it was not written to a file. `files` and `bytes` are what it lists, `failures` how many names could
    not be read. `changed` are names whose file was written to while it was read (what one read takes, 16 KiB, is
    not asked for it): their lines say what was read."""

    path: Path | None
    dialect: Dialect
    files: int
    bytes: int
    seconds: float
    failures: int = 0
    changed: tuple[str, ...] = ()


def create_manifest(
    names: Sequence[str],
    out: Path | None,
    dialect: Dialect,
    *,
    root: Path = Path(),
    write: Callable[[bytes], None] | None = None,
    failed: Failed | None = None,
    report: Report = ignore,
    stop: StopSignal = never,
) -> CreatedManifest:
    """Hashes the files and writes a line for each, in the order of `names`, relative to `root`; `-` is standard input.

    With `out` the file appears at once, durable and whole, or not at all; an existing one is never replaced. When a
    file cannot be read, those behind it are opened only, to name all of the kind. Without `out` each piece goes to
    `write` as soon as it is known. Symbolic links are followed. `failed` is told of each name that could not be read.
    A file that changes while it is read is named in a Notice. Memory does not grow with the number of files.
    Phase `hash`.

    Raises: SourceNotFound when there are no names; TargetExists; SourceError when a name could not be read, after all
    others have been tried (without `out`: only when `failed` is not given); OperationStopped; StorageError when `out`
    cannot be written; ConfigurationError for a dialect that is not written; what `write` and `failed` raise.
    """
    if not names:
        raise SourceNotFound("Nothing found: there is no file to list", hint="--recursive takes all below a folder.")
    creation = _Creation(names, root, failed, report, stop, all_or_nothing=out is not None)
    has_entries = dialect in (Dialect.JSON, Dialect.CSV)
    pieces = format_lines(dialect, creation.lines()) if has_entries else creation.text(dialect)
    if out is not None:
        _write_file(out, creation, pieces, stop)
        return creation.result(out, dialect)
    for piece in pieces:
        if write is not None:
            write(piece)
    if failed is None:
        creation.require_all()
    return creation.result(out, dialect)


def require_new_file(out: Path) -> None:
    """Finds out before the work whether `out` can be made.

    Raises: TargetExists, SourceNotFound when its folder is not there.
    """
    if os.path.lexists(out):
        raise _exists(out)
    if not out.parent.is_dir():
        raise SourceNotFound(
            f"Cannot make {escape_for_display(str(out))}: there is no folder {escape_for_display(str(out.parent))}",
            path=str(out),
            hint="Make the folder, or choose another name for the manifest.",
        )


def _write_file(out: Path, creation: _Creation, pieces: Iterator[bytes], stop: StopSignal) -> None:
    def complete() -> Iterator[bytes]:
        yield from _in_blocks(pieces)
        creation.require_all()

    require_new_file(out)
    try:
        write_atomically(out, complete(), stop=stop)
    except ObjectExists as error:
        raise _exists(out) from error


def _exists(out: Path) -> TargetExists:
    return TargetExists(
        f"The manifest exists already: {escape_for_display(str(out))}",
        hint="Nothing was read or written. Choose another name, or remove it first.",
    )


def _in_blocks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer calls of the system."""
    block = bytearray()
    for piece in pieces:
        block += piece
        if len(block) >= 1 << 18:
            yield bytes(block)
            block.clear()
    yield bytes(block)


class _Readable(NamedTuple):
    """Neighbours that could all be read; the digests are 32 bytes each, without a gap."""

    names: Sequence[str]
    sizes: Sequence[int]
    digests: bytes | bytearray


class _Creation:
    """One pass over the names."""

    def __init__(
        self,
        names: Sequence[str],
        root: Path,
        failed: Failed | None,
        report: Report,
        stop: StopSignal,
        *,
        all_or_nothing: bool,
    ) -> None:
        self._names = names
        self._root = root
        self._root_fd = -1
        self._all_or_nothing = all_or_nothing
        self._failed = failed
        self._report = report
        self._stop = stop
        self._begun = time.monotonic()
        self._files = 0
        self._bytes = 0
        self._failures: list[tuple[str, OSError]] = []
        self._failure_count = 0
        self._changed: list[str] = []

    def text(self, dialect: Dialect) -> Iterator[bytes]:
        for found in self._hash_named():
            yield format_names(dialect, found.names, found.digests)

    def lines(self) -> Iterator[ManifestLine]:
        numbers = count(1)
        for names, sizes, digests in self._hash_named():
            hexes = digests.hex("\n", DIGEST_BYTES).split("\n")
            yield from map(ManifestLine, numbers, names, hexes, sizes)

    def _hash_named(self) -> Iterator[_Readable]:
        is_finished = False
        self._root_fd = os.open(self._root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._report(Planned(PHASE, len(self._names), self._measure()))
            with contextlib.closing(self._hash_all()) as found:
                for batch in found:
                    yield from self._take_batch(batch)
                    if self._failure_count and self._all_or_nothing:
                        break
            if self._failure_count and self._all_or_nothing:
                rest = self._names[self._files + self._failure_count :]
                find_unreadable(rest, root=self._root, failed=self._note_failure, stop=self._stop)
            is_finished = True
        except OperationStopped:
            done = f"{self._files + self._failure_count:,} of {format_count(len(self._names), 'file')}"
            raise OperationStopped(f"Stopped after {done}.") from None
        finally:
            os.close(self._root_fd)
            self._report(Ended(PHASE, is_finished))

    def _take_batch(self, batch: HashBatch[None]) -> Iterator[_Readable]:
        """Yields what could be read, and tells of each failure in its place."""
        start = 0
        for end in (*sorted(batch.errors), len(batch.paths)):
            if start < end:
                yield self._take_readable(batch, start, end)
            if end in batch.errors:
                self._note_failure(batch.paths[end], batch.errors[end])
                if self._all_or_nothing:
                    return
            start = end + 1

    def _take_readable(self, batch: HashBatch[None], start: int, end: int) -> _Readable:
        for position in sorted(batch.changed):
            if start <= position < end:
                self._note_change(batch.paths[position])
        sizes = batch.sizes[start:end]
        self._files += end - start
        self._bytes += sum(sizes)
        return _Readable(batch.paths[start:end], sizes, batch.digests[start * DIGEST_BYTES : end * DIGEST_BYTES])

    def _measure(self) -> int | None:
        if len(self._names) > MOST_MEASURED:
            return None
        total = 0
        for name in self._names:
            try:
                total += os.stat(name, dir_fd=self._root_fd).st_size
            except OSError:
                continue
        return total

    def _hash_all(self) -> Generator[HashBatch[None]]:
        if STANDARD_INPUT not in self._names:
            yield from self._hash(self._names)
            return
        place = self._names.index(STANDARD_INPUT)
        yield from self._hash(self._names[:place])
        yield self._hash_standard_input()
        yield from self._hash(self._names[place + 1 :])

    def _hash(self, names: Sequence[str]) -> Iterator[HashBatch[None]]:
        return hash_batches(
            self._root, names, report=self._report, stop=self._stop, phase=PHASE, follow_symlinks=True, in_order=True
        )

    def _hash_standard_input(self) -> HashBatch[None]:
        batch = HashBatch([STANDARD_INPUT], None)
        try:
            digest, size = hash_descriptor(0, stop=self._stop)
            batch.sizes, batch.digests = [size], bytes.fromhex(digest)
        except OSError as error:
            batch.errors[0] = error
        return batch

    def _note_failure(self, name: str, error: OSError) -> None:
        self._failure_count += 1
        if len(self._failures) < 3:
            self._failures.append((name, error))
        self._report(ItemFailed(PHASE, name, self._files + self._failure_count, error.strerror or str(error)))
        if self._failed is not None:
            self._failed(name, error)

    def _note_change(self, name: str) -> None:
        self._changed.append(name)
        shown = escape_for_display(name)
        self._report(Notice(f"Changed while the manifest was made; its line says what was read: {shown}"))

    def require_all(self) -> None:
        """Raises: SourceError when a name could not be read."""
        if not self._failure_count:
            return
        named = "; ".join(f"{escape_for_display(name)} ({error.strerror or error})" for name, error in self._failures)
        more = "; …" if self._failure_count > len(self._failures) else ""
        raise SourceError(
            f"{format_count(self._failure_count, 'file')} could not be read: {named}{more}",
            path=self._failures[0][0],
            hint="A manifest lists all or nothing. Make them readable, or leave them out.",
        )

    def result(self, out: Path | None, dialect: Dialect) -> CreatedManifest:
        return CreatedManifest(
            path=out,
            dialect=dialect,
            files=self._files,
            bytes=self._bytes,
            seconds=time.monotonic() - self._begun,
            failures=self._failure_count,
            changed=tuple(self._changed),
        )

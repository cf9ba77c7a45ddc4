"""The lines of a manifest in columns that take little memory, read while others already look at them."""

from __future__ import annotations

import os
import stat
import time
from array import array
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from archive_tui.archives.vault.outcomes import Outcome
from archive_tui.archives.vault.views.manifest_states import DiskState, ManifestStates
from archive_tui.integrity.evidence import Evidence
from archive_tui.manifests.checksum_lines.line import BadLine, Dialect, ManifestLine
from archive_tui.names.content_address import content_key
from archive_tui.operations.listing import BATCH_SECONDS, FIRST_BATCH
from archive_tui.progress import StopSignal, check_stop

if TYPE_CHECKING:
    from archive_tui.manifests.checksum_lines.reading import ChecksumManifest

MOST_LINES = 5_000_000
"""Lines that a pane shows; the commands read manifests of any length."""

LOOKUP_RUN = 1000
WORK_RUN = 128
"""Lines after which a thread gives way to others: less than a millisecond of work."""

DIGEST_BYTES = 32
_NOT_KNOWN, _BAD, _ON_DISK = -1, -3, -10


class KnownEvidence(Protocol):
    """What is known of objects, as in the state database."""

    def lookup(self, store_identity: str, keys: list[str], /) -> Mapping[str, Evidence]: ...


def give_way() -> None:
    """Lets another thread run that wants to: one that never waits holds the interpreter's lock for 5 ms at a time, and
    whoever types feels it."""
    time.sleep(0)


class LineTable:
    """Append-only; about 52 bytes a line beside its name. `total_bytes` is the sum of the `sizes_known` sizes."""

    def __init__(self) -> None:
        self.dialect: Dialect | None = None
        self.numbers = array("I")
        self.digests = bytearray()
        self.bad_lines = 0
        self.total_bytes = 0
        self.sizes_known = 0
        self.is_complete = False
        self.is_cut = False
        self._names = bytearray()
        self._ends = array("Q")
        self._sizes = array("q")

    def __len__(self) -> int:
        return len(self.numbers)

    def append(self, news: ManifestLine | BadLine) -> None:
        is_bad = isinstance(news, BadLine)
        text = news.reason if isinstance(news, BadLine) else news.name
        self._names += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._names))
        self.digests += bytes(DIGEST_BYTES) if isinstance(news, BadLine) else bytes.fromhex(news.digest)
        size = None if isinstance(news, BadLine) else news.size
        self._sizes.append(_BAD if is_bad else _NOT_KNOWN if size is None else size)
        self.bad_lines += is_bad
        self.sizes_known += size is not None
        self.total_bytes += size or 0
        self.numbers.append(min(news.number, 0xFFFFFFFF))  # last: the length of the table is that of this column

    def text(self, position: int) -> str:
        """The name; of a bad line the reason."""
        start = self._ends[position - 1] if position else 0
        return self._names[start : self._ends[position]].decode("utf-8", "surrogatepass")

    def is_bad(self, position: int) -> bool:
        return self._sizes[position] == _BAD

    def digest(self, position: int) -> str:
        return self.digest_bytes(position).hex()

    def digest_bytes(self, position: int) -> bytes:
        return bytes(self.digests[position * DIGEST_BYTES : (position + 1) * DIGEST_BYTES])

    def size(self, position: int) -> int | None:
        """What the line says, else what the disk says."""
        size = self._sizes[position]
        return size if size >= 0 else _ON_DISK - size if size <= _ON_DISK else None

    def listed_size(self, position: int) -> int | None:
        """What the line says."""
        return self._sizes[position] if self._sizes[position] >= 0 else None

    def put_size_on_disk(self, position: int, size: int) -> None:
        """Keeps the size of the file where the line does not say one."""
        known = self._sizes[position]
        if known < 0 and known != _BAD:
            self.sizes_known += known == _NOT_KNOWN
            self.total_bytes += size - (0 if known == _NOT_KNOWN else _ON_DISK - known)
            self._sizes[position] = _ON_DISK - size

    def line(self, position: int) -> ManifestLine:
        number, name = self.numbers[position], self.text(position)
        return ManifestLine(number, name, self.digest(position), self.listed_size(position))


def load_lines(
    manifest: ChecksumManifest, table: LineTable, stop: StopSignal, *, most: int = MOST_LINES
) -> Iterator[int]:
    """Fills the table; yields the count of lines with the first ones, from time to time, and at the end.

    Raises: OperationStopped; what reading the manifest raises.
    """
    table.dialect = manifest.dialect
    next_count, next_time = FIRST_BATCH, time.monotonic() + BATCH_SECONDS
    lines = manifest.lines()
    for news in islice(lines, most):
        table.append(news)
        count = len(table)
        if count % WORK_RUN == 0:
            give_way()
        if count == next_count or (count % 256 == 0 and time.monotonic() >= next_time):
            check_stop(stop)
            yield count
            next_count, next_time = 0, time.monotonic() + BATCH_SECONDS
    check_stop(stop)
    table.is_cut = len(table) == most and next(lines, None) is not None
    table.is_complete = not table.is_cut
    yield len(table)


def look_at_files(table: LineTable, root: Path, states: ManifestStates, stop: StopSignal) -> Iterator[int]:
    """Asks the disk which files are there and how long they are, and reads none; yields from time to time.

    What was found by reading stays, unless the file has been changed since.

    Raises: OperationStopped.
    """
    next_time = time.monotonic() + BATCH_SECONDS
    folder = str(root)
    for position in range(len(table)):
        if not table.is_bad(position) and (name := table.text(position)) != "-":
            _look_at_file(table, position, name if name.startswith("/") else f"{folder}/{name}", states)
        if position % 256 == 0:
            check_stop(stop)
            if time.monotonic() >= next_time:
                yield position
                next_time = time.monotonic() + BATCH_SECONDS
    yield len(table)


def _look_at_file(table: LineTable, position: int, path: str, states: ManifestStates) -> None:
    before = states.disk.get(position)
    try:
        status = os.stat(path)  # noqa: PTH116  (a million times: making a Path costs more than the call)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        found = DiskState.MISSING
    except (OSError, UnicodeError):
        found = DiskState.UNREADABLE
    else:
        found = _judge_file(table, position, status)
        checked_at = states.disk.moment(position)
        was_read = before in (DiskState.SAME, DiskState.CHANGED, DiskState.UNREADABLE) and checked_at is not None
        if found is DiskState.THERE and was_read and int(status.st_ctime) <= (checked_at or 0.0):
            return
    if found != before:
        states.put_disk(position, found)


def _judge_file(table: LineTable, position: int, status: os.stat_result) -> DiskState:
    if stat.S_ISDIR(status.st_mode):
        return DiskState.UNREADABLE
    if stat.S_ISREG(status.st_mode):
        table.put_size_on_disk(position, status.st_size)
        if table.listed_size(position) not in (None, status.st_size):
            return DiskState.CHANGED
    return DiskState.THERE


def look_at_records(
    table: LineTable, evidence: KnownEvidence, states: ManifestStates, stop: StopSignal
) -> Iterator[int]:
    """Takes over what the records know of the contents in the vault that the states are about, without asking it;
    yields from time to time.

    Raises: OperationStopped.
    """
    next_time = time.monotonic() + BATCH_SECONDS
    for start in range(0, len(table), LOOKUP_RUN):
        check_stop(stop)
        run = [at for at in range(start, min(start + LOOKUP_RUN, len(table))) if not table.is_bad(at)]
        keys = [content_key(table.digest(position), states.vault_prefix) for position in run]
        known = evidence.lookup(states.vault_identity, keys) if keys else {}
        for position, key in zip(run, keys, strict=True):
            found = known.get(key)
            seen_at = states.vault.moment(position)
            if found is not None and (seen_at is None or int(found.checked_at) > seen_at):  # kept in whole seconds
                is_right = found.digest in (None, table.digest(position))
                states.record_vault(position, found, Outcome.HELD if is_right else Outcome.DAMAGED)
        if time.monotonic() >= next_time:
            yield start
            next_time = time.monotonic() + BATCH_SECONDS
    yield len(table)

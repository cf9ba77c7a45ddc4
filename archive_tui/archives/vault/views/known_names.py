"""The names of the contents of a vault, read from the manifests that were used with it."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

from archive_tui.archives.vault.views.content_table import ContentTable
from archive_tui.archives.vault.views.known_manifests import KnownManifest, KnownManifests
from archive_tui.archives.vault.views.line_table import WORK_RUN, LineTable, give_way, load_lines
from archive_tui.errors import ArchiveError
from archive_tui.names.quantities import format_count, format_number
from archive_tui.progress import StopSignal, check_stop

MOST_NAMES = 2_000_000
"""Lines that are read of all manifests together; those used last come first."""

_LINE_BITS = 32

Stamp = tuple[str, int, int]


@dataclass(slots=True)
class ReadManifest:
    manifest: KnownManifest
    table: LineTable


@dataclass(slots=True)
class NamesRead:
    """`remarks` say which manifests were left out and why, as sentences."""

    manifests: list[ReadManifest] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def lines(self) -> int:
        return sum(len(read.table) for read in self.manifests)


class KnownNames:
    """Reads manifests once: what was read is kept until the file changes or others take its room. About 80 bytes a
    line."""

    def __init__(self, manifests: KnownManifests | None = None, *, most_names: int = MOST_NAMES) -> None:
        self._manifests = manifests
        self._most_names = most_names
        self._tables: OrderedDict[Stamp, LineTable] = OrderedDict()
        self._lock = threading.Lock()

    def count_lines(self, store_identity: str, prefix: str) -> int:
        """How many lines the known manifests had when they were used: what reading them will take."""
        known = self._manifests.of_vault(store_identity, prefix) if self._manifests is not None else []
        return sum(manifest.lines for manifest in known)

    def read(self, store_identity: str, prefix: str, stop: StopSignal) -> NamesRead:
        """Reads the manifests that were used with this vault, waiting for the disk. Raises: OperationStopped."""
        found = NamesRead()
        known = self._manifests.of_vault(store_identity, prefix) if self._manifests is not None else []
        gone = unread = 0
        for manifest in known:
            check_stop(stop)
            room = self._most_names - found.lines
            try:
                table = self._read_one(manifest.path, room, stop)
            except FileNotFoundError:
                gone += 1
            except (OSError, ArchiveError):
                unread += 1
            else:
                found.manifests.append(ReadManifest(manifest, table))
        cut = sum(read.table.is_cut for read in found.manifests)
        found.remarks = [
            *([f"{format_count(gone, 'known manifest')} gone: its names are not shown."] if gone else []),
            *([f"{format_count(unread, 'known manifest')} could not be read."] if unread else []),
            *([f"Names are those of the first {format_number(self._most_names)} lines of manifests."] if cut else []),
        ]
        return found

    def _read_one(self, path: Path, most: int, stop: StopSignal) -> LineTable:
        """Raises: OSError, ArchiveError."""
        status = path.stat()
        stamp = (str(path), status.st_mtime_ns, status.st_size)
        with self._lock:
            table = self._tables.get(stamp)
            if table is not None and len(table) <= most and not table.is_cut:
                self._tables.move_to_end(stamp)
                return table
        table = LineTable()
        from archive_tui.manifests.checksum_lines.reading import open_manifest

        with open_manifest(path, root=path.parent) as manifest:
            for _ in load_lines(manifest, table, stop, most=most):
                pass
        with self._lock:
            self._tables[stamp] = table
            while sum(map(len, self._tables.values())) > self._most_names and len(self._tables) > 1:
                self._tables.popitem(last=False)
        return table


class NameIndex:
    """The lines that name each content of a table; eight bytes a line and four a content.

    `named` is how many contents have a name.
    """

    def __init__(self, names: NamesRead, table: ContentTable, order: Sequence[int], stop: StopSignal) -> None:
        """`order`: the positions of the contents, sorted by digest. Raises: OperationStopped."""
        self.names = names
        heads = array("Q", (int.from_bytes(table.digest_bytes(position)[:8], "big") for position in order))
        found, entries = array("I"), array("Q")
        counts = array("I", bytes(4 * (len(table) + 1)))
        for position, entry in _match_lines(names, table, order, heads, stop):
            found.append(position)
            entries.append(entry)
            counts[position + 1] += 1
        self.named = sum(count > 0 for count in counts)
        self._starts = array("I", accumulate(counts))
        self._entries = array("Q", bytes(8 * len(entries)))
        free = array("I", self._starts)
        for position, entry in zip(found, entries, strict=True):
            self._entries[free[position]] = entry
            free[position] += 1

    def count(self, position: int) -> int:
        """How many lines name the content."""
        return self._starts[position + 1] - self._starts[position] if position + 1 < len(self._starts) else 0

    def lines(self, position: int, most: int | None = None) -> Iterator[tuple[KnownManifest, str]]:
        """The manifests and the names in them, those of the manifest that was used last first."""
        begin = self._starts[position] if position + 1 < len(self._starts) else 0
        count = self.count(position) if most is None else min(most, self.count(position))
        for entry in self._entries[begin : begin + count]:
            read = self.names.manifests[entry >> _LINE_BITS]
            yield read.manifest, read.table.text(entry & ((1 << _LINE_BITS) - 1))


def _match_lines(
    names: NamesRead, table: ContentTable, order: Sequence[int], heads: array[int], stop: StopSignal
) -> Iterator[tuple[int, int]]:
    """Yields the position of the content and the line, for every line whose content is in the table."""
    for number, read in enumerate(names.manifests):
        for at in range(len(read.table)):
            if at % WORK_RUN == 0:
                check_stop(stop)
                give_way()
            digest = read.table.digest_bytes(at)
            place = bisect_left(heads, int.from_bytes(digest[:8], "big"))
            while place < len(heads) and table.digest_bytes(order[place]) < digest:
                place += 1
            if place < len(heads) and table.digest_bytes(order[place]) == digest and not read.table.is_bad(at):
                yield order[place], number << _LINE_BITS | at

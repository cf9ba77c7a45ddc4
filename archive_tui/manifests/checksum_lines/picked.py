"""Some lines of a manifest, or lines that stand in no document, in the form in which whole manifests are worked on."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from archive_tui.manifests.checksum_lines.line import BadLine, Dialect, ManifestLine
from archive_tui.manifests.checksum_lines.line_making import Batch

if TYPE_CHECKING:
    from archive_tui.manifests.checksum_lines.reading import ChecksumManifest

LEAST_LINE = 66
"""Bytes of the shortest line of text."""


class PickedLines:
    """The lines of `manifest` at these positions, in its order: the n-th, from 0, of what its `lines` yields; None: all
    of them. `positions` ascend. Reading ends with the last of them.

    Every name is that of a file, `-` as well: who picks lines has no standard input to spare.
    """

    dialect = Dialect.QUOTED

    def __init__(self, manifest: ChecksumManifest, positions: Sequence[int] | None) -> None:
        self.where = manifest.where
        self._manifest = manifest
        self._positions = positions

    @property
    def size(self) -> int:
        """Bytes of the lines, at least."""
        whole = self._manifest.size
        return whole if self._positions is None else min(whole, LEAST_LINE * len(self._positions))

    def lines(self) -> Iterator[ManifestLine | BadLine]:
        """Raises: what the manifest raises."""
        for batch in self.batches():
            yield from batch

    def batches(self) -> Iterator[Batch]:
        """Yields the same lines as `lines`, many at a time. Raises: what the manifest raises."""
        return self._manifest.batches() if self._positions is None else self._pick(self._positions)

    def _pick(self, positions: Sequence[int]) -> Iterator[Batch]:
        begin = first = 0
        for batch in self._manifest.batches() if positions else ():
            last = bisect_left(positions, begin + len(batch), first)
            yield [batch[at - begin] for at in positions[first:last]]
            begin, first = begin + len(batch), last
            if first == len(positions):
                return

    def count_lines(self) -> int:
        return self._manifest.count_lines() if self._positions is None else len(self._positions)


class ListedLines:
    """Lines that stand in no document."""

    def __init__(self, lines: Sequence[ManifestLine]) -> None:
        self._lines = tuple(lines)

    def lines(self) -> Iterator[ManifestLine | BadLine]:
        return iter(self._lines)

    def count_lines(self) -> int:
        return len(self._lines)

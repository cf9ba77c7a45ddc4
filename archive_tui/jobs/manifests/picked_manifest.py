"""A manifest file as a job sees it: which file, which of its lines, and what their names are relative to."""

from __future__ import annotations

import base64
import os
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from archive_tui.errors import SourceChanged, SourceNotFound
from archive_tui.manifests.checksum_lines.line import Dialect
from archive_tui.manifests.checksum_lines.picked import PickedLines
from archive_tui.manifests.checksum_lines.reading import open_manifest
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count

if TYPE_CHECKING:
    from archive_tui.manifests.checksum_lines.reading import ChecksumManifest

Stamp = tuple[int, int]
"""Time of change in nanoseconds and size in bytes: another stamp, another file."""


@dataclass(frozen=True, slots=True)
class PickedManifest:
    """`positions` of the picked lines ascend, from 0; None: all lines. `stamp` is the file's when its lines were
    picked; None: any. `base` is what the names are relative to, None: the folder of the manifest. `dialect` None: found
    out."""

    path: Path
    positions: Sequence[int] | None = None
    stamp: Stamp | None = None
    base: Path | None = None
    dialect: Dialect | None = None

    @property
    def root(self) -> Path:
        """What the names in it are relative to."""
        return self.path.parent if self.base is None else self.base

    @property
    def what(self) -> str:
        """For titles: the file, and how many of its lines when they are not all."""
        lines = "" if self.positions is None else f" ({format_count(len(self.positions), 'line')})"
        return f"{self.path.name}{lines}"

    def position(self, index: int) -> int:
        """The place in the document of the `index`-th line that is gone through."""
        return index if self.positions is None else self.positions[index]

    @contextmanager
    def open(self) -> Iterator[ChecksumManifest]:
        """Raises: SourceChanged when it is no longer the file whose lines were picked; what opening raises."""
        with open_manifest(self.path, dialect=self.dialect, root=self.root) as manifest:
            if self.stamp not in (None, read_stamp(self.path)):
                raise SourceChanged(
                    f"The manifest has changed since it was opened: {escape_for_display(str(self.path))}",
                    path=str(self.path),
                    hint="List it again with r, then repeat what you wanted.",
                )
            yield self.lines_of(manifest)

    def lines_of(self, manifest: ChecksumManifest) -> ChecksumManifest:
        """Returns the picked lines of the manifest, opened by somebody else."""
        return cast("ChecksumManifest", PickedLines(manifest, self.positions))

    def fixed(self) -> PickedManifest:
        """Returns the same with absolute paths, and for the file as it is now if no stamp was taken before. A file that
        cannot be seen keeps none: the job will say so."""
        stamp = self.stamp
        if stamp is None:
            try:
                stamp = read_stamp(self.path)
            except SourceNotFound:
                stamp = None
        return replace(self, path=_absolute(self.path), base=_absolute(self.root), stamp=stamp)

    def as_parameters(self) -> dict[str, Any]:
        """Returns it as a job's parameters hold it."""
        return {
            "manifest": str(self.path),
            "root": str(self.root),
            "stamp": None if self.stamp is None else list(self.stamp),
            "positions": None if self.positions is None else encode_positions(self.positions),
            "dialect": None if self.dialect is None else str(self.dialect),
        }


def picked_from(parameters: Mapping[str, Any]) -> PickedManifest:
    """Returns what `as_parameters` has written."""
    stamp, positions, dialect = parameters["stamp"], parameters["positions"], parameters["dialect"]
    return PickedManifest(
        Path(parameters["manifest"]),
        None if positions is None else decode_positions(positions),
        None if stamp is None else (int(stamp[0]), int(stamp[1])),
        Path(parameters["root"]),
        None if dialect is None else Dialect(dialect),
    )


def encode_positions(positions: Sequence[int]) -> str:
    """Ascending numbers as ASCII: the distances between them, four bytes each, compressed. A million lines in a row
    take six kilobytes, a million picked at random about a megabyte."""
    steps = array("I", (after - before for before, after in pairwise((0, *positions))))
    return base64.b64encode(zlib.compress(steps.tobytes(), 6)).decode("ascii")


def decode_positions(text: str) -> array[int]:
    """Returns what `encode_positions` has written. Raises: ValueError for anything else."""
    steps = array("I")
    try:
        steps.frombytes(zlib.decompress(base64.b64decode(text, validate=True)))
    except zlib.error as error:
        raise ValueError(f"No positions: {error}") from error
    return array("I", accumulate(steps))


def read_stamp(document: Path) -> Stamp:
    """Raises: SourceNotFound."""
    try:
        status = document.stat()
    except OSError as error:
        raise SourceNotFound(
            f"The manifest cannot be seen any more: {error.strerror}", path=str(document), hint="Was it moved?"
        ) from error
    return status.st_mtime_ns, status.st_size


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  (no link is resolved)

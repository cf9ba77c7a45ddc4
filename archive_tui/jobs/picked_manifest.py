"""A manifest file as a job sees it: which file, which of its lines, and who wants to know what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from archive_tui.archives.vault.views.manifest_states import ManifestStates
from archive_tui.errors import SourceChanged, SourceNotFound
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
    """`positions` of the picked lines ascend, from 0; None: all lines. `states` are told what becomes of them, None:
    nobody is. `stamp` is the file's when its lines were picked; None: any."""

    path: Path
    positions: Sequence[int] | None = None
    states: ManifestStates | None = None
    stamp: Stamp | None = None

    @property
    def root(self) -> Path:
        """What the names in it are relative to."""
        return self.path.parent

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
        with open_manifest(self.path, root=self.root) as manifest:
            if self.stamp not in (None, read_stamp(self.path)):
                raise SourceChanged(
                    f"The manifest has changed since it was opened: {escape_for_display(str(self.path))}",
                    path=str(self.path),
                    hint="List it again with r, then repeat what you wanted.",
                )
            yield cast("ChecksumManifest", PickedLines(manifest, self.positions))


def read_stamp(document: Path) -> Stamp:
    """Raises: SourceNotFound."""
    try:
        status = document.stat()
    except OSError as error:
        raise SourceNotFound(
            f"The manifest cannot be seen any more: {error.strerror}", path=str(document), hint="Was it moved?"
        ) from error
    return status.st_mtime_ns, status.st_size

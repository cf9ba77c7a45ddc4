"""What manifests refer to: read whole before anything is marked or deleted, and again when one has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archive_tui.errors import ManifestError, SourceNotFound, SourceUnreadable
from archive_tui.manifests.checksum_lines import BadLine, ChecksumManifest, Dialect, open_manifest
from archive_tui.names.display import escape_for_display
from archive_tui.progress import StopSignal, check_stop, never

NOTHING = "Nothing was marked or deleted."


@dataclass(frozen=True, slots=True)
class ReadManifest:
    """`lines` it had when it was read."""

    path: Path
    lines: int


class ManifestReferences:
    """The digests that the manifests name, about 150 bytes of memory for each. What one has ever named while this
    lives counts as named, also when its line is gone by now."""

    def __init__(self, paths: Sequence[Path], *, stop: StopSignal = never) -> None:
        """Raises: ManifestError (prune-manifest, manifest-no-lines) for one that is not wholly readable, what opening
        one raises, OperationStopped."""
        self._paths = tuple(paths)
        self._stop = stop
        self._digests: set[str] = set()
        self._stamps: dict[Path, tuple[int, int, int, int]] = {}
        self._read: dict[Path, ReadManifest] = {}
        self.read_changes()

    @property
    def manifests(self) -> tuple[ReadManifest, ...]:
        return tuple(self._read[path] for path in self._paths)

    def __contains__(self, digest: str) -> bool:
        return digest in self._digests

    def __len__(self) -> int:
        return len(self._digests)

    def read_changes(self) -> None:
        """Reads what has changed since it was read. Raises: as the constructor."""
        for path in self._paths:
            stamp = _stamp(path)
            if self._stamps.get(path) != stamp:
                self._read[path] = self._read_one(path)
                self._stamps[path] = stamp

    def _read_one(self, path: Path) -> ReadManifest:
        count = 0
        with _open(path) as manifest:
            for batch in manifest.batches():
                check_stop(self._stop)
                for line in batch:
                    if isinstance(line, BadLine):
                        raise _damaged(path, line)
                    self._digests.add(line.digest)
                count += len(batch)
        if not count:
            raise ManifestError(
                f"{escape_for_display(str(path))}: no properly formatted checksum lines found",
                hint=f"A manifest that lists nothing would give everything away. {NOTHING}",
                code="manifest-no-lines",
            )
        return ReadManifest(path, count)


def _open(path: Path) -> ChecksumManifest:
    try:
        return open_manifest(path)
    except ManifestError as error:
        if error.code != "manifest-dialect-unclear":
            raise
        return open_manifest(path, dialect=Dialect.SHA256SUM)  # only the names are unclear, not the digests


def _damaged(path: Path, line: BadLine) -> ManifestError:
    return ManifestError(
        f"{escape_for_display(str(path))}: {line.number}: not a line of a manifest: {line.reason}",
        hint=f"What it was to refer to is not known. {NOTHING} Put the manifest right first.",
        code="prune-manifest",
    )


def _stamp(path: Path) -> tuple[int, int, int, int]:
    try:
        found = path.stat()
        is_file = path.is_file()
    except FileNotFoundError as error:
        raise SourceNotFound(
            f"No such manifest: {escape_for_display(str(path))}", path=str(path), hint=NOTHING
        ) from error
    except (OSError, ValueError) as error:
        raise SourceUnreadable(
            f"Cannot read {escape_for_display(str(path))}: {error}", path=str(path), hint=NOTHING
        ) from error
    if not is_file:
        raise SourceUnreadable(
            f"Not a file: {escape_for_display(str(path))}",
            path=str(path),
            hint=f"A manifest is read several times here, so it has to be a file. {NOTHING}",
        )
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino

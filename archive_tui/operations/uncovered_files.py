"""Finds the files that no line of a checksum manifest covers, and which of them are missing files that moved."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from archive_tui.errors import SourceError
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.names.display import escape_for_display
from archive_tui.operations.folder_listing import ListedFile, list_folder_files
from archive_tui.operations.hashing.files import hash_files
from archive_tui.progress import Ended, Planned, Report, StopSignal, check_stop, ignore, never

if TYPE_CHECKING:
    from archive_tui.manifests.checksum_lines.reading import ChecksumManifest

PHASE = "extra"

MOST_EXTRA = 100_000
"""Extra files that are kept; of the rest the number is said."""

FOLDERS_REMEMBERED = 10_000


class ExtraFile(NamedTuple):
    """A file that no line covers. `size` in bytes; None: it is no regular file, as `detail` says. With an `error`, it
    is a folder that could not be listed."""

    path: str
    size: int | None
    detail: str = ""
    error: OSError | None = None


class MovedFile(NamedTuple):
    """The content of a missing line lies at `path`, which no line covers. `size` in bytes."""

    line: ManifestLine
    path: str
    size: int


class UncoveredFiles(NamedTuple):
    """`extra` holds no file that is in `moved`; `more` extra files were found and not kept."""

    extra: list[ExtraFile]
    moved: list[MovedFile]
    more: int = 0


def find_uncovered(
    manifest: ChecksumManifest,
    folders: Sequence[str] | None,
    *,
    root: Path = Path(),
    missing: Mapping[str, list[ManifestLine]] | None = None,
    report: Report = ignore,
    stop: StopSignal = never,
) -> UncoveredFiles:
    """Returns the files below `folders` (relative to `root`) that no line covers, and which lines of `missing` (by
    digest) have their content in one of them. `folders` None: below the deepest folder that all listed names share.

    Symbolic links are named, not followed. The manifest itself and unfinished writes of this program are not extra. A
    file is covered under whatever name of its folder a line uses. Only files whose size a missing line allows are
    hashed. Phase `extra`. Paths begin as the folder is typed, sorted by their bytes. Memory: the names that lie below
    the folders, about 200 bytes a line (2 GB for ten million), and at most 100,000 extra files.

    Raises: SourceError for a folder that is none, OperationStopped, SourceUnreadable for the manifest.
    """
    report(Planned(PHASE))
    is_finished = False
    try:
        found = _Search(manifest, root, report, stop).run(folders, missing or {})
        is_finished = True
    finally:
        report(Ended(PHASE, is_finished))
    return found


class _RealNames:
    """Says where names really lie: symbolic links in their folders are resolved, never the last part of a name."""

    def __init__(self, root: Path) -> None:
        self._root = os.fspath(root)
        self._known: dict[str, str] = {}

    def resolve_folder(self, folder: str) -> str:
        """Returns an absolute path that ends in `/`."""
        known = self._known.get(folder)
        if known is None:
            if len(self._known) >= FOLDERS_REMEMBERED:
                self._known.clear()
            known = os.path.realpath(f"{self._root}/{folder}" if folder[:1] != "/" else folder).rstrip("/") + "/"
            self._known[folder] = known
        return known

    def resolve(self, name: str) -> str:
        folder, slash, last = name.rpartition("/")
        return self.resolve_folder(folder + slash) + last


class _Below:
    """Stands for the relative names of covered files below one real folder."""

    def __init__(self, covered: set[str], prefix: str) -> None:
        self._covered = covered
        self._prefix = prefix

    def __contains__(self, path: object) -> bool:
        return f"{self._prefix}{path}" in self._covered


class _Search:
    def __init__(self, manifest: ChecksumManifest, root: Path, report: Report, stop: StopSignal) -> None:
        self._manifest = manifest
        self._root = root
        self._report = report
        self._stop = stop
        self._names = _RealNames(root)
        self._extra: list[ExtraFile] = []
        self._more = 0

    def run(self, folders: Sequence[str] | None, missing: Mapping[str, list[ManifestLine]]) -> UncoveredFiles:
        typed = list(folders) if folders is not None else self._find_shared_folder()
        real = {self._names.resolve_folder(folder + "/"): folder for folder in reversed(typed)}
        self._require_folders(folders or ())
        outermost = [place for place in real if not any(place != other and place.startswith(other) for other in real)]
        covered = self._list_covered(tuple(outermost))
        for place in outermost:
            if Path(place).is_dir():
                self._list_extra(place, real[place], _Below(covered, place))
        self._extra.sort(key=lambda extra: os.fsencode(extra.path))
        moved = self._find_moved(missing) if missing else []
        if moved:
            taken = {found.path for found in moved}
            self._extra = [extra for extra in self._extra if extra.path not in taken]
        return UncoveredFiles(self._extra, moved, self._more)

    def _require_folders(self, folders: Sequence[str]) -> None:
        for folder in folders:
            if not (self._root / folder).is_dir():
                raise SourceError(
                    f"No such folder: {escape_for_display(folder)}", path=folder, hint="Name a folder to look through."
                )

    def _lines(self) -> Iterator[ManifestLine]:
        for batch in self._manifest.batches():
            check_stop(self._stop)
            for line in batch:
                if isinstance(line, ManifestLine) and "\0" not in line.name:
                    yield line

    def _find_shared_folder(self) -> list[str]:
        shared: str | None = None
        are_relative = True
        for line in self._lines():
            place = self._names.resolve(line.name).rpartition("/")[0] + "/"
            are_relative = are_relative and not line.name.startswith("/")
            if shared is None:
                shared = place
            elif not place.startswith(shared):
                shared = os.path.commonpath([shared, place]).rstrip("/") + "/"
        if shared is None:
            return []
        root = os.path.realpath(self._root)
        if are_relative and shared.startswith(root.rstrip("/") + "/"):
            return [os.path.relpath(shared, root)]
        return [shared.rstrip("/") or "/"]

    def _list_covered(self, places: tuple[str, ...]) -> set[str]:
        covered = {self._names.resolve(self._manifest.where)} if self._manifest.where != "-" else set()
        for line in self._lines():
            name = self._names.resolve(line.name)
            if name.startswith(places):
                covered.add(name)
        covered.add(os.path.realpath(self._manifest.path))
        return covered

    def _list_extra(self, place: str, typed: str, known: _Below) -> None:
        prefix = "" if typed in (".", "") else typed.rstrip("/") + "/"
        for found in list_folder_files(Path(place), known=known, stop=self._stop):
            if len(self._extra) >= MOST_EXTRA:
                self._more += 1
                continue
            self._extra.append(_describe(prefix, typed, found))

    def _find_moved(self, missing: Mapping[str, list[ManifestLine]]) -> list[MovedFile]:
        """Several missing lines of one digest are given different files as long as there are some."""
        sizes = {line.size for lines in missing.values() for line in lines}
        candidates = [
            extra.path for extra in self._extra if extra.size is not None and (None in sizes or extra.size in sizes)
        ]
        places: dict[str, list[tuple[str, int]]] = {}
        self._report(Planned(PHASE, len(candidates)))
        for hashed in hash_files(
            self._root,
            candidates,
            report=self._report,
            stop=self._stop,
            phase=PHASE,
            follow_symlinks=True,
            in_order=True,
        ):
            if hashed.digest is not None and hashed.digest in missing:
                places.setdefault(hashed.digest, []).append((hashed.path, hashed.size))
        moved = []
        for digest, found in places.items():
            for position, line in enumerate(missing[digest]):
                moved.append(MovedFile(line, *found[min(position, len(found) - 1)]))
        return sorted(moved, key=lambda item: item.line.number)


def _describe(prefix: str, typed: str, found: ListedFile) -> ExtraFile:
    if found.error is None:
        return ExtraFile(prefix + found.path, found.size, found.detail)
    reason = found.error.strerror or str(found.error)
    path = typed if found.path == "." else prefix + found.path
    return ExtraFile(path, None, f"the folder cannot be listed: {reason}", found.error)

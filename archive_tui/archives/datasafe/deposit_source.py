"""A folder of the user as a deposit: its manifest, made when there is none, and the archive that is sent."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from archive_tui.archives.datasafe.folder_places import list_files
from archive_tui.archives.datasafe.format_detection import describe_metadata, detect_data_format, is_metadata_name
from archive_tui.archives.datasafe.manifest_check import FileDigests, check_algorithm, check_manifest, make_manifest
from archive_tui.archives.datasafe.receiving import describe_check
from archive_tui.archives.datasafe.staged_dataset import hash_files
from archive_tui.errors import (
    ArchiveError,
    IntegrityError,
    InvalidName,
    MissingInformationError,
    SourceError,
    SourceNotFound,
)
from archive_tui.integrity.report import Finding, IntegrityReport
from archive_tui.manifests.datasafe_manifest import (
    ALGORITHM,
    LARGEST,
    MANIFEST_FILE,
    DatasafeManifest,
    format_datasafe_manifest,
    parse_datasafe_manifest,
)
from archive_tui.names.display import escape_for_display
from archive_tui.names.member_paths import MANIFEST_NAME, check_member_path, find_clashes
from archive_tui.operations.packing.deflate_blocks import crc32
from archive_tui.operations.packing.stored_zip import FileReader, StoredMember, StoredZip
from archive_tui.progress import Notice, Report, StopSignal, ignore, never


@dataclass(frozen=True, slots=True)
class PreparedDeposit:
    """`files` counts the files and the manifest, `size` their bytes; `archive_size` is what is sent. `chunks` begins
    the archive anew with each call; files that have changed meanwhile raise SourceChanged, or fail the check where it
    is received."""

    manifest: DatasafeManifest
    files: int
    size: int
    archive_size: int
    chunks: Callable[[], Iterable[bytes]]


def prepare_deposit(
    folder: Path,
    *,
    loi: str,
    names: Sequence[str] | None = None,
    report: Report = ignore,
    stop: StopSignal = never,
) -> PreparedDeposit:
    """Hashes the files `names` in `folder` (None: all of them) and prepares what is sent. A MANIFEST.yaml that is there
    is used as it is, and has to fit; with `names` that do not name it, one is made. Nothing is written.

    Raises: SourceNotFound, SourceError; InvalidName for a name that could not be unpacked again;
    MissingInformationError without data; ManifestError; IntegrityError when a manifest does not fit; OperationStopped.
    """
    with _translated(folder):
        chosen = _choose(folder, names, report)
        data = [name for name in chosen if name != MANIFEST_FILE]
        given = _read_manifest(folder, loi) if MANIFEST_FILE in chosen else None
        algorithm = ALGORITHM if given is None else check_algorithm(given[0])
        digests, members = hash_files(folder, data, algorithm, report=report, stop=stop)
        if given is None:
            manifest = _make_manifest(folder, loi, digests)
            content = format_datasafe_manifest(manifest)
        else:
            manifest, content = given
            _check_fit(folder, manifest, digests)
    members.append(StoredMember(MANIFEST_FILE, len(content), crc32(content)))
    archive = StoredZip(members)

    def chunks() -> Iterator[bytes]:
        with _translated(folder):
            yield from archive.read(_Opener(folder, content).open, stop=stop)

    return PreparedDeposit(manifest, len(members), sum(each.size for each in members), archive.size, chunks)


class _Opener:
    """Opens the files of the folder, and the manifest as it was when it was judged."""

    def __init__(self, folder: Path, manifest: bytes) -> None:
        self._folder = folder
        self._manifest = manifest

    def open(self, path: str, offset: int) -> FileReader:
        if path == MANIFEST_FILE:
            return io.BytesIO(self._manifest[offset:])
        file = (self._folder / path).open("rb", buffering=0)
        file.seek(offset)
        return file


def _choose(folder: Path, names: Sequence[str] | None, report: Report) -> list[str]:
    if not folder.is_dir():
        raise SourceNotFound(f"No such folder: {folder}", path=str(folder), hint="Check the path.")
    there = {name for name, _ in list_files(folder)}
    if names is None:
        _tell_links(folder, report)
        chosen = sorted(there)
    else:
        chosen = sorted({found for name in names for found in _find(folder, name, there)})
    for name in chosen:
        if name != MANIFEST_FILE:
            _check_name(name)
    for rule, paths in find_clashes(chosen):
        shown = " and ".join(escape_for_display(path) for path in paths)
        raise InvalidName(f"Some systems cannot hold both: {shown}", name=paths[0], hint="Rename one.", code=rule)
    return chosen


def _tell_links(folder: Path, report: Report) -> None:
    """Links are kept out, and nobody should have to find that out later."""
    links = [
        f"{parent}/{name}"
        for parent, folders, files in os.walk(folder)
        for name in (*folders, *files)
        if os.path.islink(f"{parent}/{name}")  # noqa: PTH114  (an entry of os.walk)
    ]
    if links:
        others = f" and {len(links) - 1:,} more" if len(links) > 1 else ""
        report(Notice(f"Symbolic links are kept out: {escape_for_display(min(links))}{others}"))


def _find(folder: Path, name: str, there: set[str]) -> list[str]:
    """A file, or all files below a folder."""
    clean = name.rstrip("/")
    found = [clean] if clean in there else [each for each in there if each.startswith(f"{clean}/")]
    if not found:
        raise SourceNotFound(f"No such file in {folder}: {escape_for_display(name)}", path=name, hint="Check the name.")
    return found


def _check_name(name: str) -> None:
    if name.split("/")[-1] == ".dataset-record":
        raise InvalidName(f"This name is the datasafe's own: {name}", name=name, code="path-reserved")
    if name != MANIFEST_NAME:  # the document of another kind of archive, here a name like any other
        check_member_path(name)


def _read_manifest(folder: Path, loi: str) -> tuple[DatasafeManifest, bytes]:
    path = folder / MANIFEST_FILE
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    manifest = parse_datasafe_manifest(content, where=str(path))
    if manifest.loi not in ("", loi):
        raise IntegrityError(
            f"{path} is that of another dataset: {manifest.loi}",
            hint=f"Remove it, and one for {loi} is made.",
            code="manifest-of-another",
        )
    return manifest, content


def _make_manifest(folder: Path, loi: str, digests: Sequence[FileDigests]) -> DatasafeManifest:
    names = [file.path for file in digests]
    metadata = [describe_metadata(folder / name, name) for name in names if is_metadata_name(name)]
    data = [name for name in names if not is_metadata_name(name)]
    if not data:
        raise MissingInformationError(
            "There are no data files to deposit.", hint="Metadata alone (.info, .yaml) are no dataset."
        )
    return make_manifest(loi, digests, metadata=metadata, data_format=detect_data_format(folder, data))


def _check_fit(folder: Path, manifest: DatasafeManifest, digests: Sequence[FileDigests]) -> None:
    check = check_manifest(manifest, digests)
    if not check.is_right:
        raise _does_not_fit(folder, describe_check(check), len(digests))


def _does_not_fit(folder: Path, findings: tuple[Finding, ...], files: int) -> IntegrityError:
    report = IntegrityReport(str(folder), files, max(0, files - len(findings)), 0, 0, findings)
    return IntegrityError(
        f"The files do not fit the {MANIFEST_FILE} in {folder}: {report.sentence}.",
        report=report,
        hint="Remove it, and a new one is made; or bring the files that it lists.",
        code="dataset-refused",
    )


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    """Within it, what the file system refuses to read comes out as a SourceError."""
    try:
        yield
    except OSError as error:
        if isinstance(error, ArchiveError):
            raise
        where = str(error.filename or folder)
        raise SourceError(
            f"Cannot be read: {escape_for_display(where)}: {error.strerror or error}",
            path=where,
            hint="Check it, then deposit again.",
        ) from error

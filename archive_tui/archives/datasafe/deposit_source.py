"""A folder of the user as a deposit: its manifest, made when there is none, and the archive that is sent."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive_tui.archives.datasafe.folder_places import list_files
from archive_tui.archives.datasafe.format_detection import describe_metadata, detect_data_format, is_metadata_name
from archive_tui.archives.datasafe.manifest_check import check_algorithm, check_manifest, make_manifest
from archive_tui.archives.datasafe.receiving import describe_check
from archive_tui.archives.datasafe.staged_dataset import hash_files
from archive_tui.errors import (
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
from archive_tui.names.member_paths import check_member_path
from archive_tui.operations.packing.deflate_blocks import crc32
from archive_tui.operations.packing.stored_zip import FileReader, StoredMember, StoredZip
from archive_tui.progress import Report, StopSignal, ignore, never


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
    try:
        chosen = _choose(folder, names)
        brings_manifest = MANIFEST_FILE in chosen
        data = [name for name in chosen if name != MANIFEST_FILE]
        if brings_manifest:
            manifest = _read_manifest(folder, loi)
        digests, members = hash_files(
            folder, data, check_algorithm(manifest) if brings_manifest else ALGORITHM, report=report, stop=stop
        )
        if brings_manifest:
            check = check_manifest(manifest, digests)
            if not check.is_right:
                raise _does_not_fit(folder, describe_check(check), len(digests))
            content = (folder / MANIFEST_FILE).read_bytes()
        else:
            metadata = [describe_metadata(folder / name, name) for name in data if is_metadata_name(name)]
            plain = [name for name in data if not is_metadata_name(name)]
            if not plain:
                raise MissingInformationError(
                    "There are no data files to deposit.", hint="Metadata alone (.info, .yaml) are no dataset."
                )
            manifest = make_manifest(loi, digests, metadata=metadata, data_format=detect_data_format(folder, plain))
            content = format_datasafe_manifest(manifest)
    except OSError as error:
        if isinstance(error, SourceError):
            raise
        raise _unreadable(error, folder) from error
    members.append(StoredMember(MANIFEST_FILE, len(content), crc32(content)))
    archive = StoredZip(members)

    def open_file(path: str, offset: int) -> FileReader:
        if path == MANIFEST_FILE:
            return io.BytesIO(content[offset:])
        file = (folder / path).open("rb", buffering=0)
        file.seek(offset)
        return file

    def chunks() -> Iterator[bytes]:
        return archive.read(open_file, stop=stop)

    return PreparedDeposit(manifest, len(members), sum(each.size for each in members), archive.size, chunks)


def _choose(folder: Path, names: Sequence[str] | None) -> list[str]:
    if not folder.is_dir():
        raise SourceNotFound(f"No such folder: {folder}", path=str(folder), hint="Check the path.")
    there = {name for name, _ in list_files(folder)}
    if names is None:
        chosen = sorted(there)
    else:
        chosen = sorted({found for name in names for found in _find(folder, name, there)})
    for name in chosen:
        if name != MANIFEST_FILE:
            _check_name(name)
    return chosen


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
    check_member_path(name)


def _read_manifest(folder: Path, loi: str) -> DatasafeManifest:
    path = folder / MANIFEST_FILE
    with path.open("rb") as file:
        manifest = parse_datasafe_manifest(file.read(LARGEST + 1), where=str(path))
    if manifest.loi not in ("", loi):
        raise IntegrityError(
            f"{path} is that of another dataset: {manifest.loi}",
            hint=f"Remove it, and one for {loi} is made.",
            code="manifest-of-another",
        )
    return manifest


def _does_not_fit(folder: Path, findings: tuple[Finding, ...], files: int) -> IntegrityError:
    report = IntegrityReport(str(folder), files, max(0, files - len(findings)), 0, 0, findings)
    return IntegrityError(
        f"The files do not fit the {MANIFEST_FILE} in {folder}: {report.sentence}.",
        report=report,
        hint="Remove it, and a new one is made; or bring the files that it lists.",
        code="dataset-refused",
    )


def _unreadable(error: OSError, folder: Path) -> SourceError:
    where = error.filename or folder
    return SourceError(
        f"Cannot be read: {where}: {error.strerror or error}", path=str(where), hint="Check it, then deposit again."
    )

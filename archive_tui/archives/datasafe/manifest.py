"""Manifests of datasets under the name that users' programs know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from archive_tui.archives.datasafe.format_detection import FormatDetector, detect_data_format
from archive_tui.archives.datasafe.manifest_check import (
    FileDigests,
    check_algorithm,
    check_manifest,
    digest_of_list,
)
from archive_tui.archives.datasafe.staged_dataset import hash_files
from archive_tui.errors import MissingInformationError, NoFileError
from archive_tui.integrity.report import FindingKind
from archive_tui.manifests.datasafe_manifest import (
    ALGORITHM,
    LARGEST,
    MANIFEST_FILE,
    UNDETECTED,
    Checksum,
    DatasafeManifest,
    MetadataFile,
    check_coverage,
    check_manifest_names,
    format_datasafe_manifest,
    manifest_document,
    parse_datasafe_manifest,
    read_manifest_document,
)
from archive_tui.objects.folder.atomic_file import write_atomically

MD5 = "MD5 checksum"


class Manifest:
    """The manifest of one dataset. The names in `data_filenames` and `metadata_filenames`, and that of the manifest,
    are relative to `folder`, which is the current one by default. A manifest that was read from another folder is
    checked against the files beside it, if there are any.

    `checksum` covers all files, `data_checksum` the data. `format_detector` is asked for formats before all others.
    """

    def __init__(self, folder: str = "") -> None:
        self.folder = folder
        self.loi = ""
        self.data_filenames: list[str] = []
        self.metadata_filenames: list[str] = []
        self.data_checksum = ""
        self.checksum = ""
        self.manifest_filename = MANIFEST_FILE
        self.format_detector = FormatDetector()
        self._read = DatasafeManifest()
        self._read_from = ""

    def to_dict(self) -> dict[str, Any]:
        """Returns the manifest as it is written, its checksums computed from the files.

        Raises: MissingInformationError without data files; NoFileError that names a file that is not there.
        """
        return manifest_document(self._make())

    def to_file(self) -> None:
        """Writes `manifest_filename`, whole or not at all. Raises: as `to_dict`; ManifestError for names that leave the
        folder or stand there twice; StorageError."""
        manifest = self._make()
        check_manifest_names(manifest, where=self.manifest_filename)
        content = format_datasafe_manifest(manifest)
        write_atomically(Path(self.folder) / self.manifest_filename, [content], len(content), overwrite=True)

    def from_dict(self, manifest_dict: Mapping[str, Any]) -> None:
        """Takes over a manifest as `to_dict` has it. Raises: ManifestError, MissingInformationError."""
        self._take(read_manifest_document(_as_texts(manifest_dict)))

    def from_file(self, filename: str = "") -> None:
        """Reads a manifest: the file of that name in `folder`, else `manifest_filename`.

        Raises: NoFileError `File does not exist`; ManifestError, MissingInformationError.
        """
        path = Path(self.folder) / (filename or self.manifest_filename)
        try:
            with path.open("rb") as file:
                content = file.read(LARGEST + 1)
        except FileNotFoundError as error:
            raise NoFileError("File does not exist", key=str(path)) from error
        self._take(parse_datasafe_manifest(content, where=str(path)))
        self._read_from = str(path.parent)

    def check_integrity(self) -> dict[str, bool]:
        """Compares the files with the checksums, and with the SHA-256 of each where the manifest has them: `data` for
        the data, `all` for data and metadata.

        Raises: MissingInformationError without names of data, or without checksums; NoFileError; ManifestError for
        checksums of a kind that nobody knows.
        """
        manifest = self._stated()
        if not manifest.data_names:
            raise MissingInformationError("The manifest names no data files.")
        check_coverage(manifest, where="The manifest")
        found = _hash(self._folder_of(manifest), manifest.names, check_algorithm(manifest))
        check = check_manifest(manifest, found)
        changed = {finding.path for finding in check.findings if finding.kind is FindingKind.CHANGED}
        return {
            "data": check.data_is_right and changed.isdisjoint(manifest.data_names),
            "all": check.all_is_right and not changed,
        }

    def _take(self, manifest: DatasafeManifest) -> None:
        self._read, self._read_from = manifest, ""
        self.loi = manifest.loi
        self.data_filenames = list(manifest.data_names)
        self.metadata_filenames = [each.name for each in manifest.metadata]
        self.checksum, self.data_checksum = manifest.checksum, manifest.data_checksum

    def _stated(self) -> DatasafeManifest:
        """The manifest that the attributes state, with the digests that were read."""
        forms = {each.covers_all: each.format for each in self._read.checksums}
        rows = (
            Checksum("", forms.get(True, MD5), "data, metadata", self.checksum),
            Checksum("", forms.get(False, MD5), "data", self.data_checksum),
        )
        return replace(
            self._read,
            data_names=tuple(self.data_filenames),
            metadata=tuple(MetadataFile(name) for name in self.metadata_filenames),
            checksums=tuple(row for row in rows if row.value),
        )

    def _folder_of(self, manifest: DatasafeManifest) -> Path:
        beside = Path(self._read_from)
        is_beside = not self.folder and any((beside / name).is_file() for name in manifest.names)
        return beside if is_beside else Path(self.folder)

    def _make(self) -> DatasafeManifest:
        if not self.data_filenames:
            raise MissingInformationError("There are no names of data files.")
        folder = Path(self.folder)
        data, metadata = (_hash(folder, names, ALGORITHM) for names in (self.data_filenames, self.metadata_filenames))
        detector = self.format_detector
        detector.folder, detector.data_filenames = self.folder, list(self.data_filenames)
        detector.metadata_filenames = list(self.metadata_filenames)
        data_format = detector.data_format()
        if data_format == UNDETECTED:
            data_format = detect_data_format(folder, self.data_filenames)
        return DatasafeManifest(
            loi=self.loi,
            complete=self._read.complete,
            metadata=tuple(MetadataFile(**row) for row in detector.metadata_format()),
            data_format=data_format,
            data_names=tuple(self.data_filenames),
            checksums=(
                Checksum("CHECKSUM", MD5, "data, metadata", _sum_of([*data, *metadata])),
                Checksum("CHECKSUM_data", MD5, "data", _sum_of(data)),
            ),
            digests=MappingProxyType({file.path: file.sha256 for file in [*data, *metadata]}),
        )


def _hash(folder: Path, names: Sequence[str], algorithm: str) -> list[FileDigests]:
    for name in names:
        if not (folder / name).is_file():
            raise NoFileError(f"File does not exist: {name}", key=name)
    return hash_files(folder, names, algorithm)[0]


def _sum_of(files: Sequence[FileDigests]) -> str:
    return digest_of_list(file.checksum for file in files)


def _as_texts(value: Any) -> Any:
    """Values as they would stand in a file: readers of YAML make numbers, dates and truth values of texts."""
    if isinstance(value, Mapping):
        return {str(key): _as_texts(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_as_texts(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)

"""Manifests of datasets under the names that users' programs know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from archive_tui.archives.datasafe.format_detection import describe_metadata, detect_data_format
from archive_tui.archives.datasafe.manifest_check import check_algorithm, digest_of_list
from archive_tui.archives.datasafe.staged_dataset import hash_files
from archive_tui.errors import MissingInformationError, NoFileError
from archive_tui.manifests.datasafe_manifest import (
    LARGEST,
    MANIFEST_FILE,
    UNDETECTED,
    Checksum,
    DatasafeManifest,
    format_datasafe_manifest,
    manifest_document,
    parse_datasafe_manifest,
)


class FormatDetector:
    """Tells formats of data and metadata files; names are relative to `folder`."""

    def __init__(self, folder: str = "") -> None:
        self.folder = folder
        self.data_filenames: list[str] = []
        self.metadata_filenames: list[str] = []

    def metadata_format(self) -> list[dict[str, str]]:
        """Returns name, format and version of each metadata file.

        Raises: NoFileError for one that is not there.
        """
        described = []
        for name in self.metadata_filenames:
            path = Path(self.folder) / name
            if not path.is_file():
                raise NoFileError(f"File does not exist: {name}", key=name)
            each = describe_metadata(path, name)
            described.append({"name": each.name, "format": each.format, "version": each.version})
        return described

    def data_format(self) -> str:
        """Returns the format of the data files, `undetected` when nobody knows it."""
        return detect_data_format(Path(self.folder), self.data_filenames)


class Manifest:
    """The manifest of one dataset. `data_filenames` and `metadata_filenames` are relative to `folder`, which is the
    current one by default."""

    def __init__(self, folder: str = "") -> None:
        self.folder = folder
        self.loi = ""
        self.data_filenames: list[str] = []
        self.metadata_filenames: list[str] = []
        self.data_checksum = ""
        self.checksum = ""
        self.manifest_filename = MANIFEST_FILE
        self.format_detector = FormatDetector(folder)
        self._read: DatasafeManifest | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns the manifest as it is written, its checksums computed from the files.

        Raises: MissingInformationError without data files; NoFileError that names a file that is not there.
        """
        return manifest_document(self._make())

    def to_file(self) -> None:
        """Writes the manifest beside the files. Raises: as `to_dict`."""
        (Path(self.folder) / self.manifest_filename).write_bytes(format_datasafe_manifest(self._make()))

    def from_dict(self, manifest_dict: Mapping[str, Any]) -> None:
        """Takes over a manifest as `to_dict` has it. Raises: ManifestError."""
        import json

        content = json.dumps(manifest_dict, ensure_ascii=False).encode()  # JSON is YAML: there is one reader
        self._take(parse_datasafe_manifest(content))

    def from_file(self, filename: str = "") -> None:
        """Reads a manifest; without a name the one beside the files.

        Raises: NoFileError `File does not exist`; ManifestError.
        """
        path = Path(filename) if filename else Path(self.folder) / self.manifest_filename
        try:
            with path.open("rb") as file:
                content = file.read(LARGEST + 1)
        except FileNotFoundError as error:
            raise NoFileError("File does not exist", key=str(path)) from error
        self._take(parse_datasafe_manifest(content, where=str(path)))

    def check_integrity(self) -> dict[str, bool]:
        """Compares the files with the checksums, and with the SHA-256 of each where the manifest has them: `data` for
        the data, `all` for data and metadata.

        Raises: MissingInformationError without names or checksums; NoFileError.
        """
        if not self.data_filenames or not (self.data_checksum and self.checksum):
            raise MissingInformationError("There are no names of data files, or no checksums.")
        algorithm = "md5" if self._read is None else check_algorithm(self._read)
        data = self._checksums(self.data_filenames, algorithm)
        metadata = self._checksums(self.metadata_filenames, algorithm)
        is_data_right = self._fits(data)
        is_all_right = is_data_right and self._fits(metadata)
        sums = [each[1] for each in data.values()], [each[1] for each in metadata.values()]
        return {
            "data": is_data_right and digest_of_list(sums[0], algorithm) == self.data_checksum,
            "all": is_all_right and digest_of_list([*sums[0], *sums[1]], algorithm) == self.checksum,
        }

    def _take(self, manifest: DatasafeManifest) -> None:
        self._read = manifest
        self.loi = manifest.loi
        self.data_filenames = list(manifest.data_names)
        self.metadata_filenames = [each.name for each in manifest.metadata]
        self.checksum, self.data_checksum = manifest.checksum, manifest.data_checksum

    def _make(self) -> DatasafeManifest:
        if not self.data_filenames:
            raise MissingInformationError("There are no names of data files.")
        data = self._checksums(self.data_filenames, "md5")
        metadata = self._checksums(self.metadata_filenames, "md5")
        detector = self.format_detector
        detector.folder, detector.data_filenames = self.folder, self.data_filenames
        detector.metadata_filenames = self.metadata_filenames
        described = tuple(describe_metadata(Path(self.folder) / name, name) for name in self.metadata_filenames)
        sums = [each[1] for each in data.values()]
        everything = [*sums, *(each[1] for each in metadata.values())]
        made = DatasafeManifest(
            loi=self.loi,
            metadata=described,
            data_format=detector.data_format() or UNDETECTED,
            data_names=tuple(self.data_filenames),
            checksums=(
                Checksum("CHECKSUM", "MD5 checksum", "data, metadata", digest_of_list(everything)),
                Checksum("CHECKSUM_data", "MD5 checksum", "data", digest_of_list(sums)),
            ),
            digests=MappingProxyType({name: each[0] for name, each in {**data, **metadata}.items()}),
        )
        return replace(made, complete=self._read.complete) if self._read is not None else made

    def _checksums(self, names: list[str], algorithm: str) -> dict[str, tuple[str, str]]:
        """SHA-256 and checksum of each file."""
        for name in names:
            if not (Path(self.folder) / name).is_file():
                raise NoFileError(f"File does not exist: {name}", key=name)
        digests, _ = hash_files(Path(self.folder), names, algorithm)
        return {file.path: (file.sha256, file.checksum) for file in digests}

    def _fits(self, found: Mapping[str, tuple[str, str]]) -> bool:
        known = {} if self._read is None else self._read.digests
        return all(known.get(name, sha256) == sha256 for name, (sha256, _) in found.items())

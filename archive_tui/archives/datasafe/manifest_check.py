"""Makes the manifest of a dataset from the digests of its files, and judges files by a manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from archive_tui.errors import ManifestError
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.manifests.datasafe_manifest import (
    ALGORITHM,
    MANIFEST_FILE,
    UNDETECTED,
    Checksum,
    DatasafeManifest,
    MetadataFile,
)


class FileDigests(NamedTuple):
    """`size` in bytes; `checksum` in hexadecimal digits by the algorithm of the manifest, which is MD5 in new ones."""

    path: str
    size: int
    sha256: str
    checksum: str


@dataclass(frozen=True, slots=True)
class ManifestCheck:
    """`data_is_right` and `all_is_right` say whether the two checksums of the manifest are right; `findings` name the
    files that are missing, not listed, or have another SHA-256."""

    data_is_right: bool
    all_is_right: bool
    findings: tuple[Finding, ...]

    @property
    def is_right(self) -> bool:
        return self.data_is_right and self.all_is_right and not self.findings


def digest_of_list(checksums: Iterable[str], algorithm: str = ALGORITHM) -> str:
    """The checksum of a list of files: their checksums, sorted and joined, hashed once more. Names do not enter."""
    joined = "".join(sorted(checksums)).encode("ascii")
    return hashlib.new(algorithm, joined, usedforsecurity=False).hexdigest()


def make_manifest(
    loi: str,
    files: Sequence[FileDigests],
    *,
    metadata: Sequence[MetadataFile],
    data_format: str = UNDETECTED,
    complete: bool = False,
) -> DatasafeManifest:
    """Returns the manifest of these files, of which `metadata` names some; the others are data.

    Raises: ManifestError (manifest-incomplete) when there are no data.
    """
    described = {each.name for each in metadata}
    data = sorted(file.path for file in files if file.path not in described)
    by_path = {file.path: file for file in files}
    checksums = (
        Checksum("CHECKSUM", "MD5 checksum", "data, metadata", digest_of_list(file.checksum for file in files)),
        Checksum("CHECKSUM_data", "MD5 checksum", "data", digest_of_list(by_path[name].checksum for name in data)),
    )
    digests = MappingProxyType({file.path: file.sha256 for file in files})
    return DatasafeManifest(loi, complete, tuple(metadata), data_format, tuple(data), checksums, digests)


def check_algorithm(manifest: DatasafeManifest) -> str:
    """Returns the algorithm of the checksums, as hashlib names it.

    Raises: ManifestError when this machine does not know it, or there are several.
    """
    algorithm = manifest.algorithm
    if len({each.format.casefold() for each in manifest.checksums}) > 1:
        raise ManifestError(f"{MANIFEST_FILE} has checksums of several kinds.", hint="Make it anew, with MD5.")
    if algorithm not in hashlib.algorithms_guaranteed or algorithm.startswith("shake"):
        raise ManifestError(
            f"{MANIFEST_FILE} has checksums of a kind that is not known: {algorithm}", hint="MD5 and SHA-256 are."
        )
    return algorithm


def check_manifest(manifest: DatasafeManifest, found: Iterable[FileDigests]) -> ManifestCheck:
    """Judges the files of a dataset; MANIFEST.yaml itself is passed over.

    A checksum that the manifest does not have counts as right: the SHA-256 of the files, or the other one, speak then.
    """
    files = {file.path: file for file in found if file.path != MANIFEST_FILE}
    findings = [
        Finding(FindingKind.MISSING, name, expected=manifest.digests.get(name), detail="listed in the manifest")
        for name in manifest.names
        if name not in files
    ]
    listed = set(manifest.names)
    for path, file in files.items():
        expected = manifest.digests.get(path)
        if path not in listed:
            findings.append(Finding(FindingKind.EXTRA, path, found=file.sha256, detail="not listed in the manifest"))
        elif expected is not None and expected != file.sha256:
            findings.append(
                Finding(FindingKind.CHANGED, path, expected=expected, found=file.sha256, found_size=file.size)
            )
    algorithm = check_algorithm(manifest)
    data = _is_right(manifest.data_checksum, files, manifest.data_names, algorithm)
    everything = _is_right(manifest.checksum, files, manifest.names, algorithm)
    return ManifestCheck(data, everything, tuple(findings))


def _is_right(expected: str, files: dict[str, FileDigests], names: Sequence[str], algorithm: str) -> bool:
    if not expected:
        return True
    if any(name not in files for name in names):
        return False
    return digest_of_list((files[name].checksum for name in names), algorithm) == expected

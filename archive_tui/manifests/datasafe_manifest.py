"""`MANIFEST.yaml`: what belongs to a dataset of a datasafe, with the checksums over its files.

Source of the format: the LabInform datasafe, dataset manifest 0.1.0. Its reader takes, of `checksums`, the row whose
span names the metadata for the checksum of all files, and any other row for that of the data; the SHA-256 of each file
therefore stand under `integrity`, which it passes over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from archive_tui.errors import MissingInformationError
from archive_tui.integrity.digest import is_sha256_hex
from archive_tui.manifests.yaml_document import LARGEST as LARGEST
from archive_tui.manifests.yaml_document import read_yaml
from archive_tui.manifests.yaml_document import refuse_document as _refuse
from archive_tui.names.display import escape_for_display
from archive_tui.names.member_paths import MANIFEST_NAME, find_path_fault

MANIFEST_FILE = "MANIFEST.yaml"
FORMAT = "datasafe dataset manifest"
VERSION = "0.1.0"
UNDETECTED = "undetected"
ALGORITHM = "md5"

_HINT = "Make it anew: archive-tui makes a MANIFEST.yaml when there is none."


@dataclass(frozen=True, slots=True)
class MetadataFile:
    """`format` and `version` as the file itself says them; empty: it does not."""

    name: str
    format: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Checksum:
    """`span` names what it covers: `data`, or `data, metadata`; `value` in hexadecimal digits."""

    name: str
    format: str
    span: str
    value: str

    @property
    def covers_all(self) -> bool:
        return "metadata" in self.span


@dataclass(frozen=True, slots=True)
class DatasafeManifest:
    """Names are relative to the folder of the manifest, with `/`. `digests` are the SHA-256 by name, of those files for
    which somebody has written them down."""

    loi: str = ""
    complete: bool = False
    metadata: tuple[MetadataFile, ...] = ()
    data_format: str = UNDETECTED
    data_names: tuple[str, ...] = ()
    checksums: tuple[Checksum, ...] = ()
    digests: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def names(self) -> tuple[str, ...]:
        """All files that are listed: data first, then metadata."""
        return (*self.data_names, *(each.name for each in self.metadata))

    @property
    def checksum(self) -> str:
        """Over all files; empty: there is none. Of several the last one counts, as it does for the original."""
        return next((each.value for each in reversed(self.checksums) if each.covers_all), "")

    @property
    def data_checksum(self) -> str:
        """Over the data; empty: there is none. Of several the last one counts."""
        return next((each.value for each in reversed(self.checksums) if not each.covers_all), "")

    @property
    def algorithm(self) -> str:
        """The algorithm of the checksums, as hashlib names it."""
        words = next((each.format for each in self.checksums), "").split()
        return words[0].lower().replace("-", "") if words else ALGORITHM


def parse_datasafe_manifest(content: bytes, *, where: str = MANIFEST_FILE) -> DatasafeManifest:
    """Reads a manifest of 16 MiB at the most, some 100,000 files; keys that nobody knows are passed over.

    Guarantees: values are texts, whatever they look like; aliases, tags, keys that stand there twice and names that
    leave the folder are refused; time and memory grow with the content only.

    Raises: ManifestError; MissingInformationError when no data are named, or nothing to check all files by.
    """
    return read_manifest_document(read_yaml(content, where), where=where)


def read_manifest_document(document: Any, *, where: str = MANIFEST_FILE) -> DatasafeManifest:
    """Reads a manifest from nested dicts and lists whose values are texts.

    Raises: ManifestError, MissingInformationError.
    """
    if not isinstance(document, dict) or not isinstance(document.get("files"), dict):
        raise _refuse(where, "it is no dataset manifest")
    files, dataset = document["files"], _mapping(document.get("dataset"), where)
    data = _mapping(files.get("data"), where)
    names = tuple(_text(name, where) for name in _sequence(data.get("names"), where))
    rows = tuple(_read_checksum(row, where) for row in _sequence(document.get("checksums"), where))
    if not names:
        raise MissingInformationError(f"{where} names no data files.", hint=_HINT)
    manifest = DatasafeManifest(
        loi=_text(dataset.get("loi"), where),
        complete=_text(dataset.get("complete"), where).lower() == "true",
        metadata=tuple(_read_metadata(row, where) for row in _sequence(files.get("metadata"), where)),
        data_format=_text(data.get("format"), where) or UNDETECTED,
        data_names=names,
        checksums=rows,
        digests=MappingProxyType(_read_digests(_mapping(document.get("integrity"), where), where)),
    )
    check_manifest_names(manifest, where=where)
    check_coverage(manifest, where=where)
    return manifest


def format_datasafe_manifest(manifest: DatasafeManifest) -> bytes:
    """Returns the YAML text of a manifest, in the order of the original; `integrity` only when digests are known."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", None)
    text: str = yaml.dump(
        manifest_document(manifest),
        Dumper=dumper or yaml.SafeDumper,
        allow_unicode=dumper is not None,  # the dumper in Python writes U+0085 as it is, and then reads a space
        sort_keys=False,
        default_flow_style=False,
        width=4096,
    )
    return text.encode()


def manifest_document(manifest: DatasafeManifest) -> dict[str, Any]:
    """Returns the manifest as nested dicts and lists, as they stand in the file."""
    document: dict[str, Any] = {
        "format": {"type": FORMAT, "version": VERSION},
        "dataset": {"loi": manifest.loi, "complete": manifest.complete},
        "files": {
            "metadata": [
                {"name": each.name, "format": each.format, "version": each.version} for each in manifest.metadata
            ],
            "data": {"format": manifest.data_format, "names": list(manifest.data_names)},
        },
        "checksums": [
            {"name": each.name, "format": each.format, "span": each.span, "value": each.value}
            for each in manifest.checksums
        ],
    }
    if manifest.digests:
        document["integrity"] = {"algorithm": "sha256", "files": dict(sorted(manifest.digests.items()))}
    return document


def check_manifest_names(manifest: DatasafeManifest, *, where: str = MANIFEST_FILE) -> None:
    """Raises: ManifestError for names that leave the folder, or stand there twice."""
    seen: set[str] = set()
    for name in manifest.names:
        fault = None if name == MANIFEST_NAME else find_path_fault(name)  # here it is a name like any other
        if fault is not None:
            raise _refuse(where, f"{fault[1]}: {escape_for_display(name)}")
        if name in seen or name == MANIFEST_FILE:
            raise _refuse(where, f"a file is listed twice, or it lists itself: {escape_for_display(name)}")
        seen.add(name)
    if stray := manifest.digests.keys() - seen:
        raise _refuse(where, f"it has a digest of a file that it does not list: {escape_for_display(min(stray))}")


def check_coverage(manifest: DatasafeManifest, *, where: str = MANIFEST_FILE) -> None:
    """Returns when each file that is listed is under a checksum or has a digest.

    Raises: MissingInformationError.
    """
    loose = {name for name in manifest.names if name not in manifest.digests}
    if manifest.data_checksum:
        loose -= set(manifest.data_names)
    if loose and not manifest.checksum:
        raise MissingInformationError(f"{where} has no checksums.", hint=_HINT)


def _read_metadata(row: Any, where: str) -> MetadataFile:
    row = _mapping(row, where)
    return MetadataFile(*(_text(row.get(key), where) for key in ("name", "format", "version")))


def _read_checksum(row: Any, where: str) -> Checksum:
    row = _mapping(row, where)
    name, form, span, value = (_text(row.get(key), where) for key in ("name", "format", "span", "value"))
    return Checksum(name, form, span, value.lower())


def _read_digests(integrity: dict[str, Any], where: str) -> dict[str, str]:
    files = _mapping(integrity.get("files"), where)
    if files and _text(integrity.get("algorithm"), where).lower() != "sha256":
        return {}
    digests = {name: _text(value, where).lower() for name, value in files.items()}
    if any(not is_sha256_hex(value) for value in digests.values()):
        raise _refuse(where, "a digest under integrity is no SHA-256")
    return digests


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _refuse(where, "a part of it has another form than it should")
    return value


def _sequence(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _refuse(where, "a part of it has another form than it should")
    return value


def _text(value: Any, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _refuse(where, "a part of it has another form than it should")
    return value

"""`MANIFEST.yaml`: what belongs to a dataset of a datasafe, with the checksums over its files.

Source of the format: the LabInform datasafe, dataset manifest 0.1.0. Its reader takes, of `checksums`, the row whose
span names the metadata for the checksum of all files, and any other row for that of the data; the SHA-256 of each file
therefore stand under `integrity`, which it passes over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from archive_tui.errors import ManifestError, MissingInformationError
from archive_tui.integrity.digest import is_sha256_hex
from archive_tui.names.display import escape_for_display
from archive_tui.names.member_paths import find_path_fault

MANIFEST_FILE = "MANIFEST.yaml"
FORMAT = "datasafe dataset manifest"
VERSION = "0.1.0"
UNDETECTED = "undetected"
ALGORITHM = "md5"

LARGEST = 16 << 20
"""Bytes of a manifest that are read; some 100,000 files fit."""

DEEPEST = 20

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
        """Over all files; empty: there is none."""
        return next((each.value for each in self.checksums if each.covers_all), "")

    @property
    def data_checksum(self) -> str:
        """Over the data; empty: there is none."""
        return next((each.value for each in self.checksums if not each.covers_all), "")

    @property
    def algorithm(self) -> str:
        """The algorithm of the checksums, as hashlib names it."""
        words = next((each.format for each in self.checksums), "").split()
        return words[0].lower().replace("-", "") if words else ALGORITHM


def parse_datasafe_manifest(content: bytes, *, where: str = MANIFEST_FILE) -> DatasafeManifest:
    """Reads a manifest; keys that nobody knows are passed over.

    Guarantees: values are texts, whatever they look like; aliases, tags, keys that stand there twice and names that
    leave the folder are refused; time and memory grow with the content only.

    Raises: ManifestError; MissingInformationError when no data or no checksums are named.
    """
    document = read_yaml(content, where)
    if not isinstance(document, dict) or not isinstance(document.get("files"), dict):
        raise _refuse(where, "it is no dataset manifest")
    files, dataset = document["files"], _mapping(document.get("dataset"), where)
    data = _mapping(files.get("data"), where)
    names = tuple(_text(name, where) for name in _sequence(data.get("names"), where))
    rows = tuple(_read_checksum(row, where) for row in _sequence(document.get("checksums"), where))
    if not names:
        raise MissingInformationError(f"{where} names no data files.", hint=_HINT)
    if not rows:
        raise MissingInformationError(f"{where} has no checksums.", hint=_HINT)
    manifest = DatasafeManifest(
        loi=_text(dataset.get("loi"), where),
        complete=_text(dataset.get("complete"), where).lower() == "true",
        metadata=tuple(_read_metadata(row, where) for row in _sequence(files.get("metadata"), where)),
        data_format=_text(data.get("format"), where) or UNDETECTED,
        data_names=names,
        checksums=rows,
        digests=MappingProxyType(_read_digests(_mapping(document.get("integrity"), where), where)),
    )
    _check_names(manifest, where)
    return manifest


def format_datasafe_manifest(manifest: DatasafeManifest) -> bytes:
    """Returns the YAML text of a manifest, in the order of the original; `integrity` only when digests are known."""
    import yaml

    document = manifest_document(manifest)
    text: str = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, default_flow_style=False, width=4096)
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


def read_yaml(content: bytes, where: str) -> Any:
    """Returns nested dicts, lists and texts; every scalar is the text that stands there, None for what is empty.

    Raises: ManifestError, also for aliases, tags, keys that stand there twice and more than one document.
    """
    import yaml

    if len(content) > LARGEST:
        raise _refuse(where, f"it is larger than {LARGEST >> 20} MiB")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        events = yaml.parse(content.decode("utf-8-sig"), Loader=loader)
        return _Builder(events, where).build()
    except UnicodeDecodeError as error:
        raise _refuse(where, "it is not UTF-8 text") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1})" if mark is not None else ""
        raise _refuse(where, f"it is no valid YAML{place}") from error


class _Builder:
    """Builds the one document of a stream of events."""

    def __init__(self, events: Iterator[Any], where: str) -> None:
        self._events = events
        self._where = where

    def build(self) -> Any:
        import yaml

        root, count = None, 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                count += 1
                if count > 1:
                    raise _refuse(self._where, "it holds more than one document")
                root = self._node(next(self._events), 0)
        return root

    def _node(self, event: Any, depth: int) -> Any:
        import yaml

        if depth > DEEPEST:
            raise _refuse(self._where, "it is nested too deep")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refuse(self._where, "it uses aliases")
        tag = getattr(event, "tag", None)
        if tag is not None and not str(tag).startswith("tag:yaml.org,2002:") and tag != "!":
            raise _refuse(self._where, "it uses tags")
        if isinstance(event, yaml.ScalarEvent):
            is_null = event.style is None and event.value in ("", "~", "null")
            return None if is_null else str(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return list(self._items(yaml.SequenceEndEvent, depth))
        return self._mapping(depth)

    def _items(self, end: type[Any], depth: int) -> Iterator[Any]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield self._node(event, depth + 1)

    def _mapping(self, depth: int) -> dict[str, Any]:
        import yaml

        found: dict[str, Any] = {}
        items = self._items(yaml.MappingEndEvent, depth)
        for key in items:
            if not isinstance(key, str) or key in found:
                raise _refuse(self._where, "a key stands there twice, or is no text")
            found[key] = next(items)
        return found


def _check_names(manifest: DatasafeManifest, where: str) -> None:
    seen: set[str] = set()
    for name in manifest.names:
        fault = find_path_fault(name)
        if fault is not None:
            raise _refuse(where, f"{fault[1]}: {escape_for_display(name)}")
        if name in seen or name == MANIFEST_FILE:
            raise _refuse(where, f"a file is listed twice, or it lists itself: {escape_for_display(name)}")
        seen.add(name)
    if stray := manifest.digests.keys() - seen:
        raise _refuse(where, f"it has a digest of a file that it does not list: {escape_for_display(min(stray))}")


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


def _refuse(where: str, why: str) -> ManifestError:
    return ManifestError(f"{where} cannot be used: {why}.", hint=_HINT)

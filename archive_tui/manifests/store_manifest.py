"""`.manifest/manifest.yaml` of a results store: what lies under which event, production and file name.

Source of the format: the results store of asimov. Its reader looks at `hash` and `uuid` of a record; it passes over the
SHA-256 and the size that stand beside them. What this reader does not know is kept when the manifest is written
anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

from archive_tui.errors import ManifestError
from archive_tui.integrity.digest import is_sha256_hex
from archive_tui.manifests.yaml_document import read_yaml

MANIFEST_KEY = ".manifest/manifest.yaml"
"""Relative to the top of the store."""

LARGEST = 512 << 20
"""Bytes of a manifest that are read: some two million records."""

MOST_NODES = 20_000_000

_MD5 = re.compile(r"[0-9a-f]{32}")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*(?: [A-Za-z0-9_.-]+)*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Plain words that a reader of YAML 1.1 takes for something else than text."""

_NUMBER = re.compile(r"[0-9]+|0b[01]+")
"""Hexadecimal digits that it takes for a number."""

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff]")
_KNOWN = frozenset({"hash", "uuid", "sha256", "size"})
NO_RECORD = "a record has no hash of 32 hexadecimal digits, or no uuid of as many"
_HINT = "Nothing was changed. Get the manifest back from a copy, or correct it."


@dataclass(frozen=True, slots=True)
class StoreRecord:
    """`md5` and `sha256` of the content in hexadecimal digits, `size` in bytes; None: nobody has written it down.
    `uuid` are 32 hexadecimal digits. `other` are fields that this program does not know."""

    md5: str
    uuid: str
    sha256: str | None = None
    size: int | None = None
    other: Mapping[str, Any] = field(default_factory=dict)


class Listed(NamedTuple):
    event: str
    production: str
    name: str
    record: StoreRecord


Files = dict[str, StoreRecord]
Productions = dict[str, Files]


@dataclass(frozen=True, slots=True)
class StoreManifest:
    """`name` is that of the store; `other` are keys at the top that this program does not know. Never changed in
    place."""

    name: str
    events: Mapping[str, Productions] = field(default_factory=dict)
    other: Mapping[str, Any] = field(default_factory=dict)

    def find(self, event: str, production: str, name: str) -> StoreRecord | None:
        return self.events.get(event, {}).get(production, {}).get(name)

    def records(self, event: str = "", production: str = "") -> Iterator[Listed]:
        """Yields all records, or those of one event or production, sorted."""
        for each in sorted(self.events) if not event else [event]:
            found = self.events.get(each, {})
            for part in sorted(found) if not production else [production]:
                for name, record in sorted(found.get(part, {}).items()):
                    yield Listed(each, part, name, record)

    def with_record(self, event: str, production: str, name: str, record: StoreRecord) -> StoreManifest:
        """Raises: ManifestError for a record that no reader would take."""
        if not _MD5.fullmatch(record.md5) or not _MD5.fullmatch(record.uuid):
            raise _refuse(f"{event}/{production}/{name}", NO_RECORD)
        productions = dict(self.events.get(event, {}))
        productions[production] = {**productions.get(production, {}), name: record}
        return replace(self, events={**self.events, event: productions})


def parse_store_manifest(content: bytes, where: str) -> StoreManifest:
    """Reads a manifest of either layout of the original, or of this program.

    Raises: ManifestError: no YAML, cut short (the name of the store comes last), or not of this form.
    """
    document = read_yaml(content, where, largest=LARGEST, most_nodes=MOST_NODES)
    if not isinstance(document, dict) or not isinstance(document.get("name"), str) or "events" not in document:
        raise _refuse(where, "it is no manifest of a results store, or it is cut short")
    other = {key: value for key, value in document.items() if key not in ("events", "name")}
    events: dict[str, Productions] = {}
    for event, productions in _mapping(document["events"], where).items():
        events[event] = {
            production: {name: _parse_record(fields, where) for name, fields in _mapping(files, where).items()}
            for production, files in _mapping(productions, where).items()
        }
    return StoreManifest(document["name"], events, other)


def format_store_manifest(manifest: StoreManifest) -> bytes:
    """Returns YAML 1.1 in block style with sorted keys, as the original's reader takes it."""
    if manifest.other or any(listed.record.other for listed in manifest.records()):
        return _dump(manifest)
    return "".join(_lines(manifest)).encode()


def _lines(manifest: StoreManifest) -> Iterator[str]:
    """What `_dump` gives, for records without other fields, in a tenth of the time."""
    yield "events:\n" if manifest.events else "events: {}\n"
    for event, productions in sorted(manifest.events.items()):
        yield f"  {_scalar(event)}:\n" if productions else f"  {_scalar(event)}: {{}}\n"
        for production, files in sorted(productions.items()):
            yield f"    {_scalar(production)}:\n" if files else f"    {_scalar(production)}: {{}}\n"
            for name, record in sorted(files.items()):
                yield f"      {_scalar(name)}:\n        hash: {_hex(record.md5)}\n"
                if record.sha256 is not None:
                    yield f"        sha256: {_hex(record.sha256)}\n"
                if record.size is not None:
                    yield f"        size: {record.size}\n"
                yield f"        uuid: {_hex(record.uuid)}\n"
    yield f"name: {_scalar(manifest.name)}\n"


def _hex(digits: str) -> str:
    return f"'{digits}'" if _NUMBER.fullmatch(digits) else digits


@lru_cache(maxsize=65536)
def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _UNPRINTABLE.sub(lambda found: f"\\U{ord(found[0]):08x}", quoted) + '"'


def _dump(manifest: StoreManifest) -> bytes:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    events = {
        event: {
            production: {name: _record_fields(record) for name, record in files.items()}
            for production, files in productions.items()
        }
        for event, productions in manifest.events.items()
    }
    document = {**manifest.other, "events": events, "name": manifest.name}
    return yaml.dump(
        document, Dumper=dumper, default_flow_style=False, sort_keys=True, allow_unicode=True, encoding="utf-8"
    )


def _record_fields(record: StoreRecord) -> dict[str, Any]:
    fields: dict[str, Any] = {**record.other, "hash": record.md5, "uuid": record.uuid}
    if record.sha256 is not None:
        fields["sha256"] = record.sha256
    if record.size is not None:
        fields["size"] = record.size
    return fields


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _refuse(where, "events, productions and files have to be named")
    return value


def _parse_record(fields: Any, where: str) -> StoreRecord:
    known = _mapping(fields, where)
    md5, uuid = known.get("hash"), known.get("uuid")
    if not isinstance(md5, str) or not isinstance(uuid, str) or not _MD5.fullmatch(md5) or not _MD5.fullmatch(uuid):
        raise _refuse(where, NO_RECORD)
    sha256, size = known.get("sha256"), known.get("size")
    if sha256 is not None and not is_sha256_hex(sha256):
        raise _refuse(where, "a sha256 is none")
    if size is not None and not (isinstance(size, str) and size.isascii() and size.isdigit() and len(size) < 20):
        raise _refuse(where, "a size is none")
    other = {key: value for key, value in known.items() if key not in _KNOWN}
    return StoreRecord(md5, uuid, sha256, None if size is None else int(size), other)


def _refuse(where: str, why: str) -> ManifestError:
    return ManifestError(f"{where} cannot be used: {why}.", hint=_HINT)

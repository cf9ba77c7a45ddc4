"""The bytes of a manifest on disk, and JSON that is parsed without trusting it."""

from __future__ import annotations

import json
import json.encoder
import math
import os
import stat
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from archive_tui.errors import ManifestError
from archive_tui.integrity.streams import read_bounded
from archive_tui.names.display import escape_for_display

format_text: Callable[[str], str] = json.encoder.encode_basestring
"""Returns a text as JSON writes it, in quotes; only what must be is escaped."""

_BETWEEN_ENTRIES = ",\n    "

LARGEST_MANIFEST = 256 << 20
"""Bytes; about two million files. A longer document is refused before it is parsed."""


def read_manifest_document(path: Path) -> bytes | None:
    """Returns the bytes of the document, or None when there is nothing of that name.

    A symbolic link, a folder or a device in its place is refused, not followed.

    Raises: ManifestError with code `manifest-unreadable`, `manifest-kind` or `manifest-too-large`.
    """
    where = escape_for_display(path.name)
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise ManifestError(f"The manifest is not a regular file: {where}", code="manifest-kind")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(where, error) from error
    try:
        document = read_bounded(descriptor, LARGEST_MANIFEST)
    except OSError as error:
        raise _unreadable(where, error) from error
    finally:
        os.close(descriptor)
    if document is None:
        raise _too_large(where)
    return document


def _unreadable(where: str, error: OSError) -> ManifestError:
    return ManifestError(
        f"Cannot read the manifest {where}: {error.strerror or error}",
        hint="Check the permissions of the file and of the folder.",
        code="manifest-unreadable",
    )


def _too_large(where: str) -> ManifestError:
    return ManifestError(f"The manifest {where} is larger than {LARGEST_MANIFEST >> 20} MiB", code="manifest-too-large")


def parse_json_object(document: bytes, *, where: str) -> dict[str, Any]:
    """Returns the JSON object that `document` holds (RFC 8259, UTF-8 without a byte order mark).

    Refused are NaN and infinities, a name that stands twice in one object, nesting beyond what the parser bears,
    numbers of thousands of digits, text that is no valid Unicode, and anything but an object at the top.

    Raises: ManifestError with code manifest-too-large, manifest-encoding, manifest-json, manifest-deep, manifest-form.
    """
    if len(document) > LARGEST_MANIFEST:
        raise _too_large(where)
    try:
        text = document.decode()
    except UnicodeDecodeError as error:
        raise ManifestError(f"The manifest {where} is not UTF-8: {error.reason}", code="manifest-encoding") from error
    if text.startswith("\ufeff"):
        raise ManifestError(
            f"The manifest {where} begins with a byte order mark",
            hint="Save it as UTF-8 without one.",
            code="manifest-encoding",
        )
    try:
        parsed = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_parse_finite, object_pairs_hook=_refuse_double_names
        )
    except RecursionError as error:
        raise nested_too_deeply(where) from error
    except ValueError as error:
        raise ManifestError(
            f"The manifest {where} is not valid JSON: {_reason(error)}", code="manifest-json"
        ) from error
    if not isinstance(parsed, dict):
        raise ManifestError(f"The manifest {where} is not a JSON object", code="manifest-form")
    if "\\u" in text and "\\ud" in text.lower():
        _refuse_surrogates(parsed, where)
    return parsed


def format_document(document: Mapping[str, Any], files: Sequence[str]) -> bytes:
    """Returns `document` with the list `files` in it, as UTF-8 JSON with names sorted, indented by two.

    `files` are the entries as they stand in the text, at depth 2.

    Raises: ManifestError when it is nested more deeply than can be written.
    """
    values = {name: format_value(value, depth=1) for name, value in document.items()}
    values["files"] = f"[\n    {_BETWEEN_ENTRIES.join(files)}\n  ]" if files else "[]"
    lines = ",\n".join(f"  {format_text(name)}: {values[name]}" for name in sorted(values))
    return f"{{\n{lines}\n}}\n".encode()


def format_value(value: object, *, depth: int) -> str:
    """Returns `value` as JSON for a place at `depth`; its first line is not indented.

    Raises: ManifestError when it is nested more deeply than can be written.
    """
    try:
        text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    except RecursionError as error:  # what was read in another, less deep place of the program
        raise nested_too_deeply("manifest.json") from error
    return text.replace("\n", "\n" + "  " * depth)  # no string of JSON holds a line break


def nested_too_deeply(where: str) -> ManifestError:
    return ManifestError(f"The manifest {where} is nested too deeply", code="manifest-deep")


def _reason(error: ValueError) -> str:
    return escape_for_display(str(error).partition(";")[0])[:200]


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number in JSON")


def _parse_finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number is too large: {text[:40]}")
    return number


def _refuse_double_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    parsed = dict(pairs)
    if len(parsed) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the name {twice[:80]!r} stands twice in one object")
    return parsed


def _refuse_surrogates(parsed: dict[str, Any], where: str) -> None:
    try:
        for piece in json.JSONEncoder(ensure_ascii=False).iterencode(parsed):
            piece.encode()
    except UnicodeEncodeError as error:
        raise ManifestError(
            f"The manifest {where} holds text that is not valid Unicode", code="manifest-encoding"
        ) from error
    except RecursionError as error:
        raise nested_too_deeply(where) from error

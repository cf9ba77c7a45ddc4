"""Names and versions of dataset archives: `NAME.MAJOR.MINOR.PATCH.zip`.

Reading is as generous as it has always been, publishing is strict. The law: every name and version that publishing
accepts parses back to itself, and every other is refused before anything is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from archive_tui.errors import InvalidName
from archive_tui.names.object_keys import check_key

ARCHIVE_SUFFIX = ".zip"
MANIFEST_SUFFIX = ".manifest.json"
INCREMENTS = ("major", "minor", "patch")

MOST_DIGITS = 9
"""Digits of one part of a version that is published."""

_ARCHIVE_NAME = re.compile(r"([\w./\s-]+)\.(\d+\.\d+\.\d+)\.zip", re.ASCII)
_NAME = re.compile(r"[\w./\s-]+", re.ASCII)
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_PUBLISHED_VERSION = re.compile(r"(?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8})){2}", re.ASCII)
_LONGEST_VERSION = ".".join(["9" * MOST_DIGITS] * 3)
_VERSION_HINT = "A version is MAJOR.MINOR.PATCH in plain digits without leading zeros, for example 1.4.0."
_NAME_HINT = (
    "Use letters A-Z a-z, digits, '_', '-', '.', inner spaces, and '/' between parts, for example survey/waves-2024."
)


def parse_dataset_archive_name(filename: str) -> tuple[str, str] | None:
    """Returns `(NAME, 'MAJOR.MINOR.PATCH')`, or None when `filename` is not the name of a dataset archive.

    ASCII only; the last three numbers are the version, whatever else the name holds.
    """
    match = _ARCHIVE_NAME.fullmatch(filename)
    return (match.group(1), match.group(2)) if match else None


def parse_dataset_archive_version(version: str) -> list[int]:
    """Returns `[MAJOR, MINOR, PATCH]`.

    Raises: InvalidName (a ValueError) with code `version-form` for anything but three numbers with dots between.
    """
    match = _VERSION.fullmatch(version)
    if match is None or any(len(part) > 1000 for part in match.groups()):
        raise InvalidName(f"Not a version: {version[:80]!r}", name=version, hint=_VERSION_HINT, code="version-form")
    return [int(part) for part in match.groups()]


def version_number(version: str) -> tuple[int, int, int]:
    """Returns the version as numbers, for sorting.

    Raises: InvalidName as `parse_dataset_archive_version`.
    """
    major, minor, patch = parse_dataset_archive_version(version)
    return major, minor, patch


def next_version(versions: Sequence[str] | None = None, increment: str = "patch") -> str:
    """Returns the version after the LAST of `versions` (the caller sorts), or after 0.0.0 when there is none.

    `increment` is major, minor or patch; the parts below it become 0.

    Raises: InvalidName (a ValueError) for another increment (code `version-increment`) or a bad version.
    """
    if increment not in INCREMENTS:
        raise InvalidName(
            f"Not an increment: {increment!r}",
            name=str(increment),
            hint="Use major, minor or patch.",
            code="version-increment",
        )
    numbers = parse_dataset_archive_version(versions[-1] if versions else "0.0.0")
    position = INCREMENTS.index(increment)
    raised = [*numbers[:position], numbers[position] + 1, *([0] * (2 - position))]
    return ".".join(str(number) for number in raised)


def check_version(text: str) -> str:
    """Returns `text` when it may be published.

    Raises: InvalidName, code `version-zero` (leading zeros), `version-long` (more than 9 digits), or `version-form`.
    """
    if _PUBLISHED_VERSION.fullmatch(text):
        return text
    match = _VERSION.fullmatch(text)
    if match is None:
        code, why = "version-form", "it is not three numbers with dots between"
    elif any(len(part) > 1 and part.startswith("0") for part in match.groups()):
        code, why = "version-zero", "a part has leading zeros"
    else:
        code, why = "version-long", f"a part has more than {MOST_DIGITS} digits"
    raise InvalidName(f"Version refused, {why}: {text[:80]!r}", name=text, hint=_VERSION_HINT, code=code)


def _find_name_fault(name: str) -> tuple[str, str] | None:
    if not name:
        return "name-empty", "it is empty"
    if _CONTROL.search(name):
        return "name-control", "it holds control characters"
    if not _NAME.fullmatch(name):
        return "name-characters", "it holds other characters than A-Z a-z 0-9 _ - . / and space"
    if name.startswith("/"):
        return "name-absolute", "it begins with /"
    for segment in name.split("/"):
        if segment in ("", ".", ".."):
            return "name-segment", f"it has the part {segment!r}"
        if segment != segment.strip(" "):
            return "name-space", f"the part {segment!r} begins or ends with a space"
    return None


def check_dataset_name(name: str) -> str:
    """Returns `name` when a dataset of this name can be published, whatever its version.

    Raises: InvalidName with the rule as its code: name-empty, name-control, name-characters, name-absolute,
    name-segment, name-space, or one of `object_keys.check_key` (too long, reserved).
    """
    fault = _find_name_fault(name)
    if fault is not None:
        code, why = fault
        raise InvalidName(f"Dataset name refused, {why}: {name[:200]!r}", name=name, hint=_NAME_HINT, code=code)
    check_key(f"{name}.{_LONGEST_VERSION}{MANIFEST_SUFFIX}")
    return name


def archive_key(name: str, version: str) -> str:
    """Returns the key under which this version is stored.

    Raises: InvalidName when the name or the version may not be published.
    """
    return f"{check_dataset_name(name)}.{check_version(version)}{ARCHIVE_SUFFIX}"


def manifest_key(name: str, version: str) -> str:
    """Returns the key of the manifest beside the archive.

    Raises: InvalidName when the name or the version may not be published.
    """
    return f"{check_dataset_name(name)}.{check_version(version)}{MANIFEST_SUFFIX}"

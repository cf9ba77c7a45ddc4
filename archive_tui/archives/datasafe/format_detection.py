"""Finds out of which format the data of a dataset are, and which formats its metadata files say they have.

Other packages add detectors by the entry points `archive_tui.format_detectors`: classes like those below.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from archive_tui.manifests.datasafe_manifest import LARGEST, MANIFEST_FILE, UNDETECTED, MetadataFile

ENTRY_POINTS = "archive_tui.format_detectors"
METADATA_ENDINGS = (".info", ".yaml", ".yml")

_FIRST_BYTES = 4096
_INFO_LINE = re.compile(r"(?P<format>.*\S)\s+-\s+v\.\s*(?P<version>\S+)\s+\(.*\)\s*")


class FormatDetector(Protocol):
    """Knows a format by the names and beginnings of files."""

    def detect(self, folder: Path, names: Sequence[str]) -> str:
        """Returns the name of the format of these files in `folder`, empty when it is none that is known here."""


class BrukerBes3t:
    """`.dsc` and `.dta` together."""

    def detect(self, folder: Path, names: Sequence[str]) -> str:
        return "Bruker BES3T" if {".dsc", ".dta"} <= _endings(names) else ""


class BrukerPar:
    """`.par`, whose first line tells the EMX from the ESP."""

    def detect(self, folder: Path, names: Sequence[str]) -> str:
        for name in _with_ending(names, ".par"):
            first = next(iter(_first_lines(folder / name)), "")
            return "Bruker EMX" if "DOS" in first else "Bruker ESP"
        return ""


class Magnettech:
    """`.xml` or `.csv` of the manufacturer."""

    def detect(self, folder: Path, names: Sequence[str]) -> str:
        for name in _with_ending(names, ".xml"):
            lines = _first_lines(folder / name)
            if len(lines) > 1 and lines[1].startswith("<ESRXmlFile"):
                return "Magnettech XML"
        for name in _with_ending(names, ".csv"):
            lines = _first_lines(folder / name)
            if len(lines) > 2 and lines[0].startswith("Name,") and lines[2].startswith("Recipe"):
                return "Magnettech CSV"
        return ""


BUILT_IN: tuple[type[FormatDetector], ...] = (BrukerBes3t, BrukerPar, Magnettech)


def detect_data_format(folder: Path, names: Sequence[str]) -> str:
    """Returns the format of the data files `names` in `folder`, `undetected` when nobody knows it. A detector that
    fails has not found anything."""
    for detector in _detectors():
        try:
            found = detector().detect(folder, names)
        except OSError:
            continue
        if found:
            return found
    return UNDETECTED


def is_metadata_name(name: str) -> bool:
    """True for files that describe data; MANIFEST.yaml is none."""
    return name != MANIFEST_FILE and Path(name).suffix.lower() in METADATA_ENDINGS


def describe_metadata(path: Path, name: str) -> MetadataFile:
    """Returns which format and version a metadata file says that it has; empty texts when it does not say."""
    if path.suffix.lower() == ".info":
        found = _INFO_LINE.fullmatch(next(iter(_first_lines(path)), ""))
        return MetadataFile(name, *((found["format"], found["version"]) if found else ("", "")))
    return MetadataFile(name, *_describe_yaml(path))


def _describe_yaml(path: Path) -> tuple[str, str]:
    from archive_tui.errors import ManifestError
    from archive_tui.manifests.datasafe_manifest import read_yaml

    try:
        content = path.read_bytes() if path.stat().st_size <= LARGEST else b""
        document = read_yaml(content, path.name)
    except (OSError, ManifestError):
        return "", ""
    stated: Any = document.get("format") if isinstance(document, dict) else None
    if not isinstance(stated, dict):
        return "", ""
    kind, version = stated.get("type"), stated.get("version")
    return (kind if isinstance(kind, str) else "", version if isinstance(version, str) else "")


def _detectors() -> Iterator[type[FormatDetector]]:
    yield from _installed()
    yield from BUILT_IN


@cache
def _installed() -> tuple[type[FormatDetector], ...]:
    from importlib.metadata import entry_points

    return tuple(entry.load() for entry in entry_points(group=ENTRY_POINTS))


def _endings(names: Iterable[str]) -> set[str]:
    return {Path(name).suffix.lower() for name in names}


def _with_ending(names: Iterable[str], ending: str) -> Iterator[str]:
    return (name for name in sorted(names) if Path(name).suffix.lower() == ending)


def _first_lines(path: Path) -> list[str]:
    with path.open("rb") as file:
        return file.read(_FIRST_BYTES).decode("utf-8", "replace").splitlines()

"""Finds out of which format the data of a dataset are, and which formats its metadata files say they have.

Other packages add detectors by the entry points `archive_tui.format_detectors`: classes derived from FormatDetector.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from archive_tui.errors import ManifestError, NoFileError
from archive_tui.manifests.datasafe_manifest import MANIFEST_FILE, UNDETECTED, MetadataFile
from archive_tui.manifests.yaml_document import LARGEST, read_yaml

ENTRY_POINTS = "archive_tui.format_detectors"
METADATA_ENDINGS = (".info", ".yaml", ".yml")

_FIRST_BYTES = 4096
_LONGEST_LINE = 500
_INFO_LINE = re.compile(r"(?P<format>.*\S)\s+-\s+v\.\s*(?P<version>\S+)\s+\(.*\)\s*")

_log = logging.getLogger("archive_tui.datasafe")


class FormatDetector:
    """Tells the formats of the files of one dataset; their names are relative to `folder`, the current one by default.

    Detectors of data formats implement `_detect_data_format`: it returns the name of a format, empty when it knows
    none, and finds the files by `self.path(name)` for the names in `self.data_filenames`.
    """

    def __init__(self) -> None:
        self.folder = ""
        self.data_filenames: list[str] = []
        self.metadata_filenames: list[str] = []

    def path(self, name: str) -> Path:
        """Returns where a file of the dataset lies."""
        return Path(self.folder) / name

    def data_format(self) -> str:
        """Returns the format of the data files, `undetected` when it is not known. Raises: NoFileError without any."""
        if not self.data_filenames:
            raise NoFileError("No data filenames")
        return self._detect_data_format() or UNDETECTED

    def detection_successful(self) -> bool:
        """True when the format of the data files is known."""
        return bool(self._detect_data_format())

    def metadata_format(self) -> list[dict[str, str]]:
        """Returns name, format and version of each metadata file, as the files themselves state them."""
        described = (describe_metadata(self.path(name), name) for name in self.metadata_filenames)
        return [{"name": each.name, "format": each.format, "version": each.version} for each in described]

    def _detect_data_format(self) -> str:
        return ""

    def _with_ending(self, ending: str) -> list[Path]:
        return [self.path(name) for name in sorted(self.data_filenames) if Path(name).suffix.lower() == ending]


class EPRFormatDetector(FormatDetector):
    """Formats of spectrometers for electron paramagnetic resonance."""

    def _detect_data_format(self) -> str:
        if self._with_ending(".dsc") and self._with_ending(".dta"):
            return "Bruker BES3T"
        for path in self._with_ending(".par"):
            return "Bruker EMX" if "DOS" in _line(path, 0) else "Bruker ESP"
        for path in self._with_ending(".xml"):
            if _line(path, 1).startswith("<ESRXmlFile"):
                return "Magnettech XML"
        for path in self._with_ending(".csv"):
            if _line(path, 0).startswith("Name,") and _line(path, 2).startswith("Recipe"):
                return "Magnettech CSV"
        return ""


def detect_data_format(folder: Path, names: Sequence[str]) -> str:
    """Returns the format of the data files `names` in `folder`, `undetected` when nobody knows it. A detector that
    fails has not found anything."""
    found = (_ask(kind, folder, names) for kind in (*_installed(), EPRFormatDetector))
    return next((name for name in found if name), UNDETECTED)


def is_metadata_name(name: str) -> bool:
    """True for files that describe data; MANIFEST.yaml is none."""
    return name != MANIFEST_FILE and Path(name).suffix.lower() in METADATA_ENDINGS


def describe_metadata(path: Path, name: str) -> MetadataFile:
    """Returns which format and version a metadata file says that it has; empty texts when it does not say, or is not
    there."""
    ending = path.suffix.lower()
    if ending == ".info":
        found = _INFO_LINE.fullmatch(_line(path, 0)[:_LONGEST_LINE])
        return MetadataFile(name, *((found["format"], found["version"]) if found else ("", "")))
    return MetadataFile(name, *(_describe_yaml(path) if ending in METADATA_ENDINGS else ("", "")))


def _describe_yaml(path: Path) -> tuple[str, str]:
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


def _ask(kind: type[FormatDetector], folder: Path, names: Sequence[str]) -> str:
    try:
        detector = kind()
        detector.folder, detector.data_filenames = str(folder), list(names)
        found = detector.data_format()
    except Exception as error:  # noqa: BLE001 - other people's code: a deposit does not fail because of it
        _log.warning("The format detector %s has failed: %r", kind.__name__, error)
        return ""
    return found if isinstance(found, str) and found != UNDETECTED else ""


@cache
def _installed() -> tuple[type[FormatDetector], ...]:
    return tuple(_load_installed())


def _load_installed() -> Iterator[type[FormatDetector]]:
    from importlib.metadata import entry_points

    for entry in entry_points(group=ENTRY_POINTS):
        try:
            yield entry.load()
        except Exception as error:  # noqa: BLE001 - other people's code: a deposit does not fail because of it
            _log.warning("The format detector %s cannot be loaded: %r", entry.name, error)


def _line(path: Path, number: int) -> str:
    """The line of that number, from 0, in the first 4 KiB of a file; empty when there is none."""
    try:
        with path.open("rb") as file:
            lines = file.read(_FIRST_BYTES).decode("utf-8-sig", "replace").splitlines()
    except OSError:
        return ""
    return lines[number] if number < len(lines) else ""

"""Paths inside a dataset: one set of rules for publishing, manifests, archives and fetching.

What these rules accept can be written on every common file system and shown on every screen, and stays inside
its folder. Nothing is repaired or skipped: a path is taken as it is, or refused by the name of the rule.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from archive_tui.errors import InvalidName
from archive_tui.names.display import escape_for_display
from archive_tui.names.object_keys import is_temporary_name

MANIFEST_NAME = "manifest.json"
"""The document at the top of every dataset; no file of the data may have this name there."""

LONGEST_PATH = 4000
"""Bytes of UTF-8; Linux takes 4,096 with the folder before it."""

LONGEST_SEGMENT = 255
"""Bytes of UTF-8 between two `/`."""

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\\\\\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_DRIVE = re.compile(r"[A-Za-z]:")
_HOME = re.compile(r"~[\w.+-]*")
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3]) *(?:[.:].*)?",
    re.IGNORECASE | re.DOTALL,
)
# Nearly all real paths match this, in a third of the time; what does not is looked at rule by rule.
_PLAIN_SEGMENT = r"(?!con|prn|aux|nul|com|lpt|clock)[a-z0-9_](?:[a-z0-9_.,+=@ -]*[a-z0-9_-])?"
_PLAIN_PATH = re.compile(f"{_PLAIN_SEGMENT}(?:/{_PLAIN_SEGMENT})*", re.IGNORECASE | re.ASCII)
_HINT = "Rename the entry; docs/errors.md explains every rule."

Fault = tuple[str, str]
"""A rule and the sentence part that explains it."""


@lru_cache(maxsize=8192)
def _find_segment_fault(segment: str) -> Fault | None:
    if segment == "":
        return "path-empty-segment", "it has an empty part"
    if segment == ".":
        return "path-dot", "it has the part '.'"
    if segment == "..":
        return "path-parent", "it has the part '..'"
    if segment[-1] in ". ":
        return "path-trailing", "a part ends with a dot or a space"
    if _DEVICE.fullmatch(segment):
        return "path-device", "a part is the name of a Windows device"
    if len(segment.encode()) > LONGEST_SEGMENT:
        return "path-segment-too-long", f"a part has more than {LONGEST_SEGMENT} bytes"
    if is_temporary_name(segment):
        return "path-temporary", "the name is reserved for unfinished writes"
    return None


def _name_unsafe_character(character: str) -> Fault:
    point = ord(character)
    if character == "\\":
        return "path-backslash", "it holds a backslash"
    if 0xD800 <= point <= 0xDFFF:
        return "path-encoding", "it is not valid Unicode"
    if point == 0:
        return "path-nul", "it holds a NUL character"
    if point < 0xA0 or point in (0x2028, 0x2029):
        return "path-control", "it holds control characters"
    return "path-bidi", "it holds characters that turn the direction of writing"


def find_path_fault(path: str) -> Fault | None:
    """Returns the first rule that refuses `path` with the reason as part of a sentence, or None."""
    if len(path) != len(MANIFEST_NAME) and len(path) <= LONGEST_SEGMENT and _PLAIN_PATH.fullmatch(path):
        return None
    if not path:
        return "path-empty", "it is empty"
    unsafe = _UNSAFE.search(path)
    if unsafe is not None:
        return _name_unsafe_character(unsafe.group())
    if path[0] == "/":
        return "path-absolute", "it begins with /"
    if path[1:2] == ":" and _DRIVE.match(path):
        return "path-drive", "it begins like a Windows drive"
    if len(path) > LONGEST_PATH or len(path.encode()) > LONGEST_PATH:
        return "path-too-long", f"it has more than {LONGEST_PATH} bytes"
    segments = path.split("/")
    if path[0] == "~" and _HOME.fullmatch(segments[0]):
        return "path-home", "it begins like a home folder"
    for segment in segments:
        fault = _find_segment_fault(segment)
        if fault is not None:
            return fault
    if len(path) == len(MANIFEST_NAME) and path.casefold() == MANIFEST_NAME:
        return "path-manifest", f"{MANIFEST_NAME} at the top is the manifest itself"
    return None


def check_member_path(path: str) -> str:
    """Returns `path` as it is: relative, `/` between its parts, writable everywhere.

    Raises: InvalidName with the rule as its code: path-empty, path-nul, path-control, path-bidi, path-encoding,
    path-backslash, path-absolute, path-drive, path-home, path-too-long, path-empty-segment, path-dot, path-parent,
    path-trailing, path-device, path-segment-too-long, path-temporary, path-manifest.
    """
    fault = find_path_fault(path)
    if fault is None:
        return path
    code, why = fault
    shown = path if len(path) <= 200 else path[:200] + "…"
    raise InvalidName(f"Path refused ({code}), {why}: {escape_for_display(shown)}", name=path, hint=_HINT, code=code)


def fold_path(path: str) -> str:
    """Returns what a file system that ignores case and normalises Unicode would take `path` for."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def _name_clash(paths: tuple[str, ...]) -> str:
    if len(set(paths)) < len(paths):
        return "clash-duplicate"
    if len({unicodedata.normalize("NFC", path) for path in paths}) < len(paths):
        return "clash-normalisation"
    return "clash-case"


def _cannot_clash(paths: list[str]) -> bool:
    """True when all paths differ even after folding and no folder has the name of a file; False: it has to be looked
    at path by path."""
    folded = set(map(fold_path, paths))
    if len(folded) != len(paths):
        return False
    parents = {path.rpartition("/")[0] for path in folded}
    while parents:
        if not folded.isdisjoint(parents):
            return False
        parents = {path.rpartition("/")[0] for path in parents if path}
        parents.discard("")
    return True


def find_clashes(paths: Iterable[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Returns the groups of paths that some file system cannot hold side by side, each with its rule, sorted.

    Rules: `clash-duplicate` (the same path twice), `clash-case`, `clash-normalisation`, and `clash-file-folder`: the
    first path is a file, the second lies in a folder of the same name (letter case and normalisation ignored).
    """
    paths = list(paths)
    if _cannot_clash(paths):
        return []
    groups: dict[str, list[str]] = {}
    for path in paths:
        groups.setdefault(fold_path(path), []).append(path)
    clashes = []
    folders: dict[str, str] = {}
    for folded, members in groups.items():
        if len(members) > 1:
            together = tuple(sorted(members))
            clashes.append((_name_clash(together), together))
        parent = folded.rpartition("/")[0]
        while parent and parent not in folders:
            folders[parent] = members[0]
            parent = parent.rpartition("/")[0]
    for folded in folders.keys() & groups.keys():
        clashes.append(("clash-file-folder", (groups[folded][0], folders[folded])))
    return sorted(clashes)

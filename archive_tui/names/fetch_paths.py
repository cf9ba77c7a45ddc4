"""Which names of a checksum manifest may become files below a folder, and which path each of them means.

Wider than `member_paths`: a list of somebody's files is to bring back exactly those files, so newlines, backslashes,
bytes that are no UTF-8, device names and trailing dots are names like any other. What could lead out of the folder, or
cannot be a name at all, is refused by the name of the rule.
"""

from __future__ import annotations

import os
import re

from archive_tui.errors import InvalidName
from archive_tui.names.display import escape_for_display
from archive_tui.names.member_paths import LONGEST_PATH, LONGEST_SEGMENT, Fault
from archive_tui.names.object_keys import TEMPORARY_PREFIX, is_temporary_name

# Most names need no second look: short ASCII, without empty or dotted parts.
_PLAIN = re.compile(r"(?!\.)[A-Za-z0-9_.+=@, -]{1,80}(?:/(?!\.)[A-Za-z0-9_.+=@, -]{1,80}){0,20}")
_SHOWN = 200


def find_fetch_path(name: str) -> str:
    """Returns the path below a folder that the name of a line means: `./` and repeated slashes are taken away, all
    else is kept, byte by byte. Two names mean the same file if, and only if, their paths are equal.

    Raises: InvalidName with the rule as its code: path-empty, path-nul, path-encoding, path-absolute, path-parent,
    path-too-long, path-segment-too-long, path-temporary; path-empty-segment, path-dot (a folder's name: `a/`, `a/.`).
    """
    if _PLAIN.fullmatch(name):
        return name
    parts = [part for part in name.split("/") if part not in ("", ".")]
    fault = _find_fault(name, parts)
    if fault is None:
        return "/".join(parts)
    rule, why = fault
    shown = escape_for_display(name if len(name) <= _SHOWN else name[:_SHOWN] + "…")
    raise InvalidName(
        f"Name refused ({rule}), {why}: {shown}",
        name=name,
        code=rule,
        hint="Nothing is written outside the folder. docs/errors.md explains every rule.",
    )


def _find_fault(name: str, parts: list[str]) -> Fault | None:
    if not name:
        return "path-empty", "it is empty"
    if "\0" in name:
        return "path-nul", "it holds a NUL character"
    if name[0] == "/":
        return "path-absolute", "it begins with /"
    try:
        encoded = os.fsencode(name)
    except UnicodeEncodeError:
        return "path-encoding", "no file can have such a name"
    if ".." in parts:
        return "path-parent", "it has the part '..'"
    if name.endswith("/"):
        return "path-empty-segment", "it ends like the name of a folder"
    if name.endswith("/.") or not parts:
        return "path-dot", "it names a folder, not a file"
    if len(encoded) > LONGEST_PATH:
        return "path-too-long", f"it has more than {LONGEST_PATH} bytes"
    return _find_part_fault(name, parts)


def _find_part_fault(name: str, parts: list[str]) -> Fault | None:
    if len(name) > LONGEST_SEGMENT // 4 and any(len(os.fsencode(part)) > LONGEST_SEGMENT for part in parts):
        return "path-segment-too-long", f"a part has more than {LONGEST_SEGMENT} bytes"
    if TEMPORARY_PREFIX in name and any(is_temporary_name(part) for part in parts):
        return "path-temporary", "the name is reserved for unfinished writes"
    return None

"""Begun parts of large files that are being fetched: noted in the journal of their job, so that the next run of it goes
on with them, and so that they can be removed when nobody will."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any, NamedTuple

from archive_tui.continuation import Journal
from archive_tui.objects.folder.contained_write import ContainedFolder
from archive_tui.objects.folder.kept_parts import is_kept_name

PARTS = "parts"
"""The name in the journal."""


class UnfinishedPart(NamedTuple):
    """`name` is the temporary one, in the folder of the file; `version` that of the object that is being read."""

    name: str
    digest: str
    version: str | None


class UnfinishedParts:
    """The parts below `root` by the path of their file, a few at a time. May be used from several threads."""

    def __init__(self, journal: Journal, root: Path) -> None:
        self._journal = journal
        self._root = os.path.abspath(root)  # noqa: PTH100  (no link is resolved)
        self._lock = threading.Lock()
        noted_root, parts = _read_note(journal.load(PARTS)) if journal.is_kept else ("", {})
        self._parts = parts if noted_root == self._root else {}

    @property
    def is_kept(self) -> bool:
        return self._journal.is_kept

    def find(self, path: str) -> UnfinishedPart | None:
        with self._lock:
            return self._parts.get(path)

    def keep(self, path: str, part: UnfinishedPart) -> None:
        """On the disk when it returns."""
        with self._lock:
            self._parts[path] = part
            self._journal.save(PARTS, _write_note(self._root, self._parts), durable=True)

    def forget(self, path: str) -> None:
        with self._lock:
            if self._parts.pop(path, None) is not None:
                self._journal.save(PARTS, _write_note(self._root, self._parts))


def remove_unfinished_parts(note: bytes) -> bytes | None:
    """Removes the parts that a journal has noted under PARTS. Returns the note of those that somebody works on, or that
    cannot be removed; None: all are gone. Never raises OSError."""
    root, parts = _read_note(note)
    if not parts:
        return None
    target = ContainedFolder(Path(root))
    return _write_note(root, {path: part for path, part in parts.items() if not target.remove_part(path, part.name)})


def _read_note(note: bytes | None) -> tuple[str, dict[str, UnfinishedPart]]:
    try:
        root, parts = json.loads(note or b'["", {}]')
        found = {str(path): UnfinishedPart(*map(_as_text, part)) for path, part in parts.items()}
    except (ValueError, TypeError, AttributeError):
        return "", {}  # written by another release: the files are fetched anew
    return str(root), {path: part for path, part in found.items() if is_kept_name(part.name)}


def _as_text(value: object) -> Any:
    return None if value is None else str(value)


def _write_note(root: str, parts: dict[str, UnfinishedPart]) -> bytes | None:
    return json.dumps([root, parts]).encode("ascii") if parts else None

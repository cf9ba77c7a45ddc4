"""Patterns of file names, expanded as a shell does it: for patterns that no shell has seen."""

from __future__ import annotations

import errno
import fnmatch
import os
import re
from collections.abc import Callable, Iterator

from archive_tui.progress import StopSignal, check_stop, never

_MAGIC = re.compile(r"[*?\[]")
_DEEP = "**"
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR}

Failed = Callable[[str, OSError], None]
"""Receives a folder that could not be read, and why."""


def is_pattern(word: str) -> bool:
    return _MAGIC.search(word) is not None


def expand_pattern(pattern: str, *, failed: Failed, stop: StopSignal = never) -> Iterator[str]:
    """Yields the names that match, files and folders, in any order; one may come twice.

    `*`, `?` and `[...]` match within one segment, `**` any number of folders (symbolic links to folders are not
    entered by it, they are by the others). A leading dot is matched by a dot only. Names begin as the pattern does.

    Raises: OperationStopped.
    """
    segments = re.findall(r"/+|[^/]+", pattern)
    waiting = [("", 0)]
    while waiting:
        check_stop(stop)
        begin, position = waiting.pop()
        while position < len(segments) and not is_pattern(segments[position]):
            begin += segments[position]
            position += 1
        if position == len(segments):
            if os.path.lexists(begin):
                yield begin
        elif segments[position] != _DEEP:
            matching = _match_segment(begin, segments[position], failed)
            waiting.extend((name, position + 1) for name in matching)
        elif position + 1 == len(segments):
            for folder, names in _walk(begin, failed, stop):
                yield from (folder + name for name in names)
        elif segments[position + 2 : position + 3] == [_DEEP]:  # two in a row match what one matches
            waiting.append((begin, position + 2))
        else:
            waiting.extend((folder, position + 2) for folder, _ in _walk(begin, failed, stop))


def _match_segment(begin: str, segment: str, failed: Failed) -> Iterator[str]:
    matches = re.compile(fnmatch.translate(segment.replace("[^", "[!"))).match
    for entry in _list_folder(begin, failed):
        if matches(entry.name) and (segment.startswith(".") or not entry.name.startswith(".")):
            yield begin + entry.name


def _walk(begin: str, failed: Failed, stop: StopSignal) -> Iterator[tuple[str, list[str]]]:
    """Yields `begin` and every folder below it, each with the slash at its end and the names in it that are none."""
    waiting = [begin]
    while waiting:
        check_stop(stop)
        folder = waiting.pop()
        others = []
        for entry in _list_folder(folder, failed):
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{folder}{entry.name}/")
            else:
                others.append(entry.name)
        yield folder, others


def _list_folder(folder: str, failed: Failed) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder or ".") as entries:
            return list(entries)
    except OSError as error:
        if error.errno not in _NOT_THERE:
            failed(folder, error)
        return []

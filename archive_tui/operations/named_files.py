"""Finds the files that a new checksum manifest is to list: those that were named, and those in folders that were."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from archive_tui.errors import SourceError
from archive_tui.names.display import escape_for_display
from archive_tui.names.object_keys import is_temporary_name
from archive_tui.names.quantities import format_count
from archive_tui.operations.glob_expansion import expand_pattern, is_pattern
from archive_tui.progress import Ended, ItemDone, Notice, Planned, Report, StopSignal, check_stop, ignore, never

PHASE = "scan"
STANDARD_INPUT = "-"
NO_REGULAR_FILE = "Not a regular file"

_SECONDS_BETWEEN = 0.05

Failed = Callable[[str, OSError], None]
"""Receives the name of what could not be read, and why."""


def refuse_unreadable(name: str, error: OSError) -> None:
    """Raises: SourceError, always: what is done about a failure when nobody else wants to know of it."""
    reason = error.strerror or str(error)
    raise SourceError(
        f"Cannot be read: {escape_for_display(name)} ({reason})", path=name, hint="Nothing was listed."
    ) from error


def find_named_files(
    files: Sequence[str],
    folders: Sequence[str],
    *,
    recursive: bool = False,
    failed: Failed = refuse_unreadable,
    report: Report = ignore,
    stop: StopSignal = never,
) -> list[str]:
    """Returns the names, each once, sorted by their bytes.

    `files`: each is taken as it is written, there or not; one that is not there and has `*`, `?` or `[` is a pattern,
    and stands for the files that match. `folders`: the files directly in them, with `recursive` all below. A name is
    the folder as it is written, a slash, and the rest. Symbolic links to files count as files, broken ones too;
    those to folders are not entered. Left out are unfinished writes of this program and what is neither file nor
    folder; what is left out is said in a Notice. `failed` is told of a folder that cannot be read, of a pattern that
    matches no file, of a pipe or device among `files`; it may raise.

    Raises: what `failed` raises (SourceError unless it was given), OperationStopped.
    """
    search = _Search(failed, report, stop)
    report(Planned(PHASE))
    is_finished = False
    try:
        for word in files:
            search.add_word(word)
        for folder in folders:
            search.add_folder(folder, recursive)
        is_finished = True
    finally:
        report(Ended(PHASE, is_finished))
    search.report_left_out()
    return sorted(search.names, key=os.fsencode)


def find_unreadable(names: Sequence[str], *, root: Path = Path(), failed: Failed, stop: StopSignal = never) -> None:
    """Tells `failed` of every name that cannot be opened for reading, or is no regular file. Nothing is read.

    Raises: OperationStopped; OSError when there is no `root`; what `failed` raises.
    """
    root_fd = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in names:
            check_stop(stop)
            if name != STANDARD_INPUT and (error := _try_to_open(name, root_fd)) is not None:
                failed(name, error)
    finally:
        os.close(root_fd)


def _try_to_open(name: str, root_fd: int) -> OSError | None:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=root_fd)
    except OSError as error:
        return error
    try:
        mode = os.fstat(descriptor).st_mode
    finally:
        os.close(descriptor)
    if stat.S_ISDIR(mode):
        return IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    return None if stat.S_ISREG(mode) else OSError(errno.EINVAL, NO_REGULAR_FILE)


class _Search:
    def __init__(self, failed: Failed, report: Report, stop: StopSignal) -> None:
        self.names: set[str] = set()
        self._failed = failed
        self._report = report
        self._stop = stop
        self._linked_folders = 0
        self._matched_folders = 0
        self._special: set[str] = set()
        self._told_at = 0.0

    def add_word(self, word: str) -> None:
        if not is_pattern(word) or os.path.lexists(word):
            self._add_named(word)
            return
        names = set(self._match(word))
        if not names:
            self._failed(word, FileNotFoundError(errno.ENOENT, "No file matches"))
        self.names |= names

    def _add_named(self, word: str) -> None:
        if not word:
            self._failed(word, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))
            return
        mode = stat.S_IFREG
        if word != STANDARD_INPUT:
            with contextlib.suppress(OSError):  # said when it is to be read
                mode = Path(word).stat().st_mode
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            self._add(word)
        else:
            self._failed(word, OSError(errno.EINVAL, NO_REGULAR_FILE))

    def _match(self, pattern: str) -> Iterator[str]:
        for name in expand_pattern(pattern, failed=self._failed, stop=self._stop):
            if is_temporary_name(name.rpartition("/")[2]):
                continue
            try:
                mode = Path(name).stat().st_mode
            except OSError:  # said when it is to be read
                yield name
                continue
            if stat.S_ISREG(mode):
                yield name
            elif stat.S_ISDIR(mode):
                self._matched_folders += 1
            else:
                self._special.add(name)

    def add_folder(self, folder: str, recursive: bool) -> None:
        waiting = [folder]
        while waiting:
            check_stop(self._stop)
            current = waiting.pop()
            try:
                with os.scandir(current) as entries:
                    listed = list(entries)
            except OSError as error:
                self._failed(current, error)
                continue
            begin = current if current.endswith("/") else f"{current}/"
            for entry in listed:
                if self._add_entry(entry, begin + entry.name, recursive):
                    waiting.append(begin + entry.name)

    def _add_entry(self, entry: os.DirEntry[str], name: str, recursive: bool) -> bool:
        """Returns whether it is a folder to be entered."""
        if entry.is_file(follow_symlinks=False):
            if not is_temporary_name(entry.name):
                self._add(name)
        elif entry.is_dir(follow_symlinks=False):
            return recursive and not is_temporary_name(entry.name)
        elif not entry.is_symlink():
            self._special.add(name)
        else:
            self._add_link(name, recursive)
        return False

    def _add_link(self, name: str, recursive: bool) -> None:
        try:
            mode = Path(name).stat().st_mode
        except OSError:  # a broken link: said when it is to be read
            self._add(name)
            return
        if stat.S_ISREG(mode):
            self._add(name)
        elif stat.S_ISDIR(mode):
            self._linked_folders += recursive
        else:
            self._special.add(name)

    def _add(self, name: str) -> None:
        self.names.add(name)
        now = time.monotonic()
        if now - self._told_at >= _SECONDS_BETWEEN:
            self._told_at = now
            self._report(ItemDone(PHASE, name, len(self.names)))

    def report_left_out(self) -> None:
        if self._linked_folders:
            count = format_count(self._linked_folders, "symbolic link")
            self._report(Notice(f"Not entered: {count} to folders."))
        if self._matched_folders:
            count = format_count(self._matched_folders, "folder")
            self._report(Notice(f"Left out: {count} that a pattern matches; --dir takes the files in one."))
        if self._special:
            shown = ", ".join(escape_for_display(name) for name in sorted(self._special)[:3])
            more = ", …" if len(self._special) > 3 else ""
            count = format_count(len(self._special), "socket, pipe or device", "sockets, pipes or devices")
            self._report(Notice(f"Left out: {count}: {shown}{more}"))

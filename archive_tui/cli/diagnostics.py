"""The only module that writes to standard error and that knows exit statuses."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from enum import IntEnum
from typing import TYPE_CHECKING

from archive_tui import errors

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console


class ExitStatus(IntEnum):
    """What the shell sees; docs/exit-codes.md explains each."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    INCONCLUSIVE = 3
    BUG = 70
    STOPPED = 130
    OUTPUT_CLOSED = 141


STATUS_OF_ERROR: dict[type[errors.ArchiveError], ExitStatus] = {
    errors.ArchiveError: ExitStatus.FINDINGS,
    errors.ConfigurationError: ExitStatus.USAGE,
    errors.InvalidBrokerConfiguration: ExitStatus.USAGE,
    errors.InvalidName: ExitStatus.USAGE,
    errors.MissingPathError: ExitStatus.USAGE,
    errors.MissingLoiError: ExitStatus.USAGE,
    errors.InvalidLoiError: ExitStatus.USAGE,
    errors.SourceError: ExitStatus.FINDINGS,
    errors.SourceNotFound: ExitStatus.FINDINGS,
    errors.SourceUnreadable: ExitStatus.FINDINGS,
    errors.SourceChanged: ExitStatus.FINDINGS,
    errors.TargetExists: ExitStatus.FINDINGS,
    errors.StorageError: ExitStatus.FINDINGS,
    errors.ObjectNotFound: ExitStatus.FINDINGS,
    errors.MissingFile: ExitStatus.FINDINGS,
    errors.LoiNotFoundError: ExitStatus.FINDINGS,
    errors.MissingContentError: ExitStatus.FINDINGS,
    errors.NoFileError: ExitStatus.FINDINGS,
    errors.ObjectExists: ExitStatus.FINDINGS,
    errors.ExistingFileError: ExitStatus.FINDINGS,
    errors.AlreadyPresentException: ExitStatus.FINDINGS,
    errors.NotAStoreError: ExitStatus.FINDINGS,
    errors.AccessDenied: ExitStatus.FINDINGS,
    errors.StorageFull: ExitStatus.FINDINGS,
    errors.StorageUnavailable: ExitStatus.FINDINGS,
    errors.IntegrityError: ExitStatus.FINDINGS,
    errors.HashError: ExitStatus.FINDINGS,
    errors.ManifestError: ExitStatus.FINDINGS,
    errors.MissingInformationError: ExitStatus.FINDINGS,
    errors.HostileArchive: ExitStatus.FINDINGS,
    errors.OperationStopped: ExitStatus.STOPPED,
}
"""Every class of the error tree; a test proves it complete."""

COULD_NOT_LOOK = (errors.SourceUnreadable, errors.AccessDenied, errors.StorageUnavailable)
"""Errors that say nothing about the data: a verification that ends with one is inconclusive, not a finding."""

STATUS_OF_VERDICT: dict[str, ExitStatus] = {
    "verified": ExitStatus.CLEAN,
    "findings": ExitStatus.FINDINGS,
    "inconclusive": ExitStatus.INCONCLUSIVE,
    "stopped": ExitStatus.STOPPED,
}
"""By the text of `Verdict`, which is not imported: this module is paid for by every call of the program."""


def status_of(error: errors.ArchiveError, *, verifying: bool = False) -> ExitStatus:
    """Returns the exit status of an error; `verifying`: the command was to judge data."""
    if verifying and isinstance(error, COULD_NOT_LOOK):
        return ExitStatus.INCONCLUSIVE
    return next(STATUS_OF_ERROR[kind] for kind in type(error).__mro__ if kind in STATUS_OF_ERROR)


def escape(text: str) -> str:
    """Returns a message as one piece of text that no terminal interprets."""
    from archive_tui.names.display import escape_for_display

    return "\n".join(escape_for_display(line) for line in text.splitlines())


class StatusLine:
    """The line at the foot of the terminal that says how far an operation is. Whoever writes a line of another kind
    hides it first; it is drawn again with the next figures. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._is_drawn = False

    def draw(self, text: str) -> None:
        with self._lock:
            self._is_drawn = True
            _write(f"\r{text}\033[K")

    @contextlib.contextmanager
    def hidden(self) -> Iterator[None]:
        with self._lock:
            if self._is_drawn:
                self._is_drawn = False
                _write("\r\033[K")
            yield


STATUS_LINE = StatusLine()


def write_diagnostic(text: str) -> None:
    """Writes a line to standard error; a standard error that is gone is no reason to fail."""
    with STATUS_LINE.hidden():
        _write(text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")


def _write(text: str) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or none at all
        sys.stderr.write(text)
        sys.stderr.flush()


def write_from_signal_handler(text: str) -> None:
    """Writes a line past the buffer of standard error, which the interrupted code may be in the middle of writing."""
    import os

    with contextlib.suppress(OSError):
        os.write(2, f"{text}\n".encode())


def report_error(message: str, hint: str = "") -> None:
    """Writes what went wrong, and what to do next."""
    write_diagnostic(f"archive-tui: {escape(message)}")
    if hint:
        write_diagnostic(f"hint: {escape(hint)}")


def report_message(text: str) -> None:
    """Writes a message in which names are quoted already (`quote_name`); a terminal gets it without format characters,
    which coreutils lets pass."""
    write_diagnostic(f"archive-tui: {escape(text) if sys.stderr is not None and sys.stderr.isatty() else text}")


def report_note(text: str) -> None:
    """Writes something that is worth knowing and no failure."""
    write_diagnostic(f"note: {escape(text)}")


def report_bug(error: BaseException) -> None:
    """Writes an unexpected failure in a sentence, and its traceback into a file of the user's state folder."""
    place = _save_traceback(error)
    summary = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    hint = (
        f"Details are in {place}; please report them." if place else "Run it again with `python -X dev` and report it."
    )
    report_error(f"This is a mistake in archive-tui itself, nothing is claimed about the result. {summary}", hint)


def _save_traceback(error: BaseException) -> Path | None:
    import os
    import time
    import traceback

    import platformdirs

    try:
        folder = platformdirs.user_state_path("archive-tui") / "tracebacks"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{time.strftime('%Y-%m-%dT%H%M%S')}-{os.getpid()}.txt"
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8", errors="backslashreplace")
    except OSError:
        return None
    return path


def is_terminal() -> bool:
    """True when standard error is a terminal that can redraw a line."""
    import os

    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def open_console() -> Console:
    """Returns a rich console on standard error, for progress bars."""
    from rich.console import Console

    return Console(stderr=True, markup=False, highlight=False)

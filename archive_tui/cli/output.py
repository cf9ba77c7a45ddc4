"""The only module that writes to standard output."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO

from archive_tui.cli.diagnostics import STATUS_LINE


class OutputClosed(Exception):
    """Whoever read our output has gone away (`archive-tui ls … | head`)."""


class OutputFailed(Exception):
    """Standard output takes no more, or there is none; the message is the system's reason."""


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise OutputFailed(error.strerror or str(error)) from error


def write_line(text: str = "") -> None:
    """Writes a line; characters that the output's encoding lacks are written as escapes.

    Raises: OutputClosed, OutputFailed.
    """
    _write_collected()
    with _translated():
        stream = _standard_output()
        try:
            print(text, file=stream)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream)


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _standard_output() -> TextIO:
    """Raises: OSError when the program was started without one."""
    if sys.stdout is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return sys.stdout


_collected = bytearray()
"""Bytes for standard output that no call of the system has been spent on yet: some environments have the streams of
Python unbuffered."""

_COLLECTED_AT_MOST = 1 << 16


def _write_collected() -> None:
    """Raises: OutputClosed, OutputFailed."""
    if not _collected:
        return
    block = bytes(_collected)
    _collected.clear()
    rest = memoryview(block)
    with _translated():
        while rest:
            rest = rest[_standard_output().buffer.write(rest) :]


class ByteWriter:
    """Writes lines that hold names, as bytes: exactly so into a pipe or a file, on a terminal with escapes for what a
    terminal would interpret. On a terminal each piece is seen at once, above the line of progress; elsewhere pieces are
    collected, and `flush_output` hands over the last of them."""

    def __init__(self) -> None:
        self._is_terminal = _is_terminal()

    def write(self, lines: bytes) -> None:
        """Raises: OutputClosed, OutputFailed."""
        if self._is_terminal:
            self._show(lines)
            return
        _collected.extend(lines)
        if len(_collected) >= _COLLECTED_AT_MOST:
            _write_collected()

    def _show(self, lines: bytes) -> None:
        from archive_tui.names.display import escape_for_display

        shown = "\n".join(escape_for_display(line) for line in os.fsdecode(lines).split("\n"))
        with STATUS_LINE.hidden():
            _collected.extend(shown.encode("utf-8", "backslashreplace"))
            flush_output()


def write_pieces(pieces: Iterable[str]) -> None:
    """Writes a long text as it is made, so that memory does not grow with it; on a terminal with escapes.

    Raises: OutputClosed, OutputFailed.
    """
    writer = ByteWriter()
    for piece in pieces:
        writer.write(piece.encode("utf-8", "surrogateescape"))


def write_json(document: Any) -> None:
    """Writes one JSON document in ASCII, so that no terminal interprets a name in it.

    Raises: OutputClosed.
    """
    import json

    write_line(json.dumps(document, indent=2, ensure_ascii=True))


def path_fields(name: str) -> dict[str, str]:
    """Returns the fields that name a file in a document: `path`, and for a name that is no UTF-8 `path_bytes` (base64),
    as a manifest in JSON has it; `path` then shows it with escapes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        import base64

        from archive_tui.names.display import escape_for_display

        return {"path": escape_for_display(name), "path_bytes": base64.b64encode(os.fsencode(name)).decode()}
    return {"path": name}


def write_table(rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> None:
    """Writes rows in aligned columns; the columns numbered in `right` are aligned to the right."""
    if not rows:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        write_line("  ".join(cells).rstrip())


def show_name(name: str) -> str:
    """Returns a name from outside, safe for the reader: escaped on a terminal, as it is in a pipe."""
    from archive_tui.names.display import escape_for_display

    return escape_for_display(name) if _is_terminal() else name


def flush_output() -> None:
    """Hands everything over, so that a full disk or a closed pipe is noticed before the exit status is chosen.

    Raises: OutputClosed, OutputFailed.
    """
    _write_collected()
    with _translated():
        if sys.stdout is not None:
            sys.stdout.flush()


def discard_output() -> None:
    """Drops what could not be written, so that the interpreter does not try again while it ends."""
    _collected.clear()
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError, AttributeError):  # there is none
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)

"""The only module that writes to standard output."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any


class OutputClosed(Exception):
    """Whoever read our output has gone away (`archive-tui ls … | head`)."""


def write_line(text: str = "") -> None:
    """Writes a line; characters that the output's encoding lacks are written as escapes.

    Raises: OutputClosed.
    """
    stream = sys.stdout
    try:
        try:
            print(text, file=stream)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream)
    except BrokenPipeError as error:
        raise OutputClosed from error


def write_json(document: Any) -> None:
    """Writes one JSON document in ASCII, so that no terminal interprets a name in it.

    Raises: OutputClosed.
    """
    import json

    write_line(json.dumps(document, indent=2, ensure_ascii=True))


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

    return escape_for_display(name) if sys.stdout.isatty() else name


def flush_output() -> None:
    """Hands everything over, so that a full disk or a closed pipe is noticed before the exit status is chosen.

    Raises: OutputClosed, OSError.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise OutputClosed from error


def discard_output() -> None:
    """Drops what could not be written, so that the interpreter does not try again while it ends."""
    import os

    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)

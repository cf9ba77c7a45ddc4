"""What a person wants left out: `.archive-tui-ignore` at the top of a source, in the pattern language of git."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from archive_tui.errors import SourceError
from archive_tui.integrity.streams import read_bounded

IGNORE_FILE = ".archive-tui-ignore"
_LARGEST_IGNORE_FILE = 1 << 20

Ignores = Callable[[str, bool], bool]
"""Called with a path relative to the source and whether it is a folder."""


def load_ignore_rules(folder: Path) -> Ignores | None:
    """Returns the rules of the ignore file at the top of `folder`, or None when there is none.

    Raises: SourceError (code `ignore-file`) when it cannot be read or holds a pattern that cannot be understood.
    """
    try:
        descriptor = os.open(folder / IGNORE_FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refuse(error.strerror or str(error)) from error
    try:
        text = read_bounded(descriptor, _LARGEST_IGNORE_FILE)
        if text is None:
            raise _refuse("it is larger than 1 MiB")
        return parse_ignore_rules(text.decode())
    except (OSError, UnicodeDecodeError) as error:
        raise error if isinstance(error, SourceError) else _refuse(str(error)) from error
    finally:
        os.close(descriptor)


def parse_ignore_rules(text: str) -> Ignores:
    """Returns the rules that `text` holds, one pattern a line.

    Raises: SourceError (code `ignore-file`) when a pattern cannot be understood.
    """
    from pathspec import GitIgnoreSpec  # imported here: only a source with an ignore file pays

    try:
        spec = GitIgnoreSpec.from_lines(text.splitlines())
    except ValueError as error:
        raise _refuse(str(error)) from error

    def ignores(path: str, is_folder: bool) -> bool:
        return spec.match_file(path + "/" if is_folder else path)

    return ignores


def _refuse(reason: str) -> SourceError:
    return SourceError(
        f"{IGNORE_FILE} cannot be used: {reason}",
        path=IGNORE_FILE,
        hint="It holds one pattern a line, like a .gitignore file, in UTF-8.",
        code="ignore-file",
    )

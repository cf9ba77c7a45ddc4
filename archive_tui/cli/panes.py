"""Opens the panes, when the words of the command line are no command."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import click

from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.errors import ArchiveError

if TYPE_CHECKING:
    from archive_tui.settings import Settings


@click.command()
@click.argument("left", required=False)
@click.argument("right", required=False)
@common_options
def panes(left: str | None, right: str | None) -> None:
    """Open two panes on LEFT and RIGHT: folders, or STORAGE[:PREFIX]."""
    invocation = current_invocation()
    settings = invocation.load_settings()
    for word in (left, right):
        if word is not None:
            check_location(word, settings)
    invocation.open_panes(left, right, settings)


def check_location(word: str, settings: Settings) -> None:
    """Raises: ConfigurationError or another ArchiveError when `word` names no place; a near miss of a command is
    said."""
    from archive_tui.archives.locations import open_location
    from archive_tui.cli.root import COMMANDS

    try:
        open_location(word, settings)
    except ArchiveError as error:
        close = difflib.get_close_matches(word, list(COMMANDS), n=1)
        if close:
            error.hint = f"Did you mean the command {close[0]!r}? {error.hint}".rstrip()
        raise

"""The group `archive-tui store`."""

from __future__ import annotations

import click

from archive_tui.cli.lazy_group import LazyCommand, LazyGroup

COMMANDS = {
    "init": LazyCommand("archive_tui.cli.results_looks:init", "Make an empty results store."),
    "info": LazyCommand("archive_tui.cli.results_looks:info", "Show name, place and amount of a results store."),
    "store": LazyCommand("archive_tui.cli.results_files:store", "Check files in, once and for all."),
    "fetch": LazyCommand("archive_tui.cli.results_files:fetch", "Check a file out, verified."),
    "list": LazyCommand("archive_tui.cli.results_looks:list_", "List the files of a production."),
    "verify": LazyCommand("archive_tui.cli.results_files:verify", "Read every file, and name what is wrong."),
}


@click.group(name="store", cls=LazyGroup, lazy_commands=COMMANDS)
def store() -> None:
    """Keep results of an analysis under event, production and file name: written once, verified at each check-out.

    A results store lies in a folder (--root, the current one by default), or in a storage of the settings (--storage).
    """

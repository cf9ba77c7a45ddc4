"""The group `archive-tui safe`."""

from __future__ import annotations

import click

from archive_tui.cli.lazy_group import LazyCommand, LazyGroup

COMMANDS = {
    "new": LazyCommand("archive_tui.cli.safe_deposits:new", "Reserve a LOI for a measurement."),
    "put": LazyCommand("archive_tui.cli.safe_deposits:put", "Deposit a folder under a reserved LOI."),
    "get": LazyCommand("archive_tui.cli.safe_retrieval:get", "Retrieve a dataset, verified while it is unpacked."),
    "update": LazyCommand("archive_tui.cli.safe_deposits:update", "Replace a dataset; the old one is kept."),
    "verify": LazyCommand("archive_tui.cli.safe_retrieval:verify", "Read datasets whole and check every file."),
    "ls": LazyCommand("archive_tui.cli.safe_listing:ls", "List the LOIs, with their states."),
    "show": LazyCommand("archive_tui.cli.safe_listing:show", "Show manifest, files and metadata of a LOI."),
    "adopt": LazyCommand("archive_tui.cli.safe_adopt:adopt", "Take over an existing datasafe folder as it is."),
}


@click.group(cls=LazyGroup, lazy_commands=COMMANDS)
def safe() -> None:
    """Reserve, deposit, retrieve and verify measurements under LOIs (Lab Object Identifiers).

    A LOI looks like 42.1001/ds/exp/sa/42/cwepr/1. A datasafe lies in a folder (--root), in a storage of the settings
    (--storage), or behind HTTP (--url).
    """

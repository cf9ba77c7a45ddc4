"""The group `archive-tui vault`."""

from __future__ import annotations

import click

from archive_tui.cli.lazy_group import LazyCommand, LazyGroup

COMMANDS = {
    "prune": LazyCommand(
        "archive_tui.cli.vault_prune:prune", "Mark what no manifest refers to; delete it after a grace time."
    ),
}


@click.group(cls=LazyGroup, lazy_commands=COMMANDS)
def vault() -> None:
    """Look after a vault: the contents that manifests refer to, each kept once under its digest.

    `archive-tui manifest` lists, asks, archives and fetches.
    """

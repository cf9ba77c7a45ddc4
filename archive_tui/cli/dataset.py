"""The group `archive-tui dataset`."""

from __future__ import annotations

import click

from archive_tui.cli.lazy_group import LazyCommand, LazyGroup

COMMANDS = {
    "publish": LazyCommand("archive_tui.cli.dataset_publish:publish", "Publish a folder or file as a new version."),
    "versions": LazyCommand("archive_tui.cli.dataset_versions:versions", "List datasets, or the versions of one."),
    "diff": LazyCommand("archive_tui.cli.dataset_versions:diff", "Show what changed between two versions."),
    "fetch": LazyCommand("archive_tui.cli.dataset_fetch:fetch", "Fetch a version, verified while it is unpacked."),
    "delete": LazyCommand("archive_tui.cli.dataset_delete:delete", "Delete one version, if you mean it."),
    "verify": LazyCommand("archive_tui.cli.dataset_fetch:verify", "Read a stored version and check every file in it."),
}


@click.group(cls=LazyGroup, lazy_commands=COMMANDS)
def dataset() -> None:
    """Publish, list, compare, fetch, verify and delete versioned datasets.

    STORAGE is a section of the settings; `local`, an archive in your data folder, exists without any.
    """

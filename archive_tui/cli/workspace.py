"""The group `archive-tui workspace`."""

from __future__ import annotations

import click

from archive_tui.cli.lazy_group import LazyCommand, LazyGroup

COMMANDS = {
    "validate": LazyCommand("archive_tui.cli.workspace_looks:validate", "Check the document of a workspace."),
    "list": LazyCommand("archive_tui.cli.workspace_looks:list_", "List the files of a workspace."),
    "upload": LazyCommand("archive_tui.cli.workspace_files:upload", "Upload local files."),
    "download": LazyCommand("archive_tui.cli.workspace_files:download", "Download files into a folder."),
    "move": LazyCommand("archive_tui.cli.workspace_files:move", "Give a file another path."),
    "delete": LazyCommand("archive_tui.cli.workspace_files:delete", "Delete files."),
}


@click.group(name="workspace", cls=LazyGroup, lazy_commands=COMMANDS)
def workspace() -> None:
    """Work on the files of a workspace, through the broker that its document names.

    DOCUMENT is a JSON file such as {"broker": {"type": "host", "host_path": "/srv/files"}}. Where a volume is mounted
    elsewhere than the document says, --mount names the folder.
    """

"""`archive-tui dataset delete`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from archive_tui.cli import diagnostics
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.errors import ConfigurationError
from archive_tui.names.quantities import format_size

if TYPE_CHECKING:
    from archive_tui.archives.datasets.removing import VersionRemoval
    from archive_tui.cli.invocation import Invocation


@click.command(name="delete")
@click.argument("storage")
@click.argument("name")
@click.argument("version")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common_options
def delete(storage: str, name: str, version: str, yes: bool) -> int:
    """Delete VERSION of dataset NAME from STORAGE, with the manifest beside it.

    This is the only way to delete a published version. VERSION is its full number; `latest` is not taken. First it
    tells what refers to the version; on a terminal it asks for the number, elsewhere --yes is needed. The numbers of
    the other versions stay as they are.

    Exit status: 0 it is gone, 1 there is none, or it could not be deleted, 2 nobody has agreed.
    """
    from archive_tui.archives.datasets.removing import plan_removal, remove_version

    invocation = current_invocation()
    store = invocation.open_storage(storage).store
    removal = plan_removal(store, name, version)
    if not yes:
        _ask(invocation, removal)
    remove_version(store, removal)
    if invocation.as_json:
        write_json({**_document(storage, removal), "status": 0})
        return 0
    if yes:
        for sentence in removal.references:
            invocation.note(sentence)
    write_line(f"Deleted: {show_name(name)} {version}, {format_size(removal.size)}")
    return 0


def _ask(invocation: Invocation, removal: VersionRemoval) -> None:
    """Raises: ConfigurationError (delete-unconfirmed) unless somebody has typed the number."""
    what = f"{show_name(removal.name)} {removal.version}, {format_size(removal.size)}"
    is_asked = sys.stdin is not None and sys.stdin.isatty() and diagnostics.is_terminal() and not invocation.as_json
    for sentence in removal.references:
        diagnostics.write_diagnostic(show_name(sentence))
    if not is_asked:
        raise ConfigurationError(
            f"This would delete {what}. Nothing was deleted.", hint="Agree with --yes.", code="delete-unconfirmed"
        )
    diagnostics.write_diagnostic(f"This deletes {what}. Type the number of the version to agree:")
    if sys.stdin.readline().strip() != removal.version:
        raise ConfigurationError("That is not the number; nothing was deleted.", code="delete-unconfirmed")


def _document(storage: str, removal: VersionRemoval) -> dict[str, Any]:
    return {
        "storage": storage,
        "name": removal.name,
        "version": removal.version,
        "deleted": [info.key for info in (removal.archive, removal.manifest) if info is not None],
        "bytes": removal.size,
        "others": list(removal.others),
        "references": list(removal.references),
    }

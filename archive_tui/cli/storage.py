"""`archive-tui storage list` and `storage test`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.lazy_group import LazyCommand, LazyGroup
from archive_tui.cli.output import show_name, write_json, write_line, write_table
from archive_tui.cli.running import run_operation
from archive_tui.errors import ArchiveError
from archive_tui.names.quantities import format_duration

if TYPE_CHECKING:
    from archive_tui.cli.invocation import Invocation
    from archive_tui.operations.storage_test import StorageCard
    from archive_tui.settings import Settings

COMMANDS = {
    "list": LazyCommand("archive_tui.cli.storage:list_storages", "List the storages of the settings, without secrets."),
    "test": LazyCommand("archive_tui.cli.storage:test", "Try a storage out, and show what it has proven."),
}

SIGNS = {"proven": "✓ proven", "refused": "– no", "failed": "✗ failed", "unknown": "? not tried"}


@click.group(cls=LazyGroup, lazy_commands=COMMANDS)
def storage() -> None:
    """List the configured storages, or test one."""


@click.command(name="list")
@common_options
def list_storages() -> int:
    """List the storages that can be named in commands and panes. Secrets are masked."""
    from archive_tui.archives.storages import storage_names

    invocation = current_invocation()
    settings = invocation.load_settings()
    described = [(name, _describe(settings, name)) for name in storage_names(settings)]
    if invocation.as_json:
        origin = str(settings.path) if settings.path is not None else None
        write_json({"settings": origin, "storages": [{"name": name, **keys} for name, keys in described]})
        return 0
    for name, keys in described:
        write_line(show_name(name))
        write_table([(f"  {key}", show_name(str(value))) for key, value in keys.items()])
    if settings.path is None:
        invocation.note("There is no settings file; `local` is the archive in your data folder.")
    return 0


def _describe(settings: Settings, name: str) -> dict[str, Any]:
    from archive_tui.archives.storages import describe_storage

    try:
        return dict(describe_storage(settings, name))
    except ArchiveError as error:
        return {"error": error.message}


@click.command()
@click.argument("name")
@common_options
def test(name: str) -> int:
    """Try out storage NAME: reach, list, write, read back, never overwrite, attest, delete.

    It writes one small object of its own and removes it again. Exit status: 0 all that publishing needs works,
    1 something failed.
    """
    from archive_tui.operations.storage_test import test_storage

    invocation = current_invocation()
    store = invocation.open_storage(name).store
    card = run_operation(invocation, lambda report, stop: test_storage(store, report=report, stop=stop))
    _show_card(invocation, name, card)
    return ExitStatus.CLEAN if card.is_usable else ExitStatus.FINDINGS


def _show_card(invocation: Invocation, name: str, card: StorageCard) -> None:
    if invocation.as_json:
        rows = [
            {"name": row.name, "outcome": str(row.outcome), "detail": row.detail, "seconds": round(row.seconds, 4)}
            for row in card.rows
        ]
        write_json(
            {
                "storage": name,
                "label": card.label,
                "rows": rows,
                "usable": card.is_usable,
                "conclusion": card.conclusion,
            }
        )
        return
    write_line(f"{show_name(name)}: {show_name(card.label)}")
    write_table(
        [
            (
                f"  {row.name}",
                SIGNS[row.outcome],
                format_duration(row.seconds),
                show_name(row.detail),
            )
            for row in card.rows
        ],
        right=frozenset({2}),
    )
    write_line(f"So: {card.conclusion}")

"""`archive-tui store init`, `info` and `list`: what a results store is and holds, without reading the files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.output import show_name, write_json, write_line, write_table
from archive_tui.cli.results_options import current_results_options, results_options
from archive_tui.names.quantities import NOT_KNOWN, format_count, format_size, format_total

if TYPE_CHECKING:
    from archive_tui.archives.results_store.result_entry import ResultEntry
    from archive_tui.archives.results_store.results_store import ResultsStore
    from archive_tui.cli.invocation import Invocation


@click.command()
@click.option("--name", required=True, help="What the store is called, for people.")
@results_options
@common_options
def init(name: str) -> int:
    """Make an empty results store in a folder that is empty or not there yet, or in an empty place of a storage."""
    invocation = current_invocation()
    with _create(invocation, name) as made:
        label = made.label
    if invocation.as_json:
        write_json({"store": label, "name": name})
    else:
        write_line(f"Made: {show_name(name)}, {show_name(label)}")
    return ExitStatus.CLEAN


def _create(invocation: Invocation, name: str) -> ResultsStore:
    from pathlib import Path

    from archive_tui.archives.results_store.opening import create_results_folder, create_results_store
    from archive_tui.archives.results_store.places import results_prefix

    options = current_results_options()
    if options.folder is not None:
        return create_results_folder(Path(options.folder), name)
    assert options.storage is not None
    prefix = results_prefix(invocation.load_settings(), options.storage)
    return create_results_store(invocation.open_storage(options.storage).store, prefix, name)


@click.command()
@results_options
@common_options
def info() -> int:
    """Show what the store is called, where it lies, and how much its manifest lists."""
    invocation = current_invocation()
    with current_results_options().open(invocation) as results:
        entries, name, label = list(results.entries()), results.name, results.label
    amount = {
        "events": len({entry.event for entry in entries}),
        "productions": len({(entry.event, entry.production) for entry in entries}),
        "files": len(entries),
    }
    sizes = [entry.size for entry in entries]
    if invocation.as_json:
        write_json({"name": name, "store": label, **amount, "bytes": sum(size or 0 for size in sizes)})
        return ExitStatus.CLEAN
    counts = ", ".join(format_count(count, word.removesuffix("s")) for word, count in amount.items())
    total = format_total(sum(size or 0 for size in sizes), sum(size is None for size in sizes))
    for word, text in (("name", name), ("store", label), ("holds", f"{counts}, {total}")):
        write_line(f"{word:<6} {show_name(text)}")
    return ExitStatus.CLEAN


@click.command(name="list")
@click.argument("event", default="")
@click.argument("production", default="")
@results_options
@common_options
def list_(event: str, production: str) -> int:
    """List the files of PRODUCTION of EVENT; without them, all files of the event, or of the store."""
    invocation = current_invocation()
    with current_results_options().open(invocation) as results:
        entries, label = list(results.entries(event, production)), results.label
    if invocation.as_json:
        write_json({"store": label, "files": [entry_document(entry) for entry in entries]})
        return ExitStatus.CLEAN
    if not entries:
        invocation.note(f"Nothing is listed there in {label}.")
        return ExitStatus.CLEAN
    rows = [
        (
            show_name(entry.name if production else entry.path),
            entry.md5,
            entry.uuid,
            NOT_KNOWN if entry.size is None else format_size(entry.size),
        )
        for entry in entries
    ]
    write_table([("Resource", "Hash", "UUID", "Size"), *rows], right=frozenset({3}))
    return ExitStatus.CLEAN


def entry_document(entry: ResultEntry) -> dict[str, Any]:
    """Returns a file for `--json`; sizes in bytes, None: not written down."""
    return {
        "event": entry.event,
        "production": entry.production,
        "file": entry.name,
        "uuid": entry.uuid,
        "hash": entry.md5,
        "sha256": entry.sha256,
        "size": entry.size,
    }

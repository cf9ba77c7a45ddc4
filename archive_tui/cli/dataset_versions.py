"""`archive-tui dataset versions` and `dataset diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.output import show_name, write_json, write_line, write_table
from archive_tui.cli.times import format_time, iso_time
from archive_tui.names.quantities import format_count, format_size

if TYPE_CHECKING:
    from archive_tui.archives.datasets.catalog import DatasetVersion
    from archive_tui.integrity.inventory import Entry


@click.command()
@click.argument("storage")
@click.argument("name", required=False)
@common_options
def versions(storage: str, name: str | None) -> int:
    """List the datasets in STORAGE, or the versions of dataset NAME, the latest last."""
    from archive_tui.archives.datasets.catalog import find_version, list_datasets, list_versions

    invocation = current_invocation()
    source = invocation.open_storage(storage)
    if name is not None:
        find_version(source.store, name)
        found = list_versions(source.store, name)
        if invocation.as_json:
            write_json({"storage": storage, "name": name, "versions": [version_document(one) for one in found]})
            return 0
        rows = [(one.version, format_size(one.size), format_time(one.modified), one.key) for one in found]
        write_table([("version", "size", "published", "key"), *rows], right=frozenset({1}))
        return 0
    datasets = list_datasets(source.store)
    if invocation.as_json:
        documents = [
            {"name": one.name, "latest": one.latest.version, "versions": [version_document(v) for v in one.versions]}
            for one in datasets
        ]
        write_json({"storage": storage, "datasets": documents})
        return 0
    if not datasets:
        invocation.note(f"No datasets in {source.store.label} yet.")
        return 0
    table = [
        (
            one.name,
            one.latest.version,
            f"{len(one.versions):,}",
            format_size(one.total_bytes),
            format_time(one.latest.modified),
        )
        for one in datasets
    ]
    write_table([("name", "latest", "versions", "size", "published"), *table], right=frozenset({2, 3}))
    return 0


def version_document(version: DatasetVersion) -> dict[str, Any]:
    """Returns a version for `--json`; sizes in bytes, times in UTC."""
    return {
        "version": version.version,
        "key": version.key,
        "size": version.size,
        "published": iso_time(version.modified),
        "manifest_key": version.manifest_key,
    }


@click.command()
@click.argument("storage")
@click.argument("name")
@click.argument("old", metavar="V1")
@click.argument("new", metavar="V2")
@common_options
def diff(storage: str, name: str, old: str, new: str) -> int:
    """Show what changed from version V1 to V2 of dataset NAME, by the digests in their manifests.

    Nothing is fetched. `latest` is a version too. The exit status is 0 whether or not they differ.
    """
    from archive_tui.archives.datasets.catalog import compare_versions

    invocation = current_invocation()
    source = invocation.open_storage(storage)
    difference = compare_versions(source.store, name, old, new)
    kinds = (
        ("added", "+", difference.added),
        ("changed", "*", difference.changed),
        ("removed", "-", difference.removed),
        ("unknown", "?", difference.unknown),
    )
    if invocation.as_json:
        entries = {word: [entry_document(entry) for entry in found] for word, _, found in kinds}
        write_json({"name": name, "from": old, "to": new, **entries, "same": len(difference.same)})
        return 0
    rows = [
        (sign, format_size(entry.size) if entry.size is not None else "-", show_name(entry.path))
        for _, sign, found in kinds
        for entry in found
    ]
    write_table(rows, right=frozenset({1}))
    counts = ", ".join(f"{len(found):,} {word}" for word, _, found in kinds if found or word != "unknown")
    write_line(f"{name} {old} → {new}: {counts}, {format_count(len(difference.same), 'file')} the same")
    return 0


def entry_document(entry: Entry) -> dict[str, Any]:
    """Returns an entry of an inventory for `--json`."""
    return {"path": entry.path, "size": entry.size, "sha256": entry.digest}

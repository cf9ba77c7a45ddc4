"""`archive-tui safe ls` and `safe show`: what is in a datasafe, without reading the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.output import show_name, write_json, write_line, write_table
from archive_tui.cli.safe_options import current_safe_options, safe_options
from archive_tui.cli.times import format_time, iso_time
from archive_tui.names.quantities import NOT_KNOWN, format_count, format_size

if TYPE_CHECKING:
    from archive_tui.archives.datasafe.safe import DatasetDescription, MetadataText, SafeEntry


@click.command()
@click.argument("prefix", default="")
@safe_options
@common_options
def ls(prefix: str) -> int:
    """List the LOIs that begin with PREFIX (all by default), each with its state."""
    invocation = current_invocation()
    with current_safe_options().open(invocation) as safe:
        entries = list(safe.entries(prefix))
        label = safe.label
    if invocation.as_json:
        write_json({"safe": label, "datasets": [entry_document(entry) for entry in entries]})
        return 0
    if not entries:
        invocation.note(f"No LOI {f'begins with {prefix}' if prefix else 'is reserved yet'} in {label}.")
        return 0
    rows = [
        (
            show_name(entry.loi),
            str(entry.state),
            NOT_KNOWN if entry.files is None else f"{entry.files:,}",
            NOT_KNOWN if entry.size is None else format_size(entry.size),
            format_time(entry.modified),
            f"{entry.old_versions:,}" if entry.old_versions else "",
        )
        for entry in entries
    ]
    write_table([("loi", "state", "files", "size", "deposited", "old"), *rows], right=frozenset({2, 3, 5}))
    for entry in entries:
        if entry.detail:
            write_line(f"{show_name(entry.loi)}: {show_name(entry.detail)}")
    return 0


@click.command()
@click.argument("loi")
@safe_options
@common_options
def show(loi: str) -> int:
    """Show what is known of LOI: state, files with their SHA-256, metadata, old versions."""
    invocation = current_invocation()
    with current_safe_options().open(invocation) as safe:
        found = safe.describe(loi)
    if invocation.as_json:
        write_json(description_document(found))
        return 0
    entry = found.entry
    write_line(show_name(entry.loi))
    for label, text in _facts(found):
        write_line(f"  {label:<10}{show_name(text)}")
    for listed in found.inventory:
        size = NOT_KNOWN if listed.size is None else format_size(listed.size)
        write_line(f"  {listed.digest or NOT_KNOWN:<64}  {size:>8}  {show_name(listed.path)}")
    for metadata in found.metadata:
        _show_metadata(metadata)
    return 0


def _facts(found: DatasetDescription) -> list[tuple[str, str]]:
    entry, manifest = found.entry, found.manifest
    facts = [("state", f"{entry.state}{f': {entry.detail}' if entry.detail else ''}")]
    if entry.files is not None:
        size = "" if entry.size is None else f", {format_size(entry.size)}"
        facts.append(("files", f"{format_count(entry.files, 'file')}{size}"))
    if entry.modified is not None:
        facts.append(("deposited", format_time(entry.modified)))
    if manifest is not None:
        facts.append(("data", f"{manifest.data_format}; {'complete' if manifest.complete else 'not marked complete'}"))
        facts += [("metadata", f"{each.name}: {each.format} {each.version}".rstrip(": ")) for each in manifest.metadata]
    if entry.digest:
        facts.append(("archive", f"sha256 {entry.digest}"))
    facts += [
        ("old", f"version {each.number}, replaced {format_time(each.replaced_at)}, sha256 {each.digest or NOT_KNOWN}")
        for each in found.old_versions
    ]
    return facts


def _show_metadata(metadata: MetadataText) -> None:
    write_line("")
    write_line(f"{show_name(metadata.name)}:")
    for line in metadata.text.splitlines():
        write_line(f"  {show_name(line)}")
    if metadata.is_cut:
        write_line("  … (the file goes on)")


def entry_document(entry: SafeEntry) -> dict[str, Any]:
    """Returns a LOI for `--json`; sizes in bytes, times in UTC, None: not known."""
    return {
        "loi": entry.loi,
        "state": str(entry.state),
        "files": entry.files,
        "size": entry.size,
        "modified": iso_time(entry.modified),
        "digest": entry.digest,
        "old_versions": entry.old_versions,
        "detail": entry.detail,
    }


def description_document(found: DatasetDescription) -> dict[str, Any]:
    """Returns all that is known of a LOI for `--json`."""
    manifest = found.manifest
    return {
        **entry_document(found.entry),
        "manifest": None
        if manifest is None
        else {
            "loi": manifest.loi,
            "complete": manifest.complete,
            "data_format": manifest.data_format,
            "data": list(manifest.data_names),
            "metadata": [
                {"name": each.name, "format": each.format, "version": each.version} for each in manifest.metadata
            ],
        },
        "files_listed": [{"path": entry.path, "size": entry.size, "sha256": entry.digest} for entry in found.inventory],
        "metadata": [{"name": each.name, "text": each.text, "is_cut": each.is_cut} for each in found.metadata],
        "old": [
            {
                "number": each.number,
                "replaced": iso_time(each.replaced_at),
                "size": each.size,
                "digest": each.digest,
            }
            for each in found.old_versions
        ],
    }

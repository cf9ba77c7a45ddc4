"""`archive-tui ls`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.output import show_name, write_json, write_line
from archive_tui.cli.times import format_time, iso_time
from archive_tui.errors import InvalidName, ObjectNotFound
from archive_tui.names.quantities import format_size
from archive_tui.objects.object_store import ObjectInfo

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.objects.object_store import Listed


@click.command(name="ls")
@click.argument("location", metavar="STORAGE[:PREFIX]|FOLDER")
@click.option("--recursive", "-r", is_flag=True, help="Everything below, in the store's own order.")
@click.option("--long", "-l", "long_form", is_flag=True, help="With sizes and times.")
@common_options
def ls(location: str, recursive: bool, long_form: bool) -> int:
    """List what a storage holds below PREFIX, or what lies in a folder; folders end in a slash."""
    from archive_tui.archives.locations import open_location

    invocation = current_invocation()
    place = open_location(location, invocation.load_settings())
    listed = list_location(place, recursive=recursive)
    if invocation.as_json:
        write_json({"location": location, "entries": [entry_document(entry, place.prefix) for entry in listed]})
        return 0
    for entry in listed:
        name = show_name(entry.key.removeprefix(place.prefix))
        write_line(f"{long_columns(entry)}  {name}" if long_form else name)
    return 0


def list_location(place: Location, *, recursive: bool) -> Iterator[Listed]:
    """Yields what lies there: one level sorted by name, or everything as it arrives.

    Raises: ObjectNotFound when nothing lies there and it is not the top of the store.
    """
    listing = place.store.list(place.prefix, recursive=recursive)
    found = False
    for entry in listing if recursive else sorted(listing, key=lambda entry: entry.key):
        found = True
        yield entry
    if not found and place.prefix and place.folder is None:
        yield _single_object(place)


def _single_object(place: Location) -> ObjectInfo:
    key = place.prefix.rstrip("/")
    try:
        return place.store.info(key)
    except (ObjectNotFound, InvalidName) as error:
        raise ObjectNotFound(
            f"Nothing in {place.store.label} lies at or below this prefix: {key}",
            key=key,
            store=place.store.label,
            hint="List one level higher.",
            code="prefix-not-found",
        ) from error


def long_columns(entry: Listed) -> str:
    """Returns size and time in columns of fixed width."""
    size = format_size(entry.size) if isinstance(entry, ObjectInfo) else "-"
    return f"{size:>7}  {format_time(entry.modified):>16}"


def entry_document(entry: Listed, prefix: str) -> dict[str, Any]:
    """Returns one entry for `--json`; sizes in bytes, times in UTC."""
    is_object = isinstance(entry, ObjectInfo)
    return {
        "name": entry.key.removeprefix(prefix),
        "key": entry.key,
        "kind": "object" if is_object else "prefix",
        "size": entry.size if isinstance(entry, ObjectInfo) else None,
        "modified": iso_time(entry.modified),
    }

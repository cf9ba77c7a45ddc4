"""`archive-tui mkdir`."""

from __future__ import annotations

import click

from archive_tui.cli.invocation import common_options, current_invocation
from archive_tui.cli.output import show_name, write_json, write_line


@click.command(name="mkdir")
@click.argument("place", metavar="PLACE")
@common_options
def mkdir(place: str) -> int:
    """Make an empty folder, and those above it that are missing.

    PLACE is a folder, or STORAGE:PREFIX of a storage that is a folder. In an object store there are no empty folders:
    one appears with its first object.

    Exit status: 0 it is there now, 1 something of that name is there already, 2 the storage has no folders.
    """
    from archive_tui.jobs.chosen_places import choose_new_folder
    from archive_tui.jobs.places import open_place
    from archive_tui.operations.new_folder import make_folder

    invocation = current_invocation()
    chosen, prefix = choose_new_folder(place, invocation.load_settings())
    with open_place(chosen).store as store:
        make_folder(store, prefix)
    if invocation.as_json:
        write_json({"place": place, "status": 0})
    else:
        write_line(f"Made: {show_name(place)}")
    return 0

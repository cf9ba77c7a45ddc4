"""Names in a results store: events, productions and files, each one segment of a key."""

from __future__ import annotations

from archive_tui.errors import InvalidName
from archive_tui.names.display import escape_for_display
from archive_tui.names.object_keys import check_key

MANIFEST_FOLDER = ".manifest"
SHARED = "shared"
"""The production of files that the productions of an event share."""


def check_result_name(name: str, what: str) -> str:
    """Returns the name of an event, a production or a file (`what`, for people) as it is.

    Raises: InvalidName: what `check_key` refuses; result-name for separators, and for the folder of the manifest.
    """
    if "/" in name or "\\" in name or name == MANIFEST_FOLDER:
        raise InvalidName(
            f"No name of {what}: {escape_for_display(name[:200])}",
            name=name,
            hint="It may hold neither / nor \\, and is not .manifest.",
            code="result-name",
        )
    return check_key(name)


def check_store_name(name: str) -> str:
    """Returns the name of a results store as it is. Raises: InvalidName (result-name) for what no manifest can hold."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InvalidName(
            f"No name of a results store: {escape_for_display(name[:200])}",
            name=name,
            hint="It has to be valid Unicode.",
            code="result-name",
        ) from error
    return name

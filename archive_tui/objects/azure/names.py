"""Which names Azure keeps as they are: a little less than other stores do."""

from __future__ import annotations

from archive_tui.errors import InvalidName
from archive_tui.names.object_keys import check_key

LONGEST_NAME = 1_024
"""Characters, the store's prefix included."""


def name_for_writing(prefix: str, key: str) -> str:
    """Returns the name of the blob for a new object.

    Raises: InvalidName, with the codes of `check_key` and key-azure-dot, key-azure-backslash, key-too-long.
    """
    check_key(key)
    if any(segment.endswith(".") for segment in key.split("/")):
        raise _refuse(key, "Azure does not keep dots at the end of a name", "key-azure-dot")
    if len(prefix + key) > LONGEST_NAME:
        raise _refuse(key, f"with the prefix it has more than {LONGEST_NAME} characters", "key-too-long")
    return name_for_reading(prefix, key)


def name_for_reading(prefix: str, key: str) -> str:
    """Returns the name of the blob; takes what other programs may have written, but no name that leads elsewhere.

    Raises: InvalidName, with the codes key-empty, key-encoding, key-segment, key-azure-backslash.
    """
    name = prefix + key
    if not key:
        raise _refuse(key, "it is empty", "key-empty")
    if any(segment in (".", "..") for segment in name.split("/")):
        raise _refuse(key, "it has a segment . or ..", "key-segment")
    if "\\" in name:
        raise _refuse(key, "Azure takes \\ for /", "key-azure-backslash")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise _refuse(key, "it is not valid Unicode", "key-encoding") from error
    return name


def _refuse(key: str, why: str, rule: str) -> InvalidName:
    return InvalidName(f"Key refused, {why}: {key[:200]!r}", name=key, code=rule)

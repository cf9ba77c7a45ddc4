"""The index of a datasafe, and how the JSON of its replies is read: nothing in it is believed unseen."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from archive_tui.integrity.digest import is_sha256_hex
from archive_tui.objects.http.connection import HttpConnection
from archive_tui.objects.http.failures import unreadable_reply
from archive_tui.progress import StopSignal, never

LONGEST_INDEX = 256 << 20
"""Bytes of the index of a datasafe: a million datasets."""

JSON = {"Accept": "application/json"}

_LOI = re.compile(r"42\.[0-9]{1,100}/ds(/(?!\.{1,2}(/|\Z))[!-.0-~]{1,200}){1,20}\Z")
"""What a LOI of any server may look like: printable ASCII, no empty and no climbing segment."""


def read_index(connection: HttpConnection, prefix: str = "", *, stop: StopSignal = never) -> list[dict[str, Any]]:
    """Returns what the server says of all LOIs that begin with `prefix`; `loi` and `state` are texts in each.

    Raises: StorageError, also for an index that is not whole.
    """
    if not (prefix.isascii() and prefix.isprintable()):
        return []  # no LOI begins so
    query = {"prefix": prefix} if prefix else None
    reply = connection.fetch("GET", query=query, headers=JSON, longest=LONGEST_INDEX, stop=stop)
    if reply.status != 200:
        raise connection.error(reply)
    rows = read_json(reply.body, connection.label).get("datasets")
    if not isinstance(rows, list):
        raise unreadable_reply(connection.label, "", "there is no index in it")
    for row in rows:
        if not (isinstance(row, dict) and isinstance(row.get("state"), str) and may_be_loi(row.get("loi"))):
            raise unreadable_reply(connection.label, "", "its index has a row that names no LOI")
    return [row for row in rows if row["loi"].startswith(prefix)]


def may_be_loi(value: object) -> bool:
    """True for what has the form of a dataset's LOI, whatever its kinds and methods: it is one plain path."""
    return isinstance(value, str) and _LOI.match(value) is not None


def read_json(body: bytes, label: str, key: str = "") -> dict[str, Any]:
    """Returns the object that a reply holds. Raises: StorageError (code `unusable-reply`)."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise unreadable_reply(label, key, "it is no JSON") from error
    if not isinstance(document, dict):
        raise unreadable_reply(label, key, "it is another JSON than a datasafe's")
    return document


def read_moment(value: object) -> float | None:
    """Returns an ISO time in seconds since the epoch; None for anything else."""
    try:
        return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None


def read_count(value: object) -> int | None:
    """Returns a number of files or bytes; None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def read_digest(value: object) -> str | None:
    """Returns a SHA-256 in hex; None for what is none."""
    return value if isinstance(value, str) and is_sha256_hex(value) else None

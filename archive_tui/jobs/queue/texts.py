"""Values as SQLite and JSON can hold them: names of files need not be valid Unicode."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any


def to_text(text: str) -> str:
    """Returns text for people that can be stored: what is no character is shown as an escape."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def to_item(item: str) -> str | bytes:
    """Returns the name of an item so that it can be stored, and read back exactly."""
    try:
        item.encode()
    except UnicodeEncodeError:
        return item.encode("utf-8", "surrogatepass")
    return item


def from_item(stored: str | bytes) -> str:
    return stored if isinstance(stored, str) else stored.decode("utf-8", "surrogatepass")


def to_json(value: Any) -> str:
    """Raises: TypeError for what JSON cannot hold."""
    return json.dumps(value, default=_plain, sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"Not for JSON: {type(value).__name__}")

"""What a job takes from a place, or puts there, in the words of the command line. Pure.

A selection is a `base` (empty, or ending in `/`) and names below it: `a/b.dat` is one object, `a/` all that lies below
`a/`, and the empty name all that lies below the base.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from archive_tui.errors import ConfigurationError
from archive_tui.jobs.manifests.manifest_commands import quote_words
from archive_tui.jobs.places import Place
from archive_tui.names.quantities import format_count

MOST_WORDS = 200
"""A command with more words than that is of no use to anybody."""


def place_word(place: Place, prefix: str) -> str:
    """The word that means all below `prefix`: `lab:`, `lab:climate/`, `/home/me/climate/`."""
    return f"{place['storage']}:{prefix}" if "storage" in place else _path(place, prefix).rstrip("/") + "/"


def selection_words(place: Place, base: str, names: Sequence[str]) -> list[str]:
    """One word for each name; a folder without a slash at its end means the folder with its name."""
    if "storage" in place:
        return [f"{place['storage']}:{base}{name.rstrip('/')}" if name else place_word(place, base) for name in names]
    return [_path(place, base + name.rstrip("/")) if name else place_word(place, base) for name in names]


def make_command(words: Sequence[str], options: Sequence[str] = ()) -> str:
    """Empty when it would be too long for anybody to read."""
    return "" if len(words) > MOST_WORDS else quote_words(["archive-tui", *words, *options])


def describe_selection(place: Place, base: str, names: Sequence[str]) -> str:
    """In a few words, for a title: `station-07/`, `3 items`, `lab:climate/`."""
    if len(names) != 1:
        return format_count(len(names), "item")
    return names[0] or place_word(place, base)


def describe_source(place: Place, base: str, names: Sequence[str]) -> str:
    """Where it comes from: the one thing that is meant, or the place that holds them all."""
    return place_word(place, base) + (names[0] if len(names) == 1 else "")


def check_selection(base: str, names: Sequence[str]) -> None:
    """Raises: ConfigurationError (selection-empty, selection-form)."""
    if not names:
        raise ConfigurationError("Nothing was chosen.", hint="Name what is meant.", code="selection-empty")
    if base and not base.endswith("/"):
        raise ConfigurationError(f"Not the name of a folder: {base}", hint="It ends in /.", code="selection-form")


def own_folder(place: Place) -> Place:
    """A plain folder as that of a person: what is put there stays writable, and no link in it is followed. A storage as
    it is."""
    return place if "storage" in place else {**place, "keeps": False, "links": False}


def _path(place: Place, key: str) -> str:
    return os.path.join(place["folder"], key) if key else str(place["folder"])  # noqa: PTH118  (keeps bytes as they are)

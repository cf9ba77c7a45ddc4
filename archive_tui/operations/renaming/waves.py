"""In which order names are given when some are still taken: each as soon as the one that had it is gone."""

from __future__ import annotations

from collections.abc import Sequence

from archive_tui.names.object_keys import LONGEST_SEGMENT

Wave = dict[str, str]
"""Old and new names that can be given at once."""


def arrange_in_waves(renames: Sequence[tuple[str, str]], token: str) -> list[Wave]:
    """Returns the steps. Names that are exchanged with each other need one that is free for a while: it is made from
    `token`, which nobody else uses. The same arguments give the same steps."""
    pending = dict(renames)
    waves: list[Wave] = []
    while pending:
        taken = {old.rstrip("/") for old in pending}
        wave = {old: new for old, new in pending.items() if new.rstrip("/") not in taken}
        if not wave:  # all of them wait for each other
            old, new = next(iter(pending.items()))
            free = make_free_name(old, token)
            wave = {old: free}
            pending[free] = new
        waves.append(wave)
        for old in wave:
            del pending[old]
    return waves


def is_free_name(name: str, token: str) -> bool:
    """True for a name that is given for a while only."""
    return name.rstrip("/").endswith(_mark(token))


def make_free_name(name: str, token: str) -> str:
    slash = "/" if name.endswith("/") else ""
    stem, mark = name.rstrip("/"), _mark(token)
    while len((stem + mark).encode("utf-8", "surrogateescape")) > LONGEST_SEGMENT:
        stem = stem[:-1]
    return stem + mark + slash


def _mark(token: str) -> str:
    return f" (renaming {token})"

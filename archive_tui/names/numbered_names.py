"""The name that something gets beside another one of its name: `table (2).csv`."""

from __future__ import annotations

from archive_tui.names.object_keys import LONGEST_SEGMENT


def number_name(key: str, number: int) -> str:
    """Returns the key with a number before the suffix of its last segment, which is cut where it would get too long.

    `a/data.tar.gz` gives `a/data (2).tar.gz`, `.profile` gives `.profile (2)`.
    """
    folder, slash, name = key.rpartition("/")
    stem, suffix = _split_suffix(name)
    mark = f" ({number}){suffix}"
    while stem and _length(stem) + _length(mark) > LONGEST_SEGMENT:
        stem = stem[:-1]
    return f"{folder}{slash}{stem}{mark}"


def _split_suffix(name: str) -> tuple[str, str]:
    stem, dot, suffix = name.rpartition(".")
    if not stem.strip(".") or not dot:
        return name, ""
    inner, inner_dot, inner_suffix = stem.rpartition(".")
    if inner_dot and inner.strip(".") and inner_suffix == "tar":
        return inner, f".tar.{suffix}"
    return stem, f".{suffix}"


def _length(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))

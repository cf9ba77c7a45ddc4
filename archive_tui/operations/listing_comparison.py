"""Compares two listings, as far as they can tell: by name, by size, and by digest where both sides know one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Sign(StrEnum):
    """What is said of a name; the letters are those of `rclone check --combined`, and `?` for what is not known."""

    SAME = "="
    DIFFERS = "*"
    ONLY_HERE = "+"
    ONLY_THERE = "-"
    UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class ListedItem:
    """`size` in bytes, `digest` a proven SHA-256 that still holds; None: not known, or a folder."""

    size: int | None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class ListingComparison:
    """A sign for every name of either side, and how many names there were on each."""

    here: Mapping[str, Sign]
    there: Mapping[str, Sign]

    def count(self, sign: Sign) -> int:
        """How often a sign is given, each name counted once."""
        counts = Counter(self.here.values())
        return counts[sign] if sign is not Sign.ONLY_THERE else Counter(self.there.values())[Sign.ONLY_HERE]


def compare_listings(here: Mapping[str, ListedItem], there: Mapping[str, ListedItem]) -> ListingComparison:
    """Equal sizes prove nothing: without two digests such a name is UNKNOWN; different sizes prove a difference."""
    both = {name: _compare(item, there[name]) for name, item in here.items() if name in there}
    return ListingComparison(_signs(here, both), _signs(there, both))


def _signs(names: Mapping[str, ListedItem], both: Mapping[str, Sign]) -> dict[str, Sign]:
    return {name: both.get(name, Sign.ONLY_HERE) for name in names}


def _compare(here: ListedItem, there: ListedItem) -> Sign:
    if here.digest is not None and there.digest is not None:
        return Sign.SAME if here.digest == there.digest else Sign.DIFFERS
    if None not in (here.size, there.size) and here.size != there.size:
        return Sign.DIFFERS
    return Sign.UNKNOWN

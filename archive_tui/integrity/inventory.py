"""An inventory is the fact that a manifest writes down: which paths there are, how long, with which digest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from archive_tui.errors import ManifestError


class Entry(NamedTuple):
    """`path` is relative, with `/`. `size` in bytes, None: not recorded. `digest` SHA-256, None: not (yet) known.

    A tuple, like the other records that come by the hundred thousand: a frozen dataclass costs three times as much."""

    path: str
    size: int | None
    digest: str | None


class Inventory:
    """Entries sorted by path, each path once.

    Raises: ManifestError when a path stands there twice (code `manifest-duplicate`).
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        by_path: dict[str, Entry] = {}
        for entry in entries:
            if entry.path in by_path:
                raise ManifestError(f"Listed twice: {entry.path!r}", code="manifest-duplicate")
            by_path[entry.path] = entry
        paths = sorted(by_path)
        self._entries = by_path if paths == list(by_path) else {path: by_path[path] for path in paths}

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, path: str) -> bool:
        return path in self._entries

    def __getitem__(self, path: str) -> Entry:
        return self._entries[path]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Inventory) and self._entries == other._entries

    __hash__ = None  # type: ignore[assignment]

    def get(self, path: str) -> Entry | None:
        return self._entries.get(path)

    @property
    def by_path(self) -> MappingProxyType[str, Entry]:
        return MappingProxyType(self._entries)

    @property
    def total_bytes(self) -> int:
        """Sum of the sizes that are known."""
        return sum(entry.size or 0 for entry in self)

    def same_content(self, other: Inventory) -> bool:
        """True when both hold the same paths with the same known digests."""
        return len(self) == len(other) and all(
            entry.digest is not None and (twin := other.get(entry.path)) is not None and twin.digest == entry.digest
            for entry in self
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """What lies between two inventories, each a tuple of entries sorted by path.

    `changed` holds the new entries. `unknown` are the paths in both whose digests or sizes cannot settle it."""

    added: tuple[Entry, ...]
    removed: tuple[Entry, ...]
    changed: tuple[Entry, ...]
    same: tuple[Entry, ...]
    unknown: tuple[Entry, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed or self.changed or self.unknown)


def compare_inventories(old: Inventory, new: Inventory) -> Difference:
    """Compares by digest; where one is missing, different sizes still prove a change, equal sizes prove nothing."""
    added: list[Entry] = []
    changed: list[Entry] = []
    same: list[Entry] = []
    unknown: list[Entry] = []
    for entry in new:
        before = old.get(entry.path)
        if before is None:
            added.append(entry)
        elif before.digest is not None and entry.digest is not None:
            (same if before.digest == entry.digest else changed).append(entry)
        elif None not in (before.size, entry.size) and before.size != entry.size:
            changed.append(entry)
        else:
            unknown.append(entry)
    removed = [entry for entry in old if entry.path not in new]
    return Difference(tuple(added), tuple(removed), tuple(changed), tuple(same), tuple(unknown))

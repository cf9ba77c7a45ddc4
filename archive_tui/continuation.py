"""What a long operation writes down, so that a later run of it continues instead of beginning anew.

A run inherits nothing blindly: a mark counts only while the stamp beside it still fits what is there, and a finding is
looked at again in any case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol


class ItemMark(NamedTuple):
    """What became of one item. `item` is its path or key, the same in every run. A tuple, for they come by the million.

    `outcome` is a short word of the operation (`same`, `uploaded`, `changed`…), `is_good` False for a finding or a
    failure. `stamp` changes whenever the item may have: of a file its size, times and inode, of an object its size and
    version; empty: a later run must look again. `evidence` is an EvidenceLevel's name in lower case, or empty. `size`
    in bytes, None: not known. `at`: seconds since the epoch, 0: the journal fills it in.
    """

    item: str
    outcome: str
    is_good: bool = True
    stamp: str = ""
    digest: str | None = None
    size: int | None = None
    evidence: str = ""
    detail: str = ""
    at: float = 0.0


class Journal(Protocol):
    """May be called from any thread. Nothing in it is durable at once; a run that was killed loses about a second."""

    @property
    def is_kept(self) -> bool:
        """False: nothing is remembered, so that nobody has to make stamps."""

    @property
    def has_earlier(self) -> bool:
        """False: no run has come before this one, so that nobody has to look for what it left."""

    def find(self, phase: str, items: Sequence[str]) -> Mapping[str, ItemMark]:
        """Returns the newest marks of these items, by item; what is unknown is absent. Ask for hundreds at once."""

    def record(self, phase: str, marks: Iterable[ItemMark]) -> None:
        """Keeps marks; a newer one of the same item takes the place of the older one."""

    def load(self, name: str) -> bytes | None:
        """Returns what was saved under `name` (a stage, a checkpoint), None: nothing."""

    def save(self, name: str, content: bytes | None, *, durable: bool = False) -> None:
        """Keeps a few kilobytes under `name`, or forgets them (None). `durable`: they are on the disk when this
        returns."""


class _NoJournal:
    """Forgets everything."""

    is_kept = False
    has_earlier = False

    def find(self, phase: str, items: Sequence[str]) -> Mapping[str, ItemMark]:
        return {}

    def record(self, phase: str, marks: Iterable[ItemMark]) -> None:
        return

    def load(self, name: str) -> bytes | None:
        return None

    def save(self, name: str, content: bytes | None, *, durable: bool = False) -> None:
        return


no_journal: Journal = _NoJournal()

"""Filters and sorts the lines of a manifest: by what stands in them and by what was found out about them."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Sequence
from typing import TypeVar

from archive_tui.archives.vault.views.line_table import WORK_RUN, LineTable, give_way
from archive_tui.archives.vault.views.manifest_states import DiskState, ManifestStates, VaultState
from archive_tui.operations.listing import RUN_LENGTH, Arrangement, SortBy, make_name_filter, sort_in_runs
from archive_tui.progress import StopSignal, check_stop

_DISK_WORDS = {
    "same": (DiskState.SAME,),
    "changed": (DiskState.CHANGED,),
    "missing": (DiskState.MISSING,),
    "unreadable": (DiskState.UNREADABLE,),
    "unread": (DiskState.THERE, DiskState.UNKNOWN),
}
_VAULT_WORDS = {
    "absent": (VaultState.ABSENT,),
    "no": (VaultState.ABSENT,),
    "damaged": (VaultState.DAMAGED,),
    "unasked": (VaultState.UNKNOWN,),
}
_HELD_WORDS = ("held", "yes")
_BAD_WORD = "bad"
STATE_WORDS = (*_DISK_WORDS, "absent", "held", "damaged", "unasked", _BAD_WORD)

_DISK_ORDER = (DiskState.CHANGED, DiskState.MISSING, DiskState.UNREADABLE)

Accepts = Callable[[int], bool]
Value = TypeVar("Value")


def split_filter(pattern: str) -> tuple[str, list[str]]:
    """Returns what is sought in the names, and the words that stand for states: `:changed`."""
    words = pattern.split()
    states = [word[1:].casefold() for word in words if word.startswith(":") and _is_state_word(word[1:].casefold())]
    names = [word for word in words if not (word.startswith(":") and _is_state_word(word[1:].casefold()))]
    return (pattern if not states else " ".join(names)), states


def arrange_lines(
    table: LineTable, states: ManifestStates, arrangement: Arrangement, *, count: int, stop: StopSignal
) -> Sequence[int]:
    """Returns the positions of the first `count` lines that pass the filter, sorted as is asked for.

    Raises: OperationStopped.
    """
    accepts = _give_way_within(make_line_filter(table, states, arrangement.pattern))
    sort_key = _give_way_within(_make_sort_key(table, states, arrangement.sort_by))
    if accepts is None and sort_key is None:
        return range(count - 1, -1, -1) if arrangement.is_reversed else range(count)
    order: list[int] = []
    for start in range(0, count, RUN_LENGTH):
        check_stop(stop)
        run = range(start, min(start + RUN_LENGTH, count))
        order += run if accepts is None else filter(accepts, run)
    if sort_key is not None:
        order = sort_in_runs(order, sort_key, stop=stop)
    return array("I", reversed(order) if arrangement.is_reversed else order)


def _give_way_within(judge: Callable[[int], Value] | None) -> Callable[[int], Value] | None:
    """The same function; called a million times in a row, it lets the thread that hears the keys run in between."""
    if judge is None:
        return None
    calls = itertools.count(1)

    def judge_politely(position: int) -> Value:
        if not next(calls) % WORK_RUN:
            give_way()
        return judge(position)

    return judge_politely


def make_line_filter(table: LineTable, states: ManifestStates, pattern: str) -> Accepts | None:
    """None when every line passes. Words for states that are about one side are alternatives; the sides, and the text,
    must all hold."""
    text, words = split_filter(pattern)
    accepts_name = make_name_filter(text)
    disk = {state for word in words for state in _DISK_WORDS.get(word, ())}
    vault = {state for word in words for state in _VAULT_WORDS.get(word, ())}
    wants_held, wants_bad = any(word in _HELD_WORDS for word in words), _BAD_WORD in words
    if accepts_name is None and not words:
        return None

    def accepts(position: int) -> bool:
        if table.is_bad(position):
            return wants_bad or (accepts_name is not None and not words and accepts_name(table.text(position)))
        if wants_bad and len(words) == 1:
            return False
        if disk and states.disk.get(position) not in disk:
            return False
        if (vault or wants_held) and not _is_in_vault_as(states.vault.get(position), vault, wants_held):
            return False
        return accepts_name is None or accepts_name(table.text(position))

    return accepts


def _is_in_vault_as(state: int, wanted: set[VaultState], wants_held: bool) -> bool:
    return state in wanted or (wants_held and state >= VaultState.HELD)


def _make_sort_key(table: LineTable, states: ManifestStates, sort_by: SortBy) -> Callable[[int], object] | None:
    if sort_by is SortBy.NAME:
        return table.text
    if sort_by is SortBy.SIZE:
        return lambda position: -(table.size(position) or 0)
    if sort_by is SortBy.STATE:
        return lambda position: _severity(table, states, position)
    return None


def _severity(table: LineTable, states: ManifestStates, position: int) -> tuple[int, int]:
    """What needs a look comes first: bad lines, then the disk, then the vault."""
    if table.is_bad(position):
        return -1, 0
    disk = states.disk.get(position)
    on_disk = _DISK_ORDER.index(DiskState(disk)) if disk in _DISK_ORDER else 3 + disk
    vault = states.vault.get(position)
    return on_disk, 0 if vault == VaultState.DAMAGED else vault + 1


def _is_state_word(word: str) -> bool:
    return word in _DISK_WORDS or word in _VAULT_WORDS or word in _HELD_WORDS or word == _BAD_WORD

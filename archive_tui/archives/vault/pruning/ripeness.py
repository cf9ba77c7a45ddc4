"""Whether the time of a content has come: by the clock of the store and by the one here, and never by one alone."""

from __future__ import annotations

from typing import NamedTuple

from archive_tui.archives.vault.pruning.mark_document import MarkRound


class Clocks(NamedTuple):
    """The same moment in seconds since the epoch: `store` by the clock of the store (None: it does not say), `here`."""

    store: float | None
    here: float


def find_wait(marked: MarkRound | None, modified: float | None, now: Clocks, grace: float) -> float | None:
    """Returns the seconds until a content may be deleted, 0 or less: its time has come; None: that is not known.

    It has to have been marked for `grace` seconds by both clocks, and to lie there for as long by that of the store.
    A clock that was set back makes the wait longer; one that was set ahead does not make it shorter, as long as the
    other goes right.
    """
    if marked is None or marked.marked is None or modified is None or now.store is None:
        return None
    since = (now.store - marked.marked, now.here - marked.marked_here, now.store - modified)
    return grace - min(since)

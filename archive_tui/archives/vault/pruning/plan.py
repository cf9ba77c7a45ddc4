"""What a prune would do: looked at without writing anything."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from archive_tui.archives.vault.pruning.mark_book import MarkBook
from archive_tui.archives.vault.pruning.references import ManifestReferences, ReadManifest
from archive_tui.archives.vault.pruning.ripeness import Clocks, find_wait
from archive_tui.archives.vault.pruning.survey import Unreferenced, survey_vault
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import ObjectNotFound
from archive_tui.names.quantities import format_count, format_total
from archive_tui.progress import Report, StopSignal, check_stop, ignore, never


@dataclass(frozen=True, slots=True)
class PruneItem:
    """A content whose time has come. `size` in bytes, -1: not known; `modified` and `marked` in seconds since the epoch
    by the store's clock."""

    digest: str
    key: str
    size: int
    modified: float | None
    marked: float | None


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """Of the `contents` of the vault, `referenced` are named by the manifests; of the others `fresh` would be marked
    now, `waiting` are marked and have to stay so (the first of them until `next_at`, seconds since the epoch), and
    `ripe` would be deleted. `unmarked`: marked before, and referred to by now. `others` are no contents. `busy` are
    being deleted by another run."""

    place: str
    manifests: tuple[ReadManifest, ...]
    grace: float
    contents: int
    referenced: int
    fresh: int
    waiting: int
    next_at: float | None
    ripe: tuple[PruneItem, ...]
    unmarked: int
    others: int
    busy: int

    @property
    def amount(self) -> str:
        """`1,204 contents, 3.1 GB`"""
        known = [each.size for each in self.ripe if each.size >= 0]
        return f"{format_count(len(self.ripe), 'content')}, {format_total(sum(known), len(self.ripe) - len(known))}"


def plan_prune(
    vault: Vault,
    references: ManifestReferences,
    *,
    grace: float,
    clock: Callable[[], float] = time.time,
    report: Report = ignore,
    stop: StopSignal = never,
) -> PrunePlan:
    """Looks what pruning with a grace time of so many seconds would do now; writes nothing. As it asks the store for no
    time, it takes the clock here for both: whether a time has come is decided anew before anything is deleted.

    Raises: ManifestError (prune-marks), what listing raises, OperationStopped.
    """
    found = MarkBook(vault).load().marks
    survey = survey_vault(vault, references, report=report, stop=stop)
    times, claimed, now = found.times(), found.claimed, clock()
    ripe, waits, fresh, busy = [], [], 0, 0
    for digest in sorted(survey.unreferenced):
        check_stop(stop)
        marked = times.get(digest)
        if marked is None:
            fresh += 1
            continue
        content = complete(vault, digest, survey.unreferenced[digest])
        if content is None:
            continue
        busy += digest in claimed
        wait = find_wait(marked, content.modified, Clocks(now, now), grace)
        if wait is not None and wait <= 0.0:
            ripe.append(PruneItem(digest, vault.key(digest), content.size, content.modified, marked.marked))
        else:
            waits.append(wait)
    known = [wait for wait in waits if wait is not None]
    return PrunePlan(
        vault.title, references.manifests, grace, survey.contents, survey.referenced, fresh, len(waits),
        now + min(known) if known else None, tuple(ripe), len([each for each in times if each in references]),
        survey.others, busy,
    )  # fmt: skip


def complete(vault: Vault, digest: str, content: Unreferenced) -> Unreferenced | None:
    """Asks the store for what a listing has not told; None: it is gone. Raises: what the store raises."""
    if content.modified is not None and content.size >= 0:
        return content
    try:
        info = vault.store.info(vault.key(digest))
    except ObjectNotFound:
        return None
    return Unreferenced(info.size, info.modified)

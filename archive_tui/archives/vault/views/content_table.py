"""The contents of a vault in columns that take little memory, listed while others already look at them."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator, Mapping, Sequence

from archive_tui.archives.vault.views.line_table import DIGEST_BYTES, LOOKUP_RUN, WORK_RUN, KnownEvidence, give_way
from archive_tui.archives.vault.views.manifest_states import to_seconds
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.names.content_address import content_key, digest_of_key
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from archive_tui.operations.listing import BATCH_SECONDS, FIRST_BATCH, has_changed_since
from archive_tui.progress import StopSignal, check_stop

MOST_CONTENTS = 5_000_000
"""Objects that a pane shows."""

SHORT_TAIL = 4
LEAST_HEAD = 6
_NOTHING_KNOWN, _STALE = 255, 254


class ContentTable:
    """Append-only; about 50 bytes a content. `foreign` are the objects whose key is none of a content, by position:
    what stands in their key after the prefix."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.digests = bytearray()
        self.sizes = array("q")
        self.foreign: dict[int, str] = {}
        self.total_bytes = 0
        self.unknown_sizes = 0
        self.is_complete = False
        self.is_cut = False
        self._levels = bytearray()
        self._times = array("I")

    def __len__(self) -> int:
        return len(self._levels)

    def append(self, info: ObjectInfo, evidence: Evidence | None) -> None:
        position = len(self)
        digest = digest_of_key(info.key, self.prefix)
        if digest is None:
            self.foreign[position] = info.key[len(self.prefix) :]
        self.digests += bytes.fromhex(digest) if digest is not None else bytes(DIGEST_BYTES)
        self.sizes.append(max(-1, info.size))
        self.total_bytes += max(0, info.size)
        self.unknown_sizes += info.size < 0
        self._times.append(to_seconds(evidence.checked_at) if evidence is not None else 0)
        self._levels.append(_level_of(info, digest, evidence))  # last: the length of the table is that of this column

    def name(self, position: int) -> str:
        """The digest; of a foreign object what stands in its key after the prefix."""
        return self.foreign.get(position) or self.digest_bytes(position).hex()

    def key(self, position: int) -> str:
        foreign = self.foreign.get(position)
        return content_key(self.name(position), self.prefix) if foreign is None else self.prefix + foreign

    def digest_bytes(self, position: int) -> bytes:
        return bytes(self.digests[position * DIGEST_BYTES : (position + 1) * DIGEST_BYTES])

    def size(self, position: int) -> int | None:
        """None: the store does not tell it."""
        return self.sizes[position] if self.sizes[position] >= 0 else None

    def level(self, position: int) -> EvidenceLevel | None:
        """None: nothing is known but that it is listed, or it was changed since."""
        level = self._levels[position]
        return None if level in (_NOTHING_KNOWN, _STALE) else EvidenceLevel(level)

    def is_stale(self, position: int) -> bool:
        """True when it is no longer the object that the evidence is about."""
        return self._levels[position] == _STALE

    def checked_at(self, position: int) -> float | None:
        """Seconds since the epoch; None without evidence."""
        return float(self._times[position]) if self._levels[position] != _NOTHING_KNOWN else None


def load_contents(
    store: ObjectStore, table: ContentTable, evidence: KnownEvidence | None, stop: StopSignal
) -> Iterator[int]:
    """Fills the table with all that lies below its prefix; yields the count with the first objects, from time to time,
    and at the end.

    Raises: OperationStopped; what the store raises. What was loaded stays.
    """
    run: list[ObjectInfo] = []
    least, next_time = FIRST_BATCH, time.monotonic() + BATCH_SECONDS
    for listed in store.list(table.prefix):
        check_stop(stop)
        if isinstance(listed, ObjectInfo):
            run.append(listed)
        if len(table) + len(run) >= MOST_CONTENTS:
            table.is_cut = True
            break
        if len(run) >= least or (run and time.monotonic() >= next_time):
            _append_run(store, table, run, evidence)
            yield len(table)
            run, least, next_time = [], LOOKUP_RUN, time.monotonic() + BATCH_SECONDS
    _append_run(store, table, run, evidence)
    check_stop(stop)
    table.is_complete = True
    yield len(table)


def measure_heads(table: ContentTable, order: Sequence[int]) -> int:
    """Returns how many digits of a digest tell all of them apart when its last SHORT_TAIL digits are shown, too.

    `order` is sorted by digest.
    """
    head, group = LEAST_HEAD, ""
    with_tail: dict[str, str] = {}
    for number, position in enumerate(order):
        if number % WORK_RUN == 0:
            give_way()
        digest = table.digest_bytes(position).hex()
        if digest[:head] != group:
            group = digest[:head]
            with_tail.clear()
        before = with_tail.get(digest[-SHORT_TAIL:])
        if before is not None:  # of those with this tail the one before is the nearest: they are sorted
            head = max(head, next(at for at in range(len(digest)) if before[at] != digest[at]) + 1)
            group = digest[:head]
        with_tail[digest[-SHORT_TAIL:]] = digest
    return head


def _append_run(
    store: ObjectStore, table: ContentTable, run: Sequence[ObjectInfo], evidence: KnownEvidence | None
) -> None:
    known: Mapping[str, Evidence] = {}
    if evidence is not None and run:
        known = evidence.lookup(store.identity, [info.key for info in run])
    for number, info in enumerate(run):
        table.append(info, known.get(info.key))
        if number % WORK_RUN == 0:
            give_way()


def _level_of(info: ObjectInfo, digest: str | None, evidence: Evidence | None) -> int:
    if evidence is None:
        return _NOTHING_KNOWN
    if has_changed_since(evidence, info):
        return _STALE
    if digest is not None and evidence.digest is not None and evidence.digest != digest:
        return EvidenceLevel.DAMAGED.value  # these bytes do not belong under this key
    return evidence.level.value

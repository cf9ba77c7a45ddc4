"""What has been found out about each line of a manifest: its file on disk, its content in the vault, and when."""

from __future__ import annotations

import os
import threading
import time
from array import array
from collections import Counter, OrderedDict
from enum import IntEnum
from pathlib import Path

from archive_tui.archives.vault.outcomes import LineResult, Outcome
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.operations.manifest_checking import LineState

DOCUMENTS_KEPT = 32
_GROWTH = 4096


class DiskState(IntEnum):
    """Of the file that a line names; the comments say what is known."""

    UNKNOWN = 0  # nobody has looked
    THERE = 1  # a file of that name is there; its bytes were not read, or it was changed since
    SAME = 2  # read in full, it is what the line says
    CHANGED = 3  # other bytes, or another size
    MISSING = 4
    UNREADABLE = 5


class VaultState(IntEnum):
    """Of the content that a line names, where no evidence says more; other values are those of EvidenceLevel."""

    UNKNOWN = 0
    ABSENT = 1
    DAMAGED = 2
    HELD = 3


_BY_LINE_STATE = {
    LineState.SAME: DiskState.SAME,
    LineState.CHANGED: DiskState.CHANGED,
    LineState.MISSING: DiskState.MISSING,
    LineState.UNREADABLE: DiskState.UNREADABLE,
}
_DISK_WHEN_ARCHIVING = {
    Outcome.UPLOADED: DiskState.SAME,
    Outcome.CHANGED: DiskState.CHANGED,
    Outcome.MISSING: DiskState.MISSING,
    Outcome.UNREADABLE: DiskState.UNREADABLE,
}
_DISK_WHEN_FETCHING = {
    Outcome.FETCHED: DiskState.SAME,
    Outcome.ALREADY_THERE: DiskState.SAME,
    Outcome.EXISTS: DiskState.CHANGED,
}


def to_seconds(moment: float) -> int:
    """Whole seconds since the epoch in four bytes; a clock that was far off leaves the nearest that fits."""
    return int(min(max(moment, 0.0), 0xFFFFFFFF))


class StateColumn:
    """One byte and one time for each line: five bytes. Any thread may write; readers see whole values."""

    def __init__(self) -> None:
        self.states = bytearray()
        self.times = array("I")
        self.counts: Counter[int] = Counter()
        self.changes = 0
        self._lock = threading.Lock()

    def put(self, position: int, state: int, moment: float | None = None) -> None:
        with self._lock:
            if position >= len(self.states):
                more = position + 1 - len(self.states) + _GROWTH
                self.times.frombytes(bytes(more * self.times.itemsize))
                self.states.extend(bytes(more))
            self.changes += 1
            before = self.states[position]
            self.times[position] = to_seconds(time.time() if moment is None else moment)
            if before != state:
                self.states[position] = state
                self.counts[before] -= 1
                self.counts[state] += 1

    def get(self, position: int) -> int:
        states = self.states
        return states[position] if position < len(states) else 0

    def moment(self, position: int) -> float | None:
        """Seconds since the epoch; None where nothing is known."""
        times = self.times  # another thread may begin anew between the two looks
        return float(times[position]) if position < len(times) and self.get(position) else None

    def clear(self) -> None:
        with self._lock:
            self.changes += 1
            self.states, self.times = bytearray(), array("I")
            self.counts.clear()


class ManifestStates:
    """By the position of the line: the n-th, from 0, of what `ChecksumManifest.lines()` yields, bad lines included.

    Ten bytes a line. `vault_identity` (of its store), `vault_prefix` and `vault_title` say which vault it is about;
    they are empty before any was. `version` grows whenever anything was recorded. Jobs record from their threads, one
    job at a time for the disk and one for the vault; panes read at any time.
    """

    def __init__(self) -> None:
        self.disk = StateColumn()
        self.vault = StateColumn()
        self.vault_title = self.vault_identity = self.vault_prefix = ""

    @property
    def version(self) -> int:
        return self.disk.changes + self.vault.changes

    def begin_vault(self, identity: str, prefix: str, title: str) -> None:
        """Says which vault the next findings are about; what was known of another one is forgotten."""
        if not self.is_about_vault(identity, prefix):
            self.vault_identity, self.vault_prefix, self.vault_title = identity, prefix, title
            self.vault.clear()

    def is_about_vault(self, identity: str, prefix: str) -> bool:
        return (self.vault_identity, self.vault_prefix) == (identity, prefix)

    def record_disk(self, position: int, state: LineState) -> None:
        """Keeps what a check has found, now."""
        self.put_disk(position, _BY_LINE_STATE[state])

    def put_disk(self, position: int, state: DiskState, moment: float | None = None) -> None:
        self.disk.put(position, state, moment)

    def record_vault(self, position: int, evidence: Evidence | None, outcome: Outcome = Outcome.HELD) -> None:
        """Keeps what the vault said of the content; the evidence brings its own time. Outcomes that say nothing about
        the vault change nothing."""
        if outcome in (Outcome.ABSENT, Outcome.DAMAGED):
            self.vault.put(position, VaultState.ABSENT if outcome is Outcome.ABSENT else VaultState.DAMAGED)
        elif evidence is not None:
            is_damaged = evidence.level is EvidenceLevel.DAMAGED
            state = VaultState.DAMAGED if is_damaged else evidence.level.value
            self.vault.put(position, state, evidence.checked_at)
        elif outcome in (Outcome.HELD, Outcome.UPLOADED, Outcome.FETCHED):
            self.vault.put(position, VaultState.HELD)

    def record_asked(self, position: int, result: LineResult) -> None:
        """Keeps a result of asking the vault."""
        self.record_vault(position, result.evidence, result.outcome)

    def record_archived(self, position: int, result: LineResult) -> None:
        """Keeps a result of archiving into the vault: what was uploaded had been read, and was what the line says."""
        disk = _DISK_WHEN_ARCHIVING.get(result.outcome)
        if disk is not None:
            self.put_disk(position, disk)
        if result.outcome in (Outcome.UPLOADED, Outcome.ALREADY_THERE, Outcome.DAMAGED):
            self.record_vault(position, result.evidence, result.outcome)

    def record_fetched(self, position: int, result: LineResult, *, is_in_root: bool) -> None:
        """Keeps a result of fetching; `is_in_root`: into the folder that the names are relative to."""
        disk = _DISK_WHEN_FETCHING.get(result.outcome)
        if disk is not None and is_in_root:
            self.put_disk(position, disk)
        if result.outcome in (Outcome.FETCHED, Outcome.ABSENT, Outcome.DAMAGED):
            self.record_vault(position, result.evidence, result.outcome)


class StatesByDocument:
    """The states of the manifests that were opened last, by document and by its time and size: a document that was
    edited has other lines."""

    def __init__(self) -> None:
        self._states: OrderedDict[tuple[str, int, int], ManifestStates] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, document: Path) -> ManifestStates:
        """Returns the same object for the same document until it changes. Raises: OSError where it cannot be seen."""
        status = document.stat()
        key = (os.path.realpath(document), status.st_mtime_ns, status.st_size)
        with self._lock:
            states = self._states.setdefault(key, ManifestStates())
            self._states.move_to_end(key)
            while len(self._states) > DOCUMENTS_KEPT:
                self._states.popitem(last=False)
            return states

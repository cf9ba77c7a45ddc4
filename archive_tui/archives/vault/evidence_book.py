"""What earlier looks have proven about the objects of one store, and what this run adds to it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Protocol

from archive_tui.integrity.evidence import Evidence, EvidenceLevel


class EvidenceKeeper(Protocol):
    """Where evidence is kept between runs: `state.evidence_table.EvidenceTable` is one."""

    def lookup(self, store_identity: str, keys: Iterable[str], /) -> dict[str, Evidence]: ...

    def record_many(self, findings: Iterable[Evidence], /) -> bool: ...


class EvidenceBook:
    """The evidence of a window of keys at hand, and new evidence until it is written, in one go. `keeper` None: nothing
    is known, and nothing is kept. `note` may be called from several threads."""

    def __init__(self, keeper: EvidenceKeeper | None, store_identity: str) -> None:
        self._keeper = keeper
        self._store = store_identity
        self._known: dict[str, Evidence] = {}
        self._new: list[Evidence] = []
        self._lock = threading.Lock()

    def turn_to(self, keys: Iterable[str], marked: Mapping[str, Evidence] | None = None) -> None:
        """Looks up what is known of these keys, and forgets the ones before. `marked` is what the journal of a job adds
        to it; of two, that counts which was found out later."""
        self._known = self._keeper.lookup(self._store, keys) if self._keeper is not None else {}
        for key, evidence in (marked or {}).items():
            known = self._known.get(key)
            if known is None or (known.version != evidence.version and known.checked_at < evidence.checked_at):
                self._known[key] = evidence

    def known(self, key: str) -> Evidence | None:
        return self._known.get(key)

    def note(self, evidence: Evidence | None) -> None:
        """Keeps new evidence until `write`. What says less than is known of the same version is not news: an object
        that was read last week and only asked for today is still one that was read last week."""
        if self._keeper is None or evidence is None or not self._is_news(evidence):
            return
        with self._lock:
            self._new.append(evidence)

    def write(self) -> None:
        with self._lock:
            new, self._new = self._new, []
        if new and self._keeper is not None:
            self._keeper.record_many(new)

    def _is_news(self, evidence: Evidence) -> bool:
        known = self._known.get(evidence.key)
        if known is None or known.version is None or known.version != evidence.version:
            return True
        if EvidenceLevel.DAMAGED in (known.level, evidence.level):
            return evidence is not known
        return known.digest != evidence.digest or evidence.level >= known.level

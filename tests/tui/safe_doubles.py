"""A datasafe in memory, and places of it, for the tests of the panes."""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from archive_tui.archives.datasafe.safe import (
    DatasetDescription,
    DepositReceipt,
    MetadataText,
    OldVersion,
    Safe,
    SafeEntry,
    SafeState,
    StoredArchive,
)
from archive_tui.archives.locations import DATASAFE, OBJECTS, Location
from archive_tui.errors import InvalidLoiError, LoiNotFoundError
from archive_tui.integrity.inventory import Entry, Inventory
from archive_tui.integrity.report import IntegrityReport
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.memory import MemoryStore
from archive_tui.progress import Report, StopSignal, check_stop, ignore, never
from archive_tui.tui.archive_app import ArchiveApp
from tests.tui.places import FakeStorage

SAMPLE = "42.1001/ds/exp/sa/42/cwepr"
DIGEST = "ab" * 32
NOW = 1.79e9


class MemorySafe(Safe):
    """`failure` is raised after `failing_at` entries; `gate`, where there is one, holds the listing there."""

    label = "a datasafe in memory"
    identity = "memory-safe"

    def __init__(self, *entries: SafeEntry) -> None:
        self.known = {entry.loi: entry for entry in entries}
        self.described: dict[str, DatasetDescription] = {}
        self.failure: Exception | None = None
        self.failing_at = 0
        self.gate: threading.Event | None = None
        self.opened = 0
        self.closed = 0
        self.listed = 0

    def reserve(self, loi: str) -> str:
        if self.failure is not None:
            raise self.failure
        if "/ds/exp/" not in loi:
            raise InvalidLoiError
        numbers = [int(known.rpartition("/")[2]) for known in self.known if known.rpartition("/")[0] == loi]
        new = f"{loi}/{max(numbers, default=0) + 1}"
        self.known[new] = SafeEntry(new, SafeState.RESERVED)
        return new

    def deposit(
        self, loi: str, archive: Iterable[Chunk], *, report: Report = ignore, stop: StopSignal = never
    ) -> DepositReceipt:
        raise NotImplementedError

    update = deposit

    def entries(self, prefix: str = "", *, stop: StopSignal = never) -> Iterator[SafeEntry]:
        self.listed += 1
        for number, entry in enumerate(list(self.known.values())):
            if number == self.failing_at:
                if self.gate is not None:
                    self.gate.wait(20)
                if self.failure is not None:
                    raise self.failure
            check_stop(stop)
            yield entry
        if not self.known and self.failure is not None:
            raise self.failure

    def look(self, loi: str) -> SafeEntry:
        if loi not in self.known:
            raise LoiNotFoundError
        return self.known[loi]

    def describe(self, loi: str) -> DatasetDescription:
        if self.failure is not None:
            raise self.failure
        return self.described.get(loi) or DatasetDescription(self.look(loi))

    def archive(self, loi: str, *, old: int | None = None) -> StoredArchive:
        raise NotImplementedError

    def verify(self, loi: str, *, report: Report = ignore, stop: StopSignal = never) -> IntegrityReport:
        raise NotImplementedError

    def close(self) -> None:
        self.closed += 1


def number_key(loi: str) -> list[Any]:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"[/]", loi)]


def few_entries() -> list[SafeEntry]:
    """Two samples and a batch, with every state."""
    lois = [f"{SAMPLE}/{number}" for number in range(1, 11)]
    lois += ["42.1001/ds/exp/sa/7/trepr/1", "42.1001/ds/exp/2026-11-22/cwepr/1"]
    entries = [
        SafeEntry(loi, SafeState.DEPOSITED, 3, 4_200_000 + number, NOW, DIGEST, old_versions=2 * (number == 1))
        for number, loi in enumerate(sorted(lois, key=number_key))
    ]
    changes: dict[str, dict[str, Any]] = {
        f"{SAMPLE}/9": {"state": SafeState.DAMAGED, "detail": "MANIFEST.yaml is missing."},
        f"{SAMPLE}/10": {"state": SafeState.RESERVED, "files": None, "size": None, "modified": None, "digest": None},
    }
    return [dataclasses.replace(entry, **changes.get(entry.loi, {})) for entry in entries]


def describe_fully(entry: SafeEntry, *, text: str = "cwEPR Info file - v. 0.1.4 (2026-01-01)\n") -> DatasetDescription:
    files = Inventory([Entry("run.DSC", 1200, "cd" * 32), Entry("run.DTA", 4_000_000, "ef" * 32)])
    manifest: Any = SimpleNamespace(
        data_format="Bruker BES3T",
        complete=True,
        metadata=(SimpleNamespace(name="run.info", format="cwEPR Info file", version="0.1.4"),),
        checksums=(SimpleNamespace(name="CHECKSUM", format="MD5 checksum", value="1" * 32),),
    )
    return DatasetDescription(
        entry, manifest, files, (MetadataText("run.info", text),), (OldVersion(1, NOW, 900, DIGEST),)
    )


def safe_location(name: str = "lab", *, kind: str = "folder") -> Location:
    storage: Any = FakeStorage(name, kind)
    return Location(MemoryStore(), "", storage, views=(DATASAFE, OBJECTS), safe_prefix="")


def use_safe(app: ArchiveApp, safe: MemorySafe) -> None:
    """Whatever datasafe the app opens, it is this one."""

    def open_safe(location: Location) -> Safe:
        safe.opened += 1
        return safe

    app.open_safe = open_safe  # type: ignore[method-assign]

"""A datasafe that lies here: the rules of LOIs, deposits and updates over a shelf that keeps the datasets."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from archive_tui.archives.datasafe.manifest_check import check_algorithm
from archive_tui.archives.datasafe.receiving import DepositLimits, ReceivedDataset, receive_dataset
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
from archive_tui.archives.datasafe.shelf import Shelf, ShelvedDataset
from archive_tui.archives.datasafe.verifying import verify_held
from archive_tui.errors import (
    ExistingFileError,
    HostileArchive,
    IntegrityError,
    InvalidLoiError,
    LoiNotFoundError,
    MissingContentError,
    NoFileError,
)
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.inventory import Entry, Inventory
from archive_tui.integrity.report import IntegrityReport
from archive_tui.integrity.streams import Chunk
from archive_tui.manifests.datasafe_manifest import (
    LARGEST,
    MANIFEST_FILE,
    DatasafeManifest,
    parse_datasafe_manifest,
)
from archive_tui.names.loi import METHODS, ROOT, DatasafeLoi, loi_sort_key, parse_datasafe_loi, parse_reservation
from archive_tui.objects.wrappers.throttled_store import ThrottledStore
from archive_tui.progress import Report, StopSignal, ignore, never

MOST_METADATA = 20
METADATA_BYTES = 64 << 10
PROVEN = "Unpacked, read back from the stage, and compared with its manifest; then made visible in one step."


class StoredSafe(Safe):
    """`issuer` is the safe's own where none is recorded yet; None: that of the first reservation. `keeps_old` False:
    what an update replaces is gone. `methods` are those that a LOI may name. `throttle`: archives come in and go out at
    the rates of that store; for a shelf that lies in no store with limits of its own."""

    def __init__(
        self,
        shelf: Shelf,
        *,
        keeps_old: bool = True,
        methods: Sequence[str] = METHODS,
        max_size: int | None = None,
        max_unpacked_size: int | None = None,
        issuer: str | None = None,
        throttle: ThrottledStore | None = None,
    ) -> None:
        self.label = shelf.label
        self.identity = shelf.identity
        self.shelf = shelf
        self._keeps_old = keeps_old
        self._methods = methods
        self._limits = DepositLimits(max_size, max_unpacked_size)
        self._issuer = issuer
        self._throttle = throttle

    def reserve(self, loi: str) -> str:
        kind = parse_reservation(loi, methods=self._methods)
        own = self.shelf.claim_issuer(self._issuer or kind.issuer)
        return f"{kind.text}/{self.shelf.reserve_next(_place_of(kind, own))}"

    def deposit(
        self, loi: str, archive: Iterable[Chunk], *, report: Report = ignore, stop: StopSignal = never
    ) -> DepositReceipt:
        place = self._place(loi)
        if not self._require(loi, place).is_empty:
            raise _has_content(loi)
        with self.shelf.stage(place) as incoming, self.shelf.stage(place) as dataset:
            received = self._receive(loi, archive, incoming, dataset, report, stop)
            try:
                self.shelf.fill(place, dataset, received.record, report=report, stop=stop)
            except ExistingFileError as error:
                raise _has_content(loi) from error
        return self._receipt(loi, received, None)

    def update(
        self, loi: str, archive: Iterable[Chunk], *, report: Report = ignore, stop: StopSignal = never
    ) -> DepositReceipt:
        place = self._place(loi)
        if self._require(loi, place).is_empty:
            raise NoFileError("Directory empty", key=loi, store=self.label, hint=f"Deposit it: safe put {loi}")
        with self.shelf.stage(place) as incoming, self.shelf.stage(place) as dataset:
            received = self._receive(loi, archive, incoming, dataset, report, stop)
            old = self.shelf.replace(
                place, dataset, received.record, keeps_old=self._keeps_old, report=report, stop=stop
            )
        return self._receipt(loi, received, old)

    def entries(self, prefix: str = "", *, stop: StopSignal = never) -> Iterator[SafeEntry]:
        own = self.shelf.issuer() or self._issuer
        if own is None:
            return
        found: list[tuple[str, ShelvedDataset]] = []
        for shelved in self.shelf.places(_parent_of(prefix, own), stop=stop):
            loi = self._loi_of(shelved.place, own)
            if loi is not None and loi.startswith(prefix):
                found.append((loi, shelved))
        for loi, shelved in sorted(found, key=lambda each: loi_sort_key(each[0])):
            yield self._entry(loi, shelved)

    def look(self, loi: str) -> SafeEntry:
        return self._entry(loi, self._require(loi, self._place(loi)))

    def describe(self, loi: str) -> DatasetDescription:
        place = self._place(loi)
        shelved = self._require(loi, place)
        entry = self._entry(loi, shelved)
        old = self._old_versions(shelved)
        if shelved.is_empty:
            return DatasetDescription(entry, old_versions=old)
        try:
            manifest = self._manifest(place)
            metadata = tuple(self._metadata(place, name) for name in self._metadata_names(place, manifest))
        except (NoFileError, IntegrityError) as error:
            damaged = replace(entry, state=SafeState.DAMAGED, detail=entry.detail or error.message)
            return DatasetDescription(damaged, old_versions=old)
        return DatasetDescription(entry, manifest, self._inventory(shelved, manifest), metadata, old)

    def archive(self, loi: str, *, old: int | None = None) -> StoredArchive:
        place = self._place(loi)
        self._require(loi, place)
        return self._paced(self.shelf.archive(place, old=old))

    def verify(self, loi: str, *, report: Report = ignore, stop: StopSignal = never) -> IntegrityReport:
        place = self._place(loi)
        if self._require(loi, place).is_empty:
            raise MissingContentError("LOI does not have content.", key=loi, store=self.label)
        archive, record = self.archive(loi), self.shelf.record(place)
        expected = None if record is None else record.inventory
        return verify_held(self, loi, archive, expected, report, stop)

    def close(self) -> None:
        self.shelf.close()

    def _receive(
        self, loi: str, archive: Iterable[Chunk], incoming: Path, dataset: Path, report: Report, stop: StopSignal
    ) -> ReceivedDataset:
        if self._throttle is not None:
            archive = self._throttle.slow_source(archive, stop)
        return receive_dataset(loi, archive, incoming, dataset, self._limits, report=report, stop=stop)

    def _paced(self, archive: StoredArchive) -> StoredArchive:
        return archive if self._throttle is None else replace(archive, store=self._throttle.over(archive.store))

    def _place(self, loi: str) -> str:
        """Raises: MissingLoiError, InvalidLoiError."""
        parsed = parse_datasafe_loi(loi, methods=self._methods)
        return _place_of(parsed, self.shelf.issuer() or self._issuer or parsed.issuer)

    def _loi_of(self, place: str, own: str) -> str | None:
        first, _, rest = place.partition("/")
        text = f"{first}/ds/{rest}" if first.startswith(f"{ROOT}.") else f"{ROOT}.{own}/ds/{place}"
        try:
            return parse_datasafe_loi(text, methods=self._methods).text
        except InvalidLoiError:
            return None

    def _require(self, loi: str, place: str) -> ShelvedDataset:
        found = self.shelf.find(place)
        if found is None:
            raise LoiNotFoundError(
                key=loi, store=self.label, hint="Reserve one: archive-tui safe new, with the LOI up to its number."
            )
        return found

    def _entry(self, loi: str, shelved: ShelvedDataset) -> SafeEntry:
        if shelved.is_empty:
            return SafeEntry(loi, SafeState.RESERVED, modified=shelved.modified)
        if shelved.size is not None:
            return SafeEntry(loi, SafeState.DEPOSITED, None, shelved.size, shelved.modified)
        old = len(self._old_versions(shelved))
        record = shelved.record
        if record is not None:
            return SafeEntry(
                loi,
                SafeState.DEPOSITED,
                len(record.files),
                record.size,
                record.deposited_at,
                record.archive_digest,
                old,
            )
        try:
            files = self.shelf.file_names(shelved.place)
            detail = shelved.detail or self._find_manifest_fault(shelved.place)
        except HostileArchive as error:
            detail = shelved.detail or error.message
            return SafeEntry(loi, SafeState.DAMAGED, None, None, shelved.modified, None, old, detail)
        state = SafeState.DAMAGED if detail else SafeState.DEPOSITED
        size = sum(size for _, size in files)
        return SafeEntry(loi, state, len(files), size, shelved.modified, None, old, detail)

    def _find_manifest_fault(self, place: str) -> str:
        try:
            self._manifest(place)
        except NoFileError:
            return "it has no manifest"
        except IntegrityError as error:
            return error.message
        return ""

    def _old_versions(self, shelved: ShelvedDataset) -> tuple[OldVersion, ...]:
        """An update that was cut short may have kept what still lies there: that is no old version yet."""
        if shelved.is_empty or not self.shelf.count_old(shelved.place):
            return ()
        old = self.shelf.old_versions(shelved.place)
        if shelved.record is not None and old and old[-1].digest == shelved.record.archive_digest:
            old.pop()
        return tuple(old)

    def _manifest(self, place: str) -> DatasafeManifest:
        return parse_datasafe_manifest(self.shelf.read_small(place, MANIFEST_FILE, LARGEST + 1))

    def _metadata_names(self, place: str, manifest: DatasafeManifest) -> list[str]:
        there = {path for path, _ in self.shelf.file_names(place)}
        return [each.name for each in manifest.metadata if each.name in there][:MOST_METADATA]

    def _inventory(self, shelved: ShelvedDataset, manifest: DatasafeManifest) -> Inventory:
        if shelved.record is not None:
            return shelved.record.inventory
        files = self.shelf.file_names(shelved.place)
        return Inventory(Entry(path, size, manifest.digests.get(path)) for path, size in files)

    def _metadata(self, place: str, name: str) -> MetadataText:
        content = self.shelf.read_small(place, name, METADATA_BYTES + 1)
        text = content[:METADATA_BYTES].decode("utf-8", "replace")
        return MetadataText(name, text, len(content) > METADATA_BYTES)

    def _receipt(self, loi: str, received: ReceivedDataset, old: OldVersion | None) -> DepositReceipt:
        record = received.record
        check_algorithm(received.manifest)
        evidence = Evidence(
            self.identity, loi, EvidenceLevel.READ, record.archive_digest, record.archive_size, time.time(), PROVEN
        )
        return DepositReceipt(
            loi,
            len(record.files),
            record.size,
            record.archive_size,
            record.archive_digest,
            received.inventory,
            evidence,
            replaced=old,
        )


def _place_of(loi: DatasafeLoi, own: str) -> str:
    return loi.id if loi.issuer == own else f"{ROOT}.{loi.issuer}/{loi.id}"


def _parent_of(prefix: str, own: str) -> str:
    """The folder in which all LOIs that begin with `prefix` lie; empty: the root."""
    issuer, marker, rest = prefix.partition("/ds/")
    if not marker or not issuer.startswith(f"{ROOT}."):
        return ""
    folder = rest.rpartition("/")[0]
    if issuer == f"{ROOT}.{own}":
        return folder
    return f"{issuer}/{folder}".rstrip("/")


def _has_content(loi: str) -> ExistingFileError:
    return ExistingFileError(
        "Directory not empty.", key=loi, hint=f"To replace it and keep the old one: archive-tui safe update {loi}"
    )

"""Datasets in an object store: each is one zip archive, put where nothing may lie yet, or in the place of one version.

Below the prefix: `PLACE/dataset.zip` the dataset, `.reserved/PLACE` its reservation, `.records/PLACE/SHA256` what was
proven of the archive with that digest, `.old/PLACE/N.zip` what updates have replaced.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from archive_tui.archives.datasafe.dataset_record import DatasetRecord
from archive_tui.archives.datasafe.numbering import next_number
from archive_tui.archives.datasafe.object_members import read_member
from archive_tui.archives.datasafe.object_records import ObjectRecords, read_object
from archive_tui.archives.datasafe.safe import OldVersion, StoredArchive
from archive_tui.archives.datasafe.shelf import FORMAT, SAFE_FILE, VERSION, Shelf, ShelvedDataset, read_issuer
from archive_tui.archives.datasafe.staged_archive import StagedArchive
from archive_tui.archives.datasafe.store_promises import require_promises
from archive_tui.archives.datasafe.temporary_folder import own_temporary_folder
from archive_tui.errors import (
    ArchiveError,
    ExistingFileError,
    LoiNotFoundError,
    MissingContentError,
    NoFileError,
    ObjectExists,
    ObjectNotFound,
)
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.names.loi import read_number
from archive_tui.objects.folder.swap import staged_folder
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from archive_tui.operations.unpacking.structure import read_archive_structure
from archive_tui.progress import Report, StopSignal, check_stop, ignore, never

ARCHIVE = "dataset.zip"


class ObjectShelf(Shelf):
    """`prefix` is empty or ends in `/`. A store that cannot refuse to overwrite is only read."""

    def __init__(self, store: ObjectStore, prefix: str = "") -> None:
        self._store = store
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._records = ObjectRecords(store, f"{self._prefix}.records/")
        self.label = f"datasafe {store.label}" + (f"/{self._prefix.rstrip('/')}" if self._prefix else "")
        self.identity = f"datasafe:{store.identity}/{self._prefix}"

    def issuer(self) -> str | None:
        content = read_object(self._store, self._prefix + SAFE_FILE, 1 << 16)
        return None if content is None else read_issuer(content, self.label)

    def claim_issuer(self, issuer: str) -> str:
        require_promises(self._store)
        own = self.issuer()
        if own is not None:
            return own
        text = json.dumps({"format": FORMAT, "version": VERSION, "issuer": issuer}, sort_keys=True).encode() + b"\n"
        try:
            self._store.put(self._prefix + SAFE_FILE, [text], len(text), digest=sha256_of_bytes(text))
        except ObjectExists:
            return self.issuer() or issuer
        return issuer

    def find(self, place: str) -> ShelvedDataset | None:
        info = self._info(self._archive_key(place))
        if info is None:
            reserved = self._info(self._reserved_key(place))
            return None if reserved is None else ShelvedDataset(place, is_empty=True, modified=reserved.modified)
        record = self._record_of(place, info)
        detail = ""
        if record is not None and record.archive_size != info.size:
            detail = f"its archive has {info.size:,} bytes instead of {record.archive_size:,}"
            record = None
        modified = info.modified if record is None else record.deposited_at
        return ShelvedDataset(place, False, record, info.version or "", modified, detail)

    def places(self, parent: str = "", *, stop: StopSignal = never) -> Iterator[ShelvedDataset]:
        below = f"{parent}/" if parent else ""
        filled: set[str] = set()
        for listed in self._store.list(self._prefix + below):
            check_stop(stop)
            place = listed.key.removeprefix(self._prefix).removesuffix(f"/{ARCHIVE}")
            if isinstance(listed, ObjectInfo) and listed.key.endswith(f"/{ARCHIVE}") and _is_place(place):
                filled.add(place)
                yield ShelvedDataset(place, False, None, listed.version or "", listed.modified, size=listed.size)
        reserved = f"{self._prefix}.reserved/"
        for listed in self._store.list(reserved + below):
            check_stop(stop)
            place = listed.key.removeprefix(reserved)
            if isinstance(listed, ObjectInfo) and place not in filled and _is_place(place):
                yield ShelvedDataset(place, is_empty=True, modified=listed.modified)

    def reserve_next(self, parent: str) -> int:
        require_promises(self._store)
        while True:
            taken = (*self._numbers("", parent), *self._numbers(".reserved/", parent))
            number = next_number(taken, parent, self.label)
            try:
                self._store.put(self._reserved_key(f"{parent}/{number}"), [], 0)
            except ObjectExists:
                continue  # somebody else was faster
            return number

    def stage(self, place: str) -> AbstractContextManager[Path]:
        return staged_folder(own_temporary_folder())

    def fill(
        self, place: str, staged: Path, record: DatasetRecord, *, report: Report = ignore, stop: StopSignal = never
    ) -> ShelvedDataset:
        require_promises(self._store)
        if self.find(place) is None:
            raise LoiNotFoundError(key=place, store=self.label)
        self._records.write(place, record)
        try:
            self._put(place, staged, record, report, stop, if_match=None)
        except ObjectExists as error:
            self._drop_record(place, record)
            raise ExistingFileError("Directory not empty.", key=place, store=self.label) from error
        except BaseException:
            with contextlib.suppress(ArchiveError):
                self._drop_record(place, record)
            raise
        return ShelvedDataset(place, is_empty=False, record=record)

    def replace(
        self,
        place: str,
        staged: Path,
        record: DatasetRecord,
        *,
        keeps_old: bool,
        report: Report = ignore,
        stop: StopSignal = never,
    ) -> OldVersion | None:
        require_promises(self._store)
        self._records.write(place, record)
        try:
            kept = self._replace(place, staged, record, keeps_old, report, stop)
        except BaseException:
            with contextlib.suppress(ArchiveError):
                self._drop_record(place, record)
            raise
        self._sweep_records(place, record)
        return kept

    def read_small(self, place: str, path: str, most: int) -> bytes:
        return read_member(self._store, self._require(place), path, most, self.label)

    def file_names(self, place: str) -> list[tuple[str, int]]:
        structure = read_archive_structure(self._store, self._require(place))
        return sorted((member.path, member.size) for member in structure.members if not member.is_folder)

    def record(self, place: str) -> DatasetRecord | None:
        info = self._info(self._archive_key(place))
        return None if info is None else self._record_of(place, info)

    def count_old(self, place: str) -> int:
        return len(self._old_numbers(place))

    def archive(self, place: str, *, old: int | None = None) -> StoredArchive:
        key = self._require(place) if old is None else self._old_key(place, old)
        try:
            info = self._store.info(key)
        except ObjectNotFound as error:
            raise NoFileError(f"There is no old version {old}.", key=place, store=self.label) from error
        return StoredArchive(self._store, key, info.size, info.digest)

    def old_versions(self, place: str) -> list[OldVersion]:
        return [self._describe_old(place, number) for number in self._old_numbers(place)]

    def close(self) -> None:
        self._store.close()

    def _replace(
        self, place: str, staged: Path, record: DatasetRecord, keeps_old: bool, report: Report, stop: StopSignal
    ) -> OldVersion | None:
        while True:
            check_stop(stop)
            info = self._info(self._archive_key(place))
            if info is None:
                raise NoFileError("Directory empty", key=place, store=self.label)
            is_same = info.digest == record.archive_digest
            # Another update that comes between is refused, and what it has put is kept in its turn.
            with contextlib.suppress(ObjectExists):
                kept = self._keep(place, info) if keeps_old and not is_same else None
                self._put(place, staged, record, report, stop, if_match=info.version)
                return kept

    def _put(
        self,
        place: str,
        staged: Path,
        record: DatasetRecord,
        report: Report,
        stop: StopSignal,
        *,
        if_match: str | None,
    ) -> None:
        archive = StagedArchive(staged, record, report, stop)
        size, digest = record.archive_size, record.archive_digest
        try:
            self._store.put(self._archive_key(place), archive, size, digest=digest, if_match=if_match, stop=stop)
        finally:
            archive.end()

    def _keep(self, place: str, info: ObjectInfo) -> OldVersion:
        """Makes what lies there an old version. A racing update, or one that was killed, may have done so.

        Raises: ObjectExists when something else lies there by now.
        """
        while True:
            last = max(self._old_numbers(place), default=0)
            if last and info.digest is not None:
                kept = self._describe_old(place, last)
                if kept.digest == info.digest:
                    return kept
            # Asked after the numbers: then nobody can have kept this one under a number before ours.
            if self._store.info(self._archive_key(place)).version != info.version:
                raise ObjectExists("Another update came between.", key=place, store=self.label)
            with contextlib.suppress(ObjectExists):
                self._store.copy(self._archive_key(place), self._old_key(place, last + 1))
                return self._describe_old(place, last + 1)

    def _describe_old(self, place: str, number: int) -> OldVersion:
        info = self._store.info(self._old_key(place, number))
        return OldVersion(number, info.modified, info.size, info.digest)

    def _require(self, place: str) -> str:
        """Returns the key of the archive. Raises: MissingContentError, LoiNotFoundError."""
        key = self._archive_key(place)
        if self._info(key) is not None:
            return key
        if self._info(self._reserved_key(place)) is None:
            raise LoiNotFoundError(key=place, store=self.label)
        raise MissingContentError("LOI does not have content.", key=place, store=self.label)

    def _drop_record(self, place: str, record: DatasetRecord) -> None:
        """Removes the record of a dataset that was not taken, unless an archive that lies there is the same."""
        if record.archive_digest not in self._digests(place):
            self._records.drop(place, record.archive_digest)

    def _sweep_records(self, place: str, record: DatasetRecord) -> None:
        """Removes what killed deposits have left; what cannot be removed now is left to the next one."""
        with contextlib.suppress(ArchiveError):
            if unused := self._records.find_unused(place, {record.archive_digest}):
                for digest in set(unused) - self._digests(place):
                    self._records.drop(place, digest)

    def _digests(self, place: str) -> set[str | None]:
        keys = [self._archive_key(place), *(self._old_key(place, number) for number in self._old_numbers(place))]
        return {info.digest for key in keys if (info := self._info(key)) is not None}

    def _record_of(self, place: str, info: ObjectInfo) -> DatasetRecord | None:
        return None if info.digest is None else self._records.read(place, info.digest)

    def _info(self, key: str) -> ObjectInfo | None:
        try:
            return self._store.info(key)
        except ObjectNotFound:
            return None

    def _numbers(self, area: str, parent: str) -> Iterator[int]:
        begin = f"{self._prefix}{area}{parent}/"
        for listed in self._store.list(begin, recursive=False):
            number = read_number(listed.key.removeprefix(begin).rstrip("/"))
            if number is not None:
                yield number

    def _old_numbers(self, place: str) -> list[int]:
        begin = f"{self._prefix}.old/{place}/"
        names = (listed.key.removeprefix(begin).removesuffix(".zip") for listed in self._store.list(begin))
        return sorted(number for name in names if (number := read_number(name)) is not None)

    def _archive_key(self, place: str) -> str:
        return f"{self._prefix}{place}/{ARCHIVE}"

    def _reserved_key(self, place: str) -> str:
        return f"{self._prefix}.reserved/{place}"

    def _old_key(self, place: str, number: int) -> str:
        return f"{self._prefix}.old/{place}/{number}.zip"


def _is_place(place: str) -> bool:
    return (
        not any(part.startswith(".") for part in place.split("/")) and read_number(place.rpartition("/")[2]) is not None
    )

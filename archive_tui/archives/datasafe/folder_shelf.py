"""Datasets as plain folders below a root, as the original datasafe keeps them. A reserved place is an empty folder.

A deposit takes the name of the empty folder by rename(2), which refuses one that is not empty; making the folder is
what reserves a number. Both are atomic on every file system.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

from archive_tui.archives.datasafe.dataset_record import RECORD_NAME, DatasetRecord, format_record
from archive_tui.archives.datasafe.folder_archive import open_folder_archive
from archive_tui.archives.datasafe.folder_places import (
    are_linked,
    find_numbers,
    is_plain_place,
    list_files,
    look_at_dataset,
    read_kept_record,
    read_steadily,
    resolve_place,
    walk_places,
)
from archive_tui.archives.datasafe.numbering import next_number
from archive_tui.archives.datasafe.safe import OldVersion, StoredArchive
from archive_tui.archives.datasafe.shelf import FORMAT, SAFE_FILE, VERSION, Shelf, ShelvedDataset, read_issuer
from archive_tui.errors import (
    ExistingFileError,
    LoiNotFoundError,
    MissingContentError,
    NoFileError,
    ObjectExists,
    ObjectNotFound,
    TargetExists,
)
from archive_tui.integrity.streams import read_chunks
from archive_tui.objects.folder.atomic_file import sync_folder
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.paths import RETRIES, DurableFolders, MadeFolders
from archive_tui.objects.folder.snapshot import link_tree
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.folder.swap import (
    fill_folder,
    finish_interrupted_swap,
    staged_folder,
    swap_folder,
    sync_tree,
)
from archive_tui.objects.folder.temporary_entries import locked_folder
from archive_tui.progress import Report, StopSignal, ignore, never

Result = TypeVar("Result")

OLD = ".old"

_READ_ONLY = 0o444


class FolderShelf(Shelf):
    """`root` is made by the first reservation when it does not exist. No symbolic link below it is followed."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._durable = DurableFolders()
        self._store = FolderStore(self.root, read_only_objects=False, enters_symlinks=False)
        self.label = f"datasafe {self.root}"
        self.identity = f"datasafe:{self._store.identity}"

    def issuer(self) -> str | None:
        try:
            with self._store.open(SAFE_FILE) as reader:
                return read_issuer(reader.read(1 << 16), self.label)
        except ObjectNotFound:
            return None

    def claim_issuer(self, issuer: str) -> str:
        own = self.issuer()
        if own is not None:
            return own
        text = json.dumps({"format": FORMAT, "version": VERSION, "issuer": issuer}, sort_keys=True) + "\n"
        try:
            self._store.put(SAFE_FILE, [text.encode()], len(text))
        except ObjectExists:
            return self.issuer() or issuer
        return issuer

    def find(self, place: str) -> ShelvedDataset | None:
        try:
            return self._read(place, lambda path: look_at_dataset(path, place))
        except ObjectNotFound:
            return None

    def places(self, parent: str = "", *, stop: StopSignal = never) -> Iterator[ShelvedDataset]:
        with self._translated(parent):
            path = resolve_place(self.root, parent) if parent else self.root
            if path is not None:
                yield from walk_places(path, parent, stop)

    def reserve_next(self, parent: str) -> int:
        with self._translated(parent, writing=True):
            folder_fd = self._make_folder(parent)
            try:
                while True:
                    number = next_number((*find_numbers(folder_fd), *self._old_numbers(parent)), parent, self.label)
                    try:
                        os.mkdir(str(number), 0o777, dir_fd=folder_fd)
                    except FileExistsError:
                        continue  # somebody else was faster
                    sync_folder(folder_fd)
                    return number
            finally:
                os.close(folder_fd)

    @contextmanager
    def stage(self, place: str) -> Iterator[Path]:
        parent, _, name = place.rpartition("/")
        with self._translated(place, writing=True):
            folder = resolve_place(self.root, parent) if parent else self.root
        if folder is None or not is_plain_place(name):
            raise LoiNotFoundError(key=place, store=self.label)
        with staged_folder(folder) as staged:
            yield staged

    def fill(
        self, place: str, staged: Path, record: DatasetRecord, *, report: Report = ignore, stop: StopSignal = never
    ) -> ShelvedDataset:
        target = self._dataset(place)
        with self._translated(place, writing=True):
            _seal(staged, record)
        try:
            fill_folder(staged, target)
        except TargetExists as error:
            raise ExistingFileError("Directory not empty.", key=place, store=self.label) from error
        except ObjectNotFound as error:
            raise LoiNotFoundError(key=place, store=self.label) from error
        found = self.find(place)
        return ShelvedDataset(place, False, record, found.version if found else "", record.deposited_at)

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
        target = self._dataset(place)
        self._require_filled(place)
        with self._translated(place, writing=True):
            _seal(staged, record)
        with self._translated(place, writing=True), self._one_at_a_time(place) as old_folder:
            self._require_filled(place)
            kept = self._keep(old_folder, target) if keeps_old else None
            swap_folder(staged, target, overwrite=True)
            return None if kept is None else _describe_old(old_folder / str(kept), kept)

    def read_small(self, place: str, path: str, most: int) -> bytes:
        def read(folder: Path) -> bytes:
            with FolderStore(folder, enters_symlinks=False).open(path, 0, most) as reader:
                return b"".join(read_chunks(reader))

        try:
            return self._read(place, read)
        except LoiNotFoundError:
            raise
        except ObjectNotFound as error:
            raise NoFileError("File does not exist", key=path, store=self.label) from error

    def file_names(self, place: str) -> list[tuple[str, int]]:
        return self._read(place, list_files)

    def record(self, place: str) -> DatasetRecord | None:
        return self._read(place, read_kept_record)

    def count_old(self, place: str) -> int:
        with self._translated(place):
            return len(self._old_numbers(place))

    def archive(self, place: str, *, old: int | None = None) -> StoredArchive:
        def look(path: Path) -> tuple[Path, ShelvedDataset, list[tuple[str, int]]]:
            found = look_at_dataset(path, place)
            return path, found, [] if found.record is not None else list_files(path)

        with self._translated(place):
            path, found, names = self._read(place, look) if old is None else look(self._old_dataset(place, old))
        if found.is_empty:
            raise MissingContentError("LOI does not have content.", key=place, store=self.label)
        return open_folder_archive(path, names, found.record, version=found.version, label=self.label)

    def old_versions(self, place: str) -> list[OldVersion]:
        with self._translated(place):
            return [
                _describe_old(self._old_dataset(place, number), number) for number in sorted(self._old_numbers(place))
            ]

    def _read(self, place: str, look: Callable[[Path], Result]) -> Result:
        """Returns what `look` says of the dataset at a place. Raises: LoiNotFoundError, and what `look` raises."""
        path = self._dataset(place)
        with self._translated(place):
            return read_steadily(path, look)

    def _dataset(self, place: str) -> Path:
        """Returns the folder of a place; an update that was killed, or goes on, is brought to its end first."""
        parent, _, name = place.rpartition("/")
        with self._translated(place):
            for _ in range(RETRIES if is_plain_place(place) else 0):
                path = resolve_place(self.root, place)
                if path is not None:
                    return path
                folder = resolve_place(self.root, parent) if parent else self.root
                if folder is None:
                    break
                finish_interrupted_swap(folder / name)
        raise LoiNotFoundError(key=place, store=self.label)

    def _require_filled(self, place: str) -> None:
        found = self.find(place)
        if found is None or found.is_empty:
            raise NoFileError("Directory empty", key=place, store=self.label)

    def _old_dataset(self, place: str, number: int) -> Path:
        path = resolve_place(self.root, f"{OLD}/{place}/{number}") if is_plain_place(place) else None
        if path is None:
            raise NoFileError(f"There is no old version {number}.", key=place, store=self.label)
        return path

    def _old_numbers(self, place: str) -> list[int]:
        """The numbers of what lies in the folder of old versions: those of a dataset, or of the places below."""
        folder = resolve_place(self.root, f"{OLD}/{place}")
        return [] if folder is None else find_numbers(folder, only_folders=True)

    def _make_folder(self, folder: str) -> int:
        """Makes what is missing on the way to a folder, durably, and opens it; a link on the way is refused."""
        if not is_plain_place(folder):
            raise LoiNotFoundError(key=folder, store=self.label)
        return MadeFolders(self.root, enters_symlinks=False, durable=self._durable).open(folder)

    @contextmanager
    def _one_at_a_time(self, place: str) -> Iterator[Path]:
        """Of racing updates one after the other has its turn, so that each keeps what it replaces."""
        folder_fd = self._make_folder(f"{OLD}/{place}")
        try:
            with locked_folder(folder_fd):
                yield self.root / OLD / place
        finally:
            os.close(folder_fd)

    def _keep(self, old_folder: Path, target: Path) -> int:
        """Makes what lies there an old version; returns its number. An update that was killed may have done so."""
        last = max(find_numbers(old_folder, only_folders=True), default=0)
        if last and are_linked(target, old_folder / str(last)):
            return last
        number = max(find_numbers(old_folder), default=0) + 1
        with staged_folder(old_folder) as stage:
            link_tree(target, stage)
            sync_tree(stage)
            stage.rename(old_folder / str(number))
            _sync(old_folder)
        return number

    def _translated(self, place: str, *, writing: bool = False) -> AbstractContextManager[None]:
        return translate_os_errors(place, self.label, writing=writing)


def _seal(staged: Path, record: DatasetRecord) -> None:
    """Writes the record into the dataset's folder; from now on nothing in it is changed. Raises: OSError."""
    (staged / RECORD_NAME).write_bytes(format_record(record))
    for folder, _, names in os.walk(staged):
        for name in names:
            path = Path(folder) / name
            path.chmod(_READ_ONLY | (stat.S_IMODE(path.stat().st_mode) & 0o111))


def _describe_old(path: Path, number: int) -> OldVersion:
    found = look_at_dataset(path, path.name)
    record = found.record
    size, digest = (None, None) if record is None else (record.archive_size, record.archive_digest)
    return OldVersion(number, path.stat().st_mtime, size, digest)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync_folder(descriptor)
    finally:
        os.close(descriptor)

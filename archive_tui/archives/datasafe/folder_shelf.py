"""Datasets as plain folders below a root, as the original datasafe keeps them. A reserved place is an empty folder.

A deposit takes the name of the empty folder by rename(2), which refuses one that is not empty; making the folder is
what reserves a number. Both are atomic on every file system.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from archive_tui.archives.datasafe.dataset_record import RECORD_NAME, DatasetRecord, format_record
from archive_tui.archives.datasafe.folder_archive import open_folder_archive
from archive_tui.archives.datasafe.folder_places import (
    find_numbers,
    list_files,
    look_at_dataset,
    read_kept_record,
    resolve_place,
    walk_places,
)
from archive_tui.archives.datasafe.safe import OldVersion, StoredArchive
from archive_tui.archives.datasafe.shelf import FORMAT, SAFE_FILE, VERSION, Shelf, ShelvedDataset, read_issuer
from archive_tui.errors import (
    ExistingFileError,
    LoiNotFoundError,
    MissingContentError,
    NoFileError,
    ObjectExists,
    ObjectNotFound,
)
from archive_tui.objects.folder.atomic_file import sync_folder
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.snapshot import link_tree
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.folder.swap import finish_interrupted_swap, staged_folder, swap_folder, sync_tree
from archive_tui.objects.folder.temporary_entries import locked_folder
from archive_tui.progress import Report, StopSignal, ignore, never

OLD = ".old"

_READ_ONLY = 0o444


class FolderShelf(Shelf):
    """`root` is made by the first reservation when it does not exist. No symbolic link below it is followed."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
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
        with self._translated(place):
            path = resolve_place(self.root, place)
            if path is None:
                missing = self.root / place
                if not missing.parent.is_dir() or not finish_interrupted_swap(missing):
                    return None
                path = resolve_place(self.root, place)
            return None if path is None else look_at_dataset(path, place)

    def places(self, parent: str = "", *, stop: StopSignal = never) -> Iterator[ShelvedDataset]:
        with self._translated(parent):
            path = resolve_place(self.root, parent) if parent else self.root
            if path is not None:
                yield from walk_places(path, parent, stop)

    def reserve_next(self, parent: str) -> int:
        with self._translated(parent, writing=True):
            folder = self._make_folder(parent)
            folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                while True:
                    number = 1 + max([0, *find_numbers(folder), *find_numbers(self.root / OLD / parent)])
                    try:
                        os.mkdir(str(number), 0o777, dir_fd=folder_fd)
                    except FileExistsError:
                        continue  # somebody else was faster
                    sync_folder(folder_fd)
                    return number
            finally:
                os.close(folder_fd)

    def stage(self, place: str) -> AbstractContextManager[Path]:
        return staged_folder((self.root / place).parent)

    def fill(
        self, place: str, staged: Path, record: DatasetRecord, *, report: Report = ignore, stop: StopSignal = never
    ) -> ShelvedDataset:
        target = self._target(place)
        _seal(staged, record)
        with self._translated(place, writing=True):
            sync_tree(staged)
            try:
                staged.rename(target)
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                    raise ExistingFileError("Directory not empty.", key=place, store=self.label) from error
                raise
            _sync(target.parent)
        return self.find(place) or ShelvedDataset(place, is_empty=False, record=record)

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
        target = self._target(place)
        _seal(staged, record)
        with self._translated(place, writing=True), self._one_at_a_time(place) as old_folder:
            found = self.find(place)
            if found is None or found.is_empty:
                raise NoFileError("Directory empty", key=place, store=self.label)
            kept = self._keep(old_folder, target, found) if keeps_old else None
            swap_folder(staged, target, overwrite=True)
        return None if kept is None else _describe_old(old_folder / str(kept), kept)

    def read_small(self, place: str, path: str, most: int) -> bytes:
        try:
            with FolderStore(self._dataset(place), enters_symlinks=False).open(path, 0, most) as reader:
                return reader.read(most)
        except ObjectNotFound as error:
            raise NoFileError("File does not exist", key=path, store=self.label) from error

    def file_names(self, place: str) -> list[tuple[str, int]]:
        with self._translated(place):
            return list_files(self._dataset(place))

    def record(self, place: str) -> DatasetRecord | None:
        with self._translated(place):
            return read_kept_record(self._dataset(place))

    def count_old(self, place: str) -> int:
        with self._translated(place):
            return len(find_numbers(self.root / OLD / place))

    def archive(self, place: str, *, old: int | None = None) -> StoredArchive:
        with self._translated(place):
            if old is not None:
                path = resolve_place(self.root, f"{OLD}/{place}/{old}")
                if path is None:
                    raise NoFileError(f"There is no old version {old}.", key=place, store=self.label)
            else:
                path = self._dataset(place)
            found = look_at_dataset(path, place)
            if found.is_empty:
                raise MissingContentError("LOI does not have content.", key=place, store=self.label)
            names = [] if found.record is not None else list_files(path)
        return open_folder_archive(path, names, found.record, label=self.label)

    def old_versions(self, place: str) -> list[OldVersion]:
        folder = resolve_place(self.root, f"{OLD}/{place}")
        if folder is None:
            return []
        return [_describe_old(folder / str(number), number) for number in sorted(find_numbers(folder))]

    def _dataset(self, place: str) -> Path:
        path = resolve_place(self.root, place)
        if path is None:
            raise LoiNotFoundError(key=place, store=self.label)
        return path

    def _target(self, place: str) -> Path:
        """The place that is to be filled; what a killed update has left of it is settled first."""
        finish_interrupted_swap(self.root / place)
        return self._dataset(place)

    def _make_folder(self, parent: str) -> Path:
        """Makes what is missing on the way to a folder; a link on the way is refused."""
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root
        for segment in parent.split("/"):
            path /= segment
            try:
                path.mkdir()
            except FileExistsError:
                if not stat.S_ISDIR(path.lstat().st_mode):
                    raise NotADirectoryError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None
                continue
            _sync(path.parent)
        return path

    @contextmanager
    def _one_at_a_time(self, place: str) -> Iterator[Path]:
        """Of racing updates one after the other has its turn, so that each keeps what it replaces."""
        folder = self._make_folder(f"{OLD}/{place}")
        folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            with locked_folder(folder_fd):
                yield folder
        finally:
            os.close(folder_fd)

    def _keep(self, old_folder: Path, target: Path, found: ShelvedDataset) -> int:
        """Makes what lies there an old version; returns its number. An update that was killed may have done so."""
        last = max(find_numbers(old_folder), default=0)
        if last and found.record is not None:
            kept = look_at_dataset(old_folder / str(last), found.place).record
            if kept is not None and kept.archive_digest == found.record.archive_digest:
                return last
        with staged_folder(old_folder) as stage:
            link_tree(target, stage)
            sync_tree(stage)
            stage.rename(old_folder / str(last + 1))
        _sync(old_folder)
        return last + 1

    def _translated(self, place: str, *, writing: bool = False) -> AbstractContextManager[None]:
        return translate_os_errors(place, self.label, writing=writing)


def _seal(staged: Path, record: DatasetRecord) -> None:
    """Writes the record into the dataset's folder; from now on nothing in it is changed."""
    with translate_os_errors(staged.name, "the datasafe", writing=True):
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

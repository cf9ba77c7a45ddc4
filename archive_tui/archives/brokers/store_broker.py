"""A broker over an object store: what all types have in common."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from archive_tui.archives.brokers.broker import THREADS, Broker
from archive_tui.archives.brokers.bulk import run_bulk
from archive_tui.archives.brokers.one_file import OneFile
from archive_tui.archives.brokers.records import (
    FileDetails,
    FileDownload,
    FileMove,
    FileOutcome,
    FileUpload,
)
from archive_tui.errors import InvalidBrokerConfiguration, ObjectExists
from archive_tui.names.display import escape_for_display
from archive_tui.names.object_keys import check_key
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from archive_tui.progress import Report, StopSignal, check_stop, ignore, never

UPLOAD, DOWNLOAD, MOVE, DELETE = "upload", "download", "move", "delete"


class StoreBroker(Broker):
    """Each call opens the store and closes it."""

    def __init__(self, broker_type: str) -> None:
        super().__init__(broker_type)
        self._config: dict[str, Any] | None = None

    def load_configuration(self, config: Mapping[str, Any]) -> None:
        self._check(config)
        self._config = dict(config)

    @property
    def configuration(self) -> Mapping[str, Any]:
        """Raises: InvalidBrokerConfiguration when none was loaded."""
        if self._config is None:
            raise InvalidBrokerConfiguration(
                "INVALID_CONFIGURATION", f"The {self.broker_type} broker has no configuration"
            )
        return self._config

    @abstractmethod
    def _check(self, config: Mapping[str, Any]) -> None:
        """Raises: InvalidBrokerConfiguration."""

    @abstractmethod
    def _open_store(self, volume_path: str | None) -> ObjectStore:
        """Opens the store of the configuration; nobody is contacted."""

    def _is_file(self, listed: ObjectInfo) -> bool:
        return True

    def _mount(self, volume_path: str | None) -> str | None:
        """Where the files lie that can be linked to; None: nowhere."""
        return volume_path

    def list_files(
        self, volume_path: str | None, recursive: bool, *, prefix: str = "", stop: StopSignal = never
    ) -> Iterator[FileDetails]:
        begin = f"{check_key(prefix.rstrip('/'))}/" if prefix.strip("/") else ""
        with self._open_store(volume_path) as store:
            for listed in store.list(begin, recursive=recursive):
                check_stop(stop)
                if isinstance(listed, ObjectInfo) and self._is_file(listed):
                    yield FileDetails(listed.key.removeprefix(begin), listed.size)

    def upload_files(
        self,
        volume_path: str | None,
        file_uploads: Sequence[FileUpload],
        *,
        overwrite: bool = False,
        report: Report = ignore,
        stop: StopSignal = never,
        threads: int = THREADS,
    ) -> list[FileOutcome]:
        with self._one_file(volume_path, stop, overwrite) as one:
            return run_bulk(UPLOAD, file_uploads, _file_of, one.upload, threads=threads, report=report, stop=stop)

    def download_files(
        self,
        volume_path: str | None,
        file_downloads: Sequence[FileDownload],
        *,
        overwrite: bool = False,
        report: Report = ignore,
        stop: StopSignal = never,
        threads: int = THREADS,
    ) -> list[FileOutcome]:
        with self._one_file(volume_path, stop, overwrite) as one:
            return run_bulk(DOWNLOAD, file_downloads, _file_of, one.download, threads=threads, report=report, stop=stop)

    def move_files(
        self,
        volume_path: str | None,
        file_moves: Sequence[FileMove],
        *,
        overwrite: bool = False,
        report: Report = ignore,
        stop: StopSignal = never,
        threads: int = THREADS,
    ) -> list[FileOutcome]:
        entangled = find_entangled(file_moves) if overwrite else frozenset()

        def move(item: FileMove) -> FileOutcome:
            if id(item) in entangled:
                raise ObjectExists(
                    f"Another move of the same call needs this place: {escape_for_display(item.new_path)}",
                    key=item.new_path,
                    hint="Move them in two calls.",
                )
            return one.move(item)

        with self._one_file(volume_path, stop, overwrite) as one:
            return run_bulk(MOVE, file_moves, _file_of, move, threads=threads, report=report, stop=stop)

    def delete_files(
        self,
        volume_path: str | None,
        files: Iterable[Any],
        update_model: bool = True,
        *,
        report: Report = ignore,
        stop: StopSignal = never,
        threads: int = THREADS,
    ) -> list[FileOutcome]:
        with self._one_file(volume_path, stop, overwrite=False) as one:
            return run_bulk(
                DELETE,
                list(files),
                lambda file: file,
                lambda file: one.delete(file, update_model=update_model),
                threads=threads,
                report=report,
                stop=stop,
            )

    def get_file_system_paths(self, volume_path: str | None, files: Sequence[Any]) -> list[str] | None:
        mount = self._mount(volume_path)
        if mount is None:
            return None
        return [os.path.join(mount, check_key(file.file_path)) for file in files]  # noqa: PTH118

    @contextmanager
    def _one_file(self, volume_path: str | None, stop: StopSignal, overwrite: bool) -> Iterator[OneFile]:
        with self._open_store(volume_path) as store:
            yield OneFile(store, stop, overwrite=overwrite, mount=self._mount(volume_path))


def _file_of(item: FileUpload | FileDownload | FileMove) -> Any:
    return item.file


def find_entangled(moves: Sequence[FileMove]) -> frozenset[int]:
    """Returns the identities of moves to where another one comes from or goes to: as they are made at once, and may
    replace, one of the two contents would be lost."""
    sources, targets = Counter(move.file.file_path for move in moves), Counter(move.new_path for move in moves)
    return frozenset(
        id(move)
        for move in moves
        if targets[move.new_path] > 1 or (move.new_path in sources and move.new_path != move.file.file_path)
    )


def check_texts(config: Mapping[str, Any], *keys: str) -> None:
    """Raises: InvalidBrokerConfiguration when one of them is given, and is no text."""
    for key in keys:
        if config.get(key) is not None and not isinstance(config[key], str):
            raise InvalidBrokerConfiguration("INVALID_CONFIGURATION", f'"{key}" has to be a text')


def require_text(config: Mapping[str, Any], key: str, title: str) -> str:
    """Returns the value of a key that has to be there.

    Raises: InvalidBrokerConfiguration `TITLE broker requires "KEY" to be populated`.
    """
    value = config.get(key)
    if not isinstance(value, str) or not value.strip():
        raise InvalidBrokerConfiguration("INVALID_CONFIGURATION", f'{title} broker requires "{key}" to be populated')
    return value

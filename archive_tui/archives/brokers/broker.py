"""What every broker can do, whatever lies behind it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from archive_tui.archives.brokers.records import (
    BrokerVolume,
    FileDetails,
    FileDownload,
    FileMove,
    FileOutcome,
    FileUpload,
    ValidationWarning,
)
from archive_tui.progress import Report, StopSignal, ignore, never

THREADS = 8


class Broker(ABC):
    """A kind of storage backend. A new one knows nothing until `load_configuration` has been called.

    `volume_path` is where the volume is mounted; None for a broker without volume. A bulk method tries every file, and
    returns what became of each, in the order of the list; when any failed, it raises the error of the first of them,
    which carries all of them as `outcomes`. Names that lead out of the volume fail, and are never touched.
    """

    def __init__(self, broker_type: str) -> None:
        self._broker_type = broker_type
        self._volume: BrokerVolume | None = None

    @property
    def broker_type(self) -> str:
        return self._broker_type

    @property
    def volume(self) -> BrokerVolume | None:
        """What has to be mounted; None: nothing."""
        return self._volume

    @abstractmethod
    def validate_configuration(self, config: Mapping[str, Any]) -> list[ValidationWarning]:
        """Returns warnings on a configuration that can be used.

        Raises: InvalidBrokerConfiguration.
        """

    @abstractmethod
    def load_configuration(self, config: Mapping[str, Any]) -> None:
        """Takes a configuration; nobody is contacted. Raises: InvalidBrokerConfiguration."""

    @abstractmethod
    def list_files(
        self, volume_path: str | None, recursive: bool, *, prefix: str = "", stop: StopSignal = never
    ) -> Iterator[FileDetails]:
        """Lists the files below `prefix` (a folder; empty: all), lazily and without an end; `recursive` False: of one
        level. Their names are relative to the prefix."""

    @abstractmethod
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
        """Brings local files to the places of their records, each proven where it lies then. A file that is there
        stays, and another content for it fails (ObjectExists), unless `overwrite`."""

    @abstractmethod
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
        """Brings files to local paths, each proven before it appears there. An absent one fails (MissingFile)."""

    @abstractmethod
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
        """Gives files new paths. The old one goes when the new one is proven, never before; a backend that renames
        atomically does that. An absent one fails (MissingFile)."""

    @abstractmethod
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
        """Deletes files, never the folders above them. What is gone already is no failure. `update_model` sets
        `is_deleted` and `deleted` of the records."""

    def get_file_system_paths(self, volume_path: str | None, files: Sequence[Any]) -> list[str] | None:
        """Returns where the files lie in the mounted volume; None: there is none."""
        return None

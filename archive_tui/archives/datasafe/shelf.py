"""Where the datasets of a safe lie: an interface for two ways, the folders of the original and zip archives in a store.

A *place* is a path below the safe's root, with `/`: `exp/sa/42/cwepr/1`, or `42.2002/exp/sa/42/cwepr/1` for another
issuer than the safe's own. A shelf knows nothing of LOIs and of checksums: who calls it has judged the names and proven
the content.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from archive_tui.archives.datasafe.dataset_record import DatasetRecord
from archive_tui.archives.datasafe.safe import OldVersion, StoredArchive
from archive_tui.errors import StorageError
from archive_tui.progress import Report, StopSignal, ignore, never

SAFE_FILE = ".datasafe.json"
FORMAT = "archive-tui datasafe"
VERSION = 1


def read_issuer(content: bytes, label: str) -> str:
    """Returns the issuer that SAFE_FILE names. Raises: StorageError when it cannot be read."""
    try:
        return str(json.loads(content)["issuer"])
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(
            f"{label}: {SAFE_FILE} cannot be read.",
            key=SAFE_FILE,
            store=label,
            hint="Write the issuer of the datasafe into it again; docs/formats.md shows its form.",
        ) from error


@dataclass(frozen=True, slots=True)
class ShelvedDataset:
    """What lies at a place. `is_empty`: it is reserved. `record` None: nobody has written one down (a safe of the
    original that was not adopted), or it is not that of what lies there (`detail` says so). `version` changes whenever
    the content does. `size` in bytes of what a listing shows without a look at it (None: it was looked at)."""

    place: str
    is_empty: bool
    record: DatasetRecord | None = None
    version: str = ""
    modified: float | None = None
    detail: str = ""
    size: int | None = None


class Shelf(ABC):
    """Datasets at places. Methods may be called from several threads and processes at once. Errors are those of the
    object store below, and those named here."""

    label: str
    identity: str

    @abstractmethod
    def issuer(self) -> str | None:
        """The safe's own issuer, as `ROOT/.datasafe.json` records it; None: nobody has reserved anything yet."""

    @abstractmethod
    def claim_issuer(self, issuer: str) -> str:
        """Makes `issuer` the safe's own unless there is one already, atomically; returns the safe's own."""

    @abstractmethod
    def find(self, place: str) -> ShelvedDataset | None:
        """A short look at one place; None: there is nothing, not even a reservation."""

    @abstractmethod
    def places(self, parent: str = "", *, stop: StopSignal = never) -> Iterator[ShelvedDataset]:
        """All places at or below `parent` that end in a number and are reserved or filled, in no special order.
        Nothing whose path has a segment that begins with a dot."""

    @abstractmethod
    def reserve_next(self, parent: str) -> int:
        """Reserves the highest number below `parent` plus one (from 1), atomically, and returns it."""

    @abstractmethod
    def stage(self, place: str) -> AbstractContextManager[Path]:
        """An empty folder on this machine for what is going to lie at `place`; removed with all that is in it at the
        end, also by the next deposit when this process is killed."""

    @abstractmethod
    def fill(
        self, place: str, staged: Path, record: DatasetRecord, *, report: Report = ignore, stop: StopSignal = never
    ) -> ShelvedDataset:
        """Makes the proven dataset in `staged`, which `stage` gave for this place, visible at an empty place, at once
        and durable.

        Raises: ExistingFileError when the place is not empty (any more); LoiNotFoundError when it is not reserved.
        """

    @abstractmethod
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
        """Puts the proven dataset in `staged` in the place of the one that is there, at once; with `keeps_old` that one
        becomes an old version, whole and readable, before it goes. Of racing updates each is kept.

        Raises: NoFileError `Directory empty` when there is nothing to replace.
        """

    @abstractmethod
    def read_small(self, place: str, path: str, most: int) -> bytes:
        """The first `most` bytes of one file of a dataset. Raises: NoFileError `File does not exist`."""

    @abstractmethod
    def file_names(self, place: str) -> list[tuple[str, int]]:
        """All files of the dataset as they lie there now, with their sizes in bytes, sorted; the record left out."""

    @abstractmethod
    def record(self, place: str) -> DatasetRecord | None:
        """What was written down at the deposit, whether or not it fits what lies there now; None: nothing."""

    @abstractmethod
    def count_old(self, place: str) -> int:
        """How many old versions there are."""

    @abstractmethod
    def archive(self, place: str, *, old: int | None = None) -> StoredArchive:
        """The dataset as an archive that can be read.

        Raises: MissingContentError when it is only reserved; NoFileError for an old version that is not there.
        """

    @abstractmethod
    def old_versions(self, place: str) -> list[OldVersion]:
        """What updates have replaced and kept, the oldest first."""

    def close(self) -> None:  # noqa: B027  (a folder has nothing to close)
        """Releases connections."""

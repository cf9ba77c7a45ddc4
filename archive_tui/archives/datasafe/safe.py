"""What a datasafe does, wherever it lies: a folder, an object store, behind HTTP. Faces and jobs know only this.

A *LOI* names a dataset: `42.1001/ds/exp/sa/42/cwepr/1`. It is reserved first, without data, then deposited once; an
update replaces what was deposited. Datasets travel as zip archives with a `MANIFEST.yaml` at their top.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Self

from archive_tui.integrity.evidence import Evidence
from archive_tui.integrity.inventory import Inventory
from archive_tui.integrity.report import IntegrityReport
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.object_store import ObjectStore
from archive_tui.progress import Report, StopSignal, ignore, never

if TYPE_CHECKING:
    from archive_tui.manifests.datasafe_manifest import DatasafeManifest


class SafeState(StrEnum):
    """What a short look shows. DAMAGED: what lies there cannot be a dataset: no manifest, one that cannot be read, or
    files and sizes that are not those that were deposited."""

    RESERVED = "reserved"
    DEPOSITED = "deposited"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class SafeEntry:
    """One LOI in a listing. `files` and `size` (bytes of the files, manifest included) are None where they are not
    known without reading; `modified` is when it was deposited, in seconds since the epoch; `digest` the SHA-256 of the
    archive as it is handed out (None: nobody has written it down); `old_versions` counts what updates have replaced
    and kept. `detail` says what is wrong with a damaged one. In a listing of an object
    store `size` is that of the archive."""

    loi: str
    state: SafeState
    files: int | None = None
    size: int | None = None
    modified: float | None = None
    digest: str | None = None
    old_versions: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OldVersion:
    """A dataset that an update has replaced. `number` counts from 1, the oldest; `replaced_at` in seconds since the
    epoch; `digest` and `size` are those of its archive."""

    number: int
    replaced_at: float | None
    size: int | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class MetadataText:
    """The beginning of a metadata file. `is_cut`: the file goes on."""

    name: str
    text: str
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class DatasetDescription:
    """All that is shown of one LOI without reading its data. `manifest` is None for what is reserved or damaged;
    `inventory` lists the files with the SHA-256 that were proven at deposit, or stand in the manifest."""

    entry: SafeEntry
    manifest: DatasafeManifest | None = None
    inventory: Inventory = field(default_factory=Inventory)
    metadata: tuple[MetadataText, ...] = ()
    old_versions: tuple[OldVersion, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredArchive:
    """A dataset as the zip archive that is handed out: members stored, sorted by name, with fixed times, so that the
    same files are the same bytes. `store.open(key, offset, length)` reads any part of it. `digest` None: not known
    without reading all of it."""

    store: ObjectStore
    key: str
    size: int
    digest: str | None


@dataclass(frozen=True, slots=True)
class DepositReceipt:
    """What lies in the safe now, and how that was proven. `data_is_right` and `all_is_right` are the two checksums of
    the manifest (always true: what fails is refused); `replaced` is the old version that an update has kept, None: it
    was no update, or nothing is kept. `was_there`: the same content had been deposited before, by a run whose end
    nobody heard of."""

    loi: str
    files: int
    size: int
    archive_size: int
    archive_digest: str
    inventory: Inventory
    evidence: Evidence
    data_is_right: bool = True
    all_is_right: bool = True
    replaced: OldVersion | None = None
    was_there: bool = False


class Safe(ABC):
    """Datasets under LOIs. Methods may be called from several threads and processes at once.

    LOIs are judged before anything is touched: MissingLoiError, InvalidLoiError (`String is not a valid LOI.`, `LOI is
    not a datasafe LOI.`). One that nobody has reserved: LoiNotFoundError. Every other error is one of the errors of
    the store below.
    """

    label: str
    """For people: what and where, without any secret."""

    identity: str
    """For records: the same safe has the same identity in every process."""

    @abstractmethod
    def reserve(self, loi: str) -> str:
        """Reserves the next free number below `loi`, and returns the LOI with it. A number that was given is ignored.

        Guarantees: of racing callers, in whatever processes, each gets another number; two issuers never share a place.

        Raises: InvalidLoiError `Loi ist not a valid experiment LOI.` for a dataset of another kind.
        """

    @abstractmethod
    def deposit(
        self, loi: str, archive: Iterable[Chunk], *, report: Report = ignore, stop: StopSignal = never
    ) -> DepositReceipt:
        """Deposits the dataset in the zip `archive` under a LOI that was reserved.

        Guarantees: it appears at once, whole and proven, or not at all; memory does not grow with it. It is refused
        when its structure is hostile, when it has no manifest, when the manifest lists what is not there, does not
        list what is there, or has other checksums; nothing of it is kept then.

        Raises: ExistingFileError `Directory not empty.`; MissingContentError `No content provided to deposit.`;
        HostileArchive, ManifestError; IntegrityError with its `report` when a digest is wrong; OperationStopped.
        """

    @abstractmethod
    def update(
        self, loi: str, archive: Iterable[Chunk], *, report: Report = ignore, stop: StopSignal = never
    ) -> DepositReceipt:
        """Replaces the dataset of a LOI, as `deposit` does; the old one is there until the new one is proven, and
        stays retrievable as an old version unless the safe was opened with `keeps_old=False`.

        Raises: NoFileError `Directory empty` when nothing was deposited yet; else as `deposit`.
        """

    @abstractmethod
    def entries(self, prefix: str = "", *, stop: StopSignal = never) -> Iterator[SafeEntry]:
        """Lists the LOIs that begin with the text `prefix`, sorted as people count (…/2 before …/10). Complete or an
        error. Folders and objects that are no dataset of a LOI are passed over."""

    @abstractmethod
    def look(self, loi: str) -> SafeEntry:
        """Returns what a short look shows of one LOI."""

    @abstractmethod
    def describe(self, loi: str) -> DatasetDescription:
        """Returns manifest, metadata files (the first 64 KiB of each, at most 20) and old versions of one LOI."""

    @abstractmethod
    def archive(self, loi: str, *, old: int | None = None) -> StoredArchive:
        """Returns the dataset as an archive that can be read; `old` is the number of an old version.

        Raises: MissingContentError `LOI does not have content.`; NoFileError for an old version that is not there.
        """

    @abstractmethod
    def verify(self, loi: str, *, report: Report = ignore, stop: StopSignal = never) -> IntegrityReport:
        """Reads the whole dataset and compares every file with its SHA-256 and with the checksums of its manifest.

        Raises: MissingContentError when nothing was deposited; StorageUnavailable (updated) when it is replaced
        meanwhile.
        """

    def close(self) -> None:  # noqa: B027  (a safe without connections has nothing to close)
        """Releases connections. The safe is not used afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

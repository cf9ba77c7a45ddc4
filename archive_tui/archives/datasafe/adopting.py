"""Takes over the folder of an existing datasafe as it lies: what is missing is added, nothing else is changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive_tui.archives.datasafe.dataset_record import RECORD_NAME, format_record
from archive_tui.archives.datasafe.folder_places import list_files, look_at_dataset, read_kept_record, walk_places
from archive_tui.archives.datasafe.folder_shelf import FolderShelf
from archive_tui.archives.datasafe.manifest_check import check_algorithm, check_manifest
from archive_tui.archives.datasafe.receiving import describe_check
from archive_tui.archives.datasafe.shelf import ShelvedDataset
from archive_tui.archives.datasafe.staged_dataset import hash_files, read_staged
from archive_tui.errors import ArchiveError, ConfigurationError, InvalidLoiError, ManifestError, NoFileError
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.manifests.datasafe_manifest import (
    LARGEST,
    MANIFEST_FILE,
    DatasafeManifest,
    parse_datasafe_manifest,
)
from archive_tui.names.loi import ROOT, Parser
from archive_tui.objects.folder.atomic_file import write_atomically
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.progress import Ended, ItemDone, ItemFailed, Planned, Report, StopSignal, check_stop, ignore, never

PHASE = "adopt"


@dataclass(frozen=True, slots=True)
class AdoptionReport:
    """`adopted` are the places that have a record now (or would have, in a dry run), `already` those that had one,
    `reserved` counts empty places. `findings` name what does not fit, by place and path; those stay as they are."""

    root: Path
    issuer: str
    adopted: tuple[str, ...]
    already: int
    reserved: int
    findings: tuple[Finding, ...]


def adopt_folder(
    root: Path,
    *,
    issuer: str | None = None,
    dry_run: bool = False,
    report: Report = ignore,
    stop: StopSignal = never,
) -> AdoptionReport:
    """Reads every dataset below `root` and writes a record beside the files of those that fit their manifest, and
    `.datasafe.json` with the issuer, unless it is there. No file of a dataset is touched. Can be repeated.

    `issuer` None: the one that `.datasafe.json` names, or else the manifests.

    Raises: ConfigurationError for a folder that does not exist, and where nobody says whose issuer it is;
    StorageError; OperationStopped, what was adopted until then stays.
    """
    if not root.is_dir():
        raise ConfigurationError(f"No such folder: {root}", hint="Name the folder of the datasafe.")
    adoption = _Adoption(root, dry_run, report, stop)
    own = adoption.find_issuer(issuer)
    adoption.run(own)
    if not dry_run:
        adoption.shelf.claim_issuer(own)
    return AdoptionReport(
        root, own, tuple(adoption.adopted), adoption.already, adoption.reserved, tuple(adoption.findings)
    )


class _Adoption:
    def __init__(self, root: Path, dry_run: bool, report: Report, stop: StopSignal) -> None:
        self.shelf = FolderShelf(root)
        self.adopted: list[str] = []
        self.findings: list[Finding] = []
        self.already = self.reserved = 0
        self._own = ""
        self._root = self.shelf.root
        self._dry_run = dry_run
        self._report = report
        self._stop = stop

    def find_issuer(self, issuer: str | None) -> str:
        """Raises: ConfigurationError."""
        own = self.shelf.issuer()
        if own is not None and issuer not in (None, own):
            raise ConfigurationError(
                f"The datasafe is that of issuer {own} already, not of {issuer}.", hint="Leave --issuer out."
            )
        found = own or issuer or next(self._issuers(), None)
        if found is None:
            raise ConfigurationError(
                "Nobody says whose issuer the datasets have.", hint="Name it: --issuer 1001 for LOIs like 42.1001/ds/…"
            )
        return found

    def run(self, own: str) -> None:
        """`own` is the issuer whose datasets lie at the root itself."""
        self._own = own
        places = list(self._places())
        self._report(Planned(PHASE, len(places)))
        finished = False
        try:
            for number, found in enumerate(places, 1):
                check_stop(self._stop)
                self._take(found, number)
            finished = True
        finally:
            self._report(Ended(PHASE, finished))

    def _take(self, found: ShelvedDataset, number: int) -> None:
        if found.is_empty:
            self.reserved += 1
        elif found.record is not None:
            self.already += 1
        elif problems := self._adopt(found.place):
            self.findings += problems
            self._report(ItemFailed(PHASE, found.place, number, problems[0].detail or str(problems[0].kind)))
            return
        self._report(ItemDone(PHASE, found.place, number))

    def _adopt(self, place: str) -> list[Finding]:
        """Writes the record of a dataset; returns what speaks against it."""
        folder = self._root / place
        try:
            if read_kept_record(folder) is not None:
                detail = look_at_dataset(folder, place).detail
                return [Finding(FindingKind.CHANGED, place, detail=f"it is not as it was recorded: {detail}")]
            with translate_os_errors(place, self.shelf.label):
                manifest = parse_datasafe_manifest(self.shelf.read_small(place, MANIFEST_FILE, LARGEST + 1))
                names = [name for name, _ in list_files(folder)]
                digests, members = hash_files(folder, names, check_algorithm(manifest), stop=self._stop)
        except (ManifestError, NoFileError) as error:
            return [Finding(FindingKind.UNREADABLE, place, detail=_say(error))]
        problems = self._check_loi(place, manifest) + describe_check(check_manifest(manifest, digests))
        if problems:
            return [
                Finding(each.kind, f"{place}/{each.path}", each.expected, each.found, detail=each.detail)
                for each in problems
            ]
        if not self._dry_run:
            with translate_os_errors(place, self.shelf.label):
                again, record = read_staged(folder, members, check_algorithm(manifest), stop=self._stop)
            if sorted(again) != sorted(digests):
                return [Finding(FindingKind.CHANGED, place, detail="it was changed while it was read")]
            write_atomically(folder / RECORD_NAME, [format_record(record)])
        self.adopted.append(place)
        return []

    def _check_loi(self, place: str, manifest: DatasafeManifest) -> tuple[Finding, ...]:
        first, _, rest = place.partition("/")
        loi = f"{first}/ds/{rest}" if first.startswith(f"{ROOT}.") else f"{ROOT}.{self._own}/ds/{place}"
        if manifest.loi in ("", loi):
            return ()
        return (Finding(FindingKind.CHANGED, MANIFEST_FILE, detail=f"it is that of another LOI: {manifest.loi[:100]}"),)

    def _issuers(self) -> Iterator[str]:
        """The issuers that the manifests name."""
        for found in self._places():
            if found.is_empty:
                continue
            try:
                manifest = parse_datasafe_manifest(self.shelf.read_small(found.place, MANIFEST_FILE, LARGEST + 1))
                parser = Parser()
                parser.parse(manifest.loi)
                yield parser.issuer
            except (ManifestError, NoFileError, InvalidLoiError, ArchiveError):
                continue

    def _places(self) -> Iterator[ShelvedDataset]:
        with translate_os_errors("", self.shelf.label):
            yield from walk_places(self._root, "", self._stop)


def _say(error: ArchiveError) -> str:
    return "it has no manifest" if isinstance(error, NoFileError) else error.message

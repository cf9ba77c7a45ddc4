"""Sends a dataset to a datasafe's server, once. Where the reply is lost, what lies there settles what happened."""

from __future__ import annotations

import hashlib
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable

from archive_tui.archives.datasafe.safe import DatasetDescription, DepositReceipt, OldVersion, SafeState
from archive_tui.archives.datasafe.sent_archive import Pace, SentArchive, check_verdict
from archive_tui.errors import (
    ArchiveError,
    ExistingFileError,
    NoFileError,
    ObjectNotFound,
    StorageError,
    StorageUnavailable,
)
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.streams import BLOCK_SIZE, Chunk
from archive_tui.objects.http.connection import Upload, pause
from archive_tui.objects.http.store import HttpStore, archive_key
from archive_tui.progress import Ended, Report, StopSignal

SETTLE_SECONDS = 60.0
"""How long is looked for a dataset that was sent whole, and whose reply was lost: the server may still be checking."""

UNSETTLED = "deposit-unsettled"
_FAILED = frozenset({500, 503})
"""The server has ended its work; whether before or behind the deposit, one look tells."""

_GAVE_UP_WAITING = frozenset({502, 504})
"""Something between, while the server may be working still."""

Describe = Callable[[str], DatasetDescription]


class RemoteDeposit:
    """One deposit, or one update, of the dataset of one LOI."""

    def __init__(
        self, store: HttpStore, describe: Describe, loi: str, *, is_update: bool, pace: Pace | None = None
    ) -> None:
        self._pace = pace
        self._store = store
        self._connection = store.connection
        self._describe = describe
        self._loi = loi
        self._is_update = is_update

    def send(self, archive: Iterable[Chunk], report: Report, stop: StopSignal) -> DepositReceipt:
        """Sends the archive when the LOI is in the state for it. See `Safe.deposit` and `Safe.update`.

        Raises: what these raise; StorageUnavailable (code `deposit-unsettled`) when the connection broke and the
        dataset is not there; what iterating `archive` raises, unchanged.
        """
        before = self._describe(self._loi)
        self._check_state(before)
        source = SentArchive(archive, report, stop, self._pace)
        try:
            reply = self._connection.send(
                "PATCH" if self._is_update else "PUT", self._loi, upload=Upload(source, source.size)
            )
        except StorageUnavailable as error:
            if source.failure is not None:
                raise source.failure from None
            return self._settle(before, archive, source, self._lost(error), SETTLE_SECONDS, stop)
        finally:
            report(Ended(source.phase, source.is_whole))
        if reply.status in _FAILED | _GAVE_UP_WAITING:
            refusal = self._connection.error(reply, self._loi)
            patience = SETTLE_SECONDS if reply.status in _GAVE_UP_WAITING else 0.0
            return self._settle(before, archive, source, refusal, patience, stop)
        check_verdict(reply, self._connection, self._loi)
        return self._make_receipt(before, self._describe(self._loi), source, was_there=False)

    def _check_state(self, before: DatasetDescription) -> None:
        """What the server is going to refuse need not be sent."""
        is_empty = before.entry.state is SafeState.RESERVED
        if is_empty and self._is_update:
            raise NoFileError("Directory empty", key=self._loi, store=self._store.label)
        if not is_empty and not self._is_update:
            raise ExistingFileError(key=self._loi, store=self._store.label)

    def _settle(
        self,
        before: DatasetDescription,
        archive: Iterable[Chunk],
        source: SentArchive,
        error: ArchiveError,
        patience: float,
        stop: StopSignal,
    ) -> DepositReceipt:
        """Looks for `patience` seconds whether what was sent lies there; once, when not all of it was sent."""
        deadline = time.monotonic() + (patience if source.is_whole else 0.0)
        attempt = 0
        while True:
            found = self._look()
            if found is not None and self._is_ours(found, archive, source):
                return self._make_receipt(before, found, source, was_there=True)
            if found is not None and found.entry.state is not SafeState.RESERVED and not self._is_update:
                raise self._other(archive) from error
            if time.monotonic() >= deadline:
                raise error
            pause(attempt, stop)
            attempt += 1

    def _look(self) -> DatasetDescription | None:
        try:
            return self._describe(self._loi)
        except (StorageUnavailable, ObjectNotFound):
            return None

    def _is_ours(self, found: DatasetDescription, archive: Iterable[Chunk], source: SentArchive) -> bool:
        """True when what lies there is what was sent: the same archive, or the same files in another archive."""
        if found.entry.state is not SafeState.DEPOSITED or not source.is_whole:
            return False
        if found.entry.digest == source.digest:
            return True
        digests = {entry.path: entry.digest for entry in found.inventory}
        return bool(digests) and iter(archive) is not archive and _member_digests(archive) == digests

    def _other(self, archive: Iterable[Chunk]) -> ArchiveError:
        if iter(archive) is not archive:
            return ExistingFileError(key=self._loi, store=self._store.label)
        return StorageError(
            f"The connection broke, and what lies there now is another archive than the one that was sent: {self._loi}",
            key=self._loi,
            store=self._store.label,
            hint="It may be the same files, packed anew by the server: archive-tui safe show LOI names them.",
            code=UNSETTLED,
        )

    def _lost(self, cause: StorageUnavailable) -> ArchiveError:
        error = StorageUnavailable(
            f"{self._store.label} was lost while the dataset was sent, and it is not there: {self._loi}",
            key=self._loi,
            store=self._store.label,
            hint="See what lies there (archive-tui safe show LOI), then repeat the command. A server that ends the "
            "connection each time may have a limit for the size of a dataset.",
            code=UNSETTLED,
        )
        error.__cause__ = cause
        return error

    def _make_receipt(
        self, before: DatasetDescription, found: DatasetDescription, source: SentArchive, *, was_there: bool
    ) -> DepositReceipt:
        info = self._store.info(archive_key(self._loi))
        digest = found.entry.digest or info.digest
        if found.entry.state is not SafeState.DEPOSITED:
            raise StorageError(
                f"{self._store.label} has taken the dataset, and shows it as {found.entry.state}: {self._loi}",
                key=self._loi,
                store=self._store.label,
                hint="Somebody may be changing it; see: archive-tui safe show LOI",
            )
        is_same = digest == source.digest
        evidence = Evidence(
            self._store.identity,
            info.key,
            EvidenceLevel.ATTESTED if is_same else EvidenceLevel.COPIED,
            digest or source.digest,
            info.size,
            time.time(),
            "the server names the SHA-256 of what was sent here" if is_same else "checked by the server, by its word",
            info.version,
        )
        return DepositReceipt(
            self._loi,
            len(found.inventory),
            found.inventory.total_bytes,
            info.size,
            digest or source.digest,
            found.inventory,
            evidence,
            replaced=_new_old_version(before, found) if self._is_update else None,
            was_there=was_there,
        )


def _new_old_version(before: DatasetDescription, found: DatasetDescription) -> OldVersion | None:
    known = {old.number for old in before.old_versions}
    return next((old for old in reversed(found.old_versions) if old.number not in known), None)


def _member_digests(archive: Iterable[Chunk]) -> dict[str, str | None] | None:
    """SHA-256 of the files in an archive, by path; None for what is no archive. It passes through a temporary file."""
    digests: dict[str, str | None] = {}
    try:
        with tempfile.TemporaryFile() as copy:
            copy.writelines(archive)
            with zipfile.ZipFile(copy) as opened:
                for member in opened.infolist():
                    if not member.is_dir():
                        digests[member.filename] = _digest_member(opened, member)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
        return None
    return digests


def _digest_member(opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    digest = hashlib.sha256()
    with opened.open(member) as content:
        while block := content.read(BLOCK_SIZE):
            digest.update(block)
    return digest.hexdigest()

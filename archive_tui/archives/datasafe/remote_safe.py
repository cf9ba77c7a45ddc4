"""A datasafe behind an HTTP server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Self

from archive_tui.archives.datasafe.remote_deposit import RemoteDeposit
from archive_tui.archives.datasafe.remote_description import parse_description, parse_entry
from archive_tui.archives.datasafe.safe import (
    DatasetDescription,
    DepositReceipt,
    Safe,
    SafeEntry,
    SafeState,
    StoredArchive,
)
from archive_tui.archives.datasafe.sent_archive import Pace
from archive_tui.errors import (
    InvalidLoiError,
    InvalidName,
    MissingContentError,
    MissingLoiError,
    NoFileError,
    ObjectNotFound,
)
from archive_tui.integrity.report import IntegrityReport
from archive_tui.integrity.streams import Chunk
from archive_tui.names.loi import NOT_DATASAFE, NOT_EXPERIMENT, Parser, loi_sort_key
from archive_tui.objects.http.connection import Token
from archive_tui.objects.http.failures import unreadable_reply
from archive_tui.objects.http.index import JSON, may_be_loi, read_index, read_json
from archive_tui.objects.http.store import HttpStore, archive_key
from archive_tui.objects.object_store import ObjectStore
from archive_tui.progress import Report, StopSignal, ignore, never

LONGEST_DESCRIPTION = 64 << 20
"""Bytes of what a server says of one dataset: 200,000 files."""


class RemoteSafe(Safe):
    """Datasets behind the server at `url`. LOIs that are none, or not of a datasafe, are refused here, before anything
    is sent; which methods and numbers a safe knows is for its server to say.

    What changes nothing is asked again when a connection breaks. A dataset is sent once: where the reply to it is lost,
    what lies there is looked at, and compared with what was sent.
    """

    def __init__(self, url: str, token: Token = None) -> None:
        """Nobody is contacted. Raises: ConfigurationError for what is no address, or no token."""
        self._take(HttpStore(url, token), None, None)

    @classmethod
    def over(cls, store: HttpStore, *, reading: ObjectStore | None = None, pace: Pace | None = None) -> Self:
        """Over a store that is there already: archives are read through `reading`, a wrapper of it, and sent through
        `pace`. Closes the store when it is closed."""
        safe = cls.__new__(cls)
        safe._take(store, reading, pace)
        return safe

    def _take(self, store: HttpStore, reading: ObjectStore | None, pace: Pace | None) -> None:
        self._pace = pace
        self._store = store
        self._reading = reading or store
        self._connection = store.connection
        self.label = store.label
        self.identity = store.identity

    def __repr__(self) -> str:
        return f"RemoteSafe({self._connection.address.url!r})"

    def reserve(self, loi: str) -> str:
        asked = loi.rstrip("/") if isinstance(loi, str) else loi
        if _check_loi(asked).partition("/")[0] != "exp":
            raise InvalidLoiError(NOT_EXPERIMENT, name=loi[:200])
        reply = self._connection.send("POST", asked)
        if reply.status != 201:
            raise self._connection.error(reply, asked)
        given = reply.body.decode("utf-8", "replace").strip()
        try:
            _check_loi(given)
        except InvalidName as error:
            raise unreadable_reply(self.label, asked, "it is no LOI") from error
        return given

    def deposit(
        self, loi: str, archive: Iterable[Chunk], *, report: Report = ignore, stop: StopSignal = never
    ) -> DepositReceipt:
        _check_loi(loi)
        return self._sending(loi, is_update=False).send(archive, report, stop)

    def update(
        self, loi: str, archive: Iterable[Chunk], *, report: Report = ignore, stop: StopSignal = never
    ) -> DepositReceipt:
        _check_loi(loi)
        return self._sending(loi, is_update=True).send(archive, report, stop)

    def entries(self, prefix: str = "", *, stop: StopSignal = never) -> Iterator[SafeEntry]:
        rows = read_index(self._connection, prefix, stop=stop)
        yield from sorted((parse_entry(row, self.label) for row in rows), key=lambda entry: loi_sort_key(entry.loi))

    def look(self, loi: str) -> SafeEntry:
        return self.describe(loi).entry

    def describe(self, loi: str) -> DatasetDescription:
        _check_loi(loi)
        reply = self._connection.fetch("GET", loi, headers=JSON, longest=LONGEST_DESCRIPTION)
        if reply.status == 204:
            return DatasetDescription(SafeEntry(loi, SafeState.RESERVED))
        if reply.status != 200:
            raise self._connection.error(reply, loi)
        if reply.content_type != "application/json":
            raise unreadable_reply(self.label, loi, "it is no description of a dataset")
        return parse_description(read_json(reply.body, self.label, loi), loi, self.label)

    def archive(self, loi: str, *, old: int | None = None) -> StoredArchive:
        _check_loi(loi)
        key = archive_key(loi, old)
        try:
            info = self._store.info(key)
        except MissingContentError:
            raise
        except ObjectNotFound as error:
            self.look(loi)  # says in words what a HEAD cannot: it may be the LOI that is wrong, or not there
            if old is None:
                raise
            raise NoFileError(f"No old version {old} of {loi}.", key=loi, store=self.label) from error
        return StoredArchive(self._reading, key, info.size, info.digest)

    def verify(self, loi: str, *, report: Report = ignore, stop: StopSignal = never) -> IntegrityReport:
        from archive_tui.archives.datasafe.verifying import verify_held

        archive, expected = self.archive(loi), self.describe(loi).inventory
        return verify_held(self, loi, archive, expected if len(expected) else None, report, stop)

    def close(self) -> None:
        self._store.close()

    def _sending(self, loi: str, *, is_update: bool) -> RemoteDeposit:
        return RemoteDeposit(self._store, self.describe, loi, is_update=is_update, pace=self._pace)


def _check_loi(loi: str) -> str:
    """Returns the id of a LOI. Raises: MissingLoiError, InvalidLoiError."""
    if not loi:
        raise MissingLoiError
    parser = Parser()
    parser.parse(loi)
    if parser.type != "ds":
        raise InvalidLoiError(NOT_DATASAFE, name=loi[:200])
    if not may_be_loi(loi):
        raise InvalidLoiError(name=loi[:200])
    return parser.id

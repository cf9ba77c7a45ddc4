"""The archives of a datasafe behind HTTP as an object store that can only be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from archive_tui.errors import ObjectNotFound, StorageError
from archive_tui.integrity.streams import Chunk
from archive_tui.names.object_keys import check_key
from archive_tui.objects.http.address import API_PREFIX, parse_address
from archive_tui.objects.http.connection import HttpConnection, Token
from archive_tui.objects.http.failures import unreadable_reply
from archive_tui.objects.http.index import read_count, read_digest, read_index, read_moment
from archive_tui.objects.http.reading import HttpReader, as_absent, read_archive_headers, why_no_archive
from archive_tui.objects.object_store import (
    Listed,
    ObjectInfo,
    ObjectReader,
    ObjectStore,
    Prefix,
    PutResult,
    Support,
    Traits,
)
from archive_tui.progress import StopSignal, never

SUFFIX = ".zip"


def archive_key(loi: str, old: int | None = None) -> str:
    """Returns the key of a dataset's archive, or of an old version of it; no LOI has an `@`."""
    return f"{loi}{SUFFIX}" if old is None else f"{loi}@{old}{SUFFIX}"


class HttpStore(ObjectStore):
    """Objects are the archives of the datasets, LOI.zip; what is only reserved has none. Old versions, LOI@N.zip, can
    be read and are not listed. Listings know digests, and sizes where the server tells them.

    Reading keeps all guarantees of `ObjectStore`. Writing, copying and deleting raise StorageError (code
    `unsupported`): a dataset comes in through the safe, under a LOI that was reserved.
    """

    def __init__(self, url: str, token: Token = None, *, prefix: str = API_PREFIX) -> None:
        """`token` may be a function that is asked on first use.

        Raises: ConfigurationError for what is no address, or no token.
        """
        self.connection = HttpConnection(parse_address(url, prefix), token)
        self.label = self.connection.label
        self.identity = f"datasafe+{self.connection.address.url}"

    def __repr__(self) -> str:
        return f"HttpStore({self.connection.address.url!r})"

    @property
    def traits(self) -> Traits:
        return Traits(
            create_only=Support.NO,
            attests_digest=Support.NO,
            conditional_replace=Support.NO,
            server_side_copy=Support.NO,
            versioning=Support.NO,
            lists_in_byte_order=Support.NO,
            remarks=("A datasafe over HTTP: its archives can be read; datasets are deposited under their LOIs.",),
        )

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        loi, query = self._find(key)
        return HttpReader(self.connection, loi, query, key, offset, length)

    def info(self, key: str) -> ObjectInfo:
        loi, query = self._find(key)
        reply = self.connection.fetch("HEAD", loi, query=query)
        if reply.status != 200:
            raise as_absent(self.connection.error(reply, key), self.label, key)
        if why := why_no_archive(reply):
            raise unreadable_reply(self.label, key, why)
        found = read_archive_headers(200, reply.headers)
        assert found.size is not None
        return ObjectInfo(key, found.size, _read_time(reply.headers.get("last-modified")), found.version, found.digest)

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        return self._list(prefix, recursive)

    def put(
        self,
        key: str,
        chunks: Iterable[Chunk],
        size: int | None = None,
        *,
        overwrite: bool = False,
        digest: str | None = None,
        if_match: str | None = None,
        stop: StopSignal = never,
        sent: Callable[[int], None] | None = None,
    ) -> PutResult:
        self._refuse(key, "Nothing can be put")

    def copy(self, source_key: str, target_key: str) -> PutResult:
        self._refuse(target_key, "Nothing can be copied")

    def delete(self, key: str) -> None:
        self._refuse(key, "Nothing can be deleted")

    def close(self) -> None:
        self.connection.close()

    def _find(self, key: str) -> tuple[str, dict[str, str]]:
        """The LOI and the query of a key. Raises: InvalidName; ObjectNotFound for what is no archive's key."""
        check_key(key)
        loi, at, number = key.removesuffix(SUFFIX).partition("@")
        is_old = number.isascii() and number.isdecimal()
        if not key.endswith(SUFFIX) or not loi or (at and not is_old):
            raise ObjectNotFound(f"Not in {self.label}: {key}", key=key, store=self.label)
        return loi, {"old": number} if at else {}

    def _list(self, prefix: str, recursive: bool) -> Iterator[Listed]:
        seen: set[str] = set()
        for row in read_index(self.connection, _beginning_of_lois(prefix)):
            key = archive_key(row["loi"])
            if row["state"] == "reserved" or not key.startswith(prefix):
                continue
            folder, slash, _ = key[len(prefix) :].partition("/")
            if recursive or not slash:
                yield _describe(key, row)
            elif folder not in seen:
                seen.add(folder)
                yield Prefix(f"{prefix}{folder}/")

    def _refuse(self, key: str, what: str) -> NoReturn:
        check_key(key)
        raise StorageError(
            f"{what} here, it is a datasafe: {self.label}",
            key=key,
            store=self.label,
            hint="Reserve a LOI and deposit the dataset: archive-tui safe new, archive-tui safe put.",
            code="unsupported",
        )


def _describe(key: str, row: dict[str, Any]) -> ObjectInfo:
    size = read_count(row.get("archive_size"))
    modified, digest = read_moment(row.get("modified")), read_digest(row.get("digest"))
    return ObjectInfo(key, -1 if size is None else size, modified, None, digest)


def _beginning_of_lois(prefix: str) -> str:
    """What all LOIs begin with whose keys begin with `prefix`, which may end in the midst of `.zip`."""
    if not prefix.isprintable():
        return ""
    found = next((count for count in range(len(SUFFIX), 0, -1) if prefix.endswith(SUFFIX[:count])), 0)
    return prefix[: len(prefix) - found]


def _read_time(header: str | None) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(header).timestamp() if header else None
    except (ValueError, TypeError):
        return None

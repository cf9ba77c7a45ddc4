"""The client of a datasafe behind HTTP, with the names that users' programs know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from archive_tui.archives.datasafe.client import Client
from archive_tui.archives.datasafe.sent_archive import SentArchive, check_verdict
from archive_tui.errors import ArchiveError, InvalidLoiError, ObjectNotFound, StorageUnavailable
from archive_tui.integrity.streams import Chunk, Readable, read_chunks
from archive_tui.objects.http.address import API_PREFIX
from archive_tui.objects.http.connection import Token, Upload
from archive_tui.objects.http.store import HttpStore, archive_key

DEFAULT_URL = "http://127.0.0.1:5000/"


class HTTPClient(Client):
    """Reserves, uploads, downloads and updates datasets of the server at `server_url`, whose interface lies below
    `url_prefix`; both may be set at any time, and so may `token`.

    Every status that the interface does not promise is an error with the server's message. A dataset is sent once;
    when the reply is lost, the server is asked for the digest of what lies there.
    """

    def __init__(self, server_url: str = DEFAULT_URL, *, token: Token = None) -> None:
        super().__init__()
        self.server_url = server_url
        self.url_prefix = API_PREFIX
        self.token = token
        self._opened: tuple[tuple[Any, ...], HttpStore] | None = None

    def close(self) -> None:
        """Releases connections; the next request opens new ones."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened[1].close()

    def _server_create(self, loi: str = "") -> str:
        connection = self._store().connection
        reply = connection.send("POST", loi)
        if reply.status != 201:
            raise connection.error(reply, loi)
        return reply.body.decode("utf-8", "replace")

    def _server_upload(self, loi: str = "", content: Any = None) -> dict[str, bool]:
        return self._send("PUT", loi, content)

    def _server_update(self, loi: str = "", content: Any = None) -> dict[str, bool]:
        return self._send("PATCH", loi, content)

    def _server_download(self, loi: str = "") -> Iterator[bytes]:
        try:
            reader = self._store().open(archive_key(loi))
        except ObjectNotFound as error:
            if isinstance(error.__cause__, InvalidLoiError):
                raise error.__cause__ from None
            raise
        with reader:
            yield from read_chunks(reader)

    def _send(self, method: str, loi: str, content: bytes | Readable | Iterable[Chunk] | None) -> dict[str, bool]:
        store = self._store()
        body = SentArchive(_pieces(content))
        try:
            reply = store.connection.send(method, loi, upload=Upload(body, body.size))
        except StorageUnavailable:
            if body.failure is not None:
                raise body.failure from None
            if body.is_whole and _digest_there(store, loi) == body.digest:
                return {"data": True, "all": True}
            raise
        check_verdict(reply, store.connection, loi)
        return {"data": True, "all": True}

    def _store(self) -> HttpStore:
        """Raises: ConfigurationError when `server_url` is no address."""
        wanted = (self.server_url, self.url_prefix, self.token)
        if self._opened is None or self._opened[0] != wanted:
            self.close()
            self._opened = (wanted, HttpStore(self.server_url, self.token, prefix=self.url_prefix))
        return self._opened[1]


def _pieces(content: bytes | Readable | Iterable[Chunk] | None) -> Iterable[Chunk]:
    if content is None or isinstance(content, bytes | bytearray | memoryview):
        return [content] if content else []
    # a file gives lines when it is iterated
    return read_chunks(cast(Readable, content)) if hasattr(content, "read") else content


def _digest_there(store: HttpStore, loi: str) -> str | None:
    try:
        return store.info(archive_key(loi)).digest
    except ArchiveError:
        return None

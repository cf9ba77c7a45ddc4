"""Reads and small puts through obstore, where it keeps every guarantee on this server; else another way is taken.

On a read it costs a quarter of the processor time of a request of ours, on a small put a third.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from archive_tui.objects.obstore_plane import (
    PlaneBody,
    PlaneRefusal,
    PlaneUnable,
    PlaneUnavailable,
    client_options,
    no_retries,
    put_whole,
)
from archive_tui.objects.s3.connection import ATTEMPTS, Payload, Reply, S3Connection, pause
from archive_tui.objects.s3.failures import Where, unreachable
from archive_tui.objects.s3.probing import ServerFacts
from archive_tui.objects.s3.reading import OpenedBody, open_streamed, refused_read
from archive_tui.objects.s3.replies import plain_etag
from archive_tui.objects.s3.write import DIGEST_HEADER, NONCE_HEADER, Write
from archive_tui.progress import never

LARGEST_PUT = 1 << 20
"""Bytes; more goes by the connection, which tells progress and looks at stop while it sends."""

_METADATA = "x-amz-meta-"
_CREDENTIALS_LIVE = timedelta(minutes=5)


class FastPath:
    """One obstore client for a connection, made on first use, from the same credentials and endpoint."""

    def __init__(self, connection: S3Connection) -> None:
        self._connection = connection
        self._store: Any = None
        self._lock = threading.Lock()
        self._gets_ranges = True
        self._works = True

    def get(self, key: str, where: Where, position: int, end: int | None, version: str | None) -> OpenedBody | None:
        """Opens a body; None: nothing lies at that position. Errors as `open_streamed`, which also stands in."""
        if not self._works or not (self._gets_ranges or (position == 0 and end is None)):
            return open_streamed(self._connection, key, where, position, end, version)
        for attempt in range(ATTEMPTS):
            try:
                return self._get_once(key, where, position, end, version)
            except PlaneRefusal as refusal:
                reply = Reply(refusal.status, {}, refusal.body)
                if reply.status == 416:
                    return None
                if attempt == ATTEMPTS - 1 or not reply.refusal.is_busy:
                    raise refused_read(self._connection, reply, where) from refusal
            except PlaneUnavailable as error:
                if attempt == ATTEMPTS - 1:
                    raise unreachable(where, error) from error
            except PlaneUnable:
                # Decided for good: asking again would cost a request each time, and the answer would be the same.
                self._gets_ranges &= position == 0 and end is None
                return open_streamed(self._connection, key, where, position, end, version)
            pause(attempt, never)
        raise AssertionError("the last attempt returns or raises")

    def _get_once(self, key: str, where: Where, position: int, end: int | None, version: str | None) -> OpenedBody:
        body = PlaneBody(self._client(), key, position, end, version)
        return OpenedBody(_TranslatedBody(body, where), body.start, body.end, plain_etag(body.version))

    def put(self, facts: ServerFacts, write: Write, payload: Payload) -> Reply | None:
        """Sends a small put on a server that attests; None: not this way.

        Raises: StorageUnavailable when what became of it is unknown.
        """
        if not (self._works and facts.attests and payload.size <= LARGEST_PUT):
            return None
        metadata = {
            NONCE_HEADER.removeprefix(_METADATA): write.nonce,
            DIGEST_HEADER.removeprefix(_METADATA): payload.digest,
        }
        mode: Any = "overwrite" if write.overwrite else "create"
        if write.if_match is not None:
            mode = {"e_tag": f'"{write.if_match}"'}
        try:
            etag = put_whole(self._client(), write.full_key, b"".join(payload.pieces), metadata, mode)
        except PlaneRefusal as refusal:
            return Reply(refusal.status, {}, refusal.body)
        except PlaneUnavailable as error:
            raise unreachable(self._connection.where(write.key), error) from error
        except PlaneUnable:
            return None
        return Reply(200, {"etag": etag or ""})

    def disable(self) -> None:
        self._works = False

    def close(self) -> None:
        self._store = None

    def _client(self) -> Any:
        if self._store is None:
            with self._lock:
                self._store = self._store or self._make_client()
        return self._store

    def _make_client(self) -> Any:
        from obstore.store import S3Store

        options = self._connection.options
        if options.is_aws:
            self._connection.send_once("HEAD")  # settles the region: this client does not follow redirects
        address: Any = {"region": self._connection.region, "checksum_algorithm": "SHA256"}
        url = self._connection.url
        if options.is_aws and not url.endswith(f"/{options.bucket}"):
            address |= {"endpoint": url, "virtual_hosted_style_request": True}
        else:
            address |= {"endpoint": url.removesuffix(f"/{options.bucket}"), "virtual_hosted_style_request": False}
        return S3Store(
            options.bucket,
            config=address,
            client_options=client_options(),  # type: ignore[arg-type, unused-ignore]
            retry_config=no_retries(),  # type: ignore[arg-type, unused-ignore]
            credential_provider=self._credentials,  # type: ignore[arg-type, unused-ignore]
        )

    def _credentials(self) -> dict[str, Any]:
        frozen = self._connection.frozen_credentials()
        expires = datetime.now(UTC) + _CREDENTIALS_LIVE if self._connection.credentials_expire else None
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": expires,
        }


class _TranslatedBody:
    def __init__(self, body: PlaneBody, where: Where) -> None:
        self._body = body
        self._where = where

    def read(self, size: int) -> bytes:
        try:
            return self._body.read(size)
        except (PlaneUnavailable, PlaneRefusal, PlaneUnable) as error:
            raise unreachable(self._where, error) from error

    def close(self) -> None:
        self._body.close()

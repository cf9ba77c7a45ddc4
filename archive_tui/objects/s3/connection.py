"""One signed request to one bucket. Sessions and credentials are botocore's, the transport is its urllib3.

The SDK's client costs 1.5 ms of processor time a request, most of it in the general serialiser and parser; a request
that is built by hand costs a third, shows every header of the reply, and is retried only where we decide.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from archive_tui.errors import ArchiveError, StorageUnavailable
from archive_tui.integrity.digest import DIGEST_OF_NOTHING
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.s3.endpoint import S3Options, request_target
from archive_tui.objects.s3.failures import Refusal, Where, no_credentials, parse_refusal, refusal_error, translated
from archive_tui.objects.s3.transport import Transport
from archive_tui.progress import StopSignal, check_stop, never

ATTEMPTS = 5
LONGEST_PAUSE = 5.0
LONGEST_REPLY = 64 << 20
"""Bytes of a reply that is read into memory; a page of 1,000 keys has at most 3 MB."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A body that can be sent again: `pieces` in order, the same each time they are iterated, `size` bytes together,
    `digest` their SHA-256 in hex."""

    pieces: Iterable[Chunk] = ()
    size: int = 0
    digest: str = DIGEST_OF_NOTHING


@dataclass(frozen=True, slots=True)
class Reply:
    """`headers` are looked up in any case. `stream` is set only for a request that asked for it: close it."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    stream: Any = None

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def refusal(self) -> Refusal:
        return parse_refusal(self.status, self.body)


NOTHING = Payload()


def pause(attempt: int, stop: StopSignal) -> None:
    """Waits before the next attempt, longer each time, with jitter; obeys stop within 50 ms."""
    deadline = time.monotonic() + min(LONGEST_PAUSE, 0.2 * 2**attempt) * random.uniform(0.5, 1.0)
    while (left := deadline - time.monotonic()) > 0:
        check_stop(stop)
        time.sleep(min(0.05, left))
    check_stop(stop)


class S3Connection:
    """Signed requests to a bucket, from any number of threads. Nothing is imported or contacted before the first."""

    def __init__(self, options: S3Options, label: str) -> None:
        self.options = options
        self.label = label
        self._lock = threading.Lock()
        self._region = options.region_name or ""
        self._transport: Transport | None = None
        self.bucket_was_seen = False
        self.facts_key = (options.place, options.bucket, options.checksums)

    def where(self, key: str = "") -> Where:
        return Where(self.label, self.options.bucket, key)

    @property
    def region(self) -> str:
        return self._prepared().region

    @property
    def url(self) -> str:
        """The bucket's URL, without a final `/`."""
        return self._prepared().url

    def frozen_credentials(self) -> Any:
        """Returns the credentials of this moment, refreshed when they have to be.

        Raises: AccessDenied (code `no-credentials`).
        """
        with translated(self.where()):
            return self._prepared().credentials.get_frozen_credentials()

    @property
    def credentials_expire(self) -> bool:
        return type(self._prepared().credentials).__name__ != "Credentials"

    def send_once(
        self,
        method: str,
        key: str = "",
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        payload: Payload = NOTHING,
        streamed: bool = False,
        stop: StopSignal = never,
        sent: Callable[[int], None] | None = None,
    ) -> Reply:
        """Sends one request; a refusal of the server is a reply like any other.

        Raises: StorageUnavailable when there was no (whole) reply: what became of the request is then unknown.
        """
        with translated(self.where(key)):
            reply = self._exchange(method, key, query or {}, headers or {}, payload, streamed, stop, sent)
        found = reply.headers.get("x-amz-bucket-region")
        if not reply.is_success and self.options.is_aws and found and found != self.region:
            self._move_to(found)
            with translated(self.where(key)):
                reply = self._exchange(method, key, query or {}, headers or {}, payload, streamed, stop, sent)
        self.bucket_was_seen |= reply.is_success
        return reply

    def send(self, method: str, key: str = "", *, stop: StopSignal = never, **request: Any) -> Reply:
        """Sends a request that may safely be repeated, until there is a success.

        Raises: the error that the refusal of the server stands for; OperationStopped.
        """
        for attempt in range(ATTEMPTS):
            check_stop(stop)
            try:
                reply = self.send_once(method, key, stop=stop, **request)
            except StorageUnavailable:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                if reply.is_success:
                    return reply
                if attempt == ATTEMPTS - 1 or not reply.refusal.is_busy:
                    raise self.error(reply, key)
            pause(attempt, stop)
        raise AssertionError("the last attempt returns or raises")

    def error(self, reply: Reply, key: str = "") -> ArchiveError:
        """Returns the error for a refusal. One without a body (that of a HEAD) may be about the bucket or about the
        credentials: then the bucket is asked, which says it."""
        refusal = reply.refusal
        is_of_bucket = refusal.status == 404 and not self.bucket_was_seen
        if not refusal.code and (is_of_bucket or refusal.status in (400, 403)):
            second = self.send_once("GET", query={"list-type": "2", "max-keys": "1"}).refusal
            if second.code and (refusal.status != 404 or second.code == "NoSuchBucket"):
                refusal = second
        return refusal_error(refusal, self.where(key))

    def close(self) -> None:
        with self._lock:
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def _exchange(
        self,
        method: str,
        key: str,
        query: dict[str, str],
        headers: dict[str, str],
        payload: Payload,
        streamed: bool,
        stop: StopSignal,
        sent: Callable[[int], None] | None,
    ) -> Reply:
        transport = self._prepared()
        url = request_target(transport.url, key, query)
        signed = transport.sign(method, url, headers, payload.digest)
        if method == "HEAD":
            return Reply(*transport.send_head(url, signed))
        if payload.size or method in ("PUT", "POST"):
            signed["Content-Length"] = str(payload.size)
        body = _paced(payload, stop, sent) if payload.size else None
        answer = transport.pool.request(
            method, url, body=body, headers=signed, preload_content=False, retries=False, redirect=False
        )
        if streamed and 200 <= answer.status < 300:
            return Reply(answer.status, answer.headers, stream=answer)
        try:
            return Reply(answer.status, answer.headers, answer.read(LONGEST_REPLY))
        finally:
            answer.release_conn()

    def _prepared(self) -> Transport:
        transport = self._transport
        if transport is not None:
            return transport
        with self._lock, translated(self.where()):
            if self._transport is None:
                transport = Transport(self.options, self._region)
                if transport.credentials is None:
                    raise no_credentials(self.where())
                self._transport = transport
            return self._transport

    def _move_to(self, region: str) -> None:
        with self._lock:
            self._region = region
            if self._transport is not None:
                self._transport.move_to(region)


def _paced(payload: Payload, stop: StopSignal, sent: Callable[[int], None] | None) -> Iterator[Chunk]:
    total = 0
    for piece in payload.pieces:
        check_stop(stop)
        yield piece
        total += len(piece)
        if sent is not None:
            sent(total)

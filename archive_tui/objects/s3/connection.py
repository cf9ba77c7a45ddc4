"""One signed request to one bucket. Sessions, credentials and signatures are botocore's, the transport is its urllib3.

The SDK's client costs 1.5 ms of processor time a request, most of it in the general serialiser and parser; a request
that is built by hand and signed by the same code costs half, shows every header of the reply, and is retried only where
we decide.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archive_tui.errors import ArchiveError, StorageUnavailable
from archive_tui.integrity.digest import DIGEST_OF_NOTHING
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.s3.endpoint import DEFAULT_REGION, S3Options, aws_hostname, bucket_url, request_target
from archive_tui.objects.s3.failures import Refusal, Where, no_credentials, parse_refusal, refusal_error, translated
from archive_tui.progress import StopSignal, check_stop, never

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
ATTEMPTS = 5
LONGEST_PAUSE = 5.0
LONGEST_REPLY = 64 << 20
"""Bytes of a reply that is read into memory; a page of 1,000 keys has at most 3 MB."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A body that can be sent again: `pieces` in order, `size` bytes together, `digest` their SHA-256 in hex."""

    pieces: Sequence[Chunk] = ()
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
        self._parts: _Parts | None = None
        self.bucket_was_seen = False
        self.facts_key = (options.place, options.bucket, options.checksums)

    def where(self, key: str = "") -> Where:
        return Where(self.label, self.options.bucket, key)

    @property
    def region(self) -> str:
        self._prepared()
        return self._region

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
        if not reply.is_success and self.options.is_aws and found and found != self._region:
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
        """Returns the error for a refusal. A 404 without a body may mean the bucket: that is asked, once."""
        refusal = reply.refusal
        if refusal.status == 404 and not refusal.code and not self.bucket_was_seen:
            second = self.send_once("GET", query={"list-type": "2", "max-keys": "1"})
            if second.refusal.code == "NoSuchBucket":
                refusal = second.refusal
        return refusal_error(refusal, self.where(key))

    def close(self) -> None:
        with self._lock:
            parts, self._parts = self._parts, None
        if parts is not None:
            parts.pool.clear()

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
        parts = self._prepared()
        url = request_target(parts.url, key, query)
        signed = parts.sign(method, url, headers, payload.digest, self._region)
        if payload.size or method in ("PUT", "POST"):
            signed["Content-Length"] = str(payload.size)
        body = _paced(payload, stop, sent) if payload.size else None
        answer = parts.pool.request(
            method, url, body=body, headers=signed, preload_content=False, retries=False, redirect=False
        )
        if streamed and 200 <= answer.status < 300:
            return Reply(answer.status, answer.headers, stream=answer)
        try:
            return Reply(answer.status, answer.headers, answer.read(LONGEST_REPLY) if method != "HEAD" else b"")
        finally:
            answer.release_conn()

    def _prepared(self) -> _Parts:
        parts = self._parts
        if parts is not None:
            return parts
        with self._lock, translated(self.where()):
            if self._parts is None:
                self._parts = self._make_parts()
            return self._parts

    def _make_parts(self) -> _Parts:
        import botocore.session

        session = botocore.session.Session(profile=self.options.profile_name)
        self._region = self._region or session.get_config_variable("region") or DEFAULT_REGION
        credentials = _find_credentials(session, self.options)
        if credentials is None:
            raise no_credentials(self.where())
        url = bucket_url(self.options, _aws_hostname(session, self._region) if self.options.is_aws else "")
        return _Parts(credentials, _make_pool(session, url), url, session)

    def _move_to(self, region: str) -> None:
        with self._lock:
            self._region = region
            if self._parts is not None:
                self._parts.url = bucket_url(self.options, _aws_hostname(self._parts.session, region))


class _Parts:
    """What is made on first use."""

    def __init__(self, credentials: Any, pool: Any, url: str, session: Any) -> None:
        self.credentials = credentials
        self.pool = pool
        self.url = url
        self.session = session
        self._signer = _signer_class()

    def sign(self, method: str, url: str, headers: dict[str, str], digest: str, region: str) -> dict[str, str]:
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(method, url, headers=headers)
        request.context["payload_digest"] = digest
        self._signer(self.credentials.get_frozen_credentials(), "s3", region).add_auth(request)
        return dict(request.headers.items())


def _signer_class() -> Any:
    from botocore.auth import S3SigV4Auth

    class PayloadSigner(S3SigV4Auth):  # type: ignore[misc, unused-ignore]
        """Signs the digest that is known already: the server then refuses other bytes, also over TLS."""

        def payload(self, request: Any) -> str:
            return str(request.context["payload_digest"])

    return PayloadSigner


def _find_credentials(session: Any, options: S3Options) -> Any:
    from botocore.credentials import Credentials

    if options.access_key_id is not None and options.secret_access_key is not None:
        return Credentials(options.access_key_id, options.secret_access_key, options.session_token)
    return session.get_credentials()


def _aws_hostname(session: Any, region: str) -> str:
    return aws_hostname(region, session.get_partition_for_region(region))


def _make_pool(session: Any, url: str) -> Any:
    import urllib3
    from botocore.httpsession import where
    from botocore.utils import get_environ_proxies

    bundle = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or where()
    settings: dict[str, Any] = {
        "maxsize": 32,
        "timeout": urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        "cert_reqs": "CERT_REQUIRED",
        "ca_certs": bundle,
    }
    proxy = get_environ_proxies(url).get(url.partition(":")[0])
    return urllib3.ProxyManager(proxy, **settings) if proxy else urllib3.PoolManager(**settings)


def _paced(payload: Payload, stop: StopSignal, sent: Callable[[int], None] | None) -> Iterator[Chunk]:
    total = 0
    for piece in payload.pieces:
        check_stop(stop)
        yield piece
        total += len(piece)
        if sent is not None:
            sent(total)

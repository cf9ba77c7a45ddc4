"""Small blobs put by a request of our own, at a tenth of the SDK's processor time.

It only ever says that a blob was stored. Whatever else the service answers, or when there is no answer, the SDK makes
the same put under the same mark, and so finds out by that mark whether this one was obeyed after all.
"""

from __future__ import annotations

import hmac
import os
import ssl
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from email.utils import formatdate
from hashlib import md5
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

from archive_tui.objects.kept_exchange import KeptExchange

if TYPE_CHECKING:
    from archive_tui.objects.azure.connection import AzureEndpoint

LARGEST_PUT = 256 << 10
"""Bytes; what is larger costs more for its bytes than for its request, and may take minutes on a slow line."""

CONTENT_TYPE = "application/octet-stream"
MOST_FAILURES = 3
CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0

_API_VERSION = "2021-12-02"
_SIGNED = (
    "Content-Encoding", "Content-Language", "Content-Length", "Content-MD5", "Content-Type", "Date",
    "If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range",
)  # fmt: skip
_ORDINARY_REFUSALS = frozenset({404, 409, 412, 429, 500, 503})


class LeanPut:
    """Puts blobs into one container, from any number of threads. `endpoint` has an account key or a signature."""

    def __init__(self, endpoint: AzureEndpoint, container: str) -> None:
        """Raises: ValueError for a key that is none."""
        self._account = endpoint.account
        self._key = b64decode(endpoint.account_key, validate=True) if endpoint.account_key is not None else None
        self._signature = endpoint.sas or ""
        self._url = f"{endpoint.url}/{container}/"
        self._exchange = KeptExchange(CONNECT_SECONDS, READ_SECONDS, _make_context)
        self._lock = threading.Lock()
        self._failures = 0

    def put(self, name: str, content: bytes, metadata: Mapping[str, str], conditions: Mapping[str, str]) -> str | None:
        """Returns the version of the stored blob; None: it was not stored, or nobody knows.

        The service refuses content of another MD5, and the put if the conditions do not hold. Never raises.
        """
        if len(content) > LARGEST_PUT or self._failures >= MOST_FAILURES:
            return None
        url = self._url + quote(name, safe="/~")
        headers = self._make_headers(url, content, metadata, conditions)
        try:
            status, told = self._exchange.send("PUT", f"{url}?{self._signature}".rstrip("?"), headers, content)
        except (OSError, ValueError):
            self._count_failure()
            return None
        version = told.get("etag", "").strip('"')
        if status == 201 and version:
            self._failures = 0
            return version
        if status not in _ORDINARY_REFUSALS:
            self._count_failure()
        return None

    def _count_failure(self) -> None:
        """After some in a row this way is left, for a service on which only the SDK succeeds."""
        with self._lock:
            self._failures += 1

    def close(self) -> None:
        self._exchange.close()

    def _make_headers(
        self, url: str, content: bytes, metadata: Mapping[str, str], conditions: Mapping[str, str]
    ) -> dict[str, str]:
        digest = b64encode(md5(content, usedforsecurity=False).digest()).decode()
        headers = {
            "Content-Length": str(len(content)),
            "Content-MD5": digest,
            "Content-Type": CONTENT_TYPE,
            **conditions,
            "x-ms-blob-content-md5": digest,
            "x-ms-blob-content-type": CONTENT_TYPE,
            "x-ms-blob-type": "BlockBlob",
            "x-ms-date": formatdate(time.time(), usegmt=True),
            **{f"x-ms-meta-{word}": value for word, value in sorted(metadata.items())},
            "x-ms-version": _API_VERSION,
        }
        if self._key is not None:
            headers["Authorization"] = f"SharedKey {self._account}:{self._sign(self._key, url, headers)}"
        return headers

    def _sign(self, key: bytes, url: str, headers: Mapping[str, str]) -> str:
        told = {**headers, "Content-Length": headers["Content-Length"].lstrip("0")}
        lines = ["PUT", *(told.get(name, "") for name in _SIGNED)]
        lines += [f"{name}:{value}" for name, value in headers.items() if name.startswith("x-ms-")]
        lines.append(f"/{self._account}{urlsplit(url).path}")
        return b64encode(hmac.digest(key, "\n".join(lines).encode(), "sha256")).decode()


def make_lean_put(endpoint: AzureEndpoint, container: str) -> LeanPut | None:
    """Returns None where the SDK has to do it: credentials of its own, a proxy, the containers with special names."""
    if (endpoint.account_key is None and endpoint.sas is None) or container.startswith("$"):
        return None
    parts = urlsplit(endpoint.url)
    if getproxies().get(parts.scheme) and not proxy_bypass(parts.hostname or ""):
        return None
    try:
        return LeanPut(endpoint, container)
    except ValueError:
        return None


def _make_context() -> ssl.SSLContext:
    from certifi import where

    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or where()
    return ssl.create_default_context(cafile=bundle)

"""How requests leave this process, and with whose credentials: by means of botocore and urllib3, made on first use."""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

from archive_tui.objects.kept_exchange import KeptExchange
from archive_tui.objects.s3.endpoint import DEFAULT_REGION, S3Options, aws_hostname, bucket_url
from archive_tui.objects.s3.signing import RequestSigner

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
KEPT_CONNECTIONS = 64
"""More than any operation has threads: otherwise each request beyond would connect anew."""


class Transport:
    """`url` is that of the bucket, without a final `/`; it changes when the bucket turns out to lie elsewhere."""

    def __init__(self, options: S3Options, region: str) -> None:
        """Raises: errors of botocore, for profiles and sessions that do not work."""
        import botocore.session

        self._options = options
        self._session = botocore.session.Session(profile=options.profile_name)
        self.region = region or self._session.get_config_variable("region") or DEFAULT_REGION
        self.credentials = _find_credentials(self._session, options)
        self.url = self._find_url()
        self._signer = RequestSigner()
        bundle = _find_bundle(self._session)
        proxy = _find_proxy(self.url)
        self.pool = _make_pool(bundle, proxy)
        self._heads = None if proxy else KeptExchange(CONNECT_SECONDS, READ_SECONDS, lambda: _make_context(bundle))

    def sign(self, method: str, url: str, headers: dict[str, str], digest: str) -> dict[str, str]:
        """Returns all headers to send; see `RequestSigner.sign`."""
        credentials = self.credentials.get_frozen_credentials()
        return self._signer.sign(method, url, headers, digest, credentials=credentials, region=self.region)

    def send_head(self, url: str, headers: dict[str, str]) -> tuple[int, Mapping[str, str]]:
        """Returns status and headers of the reply. Raises: OSError, and errors of urllib3."""
        if self._heads is not None:
            with _named_as_by_urllib3():
                return self._heads.send("HEAD", url, headers)
        answer = self.pool.request("HEAD", url, headers=headers, preload_content=False, retries=False, redirect=False)
        answer.release_conn()
        return answer.status, answer.headers

    def move_to(self, region: str) -> None:
        self.region = region
        self.url = self._find_url()

    def close(self) -> None:
        self.pool.clear()
        if self._heads is not None:
            self._heads.close()

    def _find_url(self) -> str:
        if not self._options.is_aws:
            return bucket_url(self._options, "")
        partition = self._session.get_partition_for_region(self.region)
        return bucket_url(self._options, aws_hostname(self.region, partition))


@contextlib.contextmanager
def _named_as_by_urllib3() -> Iterator[None]:
    import urllib3.exceptions

    try:
        yield
    except ssl.SSLError as error:
        raise urllib3.exceptions.SSLError(error) from error


def _find_credentials(session: Any, options: S3Options) -> Any:
    from botocore.credentials import Credentials

    if options.access_key_id is not None and options.secret_access_key is not None:
        return Credentials(options.access_key_id, options.secret_access_key, options.session_token)
    return session.get_credentials()


def _find_bundle(session: Any) -> str:
    from botocore.httpsession import where

    return str(session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or where())


def _find_proxy(url: str) -> str | None:
    from botocore.utils import get_environ_proxies

    proxy: str | None = get_environ_proxies(url).get(url.partition(":")[0])
    return proxy


def _make_context(bundle: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=bundle)


def _make_pool(bundle: str, proxy: str | None) -> Any:
    import urllib3

    settings: dict[str, Any] = {
        "maxsize": KEPT_CONNECTIONS,
        "timeout": urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        "cert_reqs": "CERT_REQUIRED",
        "ca_certs": bundle,
    }
    return urllib3.ProxyManager(proxy, **settings) if proxy else urllib3.PoolManager(**settings)

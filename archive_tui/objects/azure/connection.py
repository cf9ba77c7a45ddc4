"""How an Azure container is reached: settings checked without the network, libraries loaded on first use."""

from __future__ import annotations

import logging
import os
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from archive_tui.errors import ConfigurationError
from archive_tui.objects.azure.lean_put import LeanPut, make_lean_put
from archive_tui.objects.obstore_plane import client_options

if TYPE_CHECKING:
    from obstore.store import AzureConfig, ClientConfig

CONNECT_SECONDS = 10
READ_SECONDS = 60
RETRIES = 3
LEAN_FAILURES = 3

_CONTAINER_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,62}|\$root|\$web", re.ASCII)
_PUBLIC_SUFFIX = "core.windows.net"
_EMULATOR_URL = "http://127.0.0.1:10000/devstoreaccount1"
_HINT = "Copy the connection string from the portal: storage account, Security + networking, Access keys."


@dataclass(frozen=True, slots=True)
class AzureEndpoint:
    """`url` of the account's blob service without any query; `account_key` and `sas` are secrets (None: not given)."""

    account: str
    url: str
    account_key: str | None = field(default=None, repr=False)
    sas: str | None = field(default=None, repr=False)

    @property
    def is_public_cloud(self) -> bool:
        return (urlsplit(self.url).hostname or "") == f"{self.account}.blob.{_PUBLIC_SUFFIX}"

    @property
    def place(self) -> str:
        """Names the account all over the world: public account names are unique, others are so on their host only."""
        return self.account if self.is_public_cloud else f"{urlsplit(self.url).netloc}/{self.account}"


class AzureConnection:
    """Clients of one container. Nothing is contacted, and no library loaded, before one of them is asked for."""

    def __init__(self, container: str, conn_str: str | None, credential: Any | None, account_url: str | None) -> None:
        self.container = container
        self._conn_str = (conn_str or "").strip()
        self._credential = credential or None
        self._account_url = (account_url or "").strip()
        self._lock = threading.Lock()
        self._container_client: Any = None
        self._data_plane: Any = None
        self._has_data_plane = True
        self._lean_failures = 0
        self._lean_put: LeanPut | None = None
        self._has_lean_put = True
        self.container_was_seen = False
        """True once the service has said anything about a blob in it."""

    def __repr__(self) -> str:
        return f"AzureConnection({self.container!r})"

    @property
    def place(self) -> str:
        """Account, and host where that is not Microsoft's; settings that cannot be used have none yet."""
        try:
            return self.find_endpoint().place
        except ConfigurationError:
            return "unknown-account"

    def find_endpoint(self) -> AzureEndpoint:
        """Reads the settings.

        Raises: ConfigurationError; no value of the settings is repeated in it.
        """
        text = self._conn_str or (
            "" if self._account_url else os.environ.get("AZURE_STORAGE_CONNECTION_STRING", "").strip()
        )
        secret = self._credential if isinstance(self._credential, str) else None
        if text and not text.lower().startswith(("http://", "https://")):
            return parse_connection_string(text, secret)
        return parse_account_url(text or self._account_url, secret)

    @property
    def container_client(self) -> Any:
        """The SDK's client of the container.

        Raises: ConfigurationError.
        """
        with self._lock:
            if self._container_client is None:
                self._container_client = self._make_container_client()
            return self._container_client

    @property
    def data_plane(self) -> Any | None:
        """The lean client for reading, at a sixth of the SDK's work per request; None where it cannot be used."""
        with self._lock:
            if self._data_plane is None and self._has_data_plane:
                self._data_plane = self._make_data_plane()
                self._has_data_plane = self._data_plane is not None
            return self._data_plane

    @property
    def lean_put(self) -> LeanPut | None:
        """What puts small blobs for little processor time; None where only the SDK can do it."""
        with self._lock:
            if self._lean_put is None and self._has_lean_put:
                if not self._uses_objects_of_the_sdk:
                    self._lean_put = make_lean_put(self.find_endpoint(), self.container)
                self._has_lean_put = self._lean_put is not None
            return self._lean_put

    @property
    def _uses_objects_of_the_sdk(self) -> bool:
        return self._credential == "default" or not isinstance(self._credential, str | None)

    def report_lean_failure(self) -> None:
        """The lean client failed where the SDK did not; after some times it is not asked again."""
        with self._lock:
            self._lean_failures += 1
            if self._lean_failures >= LEAN_FAILURES:
                self._data_plane, self._has_data_plane = None, False

    def close(self) -> None:
        with self._lock:
            client, self._container_client, self._data_plane = self._container_client, None, None
            lean_put, self._lean_put = self._lean_put, None
        if client is not None:
            client.close()
        if lean_put is not None:
            lean_put.close()

    def _make_container_client(self) -> Any:
        endpoint = self.find_endpoint()
        if not _CONTAINER_NAME.fullmatch(self.container):
            raise ConfigurationError(
                f"Not a name of an Azure container: {self.container!r}",
                hint="3 to 63 lower-case letters, digits and single hyphens, as the portal shows it.",
            )
        logger = logging.getLogger("azure")
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)  # it tells of every request at INFO
        from azure.storage.blob import ContainerClient, ExponentialRetry

        credential = self._find_credential(endpoint)
        try:
            return ContainerClient(
                endpoint.url,
                self.container,
                credential=credential,
                retry_policy=ExponentialRetry(
                    initial_backoff=1, increment_base=2, retry_total=RETRIES, random_jitter_range=1
                ),
                connection_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
            )
        except ValueError as error:
            raise ConfigurationError(
                "The Azure settings cannot be used: the address or the credential has the wrong form.", hint=_HINT
            ) from error

    def _find_credential(self, endpoint: AzureEndpoint) -> Any:
        if self._credential is not None and not isinstance(self._credential, str):
            return self._credential
        if self._credential == "default":
            return _load_default_credential()
        if endpoint.account_key is not None:
            return {"account_name": endpoint.account, "account_key": endpoint.account_key}
        if endpoint.sas is None and endpoint.url == _EMULATOR_URL:
            from azure.storage.blob import ContainerClient

            return ContainerClient.from_connection_string("UseDevelopmentStorage=true", self.container).credential
        return endpoint.sas

    def _make_data_plane(self) -> Any | None:
        endpoint = self.find_endpoint()
        secret: AzureConfig = {}
        if endpoint.account_key is not None:
            secret["account_key"] = endpoint.account_key
        elif endpoint.sas is not None:
            secret["sas_key"] = endpoint.sas
        if not secret or self._uses_objects_of_the_sdk:
            return None  # credentials that are objects of the SDK are the SDK's to use
        from obstore.exceptions import BaseError
        from obstore.store import AzureStore as LeanClient

        place: AzureConfig = {
            "container_name": self.container, "account_name": endpoint.account, "endpoint": endpoint.url
        }  # fmt: skip
        try:
            return LeanClient(
                config={**place, **secret},
                client_options=cast("ClientConfig", client_options()),
                retry_config={"max_retries": RETRIES},
            )
        except (BaseError, ValueError):
            return None


def parse_connection_string(text: str, credential: str | None = None) -> AzureEndpoint:
    """Reads the form of the portal, `Name=Value;…`; a given `credential` replaces the one inside.

    Raises: ConfigurationError, which repeats nothing of the text.
    """
    pairs = [part.split("=", 1) for part in text.strip().strip(";").split(";")]
    if any(len(pair) != 2 for pair in pairs):
        raise ConfigurationError("The connection string of Azure has not the form Name=Value;Name=Value", hint=_HINT)
    values = {name.strip().upper(): value.strip() for name, value in pairs}
    if values.get("USEDEVELOPMENTSTORAGE", "").lower() == "true":
        return AzureEndpoint("devstoreaccount1", _EMULATOR_URL)
    account, url = values.get("ACCOUNTNAME", ""), values.get("BLOBENDPOINT", "")
    if not account and not url:
        raise ConfigurationError(
            "The connection string of Azure names neither AccountName nor BlobEndpoint", hint=_HINT
        )
    if not url:
        protocol = values.get("DEFAULTENDPOINTSPROTOCOL", "https")
        url = f"{protocol}://{account}.blob.{values.get('ENDPOINTSUFFIX', _PUBLIC_SUFFIX)}"
    if credential:
        return _make_endpoint(url, account, credential)
    key = values.get("ACCOUNTKEY")
    sas = values.get("SHAREDACCESSSIGNATURE") if key is None else None
    return _make_endpoint(url, account, key or sas)


def parse_account_url(url: str, credential: str | None = None) -> AzureEndpoint:
    """Reads `https://ACCOUNT.blob.core.windows.net[?SAS]`.

    Raises: ConfigurationError.
    """
    if not url:
        raise ConfigurationError("The settings of Azure name no account", hint=f"Set conn_str. {_HINT}")
    return _make_endpoint(url, "", credential)


def _make_endpoint(url: str, account: str, credential: str | None) -> AzureEndpoint:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        raise ConfigurationError("The address of the Azure account is no web address", hint=_HINT)
    if not account:
        # Emulators and private endpoints have the account as the first segment of the path.
        first_segment = parts.path.strip("/").partition("/")[0]
        account = host.partition(".")[0] if ".blob." in host or not first_segment else first_segment
    plain_url = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
    secret = credential if credential and credential != "default" else (parts.query or None)
    if secret is not None and "sig=" in secret:
        return AzureEndpoint(account, plain_url, sas=secret.lstrip("?"))
    return AzureEndpoint(account, plain_url, account_key=secret)


def _load_default_credential() -> Any:
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError as error:
        raise ConfigurationError(
            "credential = default needs a package that is not installed: azure-identity",
            hint="pip install azure-identity",
        ) from error
    return DefaultAzureCredential()

"""Brokers for object stores: an S3 bucket, an Azure container."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archive_tui.archives.brokers.records import BrokerVolume, ValidationWarning
from archive_tui.archives.brokers.store_broker import StoreBroker, check_texts, require_text
from archive_tui.errors import ArchiveError, InvalidBrokerConfiguration
from archive_tui.objects.object_store import ObjectStore

NO_ACCESS = ValidationWarning("bucket_access", "Unable to access bucket. Check the bucket name and credentials.")


class _BucketBroker(StoreBroker):
    """A `volume_path` is where a mount of the bucket lies, never a part of a key."""

    def validate_configuration(self, config: Mapping[str, Any]) -> list[ValidationWarning]:
        self._check(config)
        try:
            with self._make_store(config) as store:
                next(iter(store.list("", recursive=False)), None)
        except ArchiveError:
            return [NO_ACCESS]
        return []

    def load_configuration(self, config: Mapping[str, Any]) -> None:
        super().load_configuration(config)
        path = self.configuration.get("host_path")
        self._volume = BrokerVolume("", path, host=True) if path else None

    def _open_store(self, volume_path: str | None) -> ObjectStore:
        return self._make_store(self.configuration)

    def _mount(self, volume_path: str | None) -> str | None:
        return volume_path if self.volume is not None else None

    def _make_store(self, config: Mapping[str, Any]) -> ObjectStore:
        raise NotImplementedError


class S3Broker(_BucketBroker):
    """`bucket_name`; optional `credentials`, `region_name`, `endpoint_url`, `host_path` (a mount of the bucket)."""

    def __init__(self) -> None:
        super().__init__("s3")

    def _check(self, config: Mapping[str, Any]) -> None:
        require_text(config, "bucket_name", "S3")
        check_texts(config, "region_name", "endpoint_url", "host_path")
        read_credentials(config)

    def _make_store(self, config: Mapping[str, Any]) -> ObjectStore:
        from archive_tui.objects.s3 import S3Store

        keys = read_credentials(config)
        options: dict[str, Any] = {}
        if keys is not None:
            options = {"aws_access_key_id": keys[0], "aws_secret_access_key": keys[1]}
        for name in ("region_name", "endpoint_url"):
            if config.get(name):
                options[name] = config[name]
        return S3Store(config["bucket_name"], **options)


class AzureBroker(_BucketBroker):
    """`container`, and `conn_str`, or `account_url` with an optional `credential`; optional `host_path`."""

    def __init__(self) -> None:
        super().__init__("azure")

    def _check(self, config: Mapping[str, Any]) -> None:
        require_text(config, "container", "Azure")
        check_texts(config, "conn_str", "account_url", "credential", "host_path")
        if not (config.get("conn_str") or "").strip() and not (config.get("account_url") or "").strip():
            raise InvalidBrokerConfiguration(
                "INVALID_CONFIGURATION", 'Azure broker requires "conn_str" or "account_url" to be populated'
            )

    def _make_store(self, config: Mapping[str, Any]) -> ObjectStore:
        from archive_tui.objects.azure import AzureStore

        names = ("conn_str", "account_url", "credential")
        return AzureStore(
            config["container"], **{name: config[name] for name in names if (config.get(name) or "").strip()}
        )


def read_credentials(config: Mapping[str, Any]) -> tuple[str, str] | None:
    """Returns key id and secret; None: neither is given, or one of them is blank, and the usual chain finds others.

    Raises: InvalidBrokerConfiguration when one of them is left out.
    """
    found = config.get("credentials")
    if found is None:
        return None
    if not isinstance(found, Mapping):
        raise InvalidBrokerConfiguration("INVALID_CONFIGURATION", '"credentials" has to be an object')
    for key in ("access_key_id", "secret_access_key"):
        if not isinstance(found.get(key), str):
            raise InvalidBrokerConfiguration("INVALID_CONFIGURATION", f'"credentials" requires "{key}" to be populated')
    key_id, secret = found["access_key_id"].strip(), found["secret_access_key"].strip()
    return (key_id, secret) if key_id and secret else None

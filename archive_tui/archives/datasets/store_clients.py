"""The three storage clients of this package: a folder, Azure Blob and S3, each an object store with the client
interface."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

from archive_tui.archives.datasets.storage_client import StorageClientABC
from archive_tui.errors import ConfigurationError, ObjectExists, SourceNotFound
from archive_tui.integrity.streams import read_chunks
from archive_tui.names.object_keys import check_key
from archive_tui.objects.folder.atomic_file import write_atomically
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectInfo, ObjectStore


class StoreClient(StorageClientABC):
    """A storage client over an object store, which is made on first use; building the client contacts nobody."""

    known_keys: tuple[str, ...] = ("storage_client", "local_path", "compression_level")

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.config_get("local_path")
        self._store: ObjectStore | None = None

    @abstractmethod
    def _make_store(self) -> ObjectStore: ...

    @abstractmethod
    def _address(self, filename: str) -> Any:
        """What `upload` returns."""

    @property
    def object_store(self) -> ObjectStore:
        if self._store is None:
            self._store = self._make_store()
        return self._store

    def ls(self, what: str = "storage_area", name_starts_with: str | None = None) -> list[str]:
        """Lists all files, relative, with `/`, sorted, zero-byte ones included; a local folder that is missing is made.

        Raises: ConfigurationError (a ValueError) when `what` is neither `storage_area` nor `local_path`.
        """
        if what == "local_path":
            _make_folder(self.local_path)
            store: ObjectStore = FolderStore(self.local_path.resolve(), read_only_objects=False)
        elif what == "storage_area":
            store = self.object_store
        else:
            raise ConfigurationError(f"Cannot list {what!r}.", hint="There are two areas: storage_area and local_path.")
        return sorted(listed.key for listed in store.list(name_starts_with or "") if isinstance(listed, ObjectInfo))

    def download(self, filename: str, overwrite: bool = False) -> Path:
        """Downloads to `local_path/filename`, complete or not at all; an existing file stays unless `overwrite`.

        Raises: ObjectNotFound (a FileNotFoundError), InvalidName for a name that leaves `local_path`.
        """
        check_key(filename)
        target = self.local_path / filename
        if target.exists() and not overwrite:
            return target
        store = self.object_store
        info = store.info(filename)
        target.parent.mkdir(parents=True, exist_ok=True)
        with store.open(filename) as reader:
            write_atomically(target, read_chunks(reader), size=info.size, digest=info.digest, overwrite=overwrite)
        return target

    def upload(self, filename: str, overwrite: bool = False) -> Any:
        """Uploads `local_path/filename`; an existing object is never replaced unless `overwrite`, by the store's own
        means.

        Raises: ObjectExists (a FileExistsError), FileNotFoundError when there is no such local file.
        """
        check_key(filename)
        source = self.local_path / filename
        if not source.is_file():
            raise SourceNotFound(f"No such file to upload: {source}", path=str(source), hint="Check local_path.")
        try:
            with source.open("rb", buffering=0) as content:
                size = source.stat().st_size
                self.object_store.put(filename, read_chunks(content), size, overwrite=overwrite)
        except ObjectExists as error:
            raise ObjectExists(
                f"{filename} exists already in {self.object_store.label} (overwrite=False).",
                key=filename,
                store=self.object_store.label,
                hint="Published versions are never replaced: publish a new version.",
            ) from error
        return self._address(filename)

    def ls_versions(self, name: str, what: str = "storage_area") -> list[str] | None:
        self.object_store  # noqa: B018  (made on first use)
        return super().ls_versions(name, what)


class LocalStorageClient(StoreClient):
    """A folder; a mounted share is one. Keys: `storage_area`, `local_path`, `compression_level`."""

    known_keys = (*StoreClient.known_keys, "storage_area")

    def _make_store(self) -> ObjectStore:
        area = Path(str(self.config_get("storage_area"))).expanduser().absolute()
        _make_folder(area)
        return FolderStore(area)

    def _address(self, filename: str) -> Path:
        return Path(str(self.config["storage_area"])) / filename


class AzureStorageClient(StoreClient):
    """An Azure Blob container. Keys: `conn_str`, `credential`, `container`; `account_url`, `prefix`."""

    known_keys = (*StoreClient.known_keys, "conn_str", "credential", "container", "account_url", "prefix")

    def _make_store(self) -> ObjectStore:
        from archive_tui.objects.azure.store import AzureStore

        return AzureStore(
            str(self.config_get("container")),
            conn_str=self.config.get("conn_str"),
            credential=self.config.get("credential"),
            account_url=self.config.get("account_url"),
            prefix=self.config.get("prefix") or "",
        )

    @property
    def client(self) -> Any:
        """The SDK's container client, made on first use."""
        return self.object_store.sdk_client  # type: ignore[attr-defined]

    def _address(self, filename: str) -> str:
        return f"{self.config.get('storage_client')}:{self.config.get('container')}:{filename}"


class AwsStorageClient(StoreClient):
    """An S3 bucket, of AWS or any compatible server. Keys that are absent fall back to the SDK's own credential
    chain."""

    store_keys = (
        "service_name",
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "profile_name",
        "region_name",
        "endpoint_url",
        "prefix",
        "checksums",
    )
    known_keys = (*StoreClient.known_keys, "bucket", *store_keys)

    def _make_store(self) -> ObjectStore:
        from archive_tui.objects.s3 import S3Store

        given = {key: self.config[key] for key in self.store_keys if self.config.get(key)}
        return S3Store(str(self.config_get("bucket")), **given)

    @property
    def client(self) -> Any:
        """The SDK's client, made on first use."""
        return self.object_store.sdk_client  # type: ignore[attr-defined]

    def _address(self, filename: str) -> str:
        return f"{self.config.get('storage_client')}:{self.config.get('bucket')}:{filename}"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"Cannot make the folder {folder}: {error.strerror}", hint="Check storage_area and local_path."
        ) from error

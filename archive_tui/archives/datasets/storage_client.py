"""The storage client interface that users' settings name, and what datasets need of it.

A subclass need only have `ls`, `download(filename)` and `upload(filename, overwrite=False)`: versions are published
and fetched through these three calls alone. A client that has an object store of its own gives it as `object_store`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from archive_tui.errors import ConfigurationError
from archive_tui.names.dataset_names import check_dataset_name, parse_dataset_archive_name, version_number
from archive_tui.objects.object_store import ObjectStore


class StorageClientABC(ABC):
    """Keeps dataset archives somewhere. `config` is the very dict that was given."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    @abstractmethod
    def ls(self, what: str = "storage_area", name_starts_with: str | None = None) -> list[str]:
        """Lists all files of the storage area, or of `local_path`: relative, with `/`, sorted; `name_starts_with` is
        a plain string prefix."""

    @abstractmethod
    def download(self, filename: str) -> Any:
        """Downloads to `Path(local_path)/filename`. Clients of ours take `overwrite=False` as well."""

    @abstractmethod
    def upload(self, filename: str, overwrite: bool = False) -> Any:
        """Uploads `Path(local_path)/filename`.

        Raises: FileExistsError whose text contains `overwrite=False` when the file exists in the storage area.
        """

    @property
    def object_store(self) -> ObjectStore:
        """The storage area as an object store. Here: by the three calls above alone, on a slower path."""
        store = self.__dict__.get("_object_store")
        if store is None:
            from archive_tui.objects.client_store.store import ClientStore

            store = self.__dict__["_object_store"] = ClientStore(self)
        assert isinstance(store, ObjectStore)
        return store

    @property
    def local_path(self) -> Path:
        return Path(str(self.config_get("local_path"))).expanduser()

    @property
    def compression_level(self) -> int:
        """−1 (chosen sensibly) to 9.

        Raises: ConfigurationError when the configured value is no such number.
        """
        value = self.config.get("compression_level", -1)
        try:
            level = int(value)
        except (TypeError, ValueError):
            level = 10
        if not -1 <= level <= 9:
            raise ConfigurationError(
                f"compression_level must be a number from -1 to 9: {value!r}",
                hint="-1 chooses sensibly, 0 stores, 9 is smallest and slowest.",
            )
        return level

    def config_get(self, key: str, default: Any = None, dtype: type | None = None) -> Any:
        """Returns the configured value, or `default`.

        Raises: ConfigurationError (a ValueError) when the key is missing and there is no default, or the value is not
        a `dtype`.
        """
        value = self.config.get(key, default)
        if value is None and dtype is None and key in ("local_path", "storage_area", "container", "bucket"):
            raise ConfigurationError(f"The setting {key!r} is missing.", hint="settings.example.ini shows every key.")
        if dtype is not None and not isinstance(value, dtype):
            # The value itself may be a secret.
            raise ConfigurationError(
                f"The setting {key!r} should be {dtype.__name__}, but is {type(value).__name__}.",
                hint="settings.example.ini shows every key.",
            )
        return value

    def ls_versions(self, name: str, what: str = "storage_area") -> list[str] | None:
        """Returns the versions of a dataset in numerical order, None when there are none."""
        if what == "storage_area" and "_object_store" in self.__dict__:
            from archive_tui.archives.datasets.catalog import list_versions

            versions = [version.version for version in list_versions(self.object_store, name)]
        else:
            parsed = (parse_dataset_archive_name(file) for file in self.ls(what, name_starts_with=f"{name}."))
            versions = sorted((p[1] for p in parsed if p is not None and p[0] == name), key=version_number)
        return versions or None

    def upload_dataset(self, name: str, version: str = "patch") -> Any:
        """Publishes `local_path/name` as its next version; returns what `upload` returns.

        Leaves the archive folder `name.VERSION`, its zip and the zip's manifest in `local_path`. A failed upload
        removes them, so that it can simply be repeated.

        Raises: FileNotFoundError, FileExistsError, ValueError, and what the storage raises.
        """
        from archive_tui.archives.datasets.upload import upload_archive_folder

        check_dataset_name(name)
        versions = self.ls_versions(name)
        return upload_archive_folder(self, self.local_path, name, versions, version, self.compression_level)

    def download_dataset(self, name: str, version: str = "latest", overwrite: bool = False) -> Path:
        """Fetches a version to `local_path/name.VERSION`, verified, and returns that path; one that is there is
        returned as it is.

        Raises: ConfigurationError (a ValueError) when `latest` is asked for and there is none; ObjectNotFound (a
        FileNotFoundError); IntegrityError (a ValueError).
        """
        from archive_tui.archives.datasets.upload import fetch_into_local_path

        return fetch_into_local_path(self.object_store, self.local_path, name, version, overwrite)

"""The dataset functions and storage clients, under the names that users' programs and INI files know.

from archive_tui.core import new_storage_client

client = new_storage_client("lab", "settings.ini")
client.upload_dataset("station-07")            # publishes local_path/station-07 as 0.0.1
client.download_dataset("station-07")          # fetches and verifies the latest version
"""

from __future__ import annotations

from archive_tui.archives.datasets.archive_folder import (
    check_archive,
    make_dataset_archive_folder,
    make_or_update_manifest,
    sha256,
)
from archive_tui.archives.datasets.http_storage_client import HttpStorageClient
from archive_tui.archives.datasets.storage_client import StorageClientABC
from archive_tui.archives.datasets.store_clients import AwsStorageClient, AzureStorageClient, LocalStorageClient
from archive_tui.archives.storages import new_storage_client
from archive_tui.names.dataset_names import next_version, parse_dataset_archive_name, parse_dataset_archive_version
from archive_tui.settings import read_config

__all__ = [
    "AwsStorageClient",
    "AzureStorageClient",
    "HttpStorageClient",
    "LocalStorageClient",
    "StorageClientABC",
    "check_archive",
    "make_dataset_archive_folder",
    "make_or_update_manifest",
    "new_storage_client",
    "next_version",
    "parse_dataset_archive_name",
    "parse_dataset_archive_version",
    "read_config",
    "sha256",
]

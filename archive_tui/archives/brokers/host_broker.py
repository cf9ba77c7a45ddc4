"""Brokers for folders: of the machine itself, and of an NFS server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archive_tui.archives.brokers.records import BrokerVolume, ValidationWarning
from archive_tui.archives.brokers.store_broker import StoreBroker, require_text
from archive_tui.errors import InvalidBrokerConfiguration
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectInfo, ObjectStore


class _FolderBroker(StoreBroker):
    """Works in the folder in which the volume is mounted."""

    def validate_configuration(self, config: Mapping[str, Any]) -> list[ValidationWarning]:
        self._check(config)
        return []

    def _is_file(self, listed: ObjectInfo) -> bool:
        return listed.version is not None  # a link has none: it is not followed

    def _open_store(self, volume_path: str | None) -> ObjectStore:
        return FolderStore(self._folder(volume_path), read_only_objects=False, enters_symlinks=False)

    def _folder(self, volume_path: str | None) -> Path:
        if not volume_path:
            raise InvalidBrokerConfiguration(
                "INVALID_CONFIGURATION", f"The {self.broker_type} broker needs to know where its volume is mounted"
            )
        return Path(volume_path)


class HostBroker(_FolderBroker):
    """A folder of the machine itself, `host_path`. Without a `volume_path` it works there."""

    def __init__(self) -> None:
        super().__init__("host")

    def load_configuration(self, config: Mapping[str, Any]) -> None:
        super().load_configuration(config)
        self._volume = BrokerVolume("", self.configuration["host_path"], host=True)

    def _check(self, config: Mapping[str, Any]) -> None:
        require_text(config, "host_path", "Host")

    def _mount(self, volume_path: str | None) -> str | None:
        return volume_path or str(self.configuration["host_path"])

    def _folder(self, volume_path: str | None) -> Path:
        return Path(volume_path or self.configuration["host_path"])


class NfsBroker(_FolderBroker):
    """A folder of an NFS server, `nfs_path` as `host:/path`, in which the volume is mounted."""

    def __init__(self) -> None:
        super().__init__("nfs")

    def load_configuration(self, config: Mapping[str, Any]) -> None:
        super().load_configuration(config)
        self._volume = BrokerVolume("nfs", self.configuration["nfs_path"])

    def _check(self, config: Mapping[str, Any]) -> None:
        host, colon, path = require_text(config, "nfs_path", "NFS").partition(":")
        if not (host and colon and path.startswith("/")):
            raise InvalidBrokerConfiguration("INVALID_CONFIGURATION", '"nfs_path" has to be written as host:/path')

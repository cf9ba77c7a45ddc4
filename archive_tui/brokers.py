"""Storage brokers for Python: hand lists of files to whatever backend a workspace has.

Each name is imported when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archive_tui.archives.brokers.broker import Broker
    from archive_tui.archives.brokers.bucket_brokers import AzureBroker, S3Broker
    from archive_tui.archives.brokers.factory import add_broker_type, get_broker, get_broker_types
    from archive_tui.archives.brokers.host_broker import HostBroker, NfsBroker
    from archive_tui.archives.brokers.records import (
        BrokerVolume,
        FileDetails,
        FileDownload,
        FileMove,
        FileOutcome,
        FileUpload,
        Outcome,
        ValidationWarning,
        WorkspaceFile,
    )
    from archive_tui.archives.brokers.workspace import (
        Workspace,
        describe_workspace,
        load_workspace,
        validate_workspace,
    )
    from archive_tui.errors import InvalidBrokerConfiguration, MissingFile

_HOME = "archive_tui.archives.brokers"
_MODULES = {
    f"{_HOME}.broker": ("Broker",),
    f"{_HOME}.bucket_brokers": ("AzureBroker", "S3Broker"),
    f"{_HOME}.factory": ("add_broker_type", "get_broker", "get_broker_types"),
    f"{_HOME}.host_broker": ("HostBroker", "NfsBroker"),
    f"{_HOME}.records": (
        "BrokerVolume",
        "FileDetails",
        "FileDownload",
        "FileMove",
        "FileOutcome",
        "FileUpload",
        "Outcome",
        "ValidationWarning",
        "WorkspaceFile",
    ),
    f"{_HOME}.workspace": ("Workspace", "describe_workspace", "load_workspace", "validate_workspace"),
    "archive_tui.errors": ("InvalidBrokerConfiguration", "MissingFile"),
}
_PLACES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "AzureBroker",
    "Broker",
    "BrokerVolume",
    "FileDetails",
    "FileDownload",
    "FileMove",
    "FileOutcome",
    "FileUpload",
    "HostBroker",
    "InvalidBrokerConfiguration",
    "MissingFile",
    "NfsBroker",
    "Outcome",
    "S3Broker",
    "ValidationWarning",
    "Workspace",
    "WorkspaceFile",
    "add_broker_type",
    "describe_workspace",
    "get_broker",
    "get_broker_types",
    "load_workspace",
    "validate_workspace",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)

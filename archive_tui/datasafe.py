"""The datasafe for Python, under the names of the original: servers, clients, manifests, LOIs and their errors.

Each name is imported when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archive_tui.archives.datasafe.checksums import Generator
    from archive_tui.archives.datasafe.client import Client, LocalClient
    from archive_tui.archives.datasafe.format_detection import EPRFormatDetector, FormatDetector
    from archive_tui.archives.datasafe.http_client import HTTPClient
    from archive_tui.archives.datasafe.manifest import Manifest
    from archive_tui.archives.datasafe.server import Server
    from archive_tui.archives.datasafe.storage_backend import StorageBackend
    from archive_tui.errors import (
        ArchiveError,
        ExistingFileError,
        HostileArchive,
        IntegrityError,
        InvalidLoiError,
        LoiNotFoundError,
        ManifestError,
        MissingContentError,
        MissingInformationError,
        MissingLoiError,
        MissingPathError,
        NoFileError,
    )
    from archive_tui.http_api.application import HTTPServerAPI, create_http_server
    from archive_tui.names.loi import (
        AbstractChecker,
        InListChecker,
        IsDateChecker,
        IsNumberChecker,
        IsPatternChecker,
        LoiChecker,
        Parser,
        StartsWithChecker,
    )

__all__ = [
    "AbstractChecker",
    "ArchiveError",
    "Client",
    "EPRFormatDetector",
    "ExistingFileError",
    "FormatDetector",
    "Generator",
    "HTTPClient",
    "HTTPServerAPI",
    "HostileArchive",
    "InListChecker",
    "IntegrityError",
    "InvalidLoiError",
    "IsDateChecker",
    "IsNumberChecker",
    "IsPatternChecker",
    "LocalClient",
    "LoiChecker",
    "LoiNotFoundError",
    "Manifest",
    "ManifestError",
    "MissingContentError",
    "MissingInformationError",
    "MissingLoiError",
    "MissingPathError",
    "NoFileError",
    "Parser",
    "Server",
    "StartsWithChecker",
    "StorageBackend",
    "create_http_server",
]

_MODULES = {
    "archives.datasafe.checksums": ("Generator",),
    "archives.datasafe.client": ("Client", "LocalClient"),
    "archives.datasafe.format_detection": ("EPRFormatDetector", "FormatDetector"),
    "archives.datasafe.http_client": ("HTTPClient",),
    "archives.datasafe.manifest": ("Manifest",),
    "archives.datasafe.server": ("Server",),
    "archives.datasafe.storage_backend": ("StorageBackend",),
    "http_api.application": ("HTTPServerAPI", "create_http_server"),
    "names.loi": (
        "AbstractChecker",
        "InListChecker",
        "IsDateChecker",
        "IsNumberChecker",
        "IsPatternChecker",
        "LoiChecker",
        "Parser",
        "StartsWithChecker",
    ),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"archive_tui.{_HOMES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return __all__

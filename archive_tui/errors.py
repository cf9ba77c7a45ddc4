"""The one tree of errors. Every error says what happened, and in its hint what to do next.

    ArchiveError
    ├── ConfigurationError (ValueError)        settings, credentials, arguments that cannot be used
    ├── InvalidName (ValueError)               a name, key, version or member path that a rule refuses
    ├── SourceError (OSError)                  the data to be archived cannot be read as it is
    │   ├── SourceNotFound (FileNotFoundError)
    │   ├── SourceUnreadable (PermissionError)
    │   └── SourceChanged                      changed, grew, shrank or vanished while it was read
    ├── TargetExists (FileExistsError)         a local folder or file is in the way
    ├── StorageError                           carries `key` and `store` (the store's label)
    │   ├── ObjectNotFound (FileNotFoundError)
    │   ├── ObjectExists (FileExistsError)
    │   ├── AccessDenied (PermissionError)
    │   ├── StorageFull (OSError)
    │   └── StorageUnavailable (ConnectionError)   the only one that a retry can cure
    ├── IntegrityError (ValueError)            carries `report`, when there is one
    │   ├── HashError                          content and digest disagree
    │   ├── ManifestError                      a manifest that cannot be read or lies about itself
    │   └── HostileArchive                     the structure of an archive is refused
    └── OperationStopped                       the user asked to stop; nothing is claimed

The second parents are what callers of the dataset functions have always caught. The faces turn codes into
exit statuses and words; nobody else does.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "AccessDenied",
    "ArchiveError",
    "ConfigurationError",
    "HashError",
    "HostileArchive",
    "IntegrityError",
    "InvalidName",
    "ManifestError",
    "ObjectExists",
    "ObjectNotFound",
    "OperationStopped",
    "SourceChanged",
    "SourceError",
    "SourceNotFound",
    "SourceUnreadable",
    "StorageError",
    "StorageFull",
    "StorageUnavailable",
    "TargetExists",
]


class ArchiveError(Exception):
    """Parent of all errors of this package.

    `message` is one sentence, `hint` says what to do next (may be empty), `code` is a short stable word that
    docs/errors.md explains; a class has a default code, an instance may carry a finer one.
    """

    code = "archive-error"

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return self.message


class ConfigurationError(ArchiveError, ValueError):
    code = "configuration"


class InvalidName(ArchiveError, ValueError):
    """A name that a rule refuses. `code` names the rule, `name` is the offender."""

    code = "invalid-name"

    def __init__(self, message: str, *, name: str = "", hint: str = "", code: str | None = None) -> None:
        super().__init__(message, hint=hint, code=code)
        self.name = name


class SourceError(ArchiveError, OSError):
    """The data to be archived cannot be read as it is; `path` says which part."""

    code = "source"

    def __init__(self, message: str, *, path: str = "", hint: str = "", code: str | None = None) -> None:
        super().__init__(message, hint=hint, code=code)
        self.path = path


class SourceNotFound(SourceError, FileNotFoundError):
    code = "source-not-found"


class SourceUnreadable(SourceError, PermissionError):
    code = "source-unreadable"


class SourceChanged(SourceError):
    code = "source-changed"


class TargetExists(ArchiveError, FileExistsError):
    code = "target-exists"


class StorageError(ArchiveError):
    """A store said no, or said nothing. `key` may be empty, `store` is the store's label."""

    code = "storage"

    def __init__(
        self, message: str, *, key: str = "", store: str = "", hint: str = "", code: str | None = None
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.key = key
        self.store = store


class ObjectNotFound(StorageError, FileNotFoundError):
    code = "object-not-found"


class ObjectExists(StorageError, FileExistsError):
    code = "object-exists"


class AccessDenied(StorageError, PermissionError):
    code = "access-denied"


class StorageFull(StorageError, OSError):
    code = "storage-full"


class StorageUnavailable(StorageError, ConnectionError):
    code = "storage-unavailable"


class IntegrityError(ArchiveError, ValueError):
    """Bytes are not what they should be. `report` holds the findings, when there are several."""

    code = "integrity"

    def __init__(self, message: str, *, report: Any = None, hint: str = "", code: str | None = None) -> None:
        super().__init__(message, hint=hint, code=code)
        self.report = report


class HashError(IntegrityError):
    code = "digest-mismatch"


class ManifestError(IntegrityError):
    code = "manifest"


class HostileArchive(IntegrityError):
    """An archive whose structure is refused before a byte of it is written. `code` names the finding."""

    code = "hostile-archive"


class OperationStopped(ArchiveError):
    code = "stopped"

    def __init__(self, message: str = "Stopped.", *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message, hint=hint, code=code)

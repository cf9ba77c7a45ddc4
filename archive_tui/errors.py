"""The one tree of errors. Every error says what happened, and in its hint what to do next.

    ArchiveError
    ├── ConfigurationError (ValueError)        settings, credentials, arguments that cannot be used
    │   └── InvalidBrokerConfiguration         the document of a workspace
    ├── InvalidName (ValueError)               a name, key, version or member path that a rule refuses
    │   ├── MissingPathError                   a datasafe was asked for no path at all
    │   ├── MissingLoiError                    a datasafe was asked for no LOI at all
    │   └── InvalidLoiError                    not a LOI, or not one of this kind
    ├── SourceError (OSError)                  the data to be archived cannot be read as it is
    │   ├── SourceNotFound (FileNotFoundError)
    │   ├── SourceUnreadable (PermissionError)
    │   └── SourceChanged                      changed, grew, shrank or vanished while it was read
    ├── TargetExists (FileExistsError)         a local folder or file is in the way
    ├── StorageError                           carries `key` and `store` (the store's label)
    │   ├── ObjectNotFound (FileNotFoundError)
    │   │   ├── MissingFile                    a broker was to bring or move a file that is not there
    │   │   ├── LoiNotFoundError               nobody has reserved this LOI
    │   │   ├── MissingContentError            reserved, and nothing deposited; or nothing given to deposit
    │   │   └── NoFileError                    a file or folder that has to be there is not
    │   ├── ObjectExists (FileExistsError)
    │   │   ├── ExistingFileError              this LOI has its dataset already
    │   │   └── AlreadyPresentException        a results store has the same content already
    │   ├── NotAStoreError                     no results store lies there
    │   ├── AccessDenied (PermissionError)
    │   ├── StorageFull (OSError)
    │   └── StorageUnavailable (ConnectionError)   the only one that a retry can cure
    ├── IntegrityError (ValueError)            carries `report`, when there is one
    │   ├── HashError                          content and digest disagree
    │   ├── ManifestError                      a manifest that cannot be read or lies about itself
    │   │   └── MissingInformationError        a manifest without what it cannot do without
    │   └── HostileArchive                     the structure of an archive is refused
    └── OperationStopped                       the user asked to stop; nothing is claimed

The second parents are what callers of the dataset functions have always caught. The faces turn codes into
exit statuses and words; nobody else does.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "AccessDenied",
    "AlreadyPresentException",
    "ArchiveError",
    "ConfigurationError",
    "ExistingFileError",
    "HashError",
    "HostileArchive",
    "IntegrityError",
    "InvalidBrokerConfiguration",
    "InvalidLoiError",
    "InvalidName",
    "LoiNotFoundError",
    "ManifestError",
    "MissingContentError",
    "MissingFile",
    "MissingInformationError",
    "MissingLoiError",
    "MissingPathError",
    "NoFileError",
    "NotAStoreError",
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


class InvalidBrokerConfiguration(ConfigurationError):
    """`name` is a short word for what is wrong with the configuration of a broker, `description` the sentence."""

    code = "broker-configuration"

    def __init__(self, name: str, description: str = "", *, hint: str = "") -> None:
        super().__init__(description or name, hint=hint)
        self.name = name
        self.description = description or name


class InvalidName(ArchiveError, ValueError):
    """A name that a rule refuses. `code` names the rule, `name` is the offender."""

    code = "invalid-name"

    def __init__(self, message: str, *, name: str = "", hint: str = "", code: str | None = None) -> None:
        super().__init__(message, hint=hint, code=code)
        self.name = name


class MissingPathError(InvalidName):
    code = "datasafe-path"

    def __init__(self, message: str = "No path provided.", *, name: str = "", hint: str = "") -> None:
        super().__init__(message, name=name, hint=hint)


class MissingLoiError(InvalidName):
    code = "loi-missing"

    def __init__(self, message: str = "No LOI provided.", *, name: str = "", hint: str = "") -> None:
        super().__init__(message, name=name, hint=hint)


class InvalidLoiError(InvalidName):
    code = "loi-invalid"

    def __init__(self, message: str = "String is not a valid LOI.", *, name: str = "", hint: str = "") -> None:
        super().__init__(message, name=name, hint=hint)


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


class MissingFile(ObjectNotFound):
    """A file that a broker was to bring or to move is not there."""

    code = "broker-file-missing"


class LoiNotFoundError(ObjectNotFound):
    code = "loi-not-found"

    def __init__(self, message: str = "LOI does not exist.", *, key: str = "", store: str = "", hint: str = "") -> None:
        super().__init__(message, key=key, store=store, hint=hint)


class MissingContentError(ObjectNotFound):
    code = "loi-without-content"

    def __init__(
        self, message: str = "LOI does not have content.", *, key: str = "", store: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, key=key, store=store, hint=hint)


class NoFileError(ObjectNotFound):
    code = "datasafe-file"

    def __init__(self, message: str = "File does not exist", *, key: str = "", store: str = "", hint: str = "") -> None:
        super().__init__(message, key=key, store=store, hint=hint)


class ObjectExists(StorageError, FileExistsError):
    code = "object-exists"


class ExistingFileError(ObjectExists):
    code = "loi-has-content"

    def __init__(
        self, message: str = "Directory not empty.", *, key: str = "", store: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, key=key, store=store, hint=hint)


class AlreadyPresentException(ObjectExists):
    """The same content lies in a results store already."""

    code = "results-present"


class NotAStoreError(StorageError):
    """No results store lies there."""

    code = "not-a-results-store"


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


class MissingInformationError(ManifestError):
    code = "manifest-incomplete"

    def __init__(
        self, message: str = "Not enough information for a manifest.", *, report: Any = None, hint: str = ""
    ) -> None:
        super().__init__(message, report=report, hint=hint)


class HostileArchive(IntegrityError):
    """An archive whose structure is refused before a byte of it is written. `code` names the finding."""

    code = "hostile-archive"


class OperationStopped(ArchiveError):
    code = "stopped"

    def __init__(self, message: str = "Stopped.", *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message, hint=hint, code=code)

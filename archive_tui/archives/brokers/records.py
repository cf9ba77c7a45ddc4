"""What brokers are handed and what they give back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from archive_tui.errors import ArchiveError


class FileRecord(Protocol):
    """Anything with these attributes is a record of a file; `file_path` is relative to the volume or the bucket. Where
    it has a `save()`, that is called after each change."""

    file_path: str
    file_name: str
    media_type: str
    is_deleted: bool
    deleted: datetime | None


@dataclass
class WorkspaceFile:
    """A plain record of a file. `deleted` is an aware time in UTC, None: it is not deleted."""

    file_path: str
    file_name: str = ""
    media_type: str = ""
    is_deleted: bool = False
    deleted: datetime | None = None

    def __post_init__(self) -> None:
        self.file_name = self.file_name or self.file_path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class BrokerVolume:
    """What has to be mounted for a broker: `driver` is its kind, `remote_path` what is mounted. `host`: it is a path of
    the machine itself."""

    driver: str
    remote_path: str
    host: bool = False


@dataclass(frozen=True, slots=True)
class FileDetails:
    """One entry of a listing: `file` is its path, relative to what was listed, `size` in bytes."""

    file: str
    size: int


@dataclass(frozen=True, slots=True)
class FileUpload:
    file: Any
    local_path: str


@dataclass(frozen=True, slots=True)
class FileDownload:
    """`partial`: only parts of the file will be read, so that a mount may be used instead of a copy."""

    file: Any
    local_path: str
    partial: bool = False


@dataclass(frozen=True, slots=True)
class FileMove:
    file: Any
    new_path: str


@dataclass(frozen=True, slots=True)
class ValidationWarning:
    name: str
    description: str


class Outcome(StrEnum):
    """What became of one file. LINKED: a link to the mounted file was made. ABSENT: it was gone before it was deleted.
    SAME: the very content lay there already."""

    UPLOADED = "uploaded"
    DOWNLOADED = "downloaded"
    LINKED = "linked"
    MOVED = "moved"
    DELETED = "deleted"
    ABSENT = "absent"
    SAME = "same"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """`digest` is the SHA-256 that was proven, `size` in bytes; None: neither was looked at. `error` says why it
    FAILED."""

    file: Any
    outcome: Outcome
    digest: str | None = None
    size: int | None = None
    error: ArchiveError | None = None

    @property
    def ok(self) -> bool:
        return self.outcome is not Outcome.FAILED

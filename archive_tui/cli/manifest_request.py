"""What a call of `archive-tui manifest` wants from a vault, as one value that the three actions share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archive_tui.manifests.checksum_lines.line import Dialect


@dataclass(frozen=True, slots=True)
class ManifestRequest:
    """`manifest` is the file as typed, `-` for standard input. `storage` None: the vault that the settings name.
    `path`, `upload_all`: archiving. `overwrite`: fetching. `root` None: the current folder. `dialect` None: found out
    from the file. `read`: asking the vault, every object is read whole."""

    manifest: str
    storage: str | None = None
    path: str | None = None
    upload_all: bool = False
    overwrite: bool = False
    root: str | None = None
    dialect: Dialect | None = None
    read: bool = False

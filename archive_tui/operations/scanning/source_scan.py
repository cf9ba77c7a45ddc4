"""The result of looking at a source: which files there are, and what a person should know before publishing them."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from archive_tui.errors import SourceChanged
from archive_tui.manifests.dataset_manifest import DatasetManifest
from archive_tui.names.display import escape_for_display
from archive_tui.operations.scanning.contained_open import ContainedOpener

_CHANGED_HINT = "Wait until nothing writes to the source, then repeat the command."


class SourceFile(NamedTuple):
    """`path` is relative to the source, with `/`; size in bytes, times in nanoseconds, as they were when scanned."""

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int


@dataclass(frozen=True, slots=True)
class ScanRemark:
    """`path` is relative to the source ("" is the source itself), `rule` a short stable word, `text` one sentence with
    all names escaped for display."""

    path: str
    rule: str
    text: str


@dataclass(frozen=True)
class SourceScan:
    """What a source holds. `root` is the source, `base` the folder that the paths are relative to (the same, unless the
    source is a single file).

    `refusals` forbid publishing, `warnings` should be read before it, `skipped` is what is kept out. A
    `manifest.json` of ours at the top is `carried_manifest`, not one of the files. `real_paths` says, for files behind
    followed symbolic links, where they really lie below `base`.
    """

    root: Path
    base: Path
    files: tuple[SourceFile, ...]
    warnings: tuple[ScanRemark, ...] = ()
    refusals: tuple[ScanRemark, ...] = ()
    skipped: tuple[ScanRemark, ...] = ()
    carried_manifest: DatasetManifest | None = None
    real_paths: Mapping[str, str] = field(default_factory=dict, repr=False)
    total_bytes: int = field(init=False)
    _opener: ContainedOpener = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total_bytes", sum(file.size for file in self.files))
        object.__setattr__(self, "_opener", ContainedOpener(self.base))

    def open_file(self, file: SourceFile) -> int:
        """Returns a descriptor for reading, which the caller closes; from any thread.

        No symbolic link is followed on the way, so that nothing outside the source is ever read. Folders are kept open
        between calls: many small files, asked for in the order of `files`, cost one system call each.

        Raises: SourceChanged when the file vanished or is no regular file any more, SourceUnreadable when it may not
        be read.
        """
        return self._opener.open_regular_file(self.real_paths.get(file.path, file.path))

    def check_unchanged(self, file: SourceFile, descriptor: int) -> None:
        """Call it after the last byte was read.

        Raises: SourceChanged when the open file is not what was scanned: another file, another length, another time.
        """
        now = os.fstat(descriptor)
        same = (now.st_size, now.st_mtime_ns, now.st_ino, now.st_dev) == (
            file.size,
            file.mtime_ns,
            file.inode,
            file.device,
        )
        if not same or not stat.S_ISREG(now.st_mode):
            raise SourceChanged(
                f"Changed while it was read: {escape_for_display(file.path)}", path=file.path, hint=_CHANGED_HINT
            )

    def close(self) -> None:
        """Closes the folders that are kept open; `open_file` opens them again when needed."""
        self._opener.close()

"""The walk through a source folder: which entries are files of the data, which stay out, which are in the way."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive_tui.errors import ManifestError
from archive_tui.manifests.dataset_manifest import DatasetManifest, parse_carried_manifest
from archive_tui.manifests.manifest_document import read_manifest_document
from archive_tui.names.display import escape_for_display
from archive_tui.names.member_paths import MANIFEST_NAME, find_clashes, find_path_fault
from archive_tui.names.object_keys import is_temporary_name
from archive_tui.operations.scanning.ignore_rules import Ignores
from archive_tui.operations.scanning.secret_names import looks_secret, looks_secret_folder
from archive_tui.operations.scanning.source_scan import ScanRemark, SourceFile, SourceScan
from archive_tui.progress import StopSignal, check_stop

ENTRIES_BETWEEN = 100
IGNORED_NAMED = 20
"""Ignored entries that are named one by one; of the rest the number is said."""

MOST_FOLLOWED_FOLDERS = 10_000
"""Links to folders may point at each other so that they multiply; more of them than this is no data set."""


@dataclass(frozen=True, slots=True)
class _Folder:
    """`path` as it is published, `real` where it lies below the base; `trail` the real folders above it and itself."""

    path: str
    real: str
    trail: tuple[str, ...]


class SourceWalk:
    """Collects what a source holds; `base` is an absolute folder without symbolic links in its path."""

    def __init__(self, base: Path, *, follow_symlinks: bool = False, ignores: Ignores | None = None) -> None:
        self.files: list[SourceFile] = []
        self.bytes = 0
        self._base = base
        self._prefix = str(base).rstrip("/") + "/"
        self._follow = follow_symlinks
        self._ignores = ignores
        self._pending = [_Folder("", "", ("",))]
        self._real_paths: dict[str, str] = {}
        self._remarks: dict[str, list[ScanRemark]] = {"warnings": [], "refusals": [], "skipped": []}
        self._new: list[ScanRemark] = []
        self._ignored = 0
        self._followed = 0
        self._carried: DatasetManifest | None = None
        self._may_read_all = os.geteuid() == 0

    def take_single_file(self, name: str, real: str) -> None:
        """Makes one file the whole source."""
        self._pending.clear()
        if self._refuse_fault(name):
            return
        try:
            self._add_file(name, Path(self._prefix + real).lstat(), real)
        except OSError as error:
            self._refuse_unreadable(name, error)

    def visit_all(self, stop: StopSignal) -> Iterator[str]:
        """Yields the path last looked at, at least after every 100 entries.

        Raises: OperationStopped.
        """
        while self._pending:
            folder = self._pending.pop()
            check_stop(stop)
            yield folder.path
            count = 0
            try:
                with os.scandir(self._prefix + folder.real) as entries:
                    for count, entry in enumerate(entries, 1):
                        self._visit(folder, entry)
                        if count % ENTRIES_BETWEEN == 0:
                            check_stop(stop)
                            yield f"{folder.path}/{entry.name}".lstrip("/")
            except OSError as error:
                self._refuse_unreadable(folder.path, error)
                continue
            if count == 0 and folder.path:
                self._remark("skipped", folder.path, "empty-folder", "Empty folders are not kept")

    def _visit(self, folder: _Folder, entry: os.DirEntry[str]) -> None:
        path = f"{folder.path}/{entry.name}" if folder.path else entry.name
        real = f"{folder.real}/{entry.name}" if folder.real else entry.name
        try:
            is_link = entry.is_symlink()
            is_folder = not is_link and entry.is_dir(follow_symlinks=False)
            if is_temporary_name(entry.name):
                self._remark("skipped", path, "temporary", "Left by an unfinished write of this program")
            elif self._ignores is not None and self._ignores(path, is_folder):
                self._skip_ignored(path)
            elif is_link:
                self._visit_link(folder, path, real)
            elif path == MANIFEST_NAME and not is_folder:
                self._carry_manifest(path)
            elif not self._refuse_fault(path):
                self._take(folder, path, real, entry.stat(follow_symlinks=False))
        except OSError as error:
            self._refuse_unreadable(path, error)

    def _take(self, folder: _Folder, path: str, real: str, status: os.stat_result) -> None:
        if stat.S_ISREG(status.st_mode):
            self._add_file(path, status, real)
        elif stat.S_ISDIR(status.st_mode):
            if looks_secret_folder(path.rpartition("/")[2]):
                self._remark("warnings", path, "looks-secret", "Often holds passwords or private keys")
            self._pending.append(_Folder(path, real, (*folder.trail, real) if self._follow else ()))
        else:
            self._remark("skipped", path, "special-file", "Neither file nor folder (socket, pipe or device), kept out")

    def _add_file(self, path: str, status: os.stat_result, real: str) -> None:
        # Asked only where it can matter: one system call for each file adds up.
        if not self._may_read_all and not status.st_mode & 0o004 and not os.access(self._prefix + real, os.R_OK):
            self._remark("refusals", path, "unreadable", "May not be read")
            return
        if real != path:
            self._real_paths[path] = real
        self.files.append(
            SourceFile(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)
        )
        self.bytes += status.st_size
        if looks_secret(path.rpartition("/")[2]):
            self._remark("warnings", path, "looks-secret", "Often holds a password or a private key")

    def _visit_link(self, folder: _Folder, path: str, real: str) -> None:
        if not self._follow:
            target = escape_for_display(str(Path(self._prefix + real).readlink()))
            self._remark("skipped", path, "symlink", f"Symbolic link to {target}, kept out")
            return
        try:
            target = os.path.realpath(self._prefix + real, strict=True)
        except OSError:
            self._remark("refusals", path, "symlink-dangling", "Symbolic link that leads nowhere")
            return
        if not (target + "/").startswith(self._prefix):
            self._remark("refusals", path, "symlink-outside", "Symbolic link that leaves the source")
            return
        inside = target[len(self._prefix) :]
        status = Path(target).lstat()
        if stat.S_ISDIR(status.st_mode):
            self._followed += 1
            if inside in folder.trail:
                self._remark("refusals", path, "symlink-loop", "Symbolic link to a folder that it lies in")
                return
            if self._followed > MOST_FOLLOWED_FOLDERS:
                self._remark("refusals", path, "symlink-too-many", "Too many symbolic links to folders")
                self._pending.clear()
                return
        if not self._refuse_fault(path):
            self._take(folder, path, inside, status)

    def _carry_manifest(self, path: str) -> None:
        try:
            document = read_manifest_document(self._base / path)
            carried = None if document is None else parse_carried_manifest(document)
        except ManifestError as error:
            self._remark("refusals", path, error.code, error.message)
            return
        if carried is None:
            self._remark(
                "refusals",
                path,
                "manifest-foreign",
                "A file of this name that is no dataset manifest is in the way; rename it or move it into a folder",
            )
        self._carried = carried

    def _refuse_fault(self, path: str) -> bool:
        fault = find_path_fault(path)
        if fault is None:
            return False
        rule, why = fault
        self._remark("refusals", path, rule, f"Name refused, {why}")
        return True

    def _refuse_unreadable(self, path: str, error: OSError) -> None:
        self._remark("refusals", path, "unreadable", f"Cannot be read ({error.strerror or error})")

    def _skip_ignored(self, path: str) -> None:
        self._ignored += 1
        if self._ignored <= IGNORED_NAMED:
            self._remark("skipped", path, "ignored", "Left out by the ignore file")

    def _remark(self, kind: str, path: str, rule: str, sentence: str) -> None:
        shown = escape_for_display(path if len(path) <= 200 else path[:200] + "…")
        remark = ScanRemark(path, rule, f"{sentence}: {shown}" if path else sentence)
        self._remarks[kind].append(remark)
        self._new.append(remark)

    def take_new_remarks(self) -> tuple[ScanRemark, ...]:
        """Returns the remarks that were made since the last call."""
        new, self._new = tuple(self._new), []
        return new

    def finish(self, root: Path) -> SourceScan:
        """Returns the scan, with what can only be judged when all is known: clashes and emptiness."""
        self.files.sort(key=lambda file: file.path)
        for rule, paths in find_clashes(file.path for file in self.files):
            others = ", ".join(escape_for_display(path) for path in paths[1:])
            self._remark("refusals", paths[0], rule, f"Some systems cannot hold it beside {others}")
        if self._ignored > IGNORED_NAMED:
            rest = self._ignored - IGNORED_NAMED
            self._remark("skipped", "", "ignored", f"{rest:,} more entries are left out by the ignore file")
        if not self.files and not self._remarks["refusals"]:
            self._remark("refusals", "", "source-empty", "There is no file in the source")
        sorted_remarks = {
            kind: tuple(sorted(remarks, key=lambda remark: (remark.path == "", remark.path, remark.rule)))
            for kind, remarks in self._remarks.items()
        }
        return SourceScan(
            root,
            self._base,
            tuple(self.files),
            **sorted_remarks,
            carried_manifest=self._carried,
            real_paths=self._real_paths,
        )

"""Deletes at the source what is proven at the target: the one step of a move that could lose something."""

from __future__ import annotations

import threading
import uuid
from contextlib import closing, suppress

from archive_tui.errors import AccessDenied, ArchiveError, ObjectNotFound
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.streams import hash_stream, read_chunks
from archive_tui.objects.folder.moving_names import are_two_names_of_one_file
from archive_tui.objects.folder.store import FolderStore
from archive_tui.operations.copying.contents import find_proven_digest
from archive_tui.operations.copying.marks import CopyStamp, ItemResult
from archive_tui.operations.copying.plan import CopyPlan
from archive_tui.operations.copying.receipt import CopyOutcome
from archive_tui.operations.moving.machine_lock import held_on_machine
from archive_tui.operations.object_failures import ends_run
from archive_tui.operations.object_presence import has_object
from archive_tui.operations.selected_entries import innermost
from archive_tui.progress import StopSignal

MOST_DENIALS = 100
"""Refusals after which nobody believes that anything may be deleted at the source, when nothing was."""

_PROBE = "archive-tui-looks-whether-this-is-one-place-"

_CHANGED = "it has changed at the source since it was copied, and was kept there"
_READ_TWICE = "it was read once more before it would be deleted, and was not what had been copied"
_TAKEN_AWAY = "what had come to the target was taken away from there"
_SAME_OBJECT = "source and target are one and the same object, which was kept"
_NOT_TOLD = "the same content lies there already, and it cannot be told whether it is the very same object: kept"


class SourceRemoval:
    """Its method is called from several threads."""

    def __init__(self, plan: CopyPlan, stop: StopSignal) -> None:
        self._plan = plan
        self._stop = stop
        self._lock = threading.Lock()
        self._denials = 0
        self._removed = 0
        self._same_places: dict[str, bool | None] = {}

    def remove(self, key: str, result: ItemResult, *, is_link: bool) -> str:
        """Deletes the object at the source, if it is what was proven at the target; returns why not, in a few words.
        Empty: it is gone. `is_link`: the target is another name of this very file.

        Raises: what ends the whole move, OperationStopped.
        """
        try:
            why = self._find_link_change(key, result) if is_link else self._find_doubt(key, result)
            why = why or ("" if is_link else self._find_change(key, result))
            if why:
                return why
            # A move the other way has the same content, or the same two names.
            names = sorted((key.rpartition("/")[2], result.key.rpartition("/")[2]))
            with held_on_machine(result.digest or "/".join(names), self._stop):
                why = self._look_at_target(result, is_link=is_link)
                if why:
                    return why
                self._plan.source.delete(key)
        except ArchiveError as error:
            if ends_run(error, None) or self._is_denied_altogether(error):
                raise
            return f"it lies at the target now, and could not be deleted at the source: {error}"
        with self._lock:
            self._removed += 1
        return ""

    def _look_at_target(self, result: ItemResult, *, is_link: bool) -> str:
        """The last look: somebody else, such as a move the other way, may have taken it away again."""
        try:
            version = self._plan.target.info(result.key).version
        except ObjectNotFound:
            return f"{_TAKEN_AWAY}, and was kept at the source"
        wanted = CopyStamp(*result.stamp.split("\n")).target_version if result.stamp else version
        return "" if is_link or version == wanted else f"{_TAKEN_AWAY} by another one, and was kept at the source"

    def _find_link_change(self, key: str, result: ItemResult) -> str:
        try:
            version = self._plan.source.info(key).version
        except ObjectNotFound:
            return ""
        return "" if version == CopyStamp(*result.stamp.split("\n")).source_version else _CHANGED

    def _find_doubt(self, key: str, result: ItemResult) -> str:
        """Says why it is not proven that the content lies at the target, and is another object than at the source."""
        if result.outcome is CopyOutcome.SAME:
            is_one = self._is_same_object(key, result.key)
            if is_one is not False:
                return _NOT_TOLD if is_one is None else _SAME_OBJECT
        if result.level is None or result.level < EvidenceLevel.ATTESTED:
            digest, _ = find_proven_digest(self._plan.target, self._plan.target.info(result.key), self._stop)
            if digest != result.digest:
                return f"what lies at the target has another digest: {digest}"
        return ""

    def _find_change(self, key: str, result: ItemResult) -> str:
        """Says why what is at the source may not be what lies at the target. A content of which the source knows no
        digest is read once more: when the first reading was wrong, only this one can tell."""
        try:
            info = self._plan.source.info(key)
            is_read = info.digest is None and result.outcome is not CopyOutcome.SAME
            if is_read:
                if self._read_digest(key) != result.digest:
                    return self._withdraw(result)
                info = self._plan.source.info(key)
        except ObjectNotFound:
            return ""  # somebody else has deleted it
        version = CopyStamp(*result.stamp.split("\n")).source_version if result.stamp else None
        if version is not None:
            return "" if info.version == version else _CHANGED
        return "" if is_read or (info.digest or self._read_digest(key)) == result.digest else _CHANGED

    def _read_digest(self, key: str) -> str:
        with closing(self._plan.source.open(key)) as reader:
            return hash_stream(read_chunks(reader, stop=self._stop))[0]

    def _withdraw(self, result: ItemResult) -> str:
        """Takes back a copy that is not what is read now, unless it took the place of another one."""
        if result.outcome is CopyOutcome.REPLACED:
            return f"{_READ_TWICE}. Look at both: another one was replaced by it."
        with suppress(ObjectNotFound):
            there = self._plan.target.info(result.key)
            if result.stamp and there.version == CopyStamp(*result.stamp.split("\n")).target_version:
                self._plan.target.delete(result.key)
        return f"{_READ_TWICE}. It is kept; move it again."

    def _is_same_object(self, key: str, target_key: str) -> bool | None:
        """Two ways may lead to one object: a folder mounted twice, a bucket behind two addresses. None: not known."""
        source, target = innermost(self._plan.source), innermost(self._plan.target)
        if isinstance(source, FolderStore) and isinstance(target, FolderStore):
            are_two = are_two_names_of_one_file(source, key, target, target_key)
            if are_two is not None:
                return not are_two
            if _device(source, key) == _device(target, target_key) is not None:
                return False
        has_folders = isinstance(source, FolderStore) or isinstance(target, FolderStore)
        folder = key.rpartition("/")[0] if has_folders else ""  # below each another place may be mounted
        with self._lock:
            if folder not in self._same_places:
                self._same_places[folder] = self._look_for_probe(key, target_key)
            return self._same_places[folder]

    def _look_for_probe(self, key: str, target_key: str) -> bool | None:
        """Puts a small object beside the one at the target, and looks whether it appears at the source."""
        name = f"{_PROBE}{uuid.uuid4().hex}"
        (folder, slash, _), (new_folder, new_slash, _) = key.rpartition("/"), target_key.rpartition("/")
        probe = new_folder + new_slash + name
        try:
            self._plan.target.put(probe, [name.encode()], len(name))
            return has_object(self._plan.source, folder + slash + name)
        except ArchiveError as error:
            if ends_run(error, None):
                raise
            return None
        finally:
            with suppress(ArchiveError):
                self._plan.target.delete(probe)

    def _is_denied_altogether(self, error: ArchiveError) -> bool:
        with self._lock:
            self._denials += isinstance(error, AccessDenied)
            return self._denials > MOST_DENIALS and not self._removed


def _device(store: FolderStore, key: str) -> int | None:
    try:
        return store.local_path(key).lstat().st_dev
    except OSError:
        return None

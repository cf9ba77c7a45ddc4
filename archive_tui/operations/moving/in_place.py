"""Shorter ways than through this program: within one file system, or within a server that copies by itself."""

from __future__ import annotations

from archive_tui.errors import ArchiveError, HashError
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.names.protected_keys import find_content_digest
from archive_tui.objects.folder.moving_names import link_file
from archive_tui.objects.folder.paths import check_readable_key
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectInfo, Support
from archive_tui.operations.copying.marks import ItemResult, make_stamp
from archive_tui.operations.copying.plan import CopyPlan
from archive_tui.operations.copying.receipt import CopyOutcome
from archive_tui.operations.object_failures import ends_run
from archive_tui.operations.selected_entries import SelectedEntry, innermost, whole_key


def folders_of(plan: CopyPlan) -> tuple[FolderStore, FolderStore] | None:
    """Source and target when files may be given new names between them: what lies in an archive becomes read-only, and
    what a person puts somewhere stays writable, so that only places of one kind are meant."""
    source, target = innermost(plan.source), innermost(plan.target)
    if not isinstance(source, FolderStore) or not isinstance(target, FolderStore):
        return None
    return (source, target) if source.keeps_read_only == target.keeps_read_only else None


class ShortWay:
    """Brings an object to its new place without reading it here. Called from several threads."""

    def __init__(self, plan: CopyPlan) -> None:
        self._plan = plan
        self._folders = folders_of(plan)
        is_one_server = plan.source.identity == plan.target.identity and self._folders is None
        self._has_server_copy = is_one_server and plan.target.traits.server_side_copy is Support.YES

    @property
    def is_rename(self) -> bool:
        """True when what is brought by it is the very same file."""
        return self._folders is not None

    def bring(self, item: str, entry: SelectedEntry) -> ItemResult | None:
        """Returns what became of it; None: it has to go the long way, on which conflicts and failures are explained.

        Raises: what ends the whole move, such as an answer that was lost; OperationStopped.
        """
        key = self._plan.target_key(item)
        if find_content_digest(whole_key(self._plan.target, key)) is not None or self._plan.find_overlap(item):
            return None
        try:
            if self._folders is not None:
                return self._link(item, entry.key, check_readable_key(key))
            return self._copy(item, entry, key) if self._has_server_copy else None
        except ArchiveError as error:
            if ends_run(error, self._plan.target):
                raise
            return None

    def _link(self, item: str, key: str, target_key: str) -> ItemResult | None:
        assert self._folders is not None
        there = link_file(self._folders[0], key, self._folders[1], target_key)
        if there is None:
            return None
        stamp = make_stamp(there.version, target_key, there.version)  # one file, whatever its name
        return ItemResult(item, CopyOutcome.COPIED, target_key, there.size, stamp=stamp)

    def _copy(self, item: str, entry: SelectedEntry, target_key: str) -> ItemResult | None:
        before: ObjectInfo = self._plan.source.info(entry.key)
        put = self._plan.target.copy(entry.key, target_key)
        if before.digest not in (None, put.info.digest):
            self._plan.target.delete(target_key)  # nobody else can have made it
            error = HashError(f"The source says that its digest is {before.digest}, and the copy has {put.info.digest}")
            return ItemResult(item, CopyOutcome.FAILED, finding=Finding(FindingKind.CHANGED, item, detail=str(error)))
        return ItemResult(
            item,
            CopyOutcome.COPIED,
            target_key,
            put.info.size,
            put.info.digest,
            put.evidence.level,
            make_stamp(before.version, target_key, put.info.version),
            evidence=put.evidence,
        )

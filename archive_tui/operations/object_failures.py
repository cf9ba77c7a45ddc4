"""What an error says about one object, and which errors end a run over many."""

from __future__ import annotations

import os

from archive_tui.errors import (
    AccessDenied,
    ArchiveError,
    ConfigurationError,
    HashError,
    ObjectNotFound,
    OperationStopped,
    SourceChanged,
    StorageFull,
    StorageUnavailable,
)
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.selected_entries import LINK, innermost

_WHOLE_PLACE = frozenset({"no-such-bucket", "container-missing", "not-a-folder", "tls", "unsupported"})
"""Codes of errors that befall every object of a store."""

_LINK_CODE = "symlink-in-path"


def ends_run(error: ArchiveError, target: ObjectStore | None) -> bool:
    """True for what befalls every object that follows as well. `target` is where the error comes from when something
    was written there; None: it came from the source, which may refuse one object and give the others."""
    if isinstance(error, OperationStopped | StorageUnavailable | StorageFull | ConfigurationError):
        return True
    if error.code in _WHOLE_PLACE:
        return True
    if not isinstance(error, AccessDenied) or target is None:
        return False
    store = innermost(target)
    return not isinstance(store, FolderStore) or not os.access(store.root, os.W_OK)


def may_have_changed(error: ArchiveError) -> bool:
    """True when another look at the source may show another object than the one that was begun with."""
    return isinstance(error, SourceChanged) or error.code in ("object-changed", HashError.code)


def to_finding(item: str, error: ArchiveError, *, at_source: bool) -> Finding:
    """The finding for an object that was not copied."""
    detail = str(error)
    if at_source and isinstance(error, ObjectNotFound):
        return Finding(FindingKind.MISSING, item, detail="it is not at the source")
    if at_source and error.code == _LINK_CODE:
        return Finding(FindingKind.UNREADABLE, item, detail=skipping_reason(LINK))
    if isinstance(error, HashError):
        return Finding(FindingKind.CHANGED, item, detail=detail)
    return Finding(FindingKind.UNREADABLE if at_source else FindingKind.MISSING, item, detail=detail)


def skipping_reason(problem: str) -> str:
    """Why something that is no object was not copied."""
    return f"{problem}; it is not followed" if problem == LINK else problem

"""Opens results stores: in a folder, or below a prefix of an object store."""

from __future__ import annotations

from pathlib import Path

from archive_tui.archives.results_store.manifest_file import not_a_store
from archive_tui.archives.results_store.results_store import ResultsStore
from archive_tui.errors import ObjectNotFound, TargetExists
from archive_tui.manifests.store_manifest import MANIFEST_KEY
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectStore


def is_results_store(store: ObjectStore, prefix: str = "") -> bool:
    """Asks whether there is a manifest; one request. Raises: what the store raises."""
    try:
        store.info(f"{prefix}{MANIFEST_KEY}")
    except ObjectNotFound:
        return False
    return True


def open_results_store(store: ObjectStore, prefix: str = "") -> ResultsStore:
    """Opens the results store below `prefix`, which is closed with it.

    Raises: NotAStoreError; what the store raises.
    """
    if not is_results_store(store, prefix):
        raise not_a_store(store)
    return ResultsStore(store, prefix)


def open_results_folder(root: Path) -> ResultsStore:
    """Opens the results store in a folder. Raises: NotAStoreError; what the file system says."""
    return open_results_store(FolderStore(root.expanduser().absolute()))


def create_results_store(store: ObjectStore, prefix: str, name: str) -> ResultsStore:
    """Makes an empty results store where nothing lies yet.

    Raises: TargetExists (a FileExistsError) when anything lies there; what the store raises.
    """
    if next(iter(store.list(prefix)), None) is not None:
        raise TargetExists(
            f"Not empty: {store.label} {prefix}".rstrip(),
            hint="A results store begins in an empty place. `archive-tui store info` shows whether there is one.",
        )
    made = ResultsStore(store, prefix)
    made.create(name)
    return made


def create_results_folder(root: Path, name: str) -> ResultsStore:
    """Makes an empty results store in a folder, which is made with its parents.

    Raises: TargetExists (a FileExistsError) when the folder is there and not empty; what the file system says.
    """
    folder = root.expanduser().absolute()
    if folder.is_dir() and any(folder.iterdir()):
        raise TargetExists(f"Not empty: {folder}", hint="A results store begins in an empty folder.")
    return create_results_store(FolderStore(folder), "", name)

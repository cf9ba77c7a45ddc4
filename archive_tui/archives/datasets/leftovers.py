"""What a killed `upload_dataset` has left in `local_path`: it is removed where the source still holds all of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from archive_tui.archives.datasets.catalog import find_version, read_version_manifest
from archive_tui.archives.datasets.planning import choose_version
from archive_tui.archives.datasets.verifying import verify_version
from archive_tui.errors import ArchiveError
from archive_tui.integrity.inventory import Inventory
from archive_tui.integrity.report import Verdict
from archive_tui.manifests.dataset_manifest import MANIFEST_NAME, parse_dataset_manifest
from archive_tui.names.dataset_names import archive_key, manifest_key
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.folder.temporary_entries import new_temporary_name
from archive_tui.operations.scanning.scan import scan_source
from archive_tui.operations.source_inventory import hash_source
from archive_tui.operations.verifying import verify_folder


def remove_leftovers(local_path: Path, name: str, versions: Sequence[str] | None, version: str) -> None:
    """Removes archive folder, zip and manifest of the number that is to be published, so that it can be repeated.

    Only what is proven to hold nothing but the source's content of now is touched. Anything else stays, and is in the
    way of the upload.

    Raises: InvalidName for a bad `version`.
    """
    published = list(versions or ())
    number = choose_version(published, version)
    folder = local_path / f"{name}.{number}"
    if number in published or folder.is_symlink() or not (folder / MANIFEST_NAME).is_file():
        return
    try:
        content = hash_source(scan_source(local_path / name))
        is_ours = _is_copy(folder, content) and _is_packed_copy(local_path, name, number, content)
    except (ArchiveError, OSError):
        return  # what cannot be proven stays
    if is_ours:
        remove_upload(local_path, name, number)


def remove_upload(local_path: Path, name: str, number: str) -> None:
    """Removes the zip, its manifest and, last and at once, the archive folder; what is absent is no error."""
    (local_path / archive_key(name, number)).unlink(missing_ok=True)
    (local_path / manifest_key(name, number)).unlink(missing_ok=True)
    folder = local_path / f"{name}.{number}"
    if folder.is_dir():
        # A run that is killed in the middle of this leaves a temporary entry, not half an archive folder.
        doomed = folder.with_name(new_temporary_name())
        os.rename(folder, doomed)  # noqa: PTH104
        shutil.rmtree(doomed, ignore_errors=True)


def _is_copy(folder: Path, content: Inventory) -> bool:
    manifest = parse_dataset_manifest((folder / MANIFEST_NAME).read_bytes())
    return manifest.inventory.same_content(content) and verify_folder(folder).verdict is Verdict.VERIFIED


def _is_packed_copy(local_path: Path, name: str, number: str, content: Inventory) -> bool:
    """A zip that is not there is none; one that is there must be whole."""
    if not (local_path / archive_key(name, number)).exists():
        return True
    with FolderStore(local_path, read_only_objects=False) as store:
        report, _ = verify_version(store, name, number)
        manifest = read_version_manifest(store, find_version(store, name, number))
    return report.verdict is Verdict.VERIFIED and manifest.inventory.same_content(content)

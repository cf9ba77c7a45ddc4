"""The steps behind `upload_dataset` and `download_dataset` of a storage client."""

from __future__ import annotations

import dataclasses
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from archive_tui.archives.datasets.archive_folder import make_dataset_archive_folder
from archive_tui.archives.datasets.catalog import find_version
from archive_tui.archives.datasets.fetching import fetch_dataset
from archive_tui.archives.datasets.leftovers import remove_leftovers, remove_upload
from archive_tui.errors import (
    ConfigurationError,
    IntegrityError,
    ObjectNotFound,
    SourceError,
    StorageError,
    TargetExists,
)
from archive_tui.integrity.inventory import Inventory
from archive_tui.manifests.dataset_manifest import (
    MANIFEST_NAME,
    ArchiveReference,
    DatasetManifest,
    format_dataset_manifest,
    parse_dataset_manifest,
)
from archive_tui.names.dataset_names import check_dataset_name
from archive_tui.objects.folder.atomic_file import write_atomically
from archive_tui.objects.folder.swap import finish_interrupted_swap
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.packing.archive import pack_archive
from archive_tui.operations.scanning.scan import scan_source


class Uploader(Protocol):
    def upload(self, filename: str, overwrite: bool = False) -> Any: ...


def upload_archive_folder(
    client: Uploader, local_path: Path, name: str, versions: Sequence[str] | None, version: str, compression_level: int
) -> Any:
    """Makes the archive folder, its zip and the zip's manifest in `local_path`, uploads zip and manifest, returns the
    zip's upload.

    Whatever fails before the zip is uploaded removes all three; what a killed run has left is removed first.
    """
    source = local_path / name
    if source.is_dir() and not any(source.iterdir()):
        raise SourceError(f"Nothing to publish, no files in {source}", path=str(source), code="source-empty")
    remove_leftovers(local_path, name, versions, version)
    folder = Path(make_dataset_archive_folder(local_path, name, versions, version))
    number = folder.name.removeprefix(f"{Path(name).name}.")
    zip_name, manifest_name = f"{name}.{number}.zip", f"{name}.{number}.manifest.json"
    if (local_path / zip_name).exists():
        shutil.rmtree(folder, ignore_errors=True)
        raise TargetExists(f"In the way: {local_path / zip_name}", hint="Move it away, then publish again.")
    with _removed_on_failure(local_path, name, number):
        archive, manifest = _zip_folder(folder, local_path / zip_name, compression_level)
        sealed = dataclasses.replace(manifest, archive=ArchiveReference(zip_name, *archive))
        write_atomically(local_path / manifest_name, [format_dataset_manifest(sealed)], overwrite=True)
        uploaded = client.upload(zip_name, overwrite=False)
    try:
        client.upload(manifest_name, overwrite=False)
    except (StorageError, IntegrityError, OSError) as error:
        warnings.warn(
            f"{zip_name} is published, but the manifest beside it could not be uploaded: {error}", stacklevel=3
        )
    return uploaded


def fetch_into_local_path(store: ObjectStore, local_path: Path, name: str, version: str, overwrite: bool) -> Path:
    """Returns `local_path/name.VERSION`, fetched and verified unless it is there and not to be overwritten."""
    check_dataset_name(name)
    if version == "latest":
        try:
            version = find_version(store, name).version
        except ObjectNotFound as error:
            raise ConfigurationError(f"There is no version of {name} to download.", hint=error.hint) from error
    target = local_path / f"{name}.{version}"
    finish_interrupted_swap(target)
    if target.is_dir() and not overwrite:
        return target
    return fetch_dataset(store, name, version, into=local_path, overwrite=overwrite).folder


def _zip_folder(folder: Path, target: Path, compression_level: int) -> tuple[tuple[int, str], DatasetManifest]:
    """Packs the archive folder with the very manifest that lies in it; returns size and digest of the zip, and the
    manifest."""
    manifest_bytes = (folder / MANIFEST_NAME).read_bytes()
    manifest = parse_dataset_manifest(manifest_bytes)

    def checked_manifest(inventory: Inventory) -> bytes:
        if not inventory.same_content(manifest.inventory):
            raise SourceError(f"The archive folder changed while it was packed: {folder}", path=str(folder))
        return manifest_bytes

    chunks = pack_archive(scan_source(folder), make_manifest=checked_manifest, compression_level=compression_level)
    try:
        written = write_atomically(target, chunks)
    finally:
        chunks.close()
    return (written.size, written.digest), manifest


@contextmanager
def _removed_on_failure(local_path: Path, name: str, number: str) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(OSError):
            remove_upload(local_path, name, number)
        raise

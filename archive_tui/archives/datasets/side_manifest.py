"""The manifest beside a published archive: a copy of the one inside, for whoever looks without fetching."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from archive_tui.archives.datasets.catalog import find_version, read_version_manifest
from archive_tui.archives.datasets.verifying import verify_version
from archive_tui.errors import HashError, IntegrityError, SourceError, StorageError
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.integrity.evidence import Evidence
from archive_tui.integrity.inventory import Inventory
from archive_tui.integrity.report import Verdict
from archive_tui.manifests.dataset_manifest import ArchiveReference, DatasetManifest, format_dataset_manifest
from archive_tui.names.dataset_names import manifest_key
from archive_tui.objects.object_store import ObjectStore
from archive_tui.progress import Report, StopSignal, ignore, never


@dataclass(frozen=True, slots=True)
class CompletedVersion:
    """`is_own`: it was published by the run that asks, or an earlier one of it. `was_completed`: the manifest beside it
    was missing. `evidence` None: nothing was missing, and nothing was read."""

    inventory: Inventory
    is_own: bool
    was_completed: bool = False
    evidence: Evidence | None = None
    manifest_digest: str | None = None
    remarks: tuple[str, ...] = ()


def complete_version(
    store: ObjectStore,
    name: str,
    version: str,
    is_own: Callable[[DatasetManifest], bool],
    *,
    report: Report = ignore,
    stop: StopSignal = never,
) -> CompletedVersion:
    """Finishes what a killed publish has left undone of a version that is visible: it is verified, and the manifest
    beside it is written if it is missing. `is_own` tells whether the asker has sealed that manifest itself.

    Raises: HashError when the version is damaged; what the store raises; OperationStopped.
    """
    found = find_version(store, name, version)
    manifest = read_version_manifest(store, found)
    owns, is_missing = is_own(manifest), found.manifest_key is None
    if not (owns or is_missing):
        return CompletedVersion(manifest.inventory, is_own=False)
    result, evidence = verify_version(store, name, version, report=report, stop=stop)
    if result.verdict is not Verdict.VERIFIED or evidence.digest is None:
        raise HashError(
            f"{found.key} holds this content by its manifest, but is damaged: {result.sentence}",
            report=result,
            hint="Do not delete the source. Publish it under the next number.",
            code="archive-damaged",
        )
    reference = ArchiveReference(found.key, evidence.size, evidence.digest)
    key = manifest_key(name, version)
    digest, remarks = write_side_manifest(store, key, manifest, reference) if is_missing else (None, ())
    if not is_missing:
        digest = sha256_of_bytes(format_dataset_manifest(dataclasses.replace(manifest, archive=reference)))
    return CompletedVersion(manifest.inventory, owns, is_missing, evidence, digest, remarks)


def write_side_manifest(
    store: ObjectStore, key: str, manifest: DatasetManifest, archive: ArchiveReference
) -> tuple[str | None, tuple[str, ...]]:
    """Writes the manifest beside the archive; returns its digest and remarks.

    The version is published already: a failure here is a remark, not an error. One that a killed run has left is
    replaced.
    """
    data = format_dataset_manifest(dataclasses.replace(manifest, archive=archive))
    try:
        store.put(key, [data], len(data), digest=sha256_of_bytes(data), overwrite=True)
    except (StorageError, IntegrityError, SourceError) as error:
        return None, (f"The version is published, but the manifest beside it could not be written: {error}",)
    return sha256_of_bytes(data), ()

"""Archive folders: a copy of the data with its manifest, as the dataset functions of `archive_tui.core` make and
check them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from archive_tui.errors import HashError, SourceError, SourceNotFound, TargetExists
from archive_tui.integrity.inventory import Inventory
from archive_tui.manifests.dataset_manifest import (
    MANIFEST_NAME,
    DatasetManifest,
    format_dataset_manifest,
    manifest_time,
    parse_dataset_manifest,
)
from archive_tui.names.dataset_names import check_version, next_version
from archive_tui.objects.folder.atomic_file import write_atomically
from archive_tui.objects.folder.errors import translate_os_errors
from archive_tui.objects.folder.swap import staged_folder, swap_folder
from archive_tui.operations.hashing.files import hash_file, hash_files
from archive_tui.operations.scanning.scan import SourceScan, scan_source
from archive_tui.operations.source_inventory import copy_source, hash_source
from archive_tui.progress import Report, StopSignal, ignore, never


def sha256(file: str | Path) -> str:
    """Returns the SHA-256 of a file as hexadecimal digits; memory does not grow with the file."""
    return hash_file(Path(file))[0]


def make_dataset_archive_folder(
    path: str | Path, name: str, versions: Sequence[str] | None = None, version: str = "patch"
) -> str:
    """Copies `path/name` (a file or a folder) with a manifest to `path/name.VERSION`, and returns that path.

    `version` is patch, minor, major (counted from the last of `versions`) or a literal X.Y.Z. The folder appears
    complete or not at all. Symbolic links are left out, with a warning.

    Raises: FileNotFoundError when the source is missing, FileExistsError when the target exists, ValueError for a bad
    version, SourceError for what cannot be archived.
    """
    folder = Path(path)
    source = folder / name
    if not source.exists():
        raise SourceNotFound(f"Nothing to archive at {source}", path=str(source), hint="Check the name and local_path.")
    number = next_version(versions, version) if version in ("patch", "minor", "major") else check_version(version)
    target = Path(f"{path}/{name}.{number}")
    if target.exists() or target.is_symlink():
        raise TargetExists(f"The archive folder exists already: {target}", hint="Remove it, or choose another version.")
    scan = scan_source(source)
    refuse_what_cannot_be_archived(scan)
    with staged_folder(target.parent) as stage:
        inventory = copy_source(scan, stage)
        with translate_os_errors(MANIFEST_NAME, f"folder {stage.parent}", writing=True):
            (stage / MANIFEST_NAME).write_bytes(format_dataset_manifest(_sealed(scan.carried_manifest, inventory)))
        swap_folder(stage, target)
    return f"{path}/{name}.{number}"


def make_or_update_manifest(folder: str | Path, *, report: Report = ignore, stop: StopSignal = never) -> None:
    """Hashes every file below `folder` and writes its `manifest.json`; unknown keys of an existing one are kept.

    The manifest never lists itself; a `manifest.json` that is none of ours is refused, not replaced.

    Raises: FileNotFoundError, SourceError for what cannot be archived.
    """
    root = Path(folder)
    if not root.is_dir():
        raise SourceNotFound(f"No such folder: {root}", path=str(root))
    scan = scan_source(root, report=report, stop=stop)
    refuse_what_cannot_be_archived(scan)
    data = format_dataset_manifest(_sealed(scan.carried_manifest, hash_source(scan, report=report, stop=stop)))
    write_atomically(root / MANIFEST_NAME, [data], overwrite=True)


def check_archive(folder: str | Path) -> None:
    """Hashes every file that the folder's manifest lists; extra files pass, an empty list passes.

    Raises: HashError (a ValueError) `sha mismatch for FILE. Expected X but found Y`; FileNotFoundError for a missing
    file or manifest; ManifestError (a ValueError) for an unusable manifest.
    """
    root = Path(folder)
    manifest_file = root / MANIFEST_NAME
    if not manifest_file.is_file():
        raise SourceNotFound(f"No {MANIFEST_NAME} in {root}", path=str(manifest_file))
    manifest = parse_dataset_manifest(manifest_file.read_bytes(), where=str(manifest_file))
    expected = manifest.inventory
    for hashed in hash_files(root, [entry.path for entry in expected]):
        if hashed.error is not None:
            raise hashed.error
        if hashed.digest != expected[hashed.path].digest:
            raise HashError(
                f"sha mismatch for {hashed.path}. Expected {expected[hashed.path].digest} but found {hashed.digest}",
                hint="The file has changed since the manifest was written: fetch the version again.",
            )


def refuse_what_cannot_be_archived(scan: SourceScan) -> None:
    """Raises the first refusal of a scan; warns of what is left out."""
    if scan.refusals:
        first = scan.refusals[0]
        raise SourceError(first.text, path=first.path, hint="Rename, move or repair it, then repeat.", code=first.rule)
    for remark in scan.skipped:
        warnings.warn(remark.text, UserWarning, stacklevel=3)


def _sealed(carried: DatasetManifest | None, inventory: Inventory) -> DatasetManifest:
    return DatasetManifest(
        created=manifest_time(),
        inventory=inventory,
        dataset=carried.dataset if carried else {},
        archive=None,
        extra=carried.extra if carried else {},
    )

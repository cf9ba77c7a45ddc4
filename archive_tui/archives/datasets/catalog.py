"""Which datasets and versions a store holds, and what each version's manifest says, without fetching it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from archive_tui.errors import ManifestError, ObjectNotFound
from archive_tui.integrity.inventory import Difference, compare_inventories
from archive_tui.integrity.streams import read_chunks
from archive_tui.manifests.dataset_manifest import DatasetManifest, parse_dataset_manifest
from archive_tui.names.content_address import VAULT_PREFIX
from archive_tui.names.dataset_names import parse_dataset_archive_name, version_number
from archive_tui.objects.object_store import Listed, ObjectInfo, ObjectStore
from archive_tui.operations.unpacking.manifest_member import read_manifest_member
from archive_tui.progress import StopSignal, check_stop, never
from archive_tui.settings import did_you_mean

LONGEST_VERSION = 60
"""Characters; a key whose numbers are longer is an object like any other."""

LARGEST_MANIFEST = 1 << 30
"""Bytes of a manifest that are read at most; 5,000,000 files need about 800 MB."""


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """One published archive. `size` in bytes (-1: the store cannot tell without fetching it), `modified` in seconds
    since the epoch (None: the store does not say), `manifest_key` None when no manifest lies beside the archive."""

    name: str
    version: str
    key: str
    size: int
    modified: float | None = None
    manifest_key: str | None = None

    @property
    def number(self) -> tuple[int, int, int]:
        return version_number(self.version)


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """A dataset and its versions, newest number first; never without a version."""

    name: str
    versions: tuple[DatasetVersion, ...]

    @property
    def latest(self) -> DatasetVersion:
        return self.versions[0]

    @property
    def total_bytes(self) -> int:
        """Bytes of all archives whose size is known."""
        return sum(max(0, version.size) for version in self.versions)


def list_datasets(store: ObjectStore, prefix: str = "", *, stop: StopSignal = never) -> list[DatasetSummary]:
    """Lists every dataset whose archives lie below `prefix` (empty, or ending in `/`), sorted by name.

    Raises: OperationStopped, and what the store's listing raises.
    """
    versions = _collect(_list_without_vault(store, prefix, stop))
    by_name: dict[str, list[DatasetVersion]] = {}
    for version in versions:
        by_name.setdefault(version.name, []).append(version)
    return [
        DatasetSummary(name, tuple(sorted(by_name[name], key=lambda version: version.number, reverse=True)))
        for name in sorted(by_name)
    ]


def list_versions(store: ObjectStore, name: str) -> list[DatasetVersion]:
    """Lists the versions of one dataset by ascending number; an unknown dataset has none."""
    found = [version for version in _collect(store.list(f"{name}.")) if version.name == name]
    return sorted(found, key=lambda version: version.number)


def find_version(store: ObjectStore, name: str, version: str = "latest") -> DatasetVersion:
    """Returns the version of that number, or the highest one for `latest`.

    Raises: ObjectNotFound, with what there is instead as its hint.
    """
    versions = list_versions(store, name)
    if not versions:
        raise ObjectNotFound(
            f"No dataset of this name in {store.label}: {name}",
            key=name,
            store=store.label,
            hint=f"{did_you_mean(name, (summary.name for summary in list_datasets(store)))}"
            "List the datasets with: archive-tui dataset versions STORAGE",
            code="dataset-not-found",
        )
    if version == "latest":
        return versions[-1]
    for candidate in versions:
        if candidate.version == version:
            return candidate
    raise ObjectNotFound(
        f"No version {version} of {name} in {store.label}.",
        key=name,
        store=store.label,
        hint=f"There are: {', '.join(candidate.version for candidate in versions[-10:])}",
        code="version-not-found",
    )


def read_version_manifest(store: ObjectStore, version: DatasetVersion) -> DatasetManifest:
    """Reads the manifest beside the archive; where it is absent or unusable, the one inside, by ranges.

    Raises: ManifestError when neither can be used; HostileArchive for a refused structure.
    """
    if version.manifest_key is not None:
        try:
            return read_side_manifest(store, version.manifest_key)
        except (ManifestError, ObjectNotFound):
            pass  # the archive's own manifest is the truth; the one beside it is a convenience
    return parse_dataset_manifest(read_manifest_member(store, version.key), where=f"{version.key}:manifest.json")


def read_side_manifest(store: ObjectStore, key: str) -> DatasetManifest:
    """Reads a manifest that lies as an object of its own.

    Raises: ObjectNotFound; ManifestError, also for one longer than LARGEST_MANIFEST.
    """
    with store.open(key, 0, LARGEST_MANIFEST + 1) as reader:
        data = b"".join(read_chunks(reader))
    if len(data) > LARGEST_MANIFEST:
        raise ManifestError(f"Manifest of more than {LARGEST_MANIFEST} bytes: {key}", code="manifest-too-large")
    return parse_dataset_manifest(data, where=key)


def compare_versions(store: ObjectStore, name: str, old: str, new: str) -> Difference:
    """Compares two versions by their manifests' digests; `latest` is a version too."""
    before, after = find_version(store, name, old), find_version(store, name, new)
    return compare_inventories(
        read_version_manifest(store, before).inventory, read_version_manifest(store, after).inventory
    )


def _list_without_vault(store: ObjectStore, prefix: str, stop: StopSignal) -> Iterable[Listed]:
    for listed in store.list(prefix, recursive=False):
        check_stop(stop)
        if isinstance(listed, ObjectInfo):
            yield listed
        elif prefix or listed.key != VAULT_PREFIX:
            for below in store.list(listed.key):
                check_stop(stop)
                yield below


def _collect(listing: Iterable[Listed]) -> list[DatasetVersion]:
    archives: list[tuple[str, str, ObjectInfo]] = []
    side_keys: set[str] = set()
    for listed in listing:
        if not isinstance(listed, ObjectInfo):
            continue
        parsed = parse_dataset_archive_name(listed.key) if listed.key.endswith(".zip") else None
        if parsed is not None and len(parsed[1]) <= LONGEST_VERSION:
            archives.append((*parsed, listed))
        elif listed.key.endswith(".manifest.json"):
            side_keys.add(listed.key)
    return [
        DatasetVersion(
            name,
            version,
            listed.key,
            listed.size,
            listed.modified,
            side_key if (side_key := f"{listed.key.removesuffix('.zip')}.manifest.json") in side_keys else None,
        )
        for name, version, listed in archives
    ]

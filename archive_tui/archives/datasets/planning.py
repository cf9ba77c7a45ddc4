"""What a publish would do, as a value: the dry run, the guide's review step and the publish itself share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive_tui.archives.datasets.catalog import DatasetVersion, list_versions, read_version_manifest
from archive_tui.errors import IntegrityError, InvalidName, ObjectNotFound
from archive_tui.integrity.inventory import Difference, Entry, Inventory, compare_inventories
from archive_tui.manifests.dataset_manifest import DatasetManifest
from archive_tui.names.dataset_names import archive_key, check_dataset_name, check_version, manifest_key, next_version
from archive_tui.names.dataset_names import version_number as number
from archive_tui.objects.object_store import ObjectStore, Support, Traits
from archive_tui.operations.free_space import free_bytes
from archive_tui.operations.scanning.chosen_entries import narrow_scan
from archive_tui.operations.scanning.scan import SourceScan, scan_source
from archive_tui.progress import Report, StopSignal, ignore, never

INCREMENTS = ("patch", "minor", "major")

NOT_CREATE_ONLY = (
    "This store overwrites: archive-tui looks first and checks after, but a race between two people is not excluded."
)


@dataclass(frozen=True, slots=True)
class DatasetDetails:
    """What people say about a dataset. None: what the source or the latest version says is carried over; empty: the
    field is left out from now on. `creators` and `keywords` keep their order."""

    title: str | None = None
    description: str | None = None
    license: str | None = None
    creators: tuple[str, ...] | None = None
    keywords: tuple[str, ...] | None = None

    def merged_over(self, carried: Mapping[str, Any]) -> dict[str, Any]:
        """What goes into the manifest; fields of `carried` that are none of ours stay."""
        asked: dict[str, Any] = {
            "title": self.title,
            "description": self.description,
            "license": self.license,
            "creators": None if self.creators is None else list(self.creators),
            "keywords": None if self.keywords is None else list(self.keywords),
        }
        merged = {**carried, **{key: value for key, value in asked.items() if value is not None}}
        return {key: value for key, value in merged.items() if key not in asked or value}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> DatasetDetails:
        """Takes what is text from a manifest's `dataset`, nothing else; no field of the result is None."""

        def text(key: str) -> str:
            value = values.get(key)
            return value if isinstance(value, str) else ""

        def texts(key: str) -> tuple[str, ...]:
            value = values.get(key)
            return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list | tuple) else ()

        return cls(text("title"), text("description"), text("license"), texts("creators"), texts("keywords"))


@dataclass(frozen=True, slots=True)
class PublishRequest:
    """What was asked. `version` is patch, minor, major or a literal X.Y.Z. `on_conflict` is `fail` or `next`: what to
    do when somebody else publishes the same number first. `allow_identical`: publish even if nothing has changed.
    `chosen` are entries of the source when only they are meant, a folder with all below it; empty: all."""

    name: str
    source: Path
    version: str = "patch"
    details: DatasetDetails = field(default_factory=DatasetDetails)
    compression_level: int = -1
    follow_symlinks: bool = False
    on_conflict: str = "fail"
    allow_identical: bool = False
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PublishPlan:
    """What would happen. `latest` and `latest_manifest` are the highest version there is (None: the first one).
    `difference` compares with it by name and size: equal sizes stand under `unknown` until they have been hashed.
    `same_version` is the published version of the same number, if there is one: identical content is then no conflict.
    `free_bytes` is the room in a local store (None: not known). `fixed_details`: what goes under `dataset` whatever is
    carried over from where by now (None: that is worked out). A plan with `refusals` cannot be published."""

    request: PublishRequest
    version: str
    key: str
    manifest_key: str
    scan: SourceScan
    latest: DatasetVersion | None
    latest_manifest: DatasetManifest | None
    same_version: DatasetVersion | None
    difference: Difference | None
    free_bytes: int | None
    remarks: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    fixed_details: Mapping[str, Any] | None = None

    @property
    def details(self) -> dict[str, Any]:
        """What goes under `dataset` in the manifest: what was asked, else what the source or the latest version
        says."""
        if self.fixed_details is not None:
            return dict(self.fixed_details)
        carried = self.scan.carried_manifest or self.latest_manifest
        return self.request.details.merged_over(carried.dataset if carried else {})


def choose_version(versions: list[str], wanted: str) -> str:
    """Returns the version number that `wanted` means after `versions` (ascending).

    Raises: InvalidName when it is neither patch, minor, major nor X.Y.Z.
    """
    return next_version(versions or None, wanted) if wanted in INCREMENTS else check_version(wanted)


def plan_publish(
    store: ObjectStore,
    request: PublishRequest,
    *,
    scan: SourceScan | None = None,
    probe: bool = True,
    report: Report = ignore,
    stop: StopSignal = never,
) -> PublishPlan:
    """Plans a publish; scans the source unless `scan` is given. Nothing of the dataset is written.

    `probe`: a store that has not been asked yet what it can promise is asked, which may write and remove an object
    of its own. Without, the plan rests on what is known.

    Raises: InvalidName for the dataset's name or version, SourceNotFound, and what the store raises.
    """
    check_dataset_name(request.name)
    versions = list_versions(store, request.name)
    version = choose_version([known.version for known in versions], request.version)
    if scan is None:
        scan = scan_source(request.source, follow_symlinks=request.follow_symlinks, report=report, stop=stop)
        scan = narrow_scan(scan, request.chosen)
    latest = versions[-1] if versions else None
    latest_manifest, manifest_remarks = _read_latest(store, latest)
    sizes = Inventory(Entry(file.path, file.size, None) for file in scan.files)
    free = _free_bytes(store)
    return PublishPlan(
        request=request,
        version=version,
        key=archive_key(request.name, version),
        manifest_key=manifest_key(request.name, version),
        scan=scan,
        latest=latest,
        latest_manifest=latest_manifest,
        same_version=next((known for known in versions if known.version == version), None),
        difference=compare_inventories(latest_manifest.inventory, sizes) if latest_manifest else None,
        free_bytes=free,
        remarks=(
            *manifest_remarks,
            *_remarks(store.probe() if probe else store.traits, scan, latest, version, free),
        ),
        refusals=_refusals(scan),
    )


def _read_latest(store: ObjectStore, latest: DatasetVersion | None) -> tuple[DatasetManifest | None, tuple[str, ...]]:
    if latest is None:
        return None, ()
    try:
        return read_version_manifest(store, latest), ()
    except (IntegrityError, ObjectNotFound, InvalidName) as error:
        return None, (f"The manifest of {latest.version} cannot be read, so nothing is compared: {error}",)


def _refusals(scan: SourceScan) -> tuple[str, ...]:
    refusals = [remark.text for remark in scan.refusals]
    if not scan.files and not refusals:
        refusals.append(f"Nothing to publish, no files in {scan.root}")
    return tuple(refusals)


def _remarks(
    traits: Traits, scan: SourceScan, latest: DatasetVersion | None, version: str, free: int | None
) -> tuple[str, ...]:
    remarks = [remark.text for remark in (*scan.skipped, *scan.warnings)]
    if latest is not None and number(version) < latest.number:
        remarks.append(f"{version} is lower than the latest version {latest.version}; `latest` stays {latest.version}.")
    if free is not None and free < scan.total_bytes:
        remarks.append(
            f"The store has {free:,} bytes free, the source {scan.total_bytes:,}: it fits only if it compresses well."
        )
    if traits.create_only is Support.NO:
        remarks.append(NOT_CREATE_ONLY)
    return tuple(remarks)


def _free_bytes(store: ObjectStore) -> int | None:
    root = getattr(store, "root", None)
    return free_bytes(root) if isinstance(root, Path) else None

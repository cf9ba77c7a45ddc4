"""What to do when somebody else has the number: the same content, a next number, or a conflict."""

from __future__ import annotations

import dataclasses

from archive_tui.archives.datasets.catalog import list_versions, read_version_manifest
from archive_tui.archives.datasets.planning import INCREMENTS, PublishPlan, choose_version
from archive_tui.continuation import Journal
from archive_tui.errors import ArchiveError, ObjectExists, StorageUnavailable
from archive_tui.integrity.inventory import Entry, Inventory, compare_inventories
from archive_tui.names.dataset_names import archive_key, manifest_key, version_number
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.source_inventory import hash_source
from archive_tui.progress import Report, StopSignal

NUMBER = "number"
"""Under this name a journal keeps the number that was taken instead of the planned one."""


class IdenticalContent(Exception):
    """Not an error: the way out of a pack that turned out to be needless."""

    def __init__(self, version: str, key: str) -> None:
        self.version = version
        self.key = key


def find_published_twin(
    store: ObjectStore, plan: PublishPlan, inventory: Inventory | None, report: Report, stop: StopSignal
) -> IdenticalContent | None:
    """Tells whether the version that has taken the number holds this very content: then there is no conflict.

    `inventory` None: the store refused before the source was read; it is hashed only if names and sizes agree."""
    try:
        taken = next(known for known in list_versions(store, plan.request.name) if known.version == plan.version)
        manifest = read_version_manifest(store, taken)
    except StorageUnavailable:
        raise  # nothing is known of what lies there
    except (StopIteration, ArchiveError):
        return None  # it cannot be shown to be the same, so it is a conflict
    if dict(manifest.dataset) != plan.details:
        return None
    if inventory is None:
        sizes = Inventory(Entry(file.path, file.size, None) for file in plan.scan.files)
        difference = compare_inventories(manifest.inventory, sizes)
        if difference.added or difference.removed or difference.changed:
            return None
        inventory = hash_source(plan.scan, report=report, stop=stop)
    return IdenticalContent(taken.version, taken.key) if manifest.inventory.same_content(inventory) else None


def with_next_version(store: ObjectStore, plan: PublishPlan) -> PublishPlan:
    increment = plan.request.version if plan.request.version in INCREMENTS else "patch"
    # The number that was refused counts as taken even where the listing does not show it yet: each attempt gets on.
    versions = {known.version for known in list_versions(store, plan.request.name)} | {plan.version}
    return _with_version(plan, choose_version(sorted(versions, key=version_number), increment))


def with_number_of_earlier_run(store: ObjectStore, plan: PublishPlan, journal: Journal) -> PublishPlan:
    """The plan with the number that an earlier run had come to, so that what it has left is found again."""
    number = journal.load(NUMBER)
    if number is None:
        return plan
    plan = _with_version(plan, number.decode())
    there = (known for known in list_versions(store, plan.request.name) if known.version == plan.version)
    return dataclasses.replace(plan, same_version=next(there, None))


def _with_version(plan: PublishPlan, version: str) -> PublishPlan:
    key, beside = archive_key(plan.request.name, version), manifest_key(plan.request.name, version)
    return dataclasses.replace(plan, version=version, key=key, manifest_key=beside, same_version=None)


def make_conflict(plan: PublishPlan, store: ObjectStore, cause: ObjectExists) -> ObjectExists:
    literal = plan.request.version not in INCREMENTS
    return ObjectExists(
        f"Version {plan.version} of {plan.request.name} exists already in {store.label}, with other content.",
        key=plan.key,
        store=store.label,
        hint="Published versions are never overwritten. "
        + (
            "Choose another number, or patch, minor or major."
            if literal
            else "Publish again for the next number, or use --on-conflict next."
        ),
        code=cause.code,
    )

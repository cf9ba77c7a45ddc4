"""Publishing: the source is read once, and becomes visible last and at once, under a number that nobody else has.

The store's own create-only write claims the version. The manifest beside the archive is written after it; a version
without one is complete all the same.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

from archive_tui.archives.datasets.conflicts import (
    IdenticalContent,
    find_published_twin,
    make_conflict,
    with_next_version,
)
from archive_tui.archives.datasets.planning import (
    DatasetDetails,
    PublishPlan,
    PublishRequest,
    plan_publish,
)
from archive_tui.archives.datasets.receipt import PublishReceipt
from archive_tui.errors import ConfigurationError, IntegrityError, ObjectExists, SourceError, StorageError
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.integrity.inventory import Inventory
from archive_tui.manifests.dataset_manifest import (
    ArchiveReference,
    DatasetManifest,
    format_dataset_manifest,
    manifest_time,
)
from archive_tui.objects.object_store import ObjectStore, PutResult
from archive_tui.operations.packing.archive import pack_archive
from archive_tui.progress import BytesDone, Ended, Notice, Planned, Report, StopSignal, ignore, never

__all__ = [
    "DatasetDetails",
    "PublishPlan",
    "PublishReceipt",
    "PublishRequest",
    "plan_publish",
    "publish",
    "write_side_manifest",
]

MOST_ATTEMPTS = 1000
"""How often `on_conflict=next` packs again before it gives up: each attempt lost a race against another publisher, so
there may be as many as there are publishers."""


def publish(
    store: ObjectStore, plan: PublishPlan, *, report: Report = ignore, stop: StopSignal = never
) -> PublishReceipt:
    """Publishes what `plan` says; until the last byte is proven nothing is visible, and a failed run can be repeated.

    Raises: ObjectExists when the version is taken by other content; SourceError when the plan has refusals or the
    source changes while it is read; OperationStopped; what the store raises.
    """
    _check_publishable(plan)
    started = time.monotonic()
    for attempt in range(MOST_ATTEMPTS):
        sealer = _Sealer(plan)
        try:
            result = _put_archive(store, plan, sealer, report, stop)
        except IdenticalContent as identical:
            return _identical_receipt(store, plan, identical, sealer, time.monotonic() - started)
        except ObjectExists as conflict:
            twin = find_published_twin(store, plan, sealer.inventory, report, stop)
            if twin is not None:
                return _identical_receipt(store, plan, twin, sealer, time.monotonic() - started)
            if plan.request.on_conflict == "fail" or attempt == MOST_ATTEMPTS - 1:
                raise make_conflict(plan, store, conflict) from conflict
            plan = with_next_version(store, plan)
            report(Notice(f"The number was taken meanwhile; publishing as {plan.version}."))
            continue
        return _seal_and_receive(store, plan, sealer, result, started)
    raise AssertionError("the last attempt returns or raises")


def _check_publishable(plan: PublishPlan) -> None:
    if plan.refusals:
        raise SourceError(
            f"Cannot publish {plan.request.name}: {plan.refusals[0]}",
            path=str(plan.scan.root),
            hint=_refusal_hint(plan),
            code=plan.scan.refusals[0].rule if plan.scan.refusals else "source-empty",
        )
    if plan.request.on_conflict not in ("fail", "next"):
        raise ConfigurationError(f"Unknown rule for conflicts: {plan.request.on_conflict!r}", hint="Use fail or next.")


def _seal_and_receive(
    store: ObjectStore, plan: PublishPlan, sealer: _Sealer, result: PutResult, started: float
) -> PublishReceipt:
    """The version is visible: what is left is its side manifest, which no stop interrupts, and the receipt."""
    manifest_digest, remarks = write_side_manifest(store, plan.manifest_key, sealer.sealed(), result)
    return PublishReceipt(
        outcome="published",
        name=plan.request.name,
        version=plan.version,
        key=plan.key,
        files=len(plan.scan.files),
        source_bytes=plan.scan.total_bytes,
        archive_size=result.info.size,
        archive_digest=result.info.digest,
        manifest_digest=manifest_digest,
        evidence=result.evidence,
        store_label=store.label,
        seconds=time.monotonic() - started,
        remarks=remarks,
    )


def write_side_manifest(
    store: ObjectStore, key: str, manifest: DatasetManifest, archive: PutResult
) -> tuple[str | None, tuple[str, ...]]:
    """Writes the manifest beside the archive that `archive` has just put; returns its digest and remarks.

    The version is published already: a failure here is a remark, not an error. One that a killed run has left is
    replaced.
    """
    assert archive.info.digest is not None
    reference = ArchiveReference(archive.info.key, archive.info.size, archive.info.digest)
    data = format_dataset_manifest(dataclasses.replace(manifest, archive=reference))
    try:
        store.put(key, [data], len(data), digest=sha256_of_bytes(data), overwrite=True)
    except (StorageError, IntegrityError, SourceError) as error:
        return None, (f"The version is published, but the manifest beside it could not be written: {error}",)
    return sha256_of_bytes(data), ()


class _Sealer:
    """Makes the manifest when the last file has been hashed, or abandons the pack when that content is published
    already."""

    def __init__(self, plan: PublishPlan) -> None:
        self._plan = plan
        self.inventory: Inventory | None = None
        self._manifest: DatasetManifest | None = None

    def __call__(self, inventory: Inventory) -> bytes:
        self.inventory = inventory
        plan = self._plan
        carried = plan.scan.carried_manifest
        self._manifest = DatasetManifest(
            created=manifest_time(),
            inventory=inventory,
            dataset=plan.details,
            archive=None,
            extra=carried.extra if carried else {},
        )
        if self._is_unchanged(inventory):
            assert plan.latest is not None
            raise IdenticalContent(plan.latest.version, plan.latest.key)
        return format_dataset_manifest(self._manifest)

    def sealed(self) -> DatasetManifest:
        assert self._manifest is not None, "a put that succeeded has read the stream to its end"
        return self._manifest

    def _is_unchanged(self, inventory: Inventory) -> bool:
        plan = self._plan
        latest = plan.latest_manifest
        if latest is None or plan.request.allow_identical:
            return False
        return inventory.same_content(latest.inventory) and plan.details == dict(latest.dataset)


def _put_archive(
    store: ObjectStore, plan: PublishPlan, sealer: Callable[[Inventory], bytes], report: Report, stop: StopSignal
) -> PutResult:
    if plan.same_version is not None:
        raise ObjectExists(f"Version {plan.version} exists.", key=plan.key, store=store.label)
    report(Planned("upload"))
    finished = False
    chunks = pack_archive(
        plan.scan,
        make_manifest=sealer,
        compression_level=plan.request.compression_level,
        report=report,
        stop=stop,
    )
    try:
        result = store.put(plan.key, chunks, stop=stop, sent=lambda total: report(BytesDone("upload", total)))
        finished = True
        return result
    finally:
        chunks.close()
        report(Ended("upload", finished))


def _identical_receipt(
    store: ObjectStore, plan: PublishPlan, twin: IdenticalContent, sealer: _Sealer, seconds: float
) -> PublishReceipt:
    return PublishReceipt(
        outcome="identical",
        name=plan.request.name,
        version=twin.version,
        key=twin.key,
        files=len(plan.scan.files),
        source_bytes=plan.scan.total_bytes,
        archive_size=store.info(twin.key).size,
        archive_digest=None,
        manifest_digest=None,
        evidence=None,
        store_label=store.label,
        seconds=seconds,
        remarks=(f"Version {twin.version} holds exactly this content; nothing was written.",),
    )


def _refusal_hint(plan: PublishPlan) -> str:
    more = len(plan.refusals) - 1
    others = f"{more} more refused; all of them: --dry-run. " if more else ""
    return f"{others}Rename, move or repair what is refused, or name it in a .archive-tui-ignore file in the source."

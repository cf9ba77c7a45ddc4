"""Publishing: the source is read once, and becomes visible last and at once, under a number that nobody else has.

The store's own create-only write claims the version. The manifest beside the archive is written after it; a version
without one is complete all the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from archive_tui.archives.datasets.conflicts import (
    NUMBER,
    IdenticalContent,
    find_published_twin,
    make_conflict,
    with_next_version,
    with_number_of_earlier_run,
)
from archive_tui.archives.datasets.own_versions import SealedManifests
from archive_tui.archives.datasets.planning import (
    DatasetDetails,
    PublishPlan,
    PublishRequest,
    plan_publish,
)
from archive_tui.archives.datasets.receipt import PublishReceipt
from archive_tui.archives.datasets.side_manifest import complete_version, write_side_manifest
from archive_tui.continuation import ItemMark, Journal, no_journal
from archive_tui.errors import ConfigurationError, ObjectExists, SourceError
from archive_tui.integrity.evidence import Evidence
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
    store: ObjectStore,
    plan: PublishPlan,
    *,
    created: datetime | None = None,
    journal: Journal = no_journal,
    report: Report = ignore,
    stop: StopSignal = never,
) -> PublishReceipt:
    """Publishes what `plan` says; until the last byte is proven nothing is visible, and a failed run can be repeated.

    `created` is the time that the manifest tells (None: now): with the same plan and the same time a repeat gives the
    same bytes. By its `journal` a repeat knows the version of an earlier run that was killed after it had become
    visible: that is read whole and verified, what is missing beside it is written, and the outcome is `published`. The
    journal receives a mark for each file.

    Raises: ObjectExists when the version is taken by other content; SourceError when the plan has refusals or the
    source changes while it is read; OperationStopped; what the store raises.
    """
    _check_publishable(plan)
    sealed = SealedManifests(journal)
    plan = with_number_of_earlier_run(store, plan, journal)
    started = time.monotonic()
    for attempt in range(MOST_ATTEMPTS):
        sealer = _Sealer(plan, created or manifest_time(), sealed)
        try:
            result = _put_archive(store, plan, sealer, report, stop)
        except IdenticalContent as identical:
            return _receive_twin(store, plan, identical, sealed, journal, report, stop, started)
        except ObjectExists as conflict:
            twin = sealed.find_version(store, plan)
            twin = twin or find_published_twin(store, plan, sealer.inventory, report, stop)
            if twin is not None:
                return _receive_twin(store, plan, twin, sealed, journal, report, stop, started)
            if plan.request.on_conflict == "fail" or attempt == MOST_ATTEMPTS - 1:
                raise make_conflict(plan, store, conflict) from conflict
            plan = with_next_version(store, plan)
            journal.save(NUMBER, plan.version.encode(), durable=True)
            report(Notice(f"The number was taken meanwhile; publishing as {plan.version}."))
            continue
        receipt = _seal_and_receive(store, plan, sealer, result, started)
        mark_files(journal, receipt.outcome, sealer.sealed().inventory, receipt.evidence)
        return receipt
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
    assert result.info.digest is not None, "a put always knows what it has put"
    reference = ArchiveReference(result.info.key, result.info.size, result.info.digest)
    manifest_digest, remarks = write_side_manifest(store, plan.manifest_key, sealer.sealed(), reference)
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


class _Sealer:
    """Makes the manifest when the last file has been hashed, or abandons the pack when that content is published
    already."""

    def __init__(self, plan: PublishPlan, created: datetime, sealed: SealedManifests) -> None:
        self._plan = plan
        self._sealed = sealed
        self._created = created
        self.inventory: Inventory | None = None
        self._manifest: DatasetManifest | None = None

    def __call__(self, inventory: Inventory) -> bytes:
        self.inventory = inventory
        plan = self._plan
        carried = plan.scan.carried_manifest
        self._manifest = DatasetManifest(
            created=self._created,
            inventory=inventory,
            dataset=plan.details,
            archive=None,
            extra=carried.extra if carried else {},
        )
        if self._is_unchanged(inventory):
            assert plan.latest is not None
            raise IdenticalContent(plan.latest.version, plan.latest.key)
        document = format_dataset_manifest(self._manifest)
        self._sealed.add(document)
        return document

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


def _receive_twin(
    store: ObjectStore,
    plan: PublishPlan,
    twin: IdenticalContent,
    sealed: SealedManifests,
    journal: Journal,
    report: Report,
    stop: StopSignal,
    started: float,
) -> PublishReceipt:
    found = complete_version(store, plan.request.name, twin.version, sealed.is_own, report=report, stop=stop)
    outcome = "published" if found.is_own else "identical"
    mark_files(journal, outcome, found.inventory, found.evidence)
    remark = f"Version {twin.version} holds exactly this content; nothing was written."
    if found.is_own:
        remark = (
            "An earlier run of this very job had put it there, of the source as it was then; it was read whole and"
            " verified."
        )
    elif found.was_completed:
        remark = f"Version {twin.version} holds exactly this content; the missing manifest beside it was written."
    return PublishReceipt(
        outcome=outcome,
        name=plan.request.name,
        version=twin.version,
        key=twin.key,
        files=len(found.inventory),
        source_bytes=found.inventory.total_bytes or 0,
        archive_size=store.info(twin.key).size,
        archive_digest=found.evidence.digest if found.evidence is not None else None,
        manifest_digest=found.manifest_digest,
        evidence=found.evidence,
        store_label=store.label,
        seconds=time.monotonic() - started,
        remarks=(remark, *found.remarks),
    )


def mark_files(journal: Journal, outcome: str, inventory: Inventory, evidence: Evidence | None) -> None:
    """Writes down what became of each file of a version, for the receipt."""
    level = evidence.level.name.lower() if evidence is not None else ""
    if journal.is_kept:
        journal.record(
            "publish",
            (ItemMark(path, outcome, digest=digest, size=size, evidence=level) for path, size, digest in inventory),
        )


def _refusal_hint(plan: PublishPlan) -> str:
    more = len(plan.refusals) - 1
    others = f"{more} more refused; all of them: --dry-run. " if more else ""
    return f"{others}Rename, move or repair what is refused, or name it in a .archive-tui-ignore file in the source."

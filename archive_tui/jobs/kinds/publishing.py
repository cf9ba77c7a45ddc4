"""The kind of job that publishes a version: number, details and time are fixed, so each run makes the same bytes."""

from __future__ import annotations

import dataclasses
import os
from datetime import UTC, datetime
from pathlib import Path

from archive_tui.archives.datasets.planning import INCREMENTS, PublishPlan, PublishRequest, plan_publish
from archive_tui.archives.datasets.publishing import PublishReceipt, publish
from archive_tui.conflicts import Conflict, ConflictRule
from archive_tui.errors import ObjectExists
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.jobs.commands import publish_command
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.parameters import require
from archive_tui.jobs.places import Place, name_settings
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.jobs.vault_places import place_title
from archive_tui.manifests.dataset_manifest import manifest_time
from archive_tui.objects.object_store import ObjectStore

CREATED = "created"
"""Under this name the journal keeps the time that the manifest tells: that of the first run."""


def publish_job(place: Place, plan: PublishPlan, *, policy: JobPolicy | None = None) -> JobRequest:
    """Publishes what was planned, under the number that was shown; the result's value is a PublishReceipt.

    Give the plan as `live["plan"]` too, and the first run need not make it again.
    """
    request = plan.request
    if policy is None:
        policy = JobPolicy(ConflictRule.KEEP_BOTH if request.on_conflict == "next" else ConflictRule.ASK)
    is_repeatable = "storage" in place and not request.chosen
    return JobRequest(
        kind="publish",
        title=f"publish {request.name} {plan.version}",
        source=str(request.source),
        destination=f"{place_title(place)}:{plan.key}",
        command=name_settings(publish_command(place["storage"], plan), place) if is_repeatable else "",
        parameters={
            "place": dict(place),
            "name": request.name,
            "version": plan.version,
            "increment": request.version if request.version in INCREMENTS else "",
            "source": os.path.abspath(request.source),  # noqa: PTH100  (no link is resolved)
            "chosen": list(request.chosen),
            "details": plan.details,
            "compression_level": request.compression_level,
            "follow_symlinks": request.follow_symlinks,
            "allow_identical": request.allow_identical,
        },
        policy=policy,
    )


def _publish(work: JobWork) -> JobResult:
    store = work.open_place(require(work.parameters, "place", dict)).store
    plan, created = _make_plan(work, store), _find_created(work)
    rule = work.policy.conflicts
    for may_ask in (True, False):
        takes_next = "next" if rule is ConflictRule.KEEP_BOTH else "fail"
        plan = dataclasses.replace(plan, request=dataclasses.replace(plan.request, on_conflict=takes_next))
        try:
            receipt = publish(store, plan, created=created, journal=work.journal, report=work.report, stop=work.stop)
        except ObjectExists as conflict:
            if not may_ask or rule is not ConflictRule.ASK:
                raise
            rule = work.resolve(_describe_conflict(plan, store))
            if rule is ConflictRule.ASK:
                return JobResult(JobState.UNDECIDED, conflict.message, hint="Take the next number, or leave it.")
            if rule is not ConflictRule.KEEP_BOTH:
                raise
        else:
            if receipt.evidence is not None and work.evidence is not None:
                work.evidence.record(receipt.evidence)
            return _judge(receipt)
    raise AssertionError("the second turn returns or raises")


def _make_plan(work: JobWork, store: ObjectStore) -> PublishPlan:
    """The plan that was fixed: made already by whoever asked, or made again."""
    parameters = work.parameters
    number, increment = require(parameters, "version", str), require(parameters, "increment", str)
    plan: PublishPlan | None = work.live.get("plan")
    if plan is None or plan.version != number:
        request = PublishRequest(
            name=require(parameters, "name", str),
            source=Path(require(parameters, "source", str)),
            version=number,
            compression_level=require(parameters, "compression_level", int),
            follow_symlinks=require(parameters, "follow_symlinks", bool),
            allow_identical=require(parameters, "allow_identical", bool),
            chosen=tuple(require(parameters, "chosen", list)),
        )
        plan = plan_publish(store, request, report=work.report, stop=work.stop)
    request = dataclasses.replace(plan.request, version=increment or number)
    return dataclasses.replace(plan, request=request, fixed_details=require(parameters, "details", dict))


def _find_created(work: JobWork) -> datetime:
    known = work.journal.load(CREATED)
    if known is not None:
        return datetime.fromtimestamp(int(known), UTC)
    created = manifest_time()
    work.journal.save(CREATED, b"%d" % int(created.timestamp()), durable=True)
    return created


def _describe_conflict(plan: PublishPlan, store: ObjectStore) -> Conflict:
    return Conflict(
        item=f"{plan.request.name} {plan.version}",
        place=store.label,
        found="a version of this number with other content",
        wanted=f"{len(plan.scan.files):,} files from {plan.request.source}; keep-both takes the next number",
        choices=(ConflictRule.KEEP, ConflictRule.KEEP_BOTH),
    )


def _judge(receipt: PublishReceipt) -> JobResult:
    if receipt.outcome == "identical":
        state = JobState.FINISHED if receipt.evidence is None else JobState.VERIFIED
        return JobResult(state, f"Already published: {' '.join(receipt.remarks)}", value=receipt)
    proven = receipt.evidence is not None and receipt.evidence.level >= EvidenceLevel.ATTESTED
    state = JobState.VERIFIED if proven else JobState.COPIED
    message = f"Published {receipt.name} {receipt.version}" + ("." if proven else ", copied but not verified.")
    return JobResult(state, " ".join((message, *receipt.remarks)), value=receipt)


PUBLISH = JobKind("publish", _publish)

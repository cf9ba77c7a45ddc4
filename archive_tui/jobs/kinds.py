"""The kinds of jobs there are: each builds a JobSpec whose run does one operation, keeps its evidence, and ends with an
honest word. `verified` follows from evidence or from a report, never from the absence of an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from archive_tui.archives.datasets.fetching import FetchReceipt, fetch_dataset
from archive_tui.archives.datasets.publishing import PublishPlan, PublishReceipt, publish
from archive_tui.archives.datasets.verifying import verify_version
from archive_tui.errors import HashError, OperationStopped
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.inventory import Difference, Entry, Inventory, compare_inventories
from archive_tui.integrity.report import IntegrityReport, Verdict
from archive_tui.jobs.commands import fetch_command, publish_command, verify_folder_command, verify_version_command
from archive_tui.jobs.job import JobResult, JobSpec, JobState
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.hashing.files import hash_files
from archive_tui.operations.verifying import verify_folder
from archive_tui.progress import Ended, Event, ItemDone, ItemFailed, Planned, Report, StopSignal


class NamedStore(Protocol):
    """A store, and the word by which a command line finds it again."""

    @property
    def name(self) -> str: ...

    @property
    def store(self) -> ObjectStore: ...


class EvidenceKeeper(Protocol):
    """Where evidence goes; `state.evidence_table.EvidenceTable` is one."""

    def record(self, evidence: Evidence, /) -> object: ...


_STATE_OF_VERDICT = {
    Verdict.VERIFIED: JobState.VERIFIED,
    Verdict.FINDINGS: JobState.FINDINGS,
    Verdict.INCONCLUSIVE: JobState.FINDINGS,
    Verdict.STOPPED: JobState.CANCELLED,
}


def publish_job(
    storage: NamedStore, plan: PublishPlan, evidence_table: EvidenceKeeper, *, has_command: bool = True
) -> JobSpec:
    """Publishes `plan`; the result's value is a PublishReceipt. `has_command` False: no command line does the same."""
    name = plan.request.name

    def run(report: Report, stop: StopSignal) -> JobResult:
        receipt = publish(storage.store, plan, report=report, stop=stop)
        if receipt.evidence is not None:
            evidence_table.record(receipt.evidence)
        return _judge_publish(receipt)

    return JobSpec(
        kind="publish",
        title=f"publish {name} {plan.version}",
        source=str(plan.request.source),
        destination=f"{storage.name}:{plan.key}",
        command=publish_command(storage.name, plan) if has_command else "",
        run=run,
    )


def fetch_job(
    storage: NamedStore,
    name: str,
    version: str,
    into: Path,
    evidence_table: EvidenceKeeper,
    *,
    overwrite: bool = False,
    has_command: bool = True,
) -> JobSpec:
    """Fetches a version to `into/NAME.VERSION`; the result's value is a FetchReceipt. `has_command` as above."""

    def run(report: Report, stop: StopSignal) -> JobResult:
        receipt = fetch_dataset(storage.store, name, version, into=into, overwrite=overwrite, report=report, stop=stop)
        if receipt.evidence is not None:
            evidence_table.record(receipt.evidence)
        return _judge_fetch(receipt)

    return JobSpec(
        kind="fetch",
        title=f"fetch {name} {version}",
        source=f"{storage.name}:{name}.{version}.zip",
        destination=str(into / f"{name}.{version}"),
        command=fetch_command(storage.name, name, version, into, overwrite=overwrite) if has_command else "",
        run=_keep_findings(run),
    )


def verify_version_job(
    storage: NamedStore, name: str, version: str, evidence_table: EvidenceKeeper, *, has_command: bool = True
) -> JobSpec:
    """Verifies a published version; the result's value is an IntegrityReport. `has_command` as above."""

    def run(report: Report, stop: StopSignal) -> JobResult:
        result, evidence = verify_version(storage.store, name, version, report=report, stop=stop)
        # A look that was stopped proves nothing, unless it has found something.
        if evidence is not None and (result.complete or evidence.level is EvidenceLevel.DAMAGED):
            evidence_table.record(evidence)
        return _judge_report(result)

    return JobSpec(
        kind="verify",
        title=f"verify {name} {version}",
        source=f"{storage.name}:{name}.{version}.zip",
        destination="",
        command=verify_version_command(storage.name, name, version) if has_command else "",
        run=_say_where_stopped(run),
    )


def verify_folder_job(folder: Path) -> JobSpec:
    """Verifies a folder against the manifest in it; the result's value is an IntegrityReport."""

    def run(report: Report, stop: StopSignal) -> JobResult:
        return _judge_report(verify_folder(folder, report=report, stop=stop))

    return JobSpec(
        kind="verify",
        title=f"verify {folder.name or folder}",
        source=str(folder),
        destination="",
        command=verify_folder_command(folder),
        run=_say_where_stopped(run),
    )


def compare_job(plan: PublishPlan) -> JobSpec:
    """Hashes the source files of the same size as in the latest version; the result's value is a Difference in which
    only those stand as `unknown` that could not be read."""

    def run(report: Report, stop: StopSignal) -> JobResult:
        difference = _compare_by_digest(plan, report, stop)
        unread = len(difference.unknown)
        message = f"Compared by SHA-256: {len(difference.changed)} changed, {len(difference.same)} the same."
        if unread:
            message += f" {unread} could not be read."
        return JobResult(JobState.FINISHED, message, value=difference)

    latest = plan.latest.version if plan.latest is not None else "nothing"
    return JobSpec(
        kind="compare",
        title=f"compare {plan.request.name} with {latest}",
        source=str(plan.request.source),
        destination="",
        command="",
        run=run,
    )


def _compare_by_digest(plan: PublishPlan, report: Report, stop: StopSignal) -> Difference:
    if plan.difference is None or plan.latest_manifest is None:
        return Difference((), (), (), (), ())
    unknown = {entry.path for entry in plan.difference.unknown}
    sizes = {file.path: file.size for file in plan.scan.files}
    entries = {path: Entry(path, size, None) for path, size in sizes.items()}
    report(Planned("hash", len(unknown), sum(sizes[path] for path in unknown)))
    finished = False
    try:
        for hashed in hash_files(plan.scan.base, sorted(unknown), report=report, stop=stop):
            if hashed.digest is not None:
                entries[hashed.path] = Entry(hashed.path, hashed.size, hashed.digest)
        finished = True
    finally:
        report(Ended("hash", finished))
    return compare_inventories(plan.latest_manifest.inventory, Inventory(entries.values()))


def _judge_publish(receipt: PublishReceipt) -> JobResult:
    if receipt.outcome == "identical":
        message = f"Already published: {receipt.version} holds exactly this content. Nothing was written."
        return JobResult(JobState.FINISHED, message, value=receipt)
    proven = receipt.evidence is not None and receipt.evidence.level >= EvidenceLevel.ATTESTED
    state = JobState.VERIFIED if proven else JobState.COPIED
    message = f"Published {receipt.name} {receipt.version}" + ("." if proven else ", copied but not verified.")
    return JobResult(state, " ".join((message, *receipt.remarks)), value=receipt)


def _judge_fetch(receipt: FetchReceipt) -> JobResult:
    verdict = receipt.report.verdict
    state = _STATE_OF_VERDICT[verdict]
    if receipt.already_there:
        message = f"Was there already: {receipt.folder}. {receipt.report.sentence}"
    else:
        message = f"Fetched to {receipt.folder}. {receipt.report.sentence}"
    return JobResult(state, message, findings=receipt.report.findings, value=receipt)


def _judge_report(result: IntegrityReport) -> JobResult:
    return JobResult(_STATE_OF_VERDICT[result.verdict], result.sentence, findings=result.findings, value=result)


Run = Callable[[Report, StopSignal], JobResult]


def _keep_findings(run: Run) -> Run:
    """What was found in a damaged archive is a finding of the job, not a failure without details."""

    def wrapped(report: Report, stop: StopSignal) -> JobResult:
        try:
            return run(report, stop)
        except HashError as error:
            findings = error.report.findings if isinstance(error.report, IntegrityReport) else ()
            if not findings:
                raise
            return JobResult(JobState.FINDINGS, error.message, findings, error.report, error.hint, error.code)

    return wrapped


def _say_where_stopped(run: Run) -> Run:
    """An operation that ends by an exception when it is stopped still has to say how far it came."""

    def wrapped(report: Report, stop: StopSignal) -> JobResult:
        done: int = 0
        total: int | None = None

        def count(event: Event) -> None:
            nonlocal done, total
            if isinstance(event, Planned):
                total = event.items
            elif isinstance(event, ItemDone | ItemFailed):
                done = max(done, event.items_total)
            report(event)

        try:
            return run(count, stop)
        except OperationStopped:
            if not stop.is_set():
                raise
            reached = f" at {done:,} of {total:,}" if total is not None else ""
            return JobResult(JobState.CANCELLED, f"Stopped{reached}: nothing is claimed for the rest")

    return wrapped

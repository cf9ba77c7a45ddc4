"""The kind of job that fetches a published version into a folder."""

from __future__ import annotations

import os
from pathlib import Path

from archive_tui.archives.datasets.fetching import PHASE as FETCH_PHASE
from archive_tui.archives.datasets.fetching import FetchReceipt, fetch_dataset
from archive_tui.conflicts import ConflictRule
from archive_tui.continuation import ItemMark, Journal
from archive_tui.errors import HashError, ManifestError
from archive_tui.jobs.commands import fetch_command
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.parameters import require
from archive_tui.jobs.places import Place, name_settings
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.jobs.vault_places import place_title
from archive_tui.jobs.verdict_states import STATE_OF_VERDICT, keep_findings
from archive_tui.manifests import find_manifest


def fetch_job(
    place: Place,
    name: str,
    version: str,
    into: Path,
    *,
    rule: ConflictRule = ConflictRule.ASK,
    policy: JobPolicy | None = None,
) -> JobRequest:
    """Fetches a version, which is named by its number, to `into/NAME.VERSION`; the result's value is a FetchReceipt.

    `rule`: what to do with another folder of that name; a `policy` brings its own.
    """
    into, policy = Path(os.path.abspath(into)), policy or JobPolicy(rule)  # noqa: PTH100  (no link is resolved)
    overwrite = policy.conflicts is ConflictRule.REPLACE
    command = fetch_command(place["storage"], name, version, into, overwrite=overwrite) if "storage" in place else ""
    return JobRequest(
        kind="fetch",
        title=f"fetch {name} {version}",
        source=f"{place_title(place)}:{name}.{version}.zip",
        destination=str(into / f"{name}.{version}"),
        command=name_settings(command, place),
        parameters={"place": dict(place), "name": name, "version": version, "into": str(into)},
        policy=policy,
    )


def _fetch(work: JobWork) -> JobResult:
    place = work.open_place(require(work.parameters, "place", dict))
    try:
        receipt = fetch_dataset(
            place.store,
            require(work.parameters, "name", str),
            require(work.parameters, "version", str),
            into=Path(require(work.parameters, "into", str)),
            overwrite=work.policy.conflicts is ConflictRule.REPLACE,
            report=work.report,
            stop=work.stop,
            journal=work.journal,
            resolve=work.resolve,
        )
    except HashError as error:
        return keep_findings(error)
    if receipt.is_undecided:
        return JobResult(JobState.UNDECIDED, receipt.report.sentence, receipt.report.findings, receipt)
    if receipt.evidence is not None and work.evidence is not None:
        work.evidence.record(receipt.evidence)
    _mark_files(work.journal, receipt)
    return _judge(receipt)


def _mark_files(journal: Journal, receipt: FetchReceipt) -> None:
    """Writes down each file for the receipt, unless the operation has done so on its way."""
    if not journal.is_kept:
        return
    try:
        inventory = find_manifest(receipt.folder).inventory
    except ManifestError:
        return
    first = next(iter(inventory), None)
    if first is None or journal.find(FETCH_PHASE, [first.path]):
        return
    evidence = "read" if receipt.already_there else "restored"
    wrong = {finding.path: finding for finding in receipt.report.findings}
    journal.record(
        "fetch",
        (
            ItemMark(entry.path, "same", digest=entry.digest, size=entry.size, evidence=evidence)
            for entry in inventory
            if entry.path not in wrong
        ),
    )
    journal.record(
        "fetch",
        (
            ItemMark(
                path,
                str(each.kind),
                False,
                digest=each.found,
                size=each.found_size,
                evidence=evidence if each.found else "",
                detail=each.detail,
            )
            for path, each in wrong.items()
        ),
    )


def _judge(receipt: FetchReceipt) -> JobResult:
    begin = f"Was there already: {receipt.folder}." if receipt.already_there else f"Fetched to {receipt.folder}."
    state = STATE_OF_VERDICT[receipt.report.verdict]
    return JobResult(state, f"{begin} {receipt.report.sentence}", findings=receipt.report.findings, value=receipt)


FETCH = JobKind("fetch", _fetch)

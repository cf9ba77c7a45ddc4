"""The kind of job that retrieves a dataset of a datasafe into a folder."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from archive_tui.archives.datasafe.retrieving import RetrievalReceipt, retrieve_dataset
from archive_tui.conflicts import ConflictRule
from archive_tui.errors import HashError
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.parameters import require
from archive_tui.jobs.places import Place
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.safe_places import open_job_safe, safe_command, safe_title
from archive_tui.jobs.states import JobState
from archive_tui.jobs.verdict_states import STATE_OF_VERDICT, keep_findings


def retrieve_job(
    place: Place, loi: str, into: Path, *, old: int | None = None, policy: JobPolicy | None = None
) -> JobRequest:
    """Retrieves the dataset of a LOI into a folder of its own in `into`; `old` is the number of an old version. The
    result's value is a RetrievalReceipt."""
    into, policy = Path(os.path.abspath(into)), policy or JobPolicy()  # noqa: PTH100  (no link is resolved)
    words = ["get", loi, "--to", str(into), *(["--old", str(old)] if old is not None else [])]
    words += ["--overwrite"] if policy.conflicts is ConflictRule.REPLACE else []
    return JobRequest(
        kind="retrieve",
        title=f"retrieve {loi}" + (f" (old version {old})" if old is not None else ""),
        source=f"{safe_title(place)}:{loi}",
        destination=str(into),
        command=safe_command(place, *words),
        parameters={"place": dict(place), "loi": loi, "into": str(into), "old": old},
        policy=policy,
    )


def _retrieve(work: JobWork) -> JobResult:
    old = work.parameters.get("old")
    with open_job_safe(work) as safe:
        try:
            receipt = retrieve_dataset(
                safe,
                require(work.parameters, "loi", str),
                into=Path(require(work.parameters, "into", str)),
                old=old,
                overwrite=work.policy.conflicts is ConflictRule.REPLACE,
                report=work.report,
                stop=work.stop,
                journal=work.journal,
                resolve=work.resolve,
            )
        except HashError as error:
            return keep_findings(error)
        evidence = receipt.evidence and dataclasses.replace(receipt.evidence, store=safe.identity, key=receipt.loi)
    if receipt.is_undecided:
        return JobResult(JobState.UNDECIDED, receipt.report.sentence, receipt.report.findings, receipt)
    if evidence is not None and old is None and work.evidence is not None:
        work.evidence.record(evidence)
    return _judge(receipt)


def _judge(receipt: RetrievalReceipt) -> JobResult:
    begin = f"Was there already: {receipt.folder}." if receipt.already_there else f"Retrieved to {receipt.folder}."
    state = STATE_OF_VERDICT[receipt.report.verdict]
    return JobResult(state, f"{begin} {receipt.report.sentence}", findings=receipt.report.findings, value=receipt)


RETRIEVE = JobKind("retrieve", _retrieve)

"""The kind of job that deposits a folder in a datasafe, or replaces what was deposited."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archive_tui.archives.datasafe.deposit_source import prepare_deposit
from archive_tui.archives.datasafe.safe import DepositReceipt, OldVersion
from archive_tui.continuation import ItemMark
from archive_tui.integrity.evidence import Evidence
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.parameters import require
from archive_tui.jobs.places import Place
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.safe_places import open_job_safe, safe_command, safe_title
from archive_tui.jobs.states import JobState
from archive_tui.names.quantities import format_count, format_size

PHASE = "deposit"


@dataclass(frozen=True, slots=True)
class DepositResult:
    """What is kept of a DepositReceipt with the job; the files stand among its items."""

    loi: str
    files: int
    size: int
    archive_size: int
    archive_digest: str
    evidence: Evidence
    replaced: OldVersion | None = None
    was_there: bool = False


def deposit_job(
    place: Place,
    loi: str,
    folder: Path,
    *,
    names: Sequence[str] | None = None,
    is_update: bool = False,
    policy: JobPolicy | None = None,
) -> JobRequest:
    """Deposits the files `names` in `folder` (None: all that is in it) under a LOI that was reserved; `is_update`
    replaces what was deposited. The result's value is a DepositResult."""
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  (no link is resolved)
    files = [word for name in names or () for word in ("--file", name)]
    words = ["update" if is_update else "put", loi, str(folder), *files]
    return JobRequest(
        kind="deposit",
        title=f"{'update' if is_update else 'deposit'} {loi}",
        source=str(folder),
        destination=f"{safe_title(place)}:{loi}",
        command=safe_command(place, *words),
        parameters={
            "place": dict(place),
            "loi": loi,
            "folder": str(folder),
            "names": None if names is None else list(names),
            "is_update": is_update,
        },
        policy=policy or JobPolicy(),
    )


def _deposit(work: JobWork) -> JobResult:
    loi, folder = require(work.parameters, "loi", str), Path(require(work.parameters, "folder", str))
    names = work.parameters.get("names")
    with open_job_safe(work) as safe:
        prepared = prepare_deposit(folder, loi=loi, names=names, report=work.report, stop=work.stop)
        send = safe.update if require(work.parameters, "is_update", bool) else safe.deposit
        receipt = send(loi, prepared.chunks(), report=work.report, stop=work.stop)
        evidence = dataclasses.replace(receipt.evidence, store=safe.identity, key=loi)
    if work.evidence is not None:
        work.evidence.record(evidence)
    _mark_files(work, receipt)
    result = DepositResult(
        receipt.loi,
        receipt.files,
        receipt.size,
        receipt.archive_size,
        receipt.archive_digest,
        evidence,
        receipt.replaced,
        receipt.was_there,
    )
    return JobResult(JobState.VERIFIED, _say(receipt), value=result)


def _mark_files(work: JobWork, receipt: DepositReceipt) -> None:
    if work.journal.is_kept:
        work.journal.record(
            PHASE,
            (
                ItemMark(entry.path, "same", digest=entry.digest, size=entry.size, evidence="read")
                for entry in receipt.inventory
            ),
        )


def _say(receipt: DepositReceipt) -> str:
    begin = "Was there already" if receipt.was_there else "Deposited"
    kept = "" if receipt.replaced is None else f" What it replaces is kept as old version {receipt.replaced.number}."
    amount = f"{format_count(receipt.files, 'file')}, {format_size(receipt.size)}"
    return f"{begin}: {receipt.loi}, {amount}, all right by the manifest.{kept}"


DEPOSIT = JobKind("deposit", _deposit)

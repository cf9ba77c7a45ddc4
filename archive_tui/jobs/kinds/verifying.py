"""The kinds of jobs that verify: a published version where it lies, and a folder against the manifest in it."""

from __future__ import annotations

import os
from pathlib import Path

from archive_tui.archives.datasets.verifying import verify_version
from archive_tui.errors import OperationStopped
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.jobs.commands import verify_folder_command, verify_version_command
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.parameters import require
from archive_tui.jobs.places import Place, name_settings
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.vault_places import place_title
from archive_tui.jobs.verdict_states import Reached, judge_report
from archive_tui.operations.verifying import verify_folder


def verify_version_job(place: Place, name: str, version: str, *, policy: JobPolicy | None = None) -> JobRequest:
    """Verifies a published version, which is named by its number; the result's value is an IntegrityReport."""
    command = verify_version_command(place["storage"], name, version) if "storage" in place else ""
    return JobRequest(
        kind="verify-version",
        title=f"verify {name} {version}",
        source=f"{place_title(place)}:{name}.{version}.zip",
        destination="",
        command=name_settings(command, place),
        parameters={"place": dict(place), "name": name, "version": version},
        policy=policy or JobPolicy(),
    )


def verify_folder_job(folder: Path, *, policy: JobPolicy | None = None) -> JobRequest:
    """Verifies a folder against the manifest in it; the result's value is an IntegrityReport."""
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  (no link is resolved: it is the name that counts)
    return JobRequest(
        kind="verify-folder",
        title=f"verify {folder.name or folder}",
        source=str(folder),
        destination="",
        command=verify_folder_command(folder),
        parameters={"folder": str(folder)},
        policy=policy or JobPolicy(),
    )


def _verify_version(work: JobWork) -> JobResult:
    place = work.open_place(require(work.parameters, "place", dict))
    name, version = require(work.parameters, "name", str), require(work.parameters, "version", str)
    reached = Reached(work)
    try:
        result, evidence = verify_version(
            place.store, name, version, report=reached, stop=work.stop, journal=work.journal
        )
    except OperationStopped as stopped:
        return reached.describe_stop(stopped)
    # A look that was stopped proves nothing, unless it has found something.
    is_known = evidence is not None and (result.complete or evidence.level is EvidenceLevel.DAMAGED)
    if is_known and work.evidence is not None:
        work.evidence.record(evidence)
    return judge_report(result)


def _verify_folder(work: JobWork) -> JobResult:
    reached = Reached(work)
    try:
        folder = Path(require(work.parameters, "folder", str))
        result = verify_folder(folder, report=reached, stop=work.stop, journal=work.journal)
    except OperationStopped as stopped:
        return reached.describe_stop(stopped)
    return judge_report(result)


VERIFY_VERSION = JobKind("verify-version", _verify_version)
VERIFY_FOLDER = JobKind("verify-folder", _verify_folder)

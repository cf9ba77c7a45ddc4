"""The kind of job that checks the files behind the lines of a manifest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from archive_tui.archives.vault.views.manifest_states import ManifestStates
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.manifests.manifest_commands import check_manifest_command
from archive_tui.jobs.manifests.manifest_runs import CheckRun
from archive_tui.jobs.manifests.picked_manifest import PickedManifest, picked_from
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.operations.line_checking import PHASE, LineState, check_batches

if TYPE_CHECKING:
    from archive_tui.manifests.checksum_lines.reading import ChecksumManifest


def check_manifest_job(picked: PickedManifest, *, policy: JobPolicy | None = None) -> JobRequest:
    """Hashes the listed files; the result's value is an IntegrityReport. `live["states"]`: a ManifestStates that is
    told what became of the lines."""
    picked = picked.fixed()
    return JobRequest(
        kind=CHECK_MANIFEST.name,
        title=f"check {picked.what}",
        source=str(picked.path),
        destination="",
        command=check_manifest_command(picked.path, picked.root) if picked.positions is None else "",
        parameters=picked.as_parameters(),
        policy=policy or JobPolicy(),
    )


def _run(work: JobWork) -> JobResult:
    picked = picked_from(work.parameters)
    states: ManifestStates | None = work.live.get("states")

    def tell(index: int, state: LineState) -> None:
        if states is not None:
            states.record_disk(picked.position(index), state)

    with open_lines(work, picked) as manifest:
        return CheckRun(picked.path, tell).run(
            manifest.count_lines(),
            lambda relay: check_batches(
                manifest, root=picked.root, report=relay, stop=work.stop, phase=PHASE, journal=work.journal
            ),
            work.report,
        )


@contextmanager
def open_lines(work: JobWork, picked: PickedManifest) -> Iterator[ChecksumManifest]:
    """Opens the picked lines; a manifest that the submitter has open (`live["manifest"]`) is used as it is, and stays
    open. Raises: as PickedManifest.open."""
    opened: ChecksumManifest | None = work.live.get("manifest")
    if opened is not None:
        yield opened if picked.positions is None else picked.lines_of(opened)
        return
    with picked.open() as manifest:
        yield manifest


CHECK_MANIFEST = JobKind("check-manifest", _run)

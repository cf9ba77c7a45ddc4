"""Jobs as they look from outside, made up for the tests of the lines and of the feed."""

from __future__ import annotations

from typing import Any

from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.progress_meter import PhaseProgress
from archive_tui.jobs.states import JobState

NOON = 1_795_348_800.0


def make_phase(phase: str = "upload", **changes: Any) -> PhaseProgress:
    values: dict[str, Any] = {
        "bytes_done": 780_000_000, "bytes_total": 1_000_000_000, "items_done": 7, "items_total": 9,
        "rate": 22_000_000.0, "eta": 70.0,
    }  # fmt: skip
    return PhaseProgress(phase, **{**values, **changes})


def make_job(job_id: int = 17, state: JobState = JobState.RUNNING, **changes: Any) -> JobSnapshot:
    values: dict[str, Any] = {
        "kind": "publish", "title": "publish station-07 1.5.0", "source": "/home/ada/station-07",
        "destination": "lab:station-07.1.5.0.zip", "command": "archive-tui dataset publish lab station-07",
        "phases": (), "findings": (), "message": "", "started_at": None, "ended_at": None, "result": None, "log": (),
        "position": float(job_id),
    }  # fmt: skip
    if state.is_running:
        values.update(phases=(make_phase(),), is_here=True, owner="pid 1 on lab", started_at=NOON, attempt=1)
    if state.is_end:
        values.update(started_at=NOON, ended_at=NOON + 200, ran_seconds=200.0, attempt=1, message="All well.")
    return JobSnapshot(id=job_id, state=state, **{**values, **changes})

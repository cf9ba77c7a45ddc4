"""Jobs that a test leads by the hand: they stand at some point until it lets them go on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from archive_tui.conflicts import Conflict, ConflictRule
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.kinds import register_kind
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.progress import BytesDone, ItemFailed, Notice, Planned, check_stop

SECONDS = 30.0
Run = Callable[[JobWork], JobResult]


_leaders: dict[str, Run] = {}
"""By the titles of their jobs: who leads a job does so in every run of it."""


def _run(work: JobWork) -> JobResult:
    """Without the one who leads it, in another process, it stands until it is stopped."""
    run: Run = work.live.get("run") or _leaders.get(work.parameters["title"], _stand)
    return run(work)


def _stand(work: JobWork) -> JobResult:
    while not threading.Event().wait(0.005):
        check_stop(work.stop)
    raise AssertionError("it never ends by itself")


register_kind(JobKind("led", _run))


def led_request(title: str, *, policy: JobPolicy | None = None, **changes: Any) -> JobRequest:
    values = {"source": "lab:here", "destination": "", "command": f"archive-tui {title}", **changes}
    return JobRequest("led", title, parameters={"title": title}, policy=policy or JobPolicy(), **values)


class LedJob:
    """Goes a quarter of the way, and stands there until the test lets it go on."""

    def __init__(self, title: str, result: JobResult | None = None, *, policy: JobPolicy | None = None) -> None:
        self.reached = threading.Event()
        self.go = threading.Event()
        self.result = result or JobResult(JobState.VERIFIED, "All well.")
        self.request = led_request(title, policy=policy)
        _leaders[title] = self.run

    def submit(self, engine: Any) -> int:
        job_id: int = engine.submit(self.request, live={"run": self.run})
        return job_id

    def run(self, work: JobWork) -> JobResult:
        work.report(Planned("verify", 200, 4_000_000))
        work.report(BytesDone("verify", 1_000_000))
        work.report(ItemFailed("verify", "raw/[bold]odd\x1b.dat", 50, "changed: other content"))
        work.report(Notice("Something to know."))
        self.reached.set()
        while not self.go.wait(0.005):
            check_stop(work.stop)
        return self.result


class AskingJob:
    """Has two conflicts, and is done when both are decided."""

    def __init__(self, title: str = "copy notes") -> None:
        self.answers: dict[str, ConflictRule] = {}
        self.request = led_request(title)

    def submit(self, engine: Any) -> int:
        job_id: int = engine.submit(self.request, live={"run": self.run})
        return job_id

    def run(self, work: JobWork) -> JobResult:
        for item in ("a.dat", "b\x1b[31m.dat"):
            conflict = Conflict(item, f"lab:{item}", "3.1 MB, 2 d old", "2.9 MB, 1 d old")
            self.answers[item] = work.resolve(conflict)
        if ConflictRule.ASK in self.answers.values():
            return JobResult(JobState.UNDECIDED, "2 items are left open.")
        return JobResult(JobState.COPIED, "Copied 2 files.")

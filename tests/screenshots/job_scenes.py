"""The scenes of the jobs: the queue with one of each state, one in full, its receipt, the tray, and the questions."""

from __future__ import annotations

import asyncio

from archive_tui.conflicts import Conflict, ConflictRule
from archive_tui.continuation import ItemMark
from archive_tui.errors import StorageUnavailable
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.kind import JobResult, JobWork
from archive_tui.jobs.queue import open_job_queue
from archive_tui.jobs.states import JobState
from archive_tui.progress import BytesDone, Planned
from archive_tui.tui.screens.jobs.jobs_screen import JobsScreen
from tests.screenshots.page_scenes import FILES, FilmedJob, until_text
from tests.screenshots.scenes import SMALL, scene
from tests.screenshots.stage import Stage
from tests.tui.led_jobs import led_request


async def _wait_for(stage: Stage, job_id: int, state: JobState) -> None:
    await stage.until(lambda: (job := stage.engine.get(job_id)) is not None and job.state is state)


def _copy_with_conflicts(work: JobWork) -> JobResult:
    work.report(Planned("copy", 38, 412_000_000))
    work.report(BytesDone("copy", 398_000_000))
    for number in (3, 7, 12):
        item = f"raw/2026-{number:02d}.dat"
        work.resolve(Conflict(item, f"lab-archive:winds/{item}", "3.1 MB, 11-20 09:12", "2.9 MB, 11-22 12:03"))
    choices = (ConflictRule.KEEP, ConflictRule.KEEP_BOTH)
    work.resolve(
        Conflict("notes.md", "lab-archive:winds/notes.md", "14 KB, 11-02 17:40", "15 KB, 11-22 08:31", choices)
    )
    return JobResult(JobState.UNDECIDED, "34 of 38 files are copied; 4 are left open.")


def _find_no_server(work: JobWork) -> JobResult:
    work.report(Planned("verify", 611, 1_190_000_000))
    work.report(BytesDone("verify", 260_000_000))
    raise StorageUnavailable("far-s3 does not answer: connection refused", hint="Is the network up?")


def _publish_with_marks(work: JobWork) -> JobResult:
    level = EvidenceLevel.ATTESTED.name.lower()
    marks = [ItemMark(f"raw/2026-{n:03d}.dat", "packed", size=40_000 + n * 911, evidence=level) for n in range(1, 120)]
    work.journal.record("pack", marks)
    return JobResult(JobState.VERIFIED, "Published winds 2.0.1: 119 files, 11 MB.")


async def start_jobs(stage: Stage) -> None:
    """One job of each state; two run here, one in what stands for another process."""
    engine = stage.engine
    ended = FilmedJob("verify", "verify station-08 0.9.0", "verify", "", FILES).submit(engine)
    await _wait_for(stage, ended, JobState.FINDINGS)
    done = engine.submit(led_request("publish winds 2.0.1"), live={"run": _publish_with_marks})
    await _wait_for(stage, done, JobState.VERIFIED)
    paused = FilmedJob("fetch", "fetch winds 2.0.1", "unpack", "", 130)
    paused_id = paused.submit(engine)
    await stage.settle(0.8)
    engine.pause(paused_id)
    await _wait_for(stage, paused_id, JobState.PAUSED)
    request = led_request(
        "copy winds/ to lab-archive:winds/", source="~/data/winds/", destination="lab-archive:winds/",
        command="archive-tui copy ~/data/winds lab-archive: --on-conflict ask",
    )  # fmt: skip
    asking = engine.submit(request, live={"run": _copy_with_conflicts})
    await _wait_for(stage, asking, JobState.UNDECIDED)
    queue = open_job_queue()
    other = JobEngine(queue, workers=1)
    stage.closing.extend((other.close, queue.close))
    FilmedJob("verify", "verify snow 3.1.0", "verify", "", 300).submit(other)
    await asyncio.sleep(0.4)
    request = led_request("verify winds 1.9.0", source="far-s3:winds.1.9.0.zip")
    waiting = engine.submit(request, live={"run": _find_no_server})
    await _wait_for(stage, waiting, JobState.WAITING)
    for led in (
        FilmedJob("publish", "publish station-07 1.5.0", "pack", "upload", 402),
        FilmedJob("fetch", "fetch rain 2.2.0", "unpack", "", 230),
        FilmedJob("verify", "verify rain 2.2.0", "verify", "", FILES),
    ):
        led.submit(engine)
    await stage.settle(1.5)


async def choose(stage: Stage, title: str) -> None:
    """Opens the list with the cursor on a job, wherever that stands by now."""
    await stage.press("J")
    await until_text(stage, title[:12])
    page = stage.app.screen
    assert isinstance(page, JobsScreen)
    for _ in page.jobs:
        if page.chosen is not None and page.chosen.title.startswith(title):
            return
        await stage.press("down")
    raise AssertionError(f"no such job: {title}")


@scene("jobs")
async def jobs(stage: Stage) -> None:
    await start_jobs(stage)
    await stage.press("J")
    await until_text(stage, "2 findings")
    await stage.settle(1.0)


@scene("job")
async def job(stage: Stage) -> None:
    await start_jobs(stage)
    await choose(stage, "publish station-07")
    await stage.press("enter")
    await until_text(stage, "Log")
    await stage.settle(1.0)


@scene("job-items", sizes=(SMALL,))
async def job_items(stage: Stage) -> None:
    await start_jobs(stage)
    await choose(stage, "publish winds")
    await stage.press("enter", "i")
    await stage.settle(0.5)


@scene("job-receipt")
async def job_receipt(stage: Stage) -> None:
    await start_jobs(stage)
    await choose(stage, "publish winds")
    await stage.press("o")
    await stage.settle(0.5)


@scene("jobs-tray")
async def jobs_tray(stage: Stage) -> None:
    await start_jobs(stage)
    await choose(stage, "copy winds")
    await stage.press("d")
    await until_text(stage, "questions open")
    await stage.press("down", "a")


@scene("jobs-cancel", sizes=(SMALL,))
async def jobs_cancel(stage: Stage) -> None:
    await start_jobs(stage)
    await choose(stage, "publish station-07")
    await stage.press("c")


@scene("leaving", sizes=(SMALL,))
async def leaving(stage: Stage) -> None:
    await start_jobs(stage)
    await stage.press("q")


@scene("copy-question")
async def copy_question(stage: Stage) -> None:
    await stage.press("tab", "v", "tab", "down", "down", "down", "space", "space", "f5")


@scene("jobs-empty", sizes=(SMALL,))
async def jobs_empty(stage: Stage) -> None:
    await stage.press("J")


@scene("page-palette", sizes=(SMALL,))
async def page_palette(stage: Stage) -> None:
    await start_jobs(stage)
    await stage.press("J", "colon")


@scene("page-help", sizes=(SMALL,))
async def page_help(stage: Stage) -> None:
    await stage.press("J", "question_mark")

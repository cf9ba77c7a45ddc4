"""The list of jobs and the page of one job, with jobs that the test leads by the hand."""

from __future__ import annotations

import threading
from pathlib import Path

from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.jobs.job import JobResult, JobSpec, JobState
from archive_tui.progress import BytesDone, ItemFailed, Notice, Planned, Report, StopSignal, check_stop
from archive_tui.tui import routes, submitting
from archive_tui.tui.screens.browse.browse_screen import BrowseScreen
from archive_tui.tui.screens.verify import VerifyScreen
from tests.tui.guide_places import Place, make_source, open_place

SECONDS = 30.0


class LedJob:
    """A job that stands at some point until the test lets it go on."""

    def __init__(self, title: str, result: JobResult | None = None) -> None:
        self.title = title
        self.reached = threading.Event()
        self.go = threading.Event()
        self.result = result or JobResult(JobState.VERIFIED, "All well.")

    def spec(self) -> JobSpec:
        return JobSpec("verify", self.title, "lab:here", "", f"archive-tui {self.title}", self.run)

    def run(self, report: Report, stop: StopSignal) -> JobResult:
        report(Planned("verify", 200, 4_000_000))
        report(BytesDone("verify", 1_000_000))
        report(ItemFailed("verify", "raw/[bold]odd\x1b.dat", 50, "changed: other content"))
        report(Notice("Something to know."))
        self.reached.set()
        while not self.go.wait(0.005):
            check_stop(stop)
        return self.result


async def open_jobs(place: Place, *jobs: LedJob) -> list[int]:
    ids = [place.engine.submit(job.spec()) for job in jobs]
    assert jobs[0].reached.wait(SECONDS)
    routes.open_jobs(place.app)
    await place.until_text("state", "done")
    return ids


async def test_jobs_are_listed_with_their_state_and_progress(tmp_path: Path) -> None:
    make_source(tmp_path)
    async with open_place(tmp_path, workers=1) as place:
        first, second = LedJob("verify winds 1.0.0"), LedJob("verify rain 2.0.0")
        await open_jobs(place, first, second)
        await place.until_text("verify winds 1.0.0", "▸ verifying", "25 %", "· queued", "1 running  1 waiting")
        first.go.set()
        await place.until_text("✓ verified", "ended", "took")
        second.go.set()
        await place.until_text("0 running  0 waiting  2 ended")
        await place.until(lambda: place.page._ticker is None, "the timer stops")


async def test_a_job_is_cancelled_and_stopping_until_its_own_end(tmp_path: Path) -> None:
    make_source(tmp_path)
    async with open_place(tmp_path, workers=1) as place:
        first, second = LedJob("verify winds 1.0.0"), LedJob("verify rain 2.0.0")
        await open_jobs(place, first, second)
        await place.press("down", "c")
        await place.until_text("○ cancelled")
        assert not second.reached.is_set()
        await place.press("home", "c")
        await place.until(lambda: place.engine.snapshot()[0].state is JobState.CANCELLED)
        await place.until_text("2 ended")


async def test_the_page_of_a_job_shows_everything(tmp_path: Path) -> None:
    make_source(tmp_path)
    finding = Finding(FindingKind.CHANGED, "raw/a.dat", "0" * 64, "1" * 64)
    led = LedJob("verify winds 1.0.0", JobResult(JobState.FINDINGS, "Findings: 1 changed", (finding,), value="x"))
    async with open_place(tmp_path) as place:
        await open_jobs(place, led)
        await place.press("enter")
        await place.until_text(
            "Job 1: verify winds 1.0.0", "from       lab:here", "command    archive-tui verify winds"
        )
        await place.until_text("Something to know.", "Findings so far (1)", r"raw/[bold]odd\x1b.dat")
        led.go.set()
        await place.until_text("✗ finished with findings", "Findings (1)", "expected 0000…0000  found 1111…1111")
        await place.press("escape", "escape")
        await place.until(lambda: isinstance(place.app.screen, BrowseScreen))


async def test_a_verification_is_watched_stopped_and_claims_nothing(tmp_path: Path) -> None:
    make_source(tmp_path)
    led = LedJob("verify winds 1.0.0")
    async with open_place(tmp_path) as place:
        job_id = place.engine.submit(led.spec())
        assert led.reached.wait(SECONDS)
        services = submitting.find_services(place.app)
        assert services is not None
        place.app.push_screen(VerifyScreen(job_id, services))
        await place.until_text("1 finding", "changed: other content", "cell: 1 file", "▸ running", "s stop")
        await place.press("s")
        await place.until_text("○ Stopped")
        assert place.engine.snapshot()[0].state is JobState.CANCELLED


async def test_a_verification_left_goes_on(tmp_path: Path) -> None:
    make_source(tmp_path)
    led = LedJob("verify winds 1.0.0")
    async with open_place(tmp_path) as place:
        job_id = place.engine.submit(led.spec())
        services = submitting.find_services(place.app)
        assert services is not None
        place.app.push_screen(VerifyScreen(job_id, services))
        await place.until_text("Verify winds")
        await place.press("escape")
        await place.until(lambda: isinstance(place.app.screen, BrowseScreen))
        assert place.engine.snapshot()[0].state is JobState.RUNNING
        led.go.set()
        await place.until(lambda: place.engine.snapshot()[0].state is JobState.VERIFIED)


async def test_an_empty_list_says_what_would_fill_it(tmp_path: Path) -> None:
    make_source(tmp_path)
    async with open_place(tmp_path) as place:
        routes.open_jobs(place.app)
        await place.until_text("Nothing has been started yet")
        await place.press("enter", "c", "o", "escape")
        await place.until(lambda: isinstance(place.app.screen, BrowseScreen))


async def test_connections_are_shown_without_secrets_and_tested(tmp_path: Path) -> None:
    make_source(tmp_path)
    async with open_place(tmp_path) as place:
        routes.open_connections(place.app)
        await place.until_text("lab", "second", "local", "storage_area", "Not tested in this session")
        await place.press("t")
        await place.until_text("never overwrites  ✓ proven", "so:", "✓ usable")
        assert not list((tmp_path / "lab").iterdir()), "the test leaves nothing"
        await place.press("down")
        await place.until_text(str(tmp_path / "second")[:30], "Not tested in this session")


async def test_secrets_are_masked(tmp_path: Path) -> None:
    make_source(tmp_path)
    async with open_place(tmp_path, size=(120, 36)) as place:
        place.app.settings.storages["lab"]["aws_secret_access_key"] = "hunter2"  # type: ignore[index]
        routes.open_connections(place.app)
        await place.until_text("aws_secret_access_key", "****")
        assert "hunter2" not in place.text


async def test_an_empty_list_says_what_begins_a_job_and_nothing_is_cut(tmp_path: Path) -> None:
    make_source(tmp_path)
    async with open_place(tmp_path) as place:
        routes.open_jobs(place.app)
        await place.until_text(
            "Nothing has been started yet.", "P   publishes a folder,", "F6  verifies a folder or a dataset."
        )


async def test_the_palette_of_a_page_finds_and_does_its_actions(tmp_path: Path) -> None:
    make_source(tmp_path)
    async with open_place(tmp_path, workers=1) as place:
        first = LedJob("verify winds 1.0.0")
        await open_jobs(place, first)
        await place.press("colon")
        await place.until_text("Cancel the job", "Copy the command line", "Esc closes")
        await place.press(*"cancel")
        await place.until(lambda: "Copy the command line" not in place.text)
        await place.press("enter")
        await place.until(lambda: place.engine.snapshot()[0].state is JobState.CANCELLED)
        await place.until_text("1 ended", "what")

        await place.press("colon", "escape")
        await place.until(lambda: not place.page.has_class("-menu"))
        await place.press("escape")
        await place.until(lambda: isinstance(place.app.screen, BrowseScreen))

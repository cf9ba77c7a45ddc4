"""The list of jobs and the page of one job, with jobs that the test leads by the hand."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from archive_tui.conflicts import ConflictRule
from archive_tui.continuation import ItemMark
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.kind import JobResult, JobWork
from archive_tui.jobs.queue import open_job_queue
from archive_tui.jobs.states import JobState
from archive_tui.settings import Settings
from archive_tui.tui import routes, submitting
from archive_tui.tui.screens.browse.browse_screen import BrowseScreen
from archive_tui.tui.screens.jobs.jobs_screen import JobsScreen
from archive_tui.tui.screens.verify import VerifyScreen
from tests.tui.guide_places import Place, make_source, open_place
from tests.tui.led_jobs import SECONDS, AskingJob, LedJob, led_request


async def open_jobs(place: Place, *jobs: LedJob) -> list[int]:
    ids = [job.submit(place.engine) for job in jobs]
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
        await place.until_text("0 running  2 ended")
        assert place.page._ticker is None


async def test_a_job_is_cancelled_and_stopping_until_its_own_end(tmp_path: Path) -> None:
    make_source(tmp_path)
    async with open_place(tmp_path, workers=1) as place:
        first, second = LedJob("verify winds 1.0.0"), LedJob("verify rain 2.0.0")
        await open_jobs(place, first, second)
        await place.press("down", "c")
        await place.until_text("○ cancelled")
        assert not second.reached.is_set()
        await place.press("home", "c")
        await place.until_text("Cancel 1 verify winds 1.0.0?", "y cancel")
        await place.press("enter")
        assert place.jobs[0].state is JobState.RUNNING, "Enter is the safe answer"
        await place.press("c", "y")
        await place.until(lambda: place.jobs[0].state is JobState.CANCELLED)
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
        job_id = led.submit(place.engine)
        assert led.reached.wait(SECONDS)
        services = submitting.find_services(place.app)
        assert services is not None
        place.app.push_screen(VerifyScreen(job_id, services))
        await place.until_text("1 finding", "changed: other content", "cell: 1 file", "▸ running", "s stop")
        await place.press("s")
        await place.until_text("‖ paused", "s go on")
        await place.press("s")
        await place.until_text("▸ running", "s stop")
        await place.press("c")
        await place.until_text("○ Stopped.", "r try again")
        assert place.jobs[0].state is JobState.CANCELLED


async def test_a_verification_left_goes_on(tmp_path: Path) -> None:
    make_source(tmp_path)
    led = LedJob("verify winds 1.0.0")
    async with open_place(tmp_path) as place:
        job_id = led.submit(place.engine)
        services = submitting.find_services(place.app)
        assert services is not None
        place.app.push_screen(VerifyScreen(job_id, services))
        await place.until_text("Verify winds")
        await place.press("escape")
        await place.until(lambda: isinstance(place.app.screen, BrowseScreen))
        assert place.jobs[0].state is JobState.RUNNING
        led.go.set()
        await place.until(lambda: place.jobs[0].state is JobState.VERIFIED)


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
        lab = {**place.app.settings.storages["lab"], "aws_secret_access_key": "hunter2"}
        place.app.settings = Settings(None, {"lab": lab})
        routes.open_connections(place.app)
        await place.until_text("aws_secret_access_key", "****")
        assert "hunter2" not in place.text


async def test_an_empty_list_says_what_begins_a_job_and_nothing_is_cut(tmp_path: Path) -> None:
    make_source(tmp_path)
    async with open_place(tmp_path) as place:
        routes.open_jobs(place.app)
        await place.until_text(
            "Nothing has been started yet.",
            "P   publishes a folder,",
            "F5  copies, archives or fetches,",
            "F6  verifies a folder or a dataset.",
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
        await place.press("enter", "y")
        await place.until(lambda: place.jobs[0].state is JobState.CANCELLED)
        await place.until_text("1 ended", "what")

        await place.press("colon", "escape")
        await place.until(lambda: not place.page.has_class("-menu"))
        await place.press("escape")
        await place.until(lambda: isinstance(place.app.screen, BrowseScreen))


async def test_a_job_is_paused_goes_on_and_is_tried_again(tmp_path: Path) -> None:
    make_source(tmp_path)
    async with open_place(tmp_path) as place:
        led = LedJob("verify winds 1.0.0", JobResult(JobState.FAILED, "It broke.", hint="Mend it."))
        await open_jobs(place, led)
        await place.until_text("Space pause")
        await place.press("space")
        await place.until_text("‖ paused", "1 paused", "Space go on", "25 %")
        led.reached.clear()
        await place.press("space")
        await place.until(led.reached.is_set)
        await place.until_text("▸ verifying")
        led.go.set()
        await place.until_text("✗ failed", "It broke. Mend it.", "r retry")
        led.go.clear()
        led.reached.clear()
        led.result = JobResult(JobState.VERIFIED, "All well.")
        await place.press("r")
        await place.until(led.reached.is_set)
        led.go.set()
        await place.until_text("✓ verified", "All well.")


async def test_the_queue_is_put_into_another_order_and_the_cursor_stays_on_its_job(tmp_path: Path) -> None:
    make_source(tmp_path)
    async with open_place(tmp_path, workers=1) as place:
        led = [LedJob(f"verify {name} 1.0.0") for name in ("winds", "rain", "snow")]
        await open_jobs(place, *led)
        await place.until_text("1 running  2 waiting")
        await place.press("end")
        assert place.page.chosen.title == "verify snow 1.0.0"
        await place.press("plus")
        await place.until(lambda: place.page.jobs[1].title == "verify snow 1.0.0")
        assert place.page.chosen.title == "verify snow 1.0.0" and place.page._names.cursor == 1
        await place.press("minus")
        await place.until(lambda: place.page.jobs[2].title == "verify snow 1.0.0")
        led[0].go.set()
        await place.until(led[1].reached.is_set)
        assert place.page.chosen.title == "verify snow 1.0.0"
        await place.press("home")
        assert place.page.chosen.title == "verify rain 1.0.0"


async def test_decisions_are_made_in_the_tray_and_the_job_goes_on(tmp_path: Path) -> None:
    make_source(tmp_path)
    async with open_place(tmp_path) as place:
        asking = AskingJob()
        asking.submit(place.engine)
        await place.until_text("? 1 to decide")
        routes.open_jobs(place.app)
        await place.until_text("? 2 decisions", "d decide")
        await place.press("d")
        await place.until_text("2 questions open", "a.dat", "b\\x1b[31m.dat", "there      3.1 MB, 2 d old", "keep both")
        assert "\x1b" not in place.text
        await place.press("l")
        await place.until_text("1 question open")
        await place.press("b")
        await place.until_text("Nothing is left to decide.", "job 1 goes on")
        await place.until(lambda: place.jobs[0].state is JobState.COPIED)
        assert asking.answers == {"a.dat": ConflictRule.KEEP, "b\x1b[31m.dat": ConflictRule.KEEP_BOTH}
        await place.press("escape")
        await place.until_text("◇ not verified")


async def test_one_answer_for_all_and_overwriting_all_is_asked_about(tmp_path: Path) -> None:
    make_source(tmp_path)
    async with open_place(tmp_path) as place:
        asking = AskingJob()
        asking.submit(place.engine)
        await place.until_text("? 1 to decide")
        routes.open_jobs(place.app)
        await place.until_text("d decide")
        await place.press("d")
        await place.until_text("2 questions open", "An answer is for this one")
        await place.press("a")
        await place.until_text("An answer is for all 2 questions of this job")
        await place.press("o")
        await place.until_text("cannot be undone")
        await place.press("escape")
        await place.until_text("2 questions open")
        await place.press("o", "y")
        await place.until_text("Nothing is left to decide.")
        await place.until(lambda: place.jobs[0].state is JobState.COPIED)
        assert set(asking.answers.values()) == {ConflictRule.REPLACE}


async def test_a_job_that_waits_for_a_decision_says_so_in_the_panes(tmp_path: Path) -> None:
    make_source(tmp_path)
    async with open_place(tmp_path) as place:
        services = submitting.find_services(place.app)
        assert services is not None
        asking = AskingJob()
        services.feed.submit(
            lambda: asking.request, lambda job_id: submitting.watch_job(place.app, job_id), live={"run": asking.run}
        )
        await place.until_text("copy notes needs a decision, the rest is done: J, then d.")


async def test_items_and_log_of_a_job_are_shown(tmp_path: Path) -> None:
    make_source(tmp_path)

    def run(work: JobWork) -> JobResult:
        marks = [ItemMark(f"raw/{number:05d}.dat", "uploaded", size=1000, evidence="attested") for number in range(500)]
        work.journal.record("upload", [*marks, ItemMark("raw/[x]\x1b.dat", "changed", is_good=False, detail="other")])
        return JobResult(JobState.FINDINGS, "One is wrong.")

    async with open_place(tmp_path) as place:
        place.engine.submit(led_request("publish winds 1.0.0"), live={"run": run})
        await place.until(lambda: place.jobs and place.jobs[0].state is JobState.FINDINGS)
        routes.open_jobs(place.app)
        await place.until_text("publish winds 1.0.0")
        await place.press("enter")
        await place.until_text("i items")
        await place.press("i")
        await place.until_text("501 items", "✓ uploaded", "raw/00000.dat", "attested")
        await place.press("end")
        await place.until_text("raw/[x]\\x1b.dat", "✗ changed")
        assert "\x1b" not in place.text
        await place.press("f")
        await place.until_text("1 item that needs a look")
        assert "uploaded" not in place.text
        await place.press("l")
        await place.until_text("Log, the newest line first", "One is wrong.", "i items", "l overview")
        await place.press("l")
        await place.until_text("policy")
        await place.press("i")
        await place.until_text("i overview", "l log")
        await place.press("escape")
        await place.until_text("policy")


async def test_the_receipt_is_read_and_saved_as_text_and_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_source(tmp_path)
    monkeypatch.chdir(tmp_path)
    async with open_place(tmp_path) as place:
        led = LedJob("verify winds 1.0.0")
        led.go.set()
        await open_jobs(place, led)
        await place.until_text("o receipt")
        await place.press("o")
        await place.until_text("Receipt of job 1", "verify winds 1.0.0", "All well.")
        await place.press("w", "enter")
        await place.until_text("Saved:")
        await place.press("W", "enter")
        await place.until(lambda: (tmp_path / "job-1.receipt.json").exists())
        assert "verify winds 1.0.0" in (tmp_path / "job-1.receipt.txt").read_text()
        assert json.loads((tmp_path / "job-1.receipt.json").read_text())
        await place.press("w", "enter")
        await place.until_text("✗ There is a file of that name already:", "another name.")


async def test_jobs_of_another_process_are_watched_and_led(tmp_path: Path) -> None:
    make_source(tmp_path)
    database = tmp_path / "state" / "jobs.sqlite3"
    queue = open_job_queue(database)
    engine = JobEngine(queue)
    led = LedJob("verify winds 1.0.0")
    job_id = led.submit(engine)
    try:
        async with open_place(tmp_path, size=(120, 36), database=database) as place:
            await place.until_text("1 job runs in another process: J shows.")
            routes.open_jobs(place.app)
            await place.until_text("▹ verifying", "25 %", "Runs in another process:")
            await place.press("space")
            await place.until_text("‖ paused")
            led.reached.clear()
            assert engine.get(job_id) is not None
            await place.press("enter")
            await place.until_text("Job 1: verify winds 1.0.0", "‖ paused")
    finally:
        engine.close()
        queue.close()


async def test_no_key_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_source(tmp_path)
    threads: dict[str, set[int]] = {}
    names = ("snapshot", "get", "submit", "pause", "resume", "cancel", "retry", "move", "answer", "questions", "marks",
             "count_marks", "receipt", "history", "subscribe")  # fmt: skip

    def watch(name: str) -> None:
        method = getattr(JobEngine, name)

        def watched(*args: Any, **options: Any) -> Any:
            threads.setdefault(name, set()).add(threading.get_ident())
            return method(*args, **options)

        monkeypatch.setattr(JobEngine, name, watched)

    for name in names:
        watch(name)
    async with open_place(tmp_path, workers=1, database=tmp_path / "state" / "jobs.sqlite3") as place:
        services = submitting.find_services(place.app)
        assert services is not None
        asking, led, last = AskingJob("copy one"), LedJob("verify two"), LedJob("verify three")
        for job in (asking, led, last):
            services.feed.submit(lambda job=job: job.request, lambda job_id: None, live={"run": job.run})
        await place.press("J")
        await place.until_text("1 running", "2 decisions", "queued")
        await place.press("home", "space")
        await place.until_text("‖ paused")
        await place.press("space", "c", "escape", "end", "minus", "plus", "enter")
        await place.until_text("i items")
        await place.press("i", "f", "l", "escape", "escape")
        await place.until(lambda: isinstance(place.page, JobsScreen))
        place.page._chosen_id = 1
        await place.press("d")
        await place.until_text("2 questions open")
        await place.press("a", "l")
        await place.until_text("Nothing is left to decide.")
        await place.press("escape")
        led.go.set()
        last.go.set()
        await place.until_text("0 running", "3 ended")
        await place.press("o")
        await place.until_text("Receipt of job")
        assert {name for name, found in threads.items() if threading.get_ident() in found} == set()
        assert {"snapshot", "get", "submit", "pause", "resume", "answer", "questions", "receipt"} <= threads.keys()

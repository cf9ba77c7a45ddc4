"""Leaving while there are jobs: what is asked, what becomes of them, and what the next start says."""

from __future__ import annotations

from pathlib import Path

from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.queue import open_job_queue
from archive_tui.jobs.states import JobState
from archive_tui.tui.archive_app import ArchiveApp
from tests.tui.conftest import MakeApp, folder_location, storage_location
from tests.tui.guide_places import make_source, open_place
from tests.tui.led_jobs import SECONDS, LedJob
from tests.tui.screen_text import rows_of, text_of, wait_until
from tests.tui.test_browse import running, store_with


def make_panes(
    make_app: MakeApp, folder: Path, engine: JobEngine, *, background: list[str] | None = None
) -> ArchiveApp:
    go_on = None if background is None else lambda: background.append("started")
    left, right = folder_location(folder), storage_location(store_with("x"))
    return make_app(left, right, engine=engine, go_on_in_background=go_on)


async def test_jobs_are_stopped_and_the_next_start_takes_them_up(
    make_app: MakeApp, folder: Path, tmp_path: Path
) -> None:
    database = tmp_path / "jobs.sqlite3"
    queue = open_job_queue(database)
    engine = JobEngine(queue)
    led = LedJob("verify winds 1.0.0")
    app = make_panes(make_app, folder, engine, background=[])
    async with running(app) as pilot:
        led.submit(engine)
        assert led.reached.wait(SECONDS)
        await wait_until(pilot, lambda: "25 %" in rows_of(app)[0])
        await pilot.press("q")
        assert "1 job runs. s stop (resumes next time) · b go on in background · Esc stay" in text_of(app)
        await pilot.press("escape")
        assert app.is_running and "Esc stay" not in text_of(app)
        await pilot.press("q", "s")
        await wait_until(pilot, lambda: not app.is_running or app._exit)
    assert engine.snapshot()[0].state is JobState.QUEUED
    queue.close()

    queue = open_job_queue(database)
    engine = JobEngine(queue)
    app = make_panes(make_app, folder, engine, background=[])
    try:
        async with running(app) as pilot:
            await wait_until(pilot, lambda: "1 job of last time goes on: J shows." in text_of(app))
            await wait_until(pilot, lambda: engine.snapshot()[0].state is JobState.RUNNING)
    finally:
        engine.close()
        queue.close()


async def test_jobs_are_handed_over_to_another_process(make_app: MakeApp, folder: Path, tmp_path: Path) -> None:
    queue = open_job_queue(tmp_path / "jobs.sqlite3")
    engine, started = JobEngine(queue), list[str]()
    led = LedJob("verify winds 1.0.0")
    app = make_panes(make_app, folder, engine, background=started)
    async with running(app) as pilot:
        led.submit(engine)
        assert led.reached.wait(SECONDS)
        await wait_until(pilot, lambda: "25 %" in rows_of(app)[0])
        await pilot.press("q", "b")
        await wait_until(pilot, lambda: not app.is_running or app._exit)
    assert started == ["started"]
    job = engine.snapshot()[0]
    assert (job.state, job.owner) == (JobState.QUEUED, "")
    engine.close()
    queue.close()


async def test_without_a_disk_nothing_can_go_on_in_the_background(make_app: MakeApp, folder: Path) -> None:
    engine = JobEngine()
    led = LedJob("verify winds 1.0.0")
    app = make_panes(make_app, folder, engine)
    async with running(app) as pilot:
        led.submit(engine)
        await wait_until(pilot, lambda: "25 %" in rows_of(app)[0])
        await pilot.press("q")
        assert "background" not in text_of(app)
        await pilot.press("b")
        assert app.is_running
        await pilot.press("q", "s")
        await wait_until(pilot, lambda: not app.is_running or app._exit)


async def test_jobs_that_nobody_waits_for_do_not_hold_anybody_up(tmp_path: Path) -> None:
    make_source(tmp_path)
    led = LedJob("verify winds 1.0.0")
    async with open_place(tmp_path) as place:
        job_id = led.submit(place.engine)
        assert led.reached.wait(SECONDS)
        place.engine.pause(job_id)
        await place.until_text("‖ 1 paused")
        await place.press("q")
        await place.until(lambda: not place.app.is_running or place.app._exit)


async def test_a_process_that_cannot_be_started_is_said_and_nobody_leaves(
    make_app: MakeApp, folder: Path, tmp_path: Path
) -> None:
    def refuse() -> None:
        raise OSError("no more processes")

    queue = open_job_queue(tmp_path / "jobs.sqlite3")
    engine = JobEngine(queue)
    led = LedJob("verify winds 1.0.0")
    left, right = folder_location(folder), storage_location(store_with("x"))
    app = make_app(left, right, engine=engine, go_on_in_background=refuse)
    async with running(app) as pilot:
        led.submit(engine)
        assert led.reached.wait(SECONDS)
        await wait_until(pilot, lambda: "25 %" in rows_of(app)[0])
        await pilot.press("q", "b")
        await wait_until(pilot, lambda: "no more processes" in text_of(app))
        assert app.is_running and "archive-tui jobs run goes on with them" in " ".join(text_of(app).split())
    engine.close()
    queue.close()


async def test_when_the_list_is_removed_it_is_said_and_what_runs_still_resumes_next_time(
    make_app: MakeApp, folder: Path, tmp_path: Path
) -> None:
    database = tmp_path / "state" / "jobs.sqlite3"
    queue = open_job_queue(database)
    engine = JobEngine(queue)
    led = LedJob("verify winds 1.0.0")
    app = make_panes(make_app, folder, engine, background=[])
    async with running(app) as pilot:
        job_id = led.submit(engine)
        assert led.reached.wait(SECONDS)
        await wait_until(pilot, lambda: "25 %" in rows_of(app)[0])
        database.parent.rename(tmp_path / "gone")
        await wait_until(
            pilot, lambda: "The list of jobs was removed or replaced; what runs here goes on" in text_of(app)
        )
        await wait_until(pilot, lambda: database.exists() and app.feed is not None and app.feed.jobs[0].is_kept)
        await pilot.press("q")
        assert "1 job runs. s stop (resumes next time)" in text_of(app)
        await pilot.press("s")
        await wait_until(pilot, lambda: not app.is_running or app._exit)
    queue.close()
    queue = open_job_queue(database)
    found = JobEngine(queue, takes_queued=False).get(job_id)
    queue.close()
    assert found is not None and (found.state, found.title) == (JobState.QUEUED, "verify winds 1.0.0")


async def test_what_no_list_holds_any_more_is_not_promised_to_resume(
    make_app: MakeApp, folder: Path, tmp_path: Path
) -> None:
    database = tmp_path / "state" / "jobs.sqlite3"
    queue = open_job_queue(database)
    engine = JobEngine(queue)
    led = LedJob("verify winds 1.0.0")
    app = make_panes(make_app, folder, engine, background=[])
    async with running(app) as pilot:
        led.submit(engine)
        assert led.reached.wait(SECONDS)
        await wait_until(pilot, lambda: "25 %" in rows_of(app)[0])
        database.parent.rename(tmp_path / "gone")
        database.parent.write_text("nothing can be kept here")
        await wait_until(pilot, lambda: "Jobs are kept in memory and end with this program" in text_of(app))
        await wait_until(pilot, lambda: app.feed is not None and not app.feed.jobs[0].is_kept)
        await pilot.press("q")
        text = " ".join(text_of(app).split())
        assert "1 job runs. It could not be written down and ends with the program." in text
        assert "background" not in text and "next time" not in text
        await pilot.press("s")
        await wait_until(pilot, lambda: not app.is_running or app._exit)
    queue.close()

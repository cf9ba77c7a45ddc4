"""From a datasafe in a pane to its jobs: retrieve, verify, deposit, with the commands that do the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.locations import Location
from archive_tui.conflicts import ConflictRule
from archive_tui.errors import StorageUnavailable
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.request import JobRequest
from archive_tui.tui import safe_routes
from archive_tui.tui.actions.registry import REGISTRY
from archive_tui.tui.archive_app import ArchiveApp
from archive_tui.tui.screens.deposit.deposit_screen import DepositScreen
from tests.tui.conftest import MakeApp, folder_location
from tests.tui.safe_doubles import SAMPLE, MemorySafe, few_entries, safe_location, use_safe
from tests.tui.screen_text import text_of, wait_until
from tests.tui.test_browse import browse, running
from tests.tui.test_safe_pane import put_cursor

Requests = list[JobRequest]


@pytest.fixture
def safe() -> MemorySafe:
    return MemorySafe(*few_entries())


@pytest.fixture
def app(make_app: MakeApp, safe: MemorySafe, folder: Path) -> Iterator[ArchiveApp]:
    engine = JobEngine()
    app = make_app(safe_location(), folder_location(folder), engine=engine)
    use_safe(app, safe)
    yield app
    engine.close()


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Requests:
    """What would be queued."""
    made: Requests = []

    def place(location: Location, settings: object) -> dict[str, str]:
        assert location.storage is not None
        return {"storage": location.storage.name, "safe": ""}

    monkeypatch.setattr(safe_routes, "place_of_safe", place)
    for name in ("submit_on_page", "submit_watched"):
        monkeypatch.setattr(safe_routes, name, lambda app, services, make: made.append(make()))
    monkeypatch.setattr(safe_routes, "open_jobs", lambda app: None)
    return made


def command(app: ArchiveApp, action_id: str) -> str | None:
    return REGISTRY[action_id].command_line(browse(app).action_context)


async def test_retrieving_one_asks_and_goes_into_the_other_pane(
    app: ArchiveApp, requests: Requests, folder: Path
) -> None:
    async with running(app) as pilot:
        put_cursor(app, f"{SAMPLE}/4")
        assert command(app, "work.copy") == f"archive-tui safe get {SAMPLE}/4 --to {folder} --storage lab"
        await pilot.press("f5")
        shown = " ".join(text_of(app).split())
        assert f"Retrieve {SAMPLE}/4" in shown and "Enter retrieve · Esc no" in shown
        await pilot.press("enter")
        assert [(request.kind, request.parameters["loi"], request.parameters["into"]) for request in requests] == [
            ("retrieve", f"{SAMPLE}/4", str(folder))
        ]
        assert requests[0].policy.conflicts is ConflictRule.ASK


@pytest.mark.parametrize(("key", "rule"), [("l", ConflictRule.KEEP), ("o", ConflictRule.REPLACE), ("escape", None)])
async def test_what_exists_is_asked_about(
    app: ArchiveApp, requests: Requests, folder: Path, key: str, rule: ConflictRule | None
) -> None:
    (folder / "exp-sa-42-cwepr-4").mkdir()
    async with running(app) as pilot:
        put_cursor(app, f"{SAMPLE}/4")
        await pilot.press("f5")
        assert "Exists:" in text_of(app)
        await pilot.press(key)
        assert [request.policy.conflicts for request in requests] == ([rule] if rule else [])


async def test_of_several_the_reserved_ones_are_left_out(app: ArchiveApp, requests: Requests) -> None:
    async with running(app) as pilot:
        put_cursor(app, f"{SAMPLE}/8")
        await pilot.press("space", "space", "space", "f5")
        assert "2 datasets" in text_of(app) and "1 reserved LOI left out" in text_of(app).replace("\n ", " ")
        await pilot.press("enter")
        assert [request.parameters["loi"] for request in requests] == [f"{SAMPLE}/8", f"{SAMPLE}/9"]


async def test_nothing_can_be_retrieved_of_a_reserved_one(app: ArchiveApp, requests: Requests) -> None:
    async with running(app) as pilot:
        put_cursor(app, f"{SAMPLE}/10")
        await pilot.press("f5")
        assert "Nothing is deposited there yet" in text_of(app)
        await pilot.press("f6")
        assert "nothing to verify" in text_of(app) and requests == []


async def test_an_old_version_by_its_number(app: ArchiveApp, requests: Requests) -> None:
    async with running(app) as pilot:
        put_cursor(app, f"{SAMPLE}/4")
        assert not REGISTRY["safe.retrieve-old"].available(browse(app).action_context)
        old = next(name for name, entry in few_by_loi().items() if entry.old_versions)
        put_cursor(app, old)
        await pilot.press("colon", *"old version", "enter")
        await wait_until(pilot, lambda: "number of the old version" in text_of(app))
        await pilot.press("ctrl+u", *"one", "enter")
        assert "That is no number" in text_of(app)
        browse(app).do_safe_retrieve_old()
        await pilot.press("ctrl+u", "1", "enter", "enter")
        assert [request.parameters["old"] for request in requests] == [1]


def few_by_loi() -> dict[str, Any]:
    return {entry.loi: entry for entry in few_entries()}


async def test_verifying_one_the_marked_a_folder_and_all(app: ArchiveApp, requests: Requests) -> None:
    async with running(app) as pilot:
        put_cursor(app, f"{SAMPLE}/4")
        assert command(app, "work.verify") == f"archive-tui safe verify {SAMPLE}/4 --storage lab"
        await pilot.press("f6")
        await pilot.press("space", "space", "f6")
        await pilot.press("space", "up", "up", "space", "down", "space")
        browse(app).left.mark(set())
        put_cursor(app, f"{SAMPLE}/")
        assert command(app, "work.verify") == f"archive-tui safe verify {SAMPLE}/ --all --storage lab"
        await pilot.press("f6")
        assert "Read every dataset below" in text_of(app)
        await pilot.press("enter")
        browse(app).do_safe_verify()
        await pilot.press("enter")
        wanted = [([f"{SAMPLE}/4"], ""), ([f"{SAMPLE}/4", f"{SAMPLE}/5"], ""), (None, f"{SAMPLE}/"), (None, "")]
        assert [(request.parameters["lois"], request.parameters["prefix"]) for request in requests] == wanted


async def test_copying_from_an_objects_view_into_a_datasafe_is_refused(make_app: MakeApp, safe: MemorySafe) -> None:
    from tests.tui.conftest import storage_location

    app = make_app(storage_location(safe_location().store, "other"), safe_location())
    use_safe(app, safe)
    async with running(app) as pilot:
        context = browse(app).action_context
        assert not REGISTRY["work.copy"].available(context) and command(app, "work.copy") is None
        await pilot.press("f5")
        assert "for a datasafe files of this machine" in text_of(app).replace("\n ", " ")


async def test_a_folder_that_is_a_datasafe_is_written_by_nobody_else(
    make_app: MakeApp, safe: MemorySafe, folder: Path
) -> None:
    here = folder_location(folder)
    root = Location(here.store, here.prefix, None, folder, ("datasafe", "objects"), safe_prefix=here.prefix)
    app = make_app(here, root)
    use_safe(app, safe)
    async with running(app) as pilot:
        context = browse(app).action_context
        from archive_tui.tui.actions import browse_actions, manifest_actions

        assert not browse_actions.target_is_folder(context) and manifest_actions.fetch_folder(context) is None
        await pilot.press("tab", "home")
        assert browse(app).right.cursor_name == ".."
        put = f"archive-tui safe verify --all --root {folder}"
        assert command(app, "safe.verify") == put
        await pilot.press("enter")
        await wait_until(pilot, lambda: browse(app).right.view == "objects")
        assert browse(app).right.location is not None and browse(app).right.location.folder == folder.parent


# The guide that deposits.


async def open_guide(app: ArchiveApp, pilot: Any, number: int, *names: str) -> DepositScreen:
    """The folder on the right, the datasafe on the left: from there to here."""
    put_cursor(app, f"{SAMPLE}/{number}")
    await pilot.press("tab")
    right = browse(app).right
    right.mark(set(names))
    if not names:
        right.move_cursor(right.rows.find("station-07/".__eq__, 0) or 0)
    await pilot.press("f5")
    await wait_until(pilot, lambda: isinstance(app.screen, DepositScreen))
    assert isinstance(app.screen, DepositScreen)
    return app.screen


@pytest.fixture
def deposits(monkeypatch: pytest.MonkeyPatch, requests: Requests) -> Requests:
    from archive_tui.tui.screens.deposit import deposit_work

    monkeypatch.setattr(deposit_work, "place_of_safe", safe_routes.place_of_safe)

    def submit(app: ArchiveApp, services: object, make: Any, then: Any) -> None:
        requests.append(make())
        then(99)

    monkeypatch.setattr(deposit_work, "submit_watched", submit)
    return requests


async def test_marked_files_go_to_the_reserved_loi(app: ArchiveApp, deposits: Requests, folder: Path) -> None:
    (folder / "run.info").write_text("cwEPR Info file - v. 0.1.4 (2026-01-01)\n")
    async with running(app) as pilot:
        guide = await open_guide(app, pilot, 10, "raw.dat", "run.info")
        assert f"(•) {SAMPLE}/10  reserved, still empty" in text_of(app)
        await pilot.press("enter")
        await wait_until(pilot, lambda: "1 of them is metadata" in text_of(app))
        assert "✓ run.info" in text_of(app)
        await pilot.press("enter")
        await wait_until(pilot, lambda: "2 files, 2.0 KB; 1 metadata file" in text_of(app))
        assert guide.command_line.startswith(f"archive-tui safe put {SAMPLE}/10 {folder} --file ")
        await pilot.press("enter")
        await wait_until(pilot, lambda: bool(deposits))
        parameters = deposits[0].parameters
        assert parameters["loi"] == f"{SAMPLE}/10" and not parameters["is_update"]
        assert sorted(parameters["names"]) == ["raw.dat", "run.info"] and parameters["folder"] == str(folder)
        assert guide.draft.job_id == 99


async def test_a_folder_under_the_cursor_is_deposited_whole(app: ArchiveApp, deposits: Requests, folder: Path) -> None:
    async with running(app) as pilot:
        await open_guide(app, pilot, 10)
        await pilot.press("enter")
        await wait_until(pilot, lambda: "No metadata file is among them" in text_of(app))
        await pilot.press("enter")
        await wait_until(pilot, lambda: "It has no metadata file." in text_of(app))
        await pilot.press("enter")
        await wait_until(pilot, lambda: bool(deposits))
        parameters = deposits[0].parameters
        assert parameters["folder"] == str(folder / "station-07") and parameters["names"] is None


async def test_a_small_metadata_file_is_written_from_a_form(app: ArchiveApp, deposits: Requests, folder: Path) -> None:
    async with running(app) as pilot:
        await open_guide(app, pilot, 10, "raw.dat")
        await pilot.press("enter")
        await wait_until(pilot, lambda: "m writes a small one" in text_of(app))
        await pilot.press("m")
        await wait_until(pilot, lambda: "Operator" in text_of(app))
        await pilot.press(*"run: 7 #x", "enter", *"Ada", "enter", "enter", *"- [b]no[/b]", "enter")
        await wait_until(pilot, lambda: "1 of them is metadata" in text_of(app))
        import yaml

        found = yaml.safe_load((folder / "metadata.yaml").read_text())
        assert found == {
            "format": {"type": "archive-tui metadata", "version": "0.1.0"},
            "title": "run: 7 #x",
            "operator": "Ada",
            "comment": "- [b]no[/b]",
        }
        await pilot.press("enter", "enter")
        await wait_until(pilot, lambda: bool(deposits))
        assert sorted(deposits[0].parameters["names"]) == ["metadata.yaml", "raw.dat"]


async def test_a_metadata_file_never_replaces_another(app: ArchiveApp, folder: Path) -> None:
    (folder / "metadata.yaml").write_text("mine: 1\n")
    async with running(app) as pilot:
        await open_guide(app, pilot, 10, "raw.dat")
        await pilot.press("enter")
        await wait_until(pilot, lambda: "m writes a small one" in text_of(app))
        await pilot.press("m", "x", "pagedown")
        await wait_until(pilot, lambda: (folder / "metadata-2.yaml").exists())
        assert (folder / "metadata.yaml").read_text() == "mine: 1\n"


async def test_a_new_loi_is_reserved_first_and_the_pane_shows_it(
    app: ArchiveApp, safe: MemorySafe, deposits: Requests
) -> None:
    async with running(app) as pilot:
        guide = await open_guide(app, pilot, 4, "raw.dat")
        assert "(•) reserve a new LOI" in text_of(app) and f"( ) {SAMPLE}/4  update" in text_of(app)
        await pilot.press("enter")
        await wait_until(pilot, lambda: f"reserve a number below: {SAMPLE}" in text_of(app))
        await pilot.press("enter")
        await wait_until(pilot, lambda: f"Reserved: {SAMPLE}/11" in text_of(app))
        assert guide.draft.loi == f"{SAMPLE}/11" and browse(app).left.cursor_name == f"{SAMPLE}/11"
        await pilot.press("Y")
        assert app.clipboard == f"{SAMPLE}/11"
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is browse(app))
        await pilot.press("f5")
        await wait_until(pilot, lambda: app.screen is not browse(app))
        assert safe.known[f"{SAMPLE}/11"].files is None and deposits == []


async def test_an_update_says_what_becomes_of_the_old_one_and_asks(app: ArchiveApp, deposits: Requests) -> None:
    async with running(app) as pilot:
        await open_guide(app, pilot, 4, "raw.dat")
        await pilot.press("down")
        assert f"(•) {SAMPLE}/4  update" in text_of(app) and "kept as old version 1" in text_of(app)
        await pilot.press("enter")
        await wait_until(pilot, lambda: "m writes a small one" in text_of(app))
        await pilot.press("enter")
        await wait_until(pilot, lambda: "Update" in text_of(app) and "safety" in text_of(app))
        await pilot.press("enter")
        assert "u update · any other key no" in text_of(app)
        await pilot.press("enter")
        assert deposits == []
        await pilot.press("enter", "u")
        await wait_until(pilot, lambda: bool(deposits))
        assert deposits[0].parameters["is_update"] and deposits[0].parameters["loi"] == f"{SAMPLE}/4"


async def test_a_reservation_that_fails_leaves_the_guide_where_it_is(app: ArchiveApp, safe: MemorySafe) -> None:
    async with running(app) as pilot:
        guide = await open_guide(app, pilot, 4, "raw.dat")
        safe.failure = StorageUnavailable("No answer from the safe.", hint="Is it up?")
        await pilot.press("enter", "enter")
        await wait_until(pilot, lambda: "No answer from the safe." in text_of(app))
        assert guide.draft.step == 0


async def test_going_back_and_files_that_vanish(app: ArchiveApp, folder: Path) -> None:
    async with running(app, size=(60, 16)) as pilot:
        guide = await open_guide(app, pilot, 10, "raw.dat")
        await pilot.press("enter")
        await wait_until(pilot, lambda: guide.draft.scan is not None)
        await pilot.press("enter", "pageup", "pageup")
        assert guide.draft.step == 0
        (folder / "raw.dat").unlink()
        await pilot.press("enter")
        await wait_until(pilot, lambda: guide.draft.scan is not None)
        await pilot.press("enter", "enter")
        await wait_until(pilot, lambda: "There is no file to deposit." in text_of(app))
        assert guide.draft.step == 2


async def test_hostile_names_in_the_guide_are_escaped(app: ArchiveApp, folder: Path) -> None:
    name = "ev\x1b[31mil\u202e.info"
    (folder / name).write_text("x")
    async with running(app) as pilot:
        browse(app).right.list_again()
        await open_guide(app, pilot, 10, name)
        for _ in range(2):
            await pilot.press("enter")
            await pilot.pause()
        await wait_until(pilot, lambda: "safety" in text_of(app))
        assert "\x1b" not in text_of(app) and "\u202e" not in text_of(app) and "\\x1b" in text_of(app)


@pytest.mark.parametrize(("code", "claims"), [("deposit-refused", True), ("deposit-unsettled", False)])
def test_nothing_is_claimed_of_a_deposit_that_nobody_heard_the_end_of(code: str, claims: bool) -> None:
    from archive_tui.jobs.states import JobState
    from archive_tui.tui.screens.deposit.deposit_lines import progress_rows
    from tests.tui.job_samples import make_job

    job = make_job(state=JobState.FAILED, code=code)
    text = "\n".join("".join(part for part, _ in row) for row in progress_rows(job, 78))
    assert ("Nothing was deposited." in text) is claims and "r tries again" in text

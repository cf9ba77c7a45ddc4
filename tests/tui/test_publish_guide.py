"""The publish guide on a real folder and a real archive folder, from its first step to its receipt, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_tui.archives.datasets.catalog import find_version, list_versions, read_version_manifest
from archive_tui.errors import StorageUnavailable
from archive_tui.jobs.states import JobState
from archive_tui.objects.folder.store import FolderStore
from archive_tui.tui import routes
from archive_tui.tui.rows.selection import Selected
from archive_tui.tui.screens.browse.browse_screen import BrowseScreen
from archive_tui.tui.screens.publish.publish_screen import PublishScreen
from tests.tui.guide_places import Place, make_source, open_place


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_source(tmp_path)
    return tmp_path


def open_guide(place: Place, *names: str) -> None:
    screen = place.app.browse_screen
    assert screen is not None and screen.left.location is not None and screen.right.location is not None
    picked = tuple(Selected(name, name, name.endswith("/")) for name in names)
    routes.open_publish(place.app, screen.left.location, screen.right.location, picked)


def step_of(place: Place) -> int:
    assert isinstance(place.app.screen, PublishScreen)
    return place.app.screen.draft.step


async def go_to_version(place: Place) -> None:
    await place.until_text("Dataset")
    await place.press("pagedown")
    await place.until_text("can be published")
    await place.press("enter")
    await place.until_text("(•)")


async def publish_through(place: Place) -> None:
    """From the version step to the receipt, with nothing changed on the way."""
    await place.press("enter")
    await place.until_text("Licence")
    await place.press("pagedown")
    await place.until_text("safety")
    await place.press("enter")
    await place.until_text("in Python")


async def test_a_folder_is_published_and_then_its_change(root: Path) -> None:
    async with open_place(root) as place:
        open_guide(place, "station-07/")
        await go_to_version(place)
        assert "station-07 is new here" in place.text and "0.0.1" in place.text
        await publish_through(place)
        assert "station-07.0.0.1.zip" in place.text
        assert place.evidence[0].key == "station-07.0.0.1.zip"
        await place.press("enter")
        await place.until(lambda: isinstance(place.app.screen, BrowseScreen))
        await place.until_text("publish station-07 0.0.1: verified")

        source = root / "home" / "station-07"
        (source / "notes").mkdir()
        (source / "notes" / "a.txt").write_text("new")
        (source / "sensors.csv").write_text("shorter")
        (source / "README.md").unlink()
        same_size = source / "raw" / "2026-01.dat"
        same_size.write_bytes(b"x" * same_size.stat().st_size)
        open_guide(place, "station-07/")
        await go_to_version(place)
        assert "Latest is 0.0.1" in place.text and "compared by name and size" in place.text
        assert "? equal size         8 files" in place.text
        await place.press("h")
        await place.until_text("compared by SHA-256")
        for line in ("+ added              1 file ", "* changed            2 files", "- removed            1 file "):
            assert line in place.text
        assert "= same               7 files" in place.text
        assert "(•) 0.1.0     minor   files were removed" in place.text
        await place.press("d")
        await place.until_text("+       3 B  notes/a.txt", "raw/2026-01.dat")
        await place.press("escape", "up")
        await publish_through(place)
        store = place.page.services.storage("lab").store
        assert [known.version for known in list_versions(store, "station-07")] == ["0.0.1", "0.0.2"]
        manifest = read_version_manifest(store, find_version(store, "station-07"))
        assert len(manifest.inventory) == 10


async def test_every_step_fits_into_80_by_24(root: Path) -> None:
    async with open_place(root) as place:
        open_guide(place, "station-07/")
        await place.until_text("Dataset")
        for texts in (
            ("step 1 of 7", "Into"),
            ("step 2 of 7", "10 files"),
            ("step 3 of 7", "other"),
            ("step 4 of 7", "Keywords"),
        ):
            await place.until_text(*texts, "Esc leave")
            await place.press("pagedown")
        await place.until_text("step 5 of 7", "command", "Enter publish now")
        lines = place.text.split("\n")
        assert len(lines) == 24 and all(len(line) == 80 for line in lines)


async def test_back_works_in_every_step_and_nothing_entered_is_lost(root: Path) -> None:
    async with open_place(root) as place:
        open_guide(place, "station-07/")
        await place.until_text("Dataset")
        await place.press("end")
        await place.type("b")
        await go_to_version(place)
        await place.press("down", "down", "enter")
        await place.until_text("Licence")
        await place.type("Wind and rain")
        await place.press("pagedown")
        await place.until_text("station-07b 1.0.0", "safety")
        await place.press("pageup")
        await place.until_text("Licence", "Wind and rain")
        await place.press("pageup")
        await place.until_text("(•) 1.0.0")
        await place.press("backspace")
        await place.until_text("10 files", "can be published")
        await place.press("pageup")
        await place.until_text("step 1 of 7", "station-07b")


async def test_leaving_keeps_the_draft(root: Path) -> None:
    async with open_place(root) as place:
        open_guide(place, "station-07/")
        await go_to_version(place)
        await place.press("enter")
        await place.until_text("Licence")
        await place.type("Wind and rain")
        await place.press("escape")
        await place.until(lambda: isinstance(place.app.screen, BrowseScreen))
        await place.until_text("The draft is kept")
        open_guide(place, "station-07/")
        await place.until_text("step 4 of 7", "Wind and rain")
        assert not place.jobs


async def test_a_name_is_refused_while_it_is_typed(root: Path) -> None:
    async with open_place(root) as place:
        open_guide(place, "station-07/")
        await place.until_text("Dataset")
        await place.press("end")
        await place.type("ü")
        await place.until_text("Dataset name refused")
        await place.press("pagedown")
        await place.pilot.pause()
        assert step_of(place) == 0
        await place.press("backspace")
        await place.until(lambda: "name refused" not in place.text)


async def test_a_name_proposed_from_a_folder_can_be_published(root: Path) -> None:
    odd = root / "home" / "Wärme (2026)"
    odd.mkdir()
    (odd / "a.txt").write_text("a")
    async with open_place(root) as place:
        open_guide(place, "Wärme (2026)/")
        await place.until_text("Dataset")
        assert "refused" not in place.text
        await go_to_version(place)


async def test_what_is_in_the_way_is_named_and_stops_the_guide(root: Path) -> None:
    source = root / "home" / "station-07"
    (source / "manifest.json").write_text('{"mine": true}')
    async with open_place(root) as place:
        open_guide(place, "station-07/")
        await place.until_text("Dataset")
        await place.press("pagedown")
        await place.until_text("Cannot be published", "manifest.json")
        await place.press("enter")
        await place.pilot.pause()
        assert step_of(place) == 1
        (source / "manifest.json").unlink()
        await place.press("r")
        await place.until_text("Everything here can be published")


async def test_only_what_is_marked_is_published(root: Path) -> None:
    home = root / "home"
    (home / "a.txt").write_text("a")
    (home / "b.txt").write_text("b")
    async with open_place(root) as place:
        open_guide(place, "a.txt", "station-07/")
        await place.until_text("Only what you have marked", "a.txt  station-07")
        await go_to_version(place)
        await place.press("enter")
        await place.until_text("Licence")
        await place.press("pagedown")
        await place.until_text("11 files", "there is none: only some entries")
        await place.press("enter")
        await place.until_text("in Python")
        store = place.page.services.storage("lab").store
        paths = {entry.path for entry in read_version_manifest(store, find_version(store, "home")).inventory}
        assert "a.txt" in paths and "station-07/README.md" in paths and "b.txt" not in paths


async def test_a_version_of_ones_own_may_be_lower_and_that_is_said(root: Path) -> None:
    async with open_place(root) as place:
        open_guide(place, "station-07/")
        await go_to_version(place)
        await place.type("2.0.0")
        await publish_through(place)
        await place.press("enter")
        await place.until(lambda: isinstance(place.app.screen, BrowseScreen))
        open_guide(place, "station-07/")
        await go_to_version(place)
        await place.type("1.x")
        await place.until_text("Version refused", "1.x")
        await place.press("backspace")
        await place.type("5.0")
        await place.until_text("1.5.0 is lower than 2.0.0")
        await place.press("enter")
        await place.until_text("Licence")
        await place.press("pagedown")
        await place.until_text("1.5.0 is lower than the latest version 2.0.0")


async def test_a_version_taken_meanwhile_is_a_conflict_that_is_shown(root: Path) -> None:
    async with open_place(root) as place:
        open_guide(place, "station-07/")
        await go_to_version(place)
        await place.press("enter")
        await place.until_text("Licence")
        await place.press("pagedown")
        await place.until_text("safety")
        (root / "lab").mkdir(exist_ok=True)
        (root / "lab" / "station-07.0.0.1.zip").write_bytes(b"somebody else's")
        await place.press("enter")
        await place.until_text("? needs a decision", "d decide")
        await place.press("d")
        await place.until_text("1 question open", "1  station-07 0.0.1", "l  ", "b  ")
        assert "overwrite what is there" not in place.text, "a published version is never replaced"
        await place.press("l")
        await place.until_text("Nothing is left to decide.")
        await place.press("escape")
        await place.until_text("exists already in", "Published versions are never overwritten", "r try again")
        assert (root / "lab" / "station-07.0.0.1.zip").read_bytes() == b"somebody else's"
        await place.press("pageup")
        await place.until_text("step 5 of 7")


async def test_a_version_taken_meanwhile_gives_way_to_the_next_number(root: Path) -> None:
    async with open_place(root) as place:
        open_guide(place, "station-07/")
        await go_to_version(place)
        await place.press("enter")
        await place.until_text("Licence")
        await place.press("pagedown")
        await place.until_text("safety")
        (root / "lab").mkdir(exist_ok=True)
        (root / "lab" / "station-07.0.0.1.zip").write_bytes(b"somebody else's")
        await place.press("enter")
        await place.until_text("d decide")
        await place.press("d")
        await place.until_text("1 question open")
        await place.press("b")
        await place.until_text("Nothing is left to decide.")
        await place.press("escape")
        await place.until_text("Published  station-07 0.0.2")


async def test_a_storage_that_cannot_be_reached_is_said_and_asked_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(store: FolderStore, prefix: str = "", *, recursive: bool = True) -> None:
        raise StorageUnavailable("No answer from the archive folder.", hint="Is it mounted?")

    async with open_place(root) as place:
        open_guide(place, "station-07/")
        await place.until_text("Dataset")
        await place.press("pagedown")
        await place.until_text("can be published")
        monkeypatch.setattr(FolderStore, "list", refuse)
        await place.press("enter")
        await place.until_text("Not known yet what is published", "✗")
        monkeypatch.undo()
        await place.press("r")
        await place.until_text("is new here")


async def test_the_receipt_is_saved_and_nothing_is_replaced_by_it(root: Path) -> None:
    async with open_place(root) as place:
        open_guide(place, "station-07/")
        await go_to_version(place)
        await publish_through(place)
        await place.press("w", "enter")
        await place.until_text("Saved:")
        text = (root / "home" / "station-07.0.0.1.receipt.txt").read_text()
        assert "key         station-07.0.0.1.zip" in text and "evidence    verified" in text
        await place.press("w", "enter")
        await place.until_text("✗")
        assert (root / "home" / "station-07.0.0.1.receipt.txt").read_text() == text


async def test_publishing_the_same_again_says_that_it_is_there(root: Path) -> None:
    async with open_place(root) as place:
        for expected in ("Published  station-07 0.0.1", "already published, nothing was written"):
            open_guide(place, "station-07/")
            await go_to_version(place)
            await publish_through(place)
            assert expected in place.text
            await place.press("enter")
            await place.until(lambda: isinstance(place.app.screen, BrowseScreen))
        assert [job.state for job in place.jobs] == [JobState.VERIFIED, JobState.FINISHED]


async def test_names_from_outside_are_shown_escaped(root: Path) -> None:
    (root / "home" / "station-07" / "[red]x\x1b[2J.txt").write_text("x")
    async with open_place(root) as place:
        open_guide(place, "station-07/")
        await place.until_text("Dataset")
        await place.press("pagedown")
        await place.until_text("control characters: [red]x\\x1b[2J.txt")
        assert "\x1b" not in place.text


async def test_a_job_outlives_its_screen(root: Path) -> None:
    async with open_place(root) as place:
        open_guide(place, "station-07/")
        await go_to_version(place)
        await place.press("enter")
        await place.until_text("Licence")
        await place.press("pagedown")
        await place.until_text("safety")
        await place.press("enter", "escape")
        await place.until(lambda: isinstance(place.app.screen, BrowseScreen))
        await place.until(lambda: place.jobs and not place.engine.is_busy)
        assert place.jobs[0].state is JobState.VERIFIED
        await place.until_text("publish station-07 0.0.1: verified")


async def test_an_idle_guide_runs_no_timer(root: Path) -> None:
    async with open_place(root) as place:
        open_guide(place, "station-07/")
        await go_to_version(place)
        assert place.page._ticker is None


async def test_the_details_say_what_enter_does_and_how_to_leave_from_any_field(root: Path) -> None:
    async with open_place(root) as place:
        open_guide(place, "station-07/")
        await go_to_version(place)
        await place.press("enter")
        await place.until_text("Enter next field", "PgDn next step", "PgDn goes on from any field.")
        assert place.page.step.focused_field == 0
        await place.press("enter")
        await place.until(lambda: place.page.step.focused_field == 1)
        await place.press("down", "down", "down")
        await place.until_text("Enter next  ")
        assert "next field" not in place.text
        await place.press("up", "up", "pagedown")
        await place.until_text("safety")


async def test_the_palette_is_a_letter_while_a_field_has_the_focus(root: Path) -> None:
    async with open_place(root) as place:
        open_guide(place, "station-07/")
        await place.until_text("Dataset")
        await place.press("colon")
        assert not place.page.has_class("-menu") and place.page.step.fields[1].value.endswith(":")
        await place.press("backspace", "pagedown")
        await place.until_text("can be published")
        await place.press("colon")
        await place.until_text("Look at the source again", "Next step")

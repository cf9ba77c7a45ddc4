"""F5 between any two panes: files, objects and folders as they are, proven there, with conflicts left for later."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_tui.archives.locations import open_folder, open_storage_location
from archive_tui.jobs.states import JobState
from archive_tui.tui.actions.browse_actions import can_copy, can_copy_files, copy_command
from archive_tui.tui.actions.registry import ActionContext
from archive_tui.tui.panes.pane import Pane
from archive_tui.tui.rows.selection import Selected
from tests.tui.guide_places import Place, make_settings, open_place

HOSTILE = "[bold]x \u202egnp.txt"
REFUSED = "new\nline \x1b[31m.txt"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "home" / "sub").mkdir(parents=True)
    (tmp_path / "home" / "a.txt").write_bytes(b"alpha")
    (tmp_path / "home" / "sub" / "b.txt").write_bytes(b"beta")
    (tmp_path / "back").mkdir()
    return tmp_path


def panes(place: Place) -> tuple[Pane, Pane]:
    screen = place.app.browse_screen
    assert screen is not None
    return screen.left, screen.right


async def mark_all(place: Place) -> None:
    await place.until(lambda: not panes(place)[0].is_loading)
    await place.press("asterisk")


async def test_marked_files_and_folders_are_copied_into_a_storage(root: Path) -> None:
    async with open_place(root) as place:
        await mark_all(place)
        await place.press("f5")
        await place.until_text("Copy 2 entries to lab?", "Enter copy")
        await place.press("enter")
        await place.until(lambda: place.jobs and place.jobs[0].state.is_end)
        assert (root / "lab" / "a.txt").read_bytes() == b"alpha"
        assert (root / "lab" / "sub" / "b.txt").read_bytes() == b"beta"
        assert place.jobs[0].state is JobState.VERIFIED
        await place.until_text("copy 2 items to lab: verified.")


async def test_nothing_is_copied_without_an_answer(root: Path) -> None:
    async with open_place(root) as place:
        await mark_all(place)
        await place.press("f5")
        await place.until_text("Enter copy")
        await place.press("escape")
        assert not place.jobs


async def test_what_differs_there_waits_in_the_tray_while_the_rest_is_copied(root: Path) -> None:
    (root / "back" / "a.txt").write_bytes(b"mine, and longer")
    async with open_place(root, size=(120, 36)) as place:
        screen = place.app.browse_screen
        assert screen is not None
        screen.go_to(screen.right, open_folder(root / "back"))
        await place.until(lambda: not screen.right.is_loading)
        await mark_all(place)
        await place.press("f5", "enter")
        await place.until(lambda: "the rest is done: J, then d." in " ".join(place.text.split()))
        await place.until(lambda: panes(place)[1].rows.count == 3)
        assert (root / "back" / "sub" / "b.txt").read_bytes() == b"beta"
        assert (root / "back" / "a.txt").read_bytes() == b"mine, and longer"
        await place.press("J", "d")
        await place.until_text("1 question open", "a.txt", "o  ", "overwrite")
        await place.press("o")
        await place.until(lambda: place.jobs[0].state.is_end)
        assert place.jobs[0].state is JobState.VERIFIED
        assert (root / "back" / "a.txt").read_bytes() == b"alpha"


async def test_hostile_names_are_copied_and_never_interpreted(root: Path) -> None:
    (root / "home" / HOSTILE).write_bytes(b"x")
    async with open_place(root, size=(120, 36)) as place:
        left, right = panes(place)
        screen = place.app.browse_screen
        assert screen is not None
        screen.go_to(right, open_folder(root / "back"))
        await place.until(lambda: not left.is_loading and not right.is_loading)
        left.move_cursor(next(row for row in range(left.rows.count) if left.rows.name(row) == HOSTILE))
        await place.press("f5")
        await place.until_text("Copy [bold]x \\u202egnp.txt (1 B) to ")
        await place.press("enter")
        await place.until(lambda: place.jobs and place.jobs[0].state.is_end)
        assert place.jobs[0].state is JobState.VERIFIED
        assert (root / "back" / HOSTILE).read_bytes() == b"x"
        assert "\x1b" not in place.text


async def test_a_name_that_no_place_accepts_is_a_finding_and_not_a_command(root: Path) -> None:
    (root / "home" / REFUSED).write_bytes(b"x")
    async with open_place(root) as place:
        await mark_all(place)
        await place.press("f5", "enter")
        await place.until(lambda: place.jobs and place.jobs[0].state is JobState.FINDINGS)
        await place.press("J", "enter")
        await place.until_text("Findings (1)", "new\\nline \\x1b[31m.txt")
        assert "\x1b" not in place.text


async def test_objects_of_a_storage_are_copied_into_a_folder_and_into_another_storage(root: Path) -> None:
    (root / "lab" / "raw").mkdir(parents=True)
    (root / "lab" / "raw" / "x.dat").write_bytes(b"x")
    async with open_place(root, folder=root / "back") as place:
        screen = place.app.browse_screen
        assert screen is not None
        _, right = panes(place)
        right.open_location(open_storage_location(place.app.settings, "lab"), view="objects")
        await place.until(lambda: right.view == "objects" and not right.is_loading and right.rows.count > 0)
        screen.activate(right)
        await place.press("home", "f5")
        await place.until_text("Copy raw/ to ")
        await place.press("enter")
        await place.until(lambda: place.jobs and place.jobs[0].state.is_end)
        assert (root / "back" / "raw" / "x.dat").read_bytes() == b"x"
        left, _ = panes(place)
        left.open_location(open_storage_location(place.app.settings, "second", "deep"), view="objects")
        await place.until(lambda: left.view == "objects" and not left.is_loading)
        await place.press("f5", "enter")
        await place.until(lambda: len(place.jobs) == 2 and place.jobs[1].state.is_end)
        assert (root / "second" / "deep" / "raw" / "x.dat").read_bytes() == b"x"


def test_what_can_be_copied_and_by_which_command(root: Path) -> None:
    settings = make_settings(root)
    here, there = open_folder(root / "home"), open_storage_location(settings, "lab", "deep")
    picked = (Selected("a.txt", "k"), Selected("sub/", "k", True))
    context = ActionContext(here, there, "objects", picked)
    assert can_copy(context)
    assert copy_command(context) == (f"archive-tui copy {root}/home/a.txt {root}/home/sub lab:deep/ --on-conflict ask")
    assert not can_copy(ActionContext(here, here, "objects", picked)), "nothing is copied onto itself"
    assert not can_copy_files(ActionContext(here, there, "objects", ()))
    assert not can_copy_files(ActionContext(there, here, "vault", picked))

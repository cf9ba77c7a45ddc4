"""Moving, renaming, deleting and new folders from the panes: planned, looked at, done as jobs, nothing overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_tui.archives.locations import open_folder, open_storage_location
from archive_tui.jobs.states import JobState
from archive_tui.objects.memory import MemoryStore
from archive_tui.operations.trash import Trash
from archive_tui.tui import file_routes
from archive_tui.tui.actions.registry import REGISTRY, ActionContext
from archive_tui.tui.panes.file_properties import count_lines, trait_lines
from archive_tui.tui.rows.selection import Selected
from archive_tui.tui.screens.deleting.delete_screen import DeleteScreen
from archive_tui.tui.screens.renaming.rename_screen import RenameScreen
from tests.tui.guide_places import Place, make_settings, open_place

HOSTILE = "[bold]x \u202egnp.txt"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    (tmp_path / "home" / "sub").mkdir(parents=True)
    (tmp_path / "home" / "a.txt").write_bytes(b"alpha")
    (tmp_path / "home" / "b.txt").write_bytes(b"beta")
    (tmp_path / "home" / "sub" / "c.txt").write_bytes(b"gamma")
    (tmp_path / "lab").mkdir()
    return tmp_path


async def put_cursor_on(place: Place, name: str) -> None:
    screen = place.app.browse_screen
    assert screen is not None
    pane = screen.left
    await place.until(lambda: not pane.is_loading, "listed")
    rows = [pane.rows.name(row) for row in range(pane.rows.count)]
    pane.move_cursor(rows.index(name))
    await place.pilot.pause()


async def until_ended(place: Place) -> None:
    await place.until(lambda: place.jobs and place.jobs[-1].state.is_end, "the end of the job")


async def mark_files(place: Place) -> None:
    await put_cursor_on(place, "a.txt")
    await place.press("space")
    await put_cursor_on(place, "b.txt")
    await place.press("space")


async def test_what_is_moved_lies_there_and_no_longer_here(root: Path) -> None:
    async with open_place(root) as place:
        await put_cursor_on(place, "sub/")
        await place.press("m")
        await place.until_text("Move sub/ to lab?", "Enter move")
        await place.press("enter")
        await until_ended(place)
        assert (root / "lab" / "sub" / "c.txt").read_bytes() == b"gamma"
        assert not (root / "home" / "sub").exists()
        assert place.jobs[0].kind == "move"


async def test_nothing_is_moved_without_an_answer_and_other_content_there_stays(root: Path) -> None:
    (root / "lab" / "a.txt").write_bytes(b"other")
    async with open_place(root) as place:
        await put_cursor_on(place, "a.txt")
        await place.press("m")
        await place.until_text("Enter move")
        await place.press("y")
        assert not place.jobs
        await place.press("m", "enter")
        await place.until(lambda: place.jobs and place.jobs[0].state is JobState.UNDECIDED, "a question")
        assert (root / "lab" / "a.txt").read_bytes() == b"other"
        assert (root / "home" / "a.txt").read_bytes() == b"alpha"


async def test_one_name_is_edited_in_the_line_with_the_cursor_before_its_suffix(root: Path) -> None:
    async with open_place(root) as place:
        await put_cursor_on(place, "a.txt")
        await place.press("f2")
        await place.until_text("rename to:")
        await place.type("lpha")
        await place.press("enter")
        await until_ended(place)
        assert (root / "home" / "alpha.txt").read_bytes() == b"alpha"
        assert not (root / "home" / "a.txt").exists()


@pytest.mark.parametrize(("new", "said"), [("b.txt", "which lies there already"), ("x/y", "slash"), ("", "refused")])
async def test_a_name_that_is_taken_or_none_is_refused_before_anything_is_queued(
    root: Path, new: str, said: str
) -> None:
    async with open_place(root, size=(120, 30)) as place:
        await put_cursor_on(place, "a.txt")
        await place.press("R", "end", "ctrl+u")
        await place.type(new)
        await place.press("enter")
        await place.until_text(said)
        assert not place.jobs
        assert (root / "home" / "a.txt").read_bytes() == b"alpha"


async def test_several_are_renamed_by_a_pattern_that_shows_what_becomes_of_each(root: Path) -> None:
    async with open_place(root) as place:
        await mark_files(place)
        await place.press("f2")
        await place.until(lambda: isinstance(place.app.screen, RenameScreen), "the page")
        await place.until_text("Enter next field", "2 stay")
        assert not place.page.is_live(), "what stands still sends nothing"
        await place.press("ctrl+u")
        await place.type("*.txt")
        await place.press("enter", "ctrl+u")
        await place.press(*"same.dat")
        await place.until_text("2 clash", "and another one becomes")
        await place.press("enter")
        assert not place.jobs, "a clash keeps it from being done"
        await place.press("ctrl+u", "left_curly_bracket", "1", "right_curly_bracket", *".dat")
        await place.until_text("a.txt", "→ a.dat", "2 to rename")
        await place.press("enter")
        await until_ended(place)
        assert sorted(path.name for path in (root / "home").iterdir()) == ["a.dat", "b.dat", "sub"]


async def test_a_pattern_between_slashes_is_a_regular_expression_and_a_wrong_one_is_explained(root: Path) -> None:
    async with open_place(root) as place:
        await mark_files(place)
        await place.press("f2")
        await place.until(lambda: isinstance(place.app.screen, RenameScreen), "the page")
        await place.press("ctrl+u", "slash", "left_parenthesis")
        await place.until_text("no regular expression")
        await place.press("ctrl+u", "slash", *"^a", "slash", "enter", "ctrl+u", "z")
        await place.until_text("→ z.txt", "1 to rename · 1 stay")
        await place.press("f1")
        await place.until_text("Leave: nothing is renamed")
        await place.press("f1")
        await place.press("enter")
        await until_ended(place)
        assert sorted(path.name for path in (root / "home").iterdir()) == ["b.txt", "sub", "z.txt"]


async def test_deleting_is_reviewed_and_goes_to_the_trash(root: Path) -> None:
    async with open_place(root) as place:
        await put_cursor_on(place, "sub/")
        await place.press("f8")
        await place.until_text("Delete from", "1 object, 5 B", "to the trash")
        assert not place.page.is_live(), "what stands still sends nothing"
        await place.press("enter")
        await place.until_text("Nothing was deleted.")
        assert not place.jobs
        await place.press("8")
        await place.until_text("1 object, 5 B")
        await place.press("t")
        await until_ended(place)
        assert place.jobs[0].state is JobState.FINISHED, place.jobs[0].message
        assert not (root / "home" / "sub").exists()
        assert list((root / "share" / "Trash" / "files").rglob("c.txt"))


async def test_for_good_the_count_has_to_be_typed(root: Path) -> None:
    async with open_place(root) as place:
        await mark_files(place)
        await place.press("f8")
        await place.until_text("2 objects, 9 B")
        await place.press("D", "3", "enter")
        await place.until_text("That is not the number")
        assert not place.jobs
        await place.press("D", "2", "enter")
        await until_ended(place)
        assert sorted(path.name for path in (root / "home").iterdir()) == ["sub"]
        screen = place.app.browse_screen
        assert screen is not None
        await place.until(lambda: not screen.left.marked, "no marks on what is gone")


async def test_a_published_version_is_refused_with_what_it_is_and_the_command_for_it(root: Path) -> None:
    (root / "home" / "winds.1.0.0.zip").write_bytes(b"zip")
    async with open_place(root, size=(120, 30)) as place:
        await put_cursor_on(place, "winds.1.0.0.zip")
        await place.press("f8")
        await place.until_text("✗ refused", "a published version", "archive-tui dataset delete")
        await place.press("t", "D", "2", "enter")
        assert not place.jobs
        assert (root / "home" / "winds.1.0.0.zip").exists()


async def test_a_new_folder_is_made_and_under_the_cursor(root: Path) -> None:
    async with open_place(root) as place:
        await put_cursor_on(place, "sub/")
        await place.press("f7")
        await place.until_text("new folder:")
        await place.type("new")
        await place.press("enter")
        await place.until_text("Made the folder new.")
        assert (root / "home" / "new").is_dir()
        screen = place.app.browse_screen
        assert screen is not None
        await place.until(lambda: screen.left.cursor_name == "new/", "the cursor on it")
        await place.press("7")
        await place.type("sub")
        await place.press("enter")
        await place.until_text("✗")
        assert (root / "home" / "sub" / "c.txt").exists()


async def test_properties_of_a_folder_say_what_lies_below(root: Path) -> None:
    async with open_place(root) as place:
        await put_cursor_on(place, "sub/")
        await place.press("f4")
        await place.until_text("1 object", "5 B (5 bytes)", "newest")
        await place.press("escape")
        screen = place.app.browse_screen
        assert screen is not None
        screen.left.move_cursor(0)
        await place.press("f4")
        await place.until_text("3 objects", "what the store promises")


async def test_a_store_that_keeps_versions_says_so_and_asks_no_count(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_routes, "find_trash", lambda store: Trash.VERSIONS)
    async with open_place(root) as place:
        await put_cursor_on(place, "a.txt")
        await place.press("f8")
        await place.until_text("keeps what is deleted as earlier versions", "t delete, keep versions")
        assert "delete for good" not in place.text
        await place.press("D")
        assert not place.jobs


async def test_what_comes_between_the_count_and_the_answer_is_not_deleted(root: Path) -> None:
    async with open_place(root) as place:
        await put_cursor_on(place, "sub/")
        await place.press("f8")
        await place.until_text("1 object, 5 B")
        (root / "home" / "sub" / "late.txt").write_bytes(b"late")
        await place.press("t")
        await until_ended(place)
        assert place.jobs[0].state is JobState.FAILED
        assert (root / "home" / "sub" / "c.txt").exists()
        assert (root / "home" / "sub" / "late.txt").exists()


async def test_hostile_names_are_shown_escaped_in_the_review(root: Path) -> None:
    (root / "home" / HOSTILE).write_bytes(b"x")
    async with open_place(root) as place:
        await put_cursor_on(place, HOSTILE)
        await place.press("f8")
        await place.until_text("1 object")
        assert "\u202e" not in place.text
        assert "[bold]x" in place.text


def test_counting_stops_when_nobody_looks() -> None:
    store = MemoryStore()
    for name in ("a", "b"):
        store.put(f"x/{name}", [b"12"])

    whole = "".join(text for line in count_lines(store, "x/", 40, lambda: False) for text, _ in line)
    assert "2 objects" in whole
    assert "4 bytes" in whole
    stopped = "".join(text for line in count_lines(store, "x/", 40, lambda: True) for text, _ in line)
    assert "more than 0 objects" in stopped
    assert any("never overwrites" in text for line in trait_lines(store, 40) for text, _ in line)


def test_each_file_operation_has_its_command_line(root: Path) -> None:
    settings = make_settings(root)
    here, there = open_folder(root / "home"), open_storage_location(settings, "lab", "in")
    picked = (Selected("a b.txt", "home/a b.txt", size=5),)
    context = ActionContext(here, there, "objects", picked, target_view="objects")
    folder = root / "home"

    lines = {
        word: REGISTRY[f"files.{word}"].command_line(context) for word in ("move", "rename", "delete", "new-folder")
    }
    assert lines == {
        "move": f"archive-tui move '{folder}/a b.txt' lab:in/ --on-conflict ask",
        "rename": f"archive-tui rename '{folder}/a b.txt' NEW",
        "delete": f"archive-tui delete '{folder}/a b.txt'",
        "new-folder": f"archive-tui mkdir {folder}/NEW",
    }
    back = ActionContext(there, here, "objects", (Selected("c", "in/c"), Selected("d/", "in/d", True)))
    assert REGISTRY["files.delete"].command_line(back) == "archive-tui delete lab:in/c lab:in/d"
    assert REGISTRY["files.move"].command_line(ActionContext(there, there, "objects", picked)) is None
    for word in ("move", "rename", "delete"):
        assert REGISTRY[f"files.{word}"].command_line(ActionContext(there, here, "datasets", picked)) is None


async def test_the_review_and_the_preview_can_be_copied_as_commands(root: Path) -> None:
    async with open_place(root) as place:
        await mark_files(place)
        await place.press("f8")
        await place.until(lambda: isinstance(place.app.screen, DeleteScreen), "the page")
        await place.until_text("2 objects")
        await place.press("y")
        folder = root / "home"
        assert place.app.clipboard == f"archive-tui delete {folder}/a.txt {folder}/b.txt --trash"
        await place.press("escape", "f2")
        await place.until(lambda: isinstance(place.app.screen, RenameScreen), "the page")
        await place.press("f4")
        assert place.app.clipboard == f"archive-tui rename {folder}/a.txt {folder}/b.txt '--pattern=*' '--to={{1}}'"

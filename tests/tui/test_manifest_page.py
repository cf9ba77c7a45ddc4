"""Manifests and the vault from the panes, on a real folder and a real archive: list, check, ask, archive, fetch."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.locations import open_folder, open_manifest_location, open_storage_location
from archive_tui.archives.storages import open_storage
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import StorageUnavailable
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.jobs.states import JobState
from archive_tui.names.content_address import content_key
from archive_tui.objects.folder.store import FolderStore
from archive_tui.tui.rows.manifest_rows import ManifestRows
from archive_tui.tui.screens.browse.browse_screen import BrowseScreen
from archive_tui.tui.screens.verify import VerifyScreen
from tests.tui.guide_places import Place, make_settings, open_place

FILES = {"a.txt": b"alpha", "b.txt": b"beta", "c.txt": b"alpha", "sub/d e.txt": b"delta"}
SIZES = [(80, 24), (120, 36)]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "back").mkdir()
    return tmp_path


@pytest.fixture
def document(root: Path) -> Path:
    path = root / "home" / "all.sha256"
    path.write_text("".join(f"{digest(content)}  {name}\n" for name, content in FILES.items()))
    return path


def vault_of(root: Path) -> Vault:
    return Vault(open_storage(make_settings(root), "lab").store)


def fill_vault(root: Path, *names: str) -> None:
    vault = vault_of(root)
    for content in {FILES[name] for name in names or FILES}:
        vault.store.put(vault.key(digest(content)), [content], digest=digest(content))


async def open_manifest_pane(place: Place, document: Path, target: str | Path = "lab") -> None:
    """The manifest in the left pane, a storage or a folder in the right one."""
    screen = place.app.browse_screen
    assert screen is not None
    settings = place.app.settings
    screen.go_to(screen.left, open_manifest_location(document, settings))
    if isinstance(target, Path):
        screen.go_to(screen.right, open_folder(target))
    await place.until(lambda: isinstance(screen.left.rows, ManifestRows) and screen.left.rows.is_complete)
    await place.until(lambda: not screen.right.is_loading)


async def leave_page(place: Place) -> None:
    await place.until(lambda: isinstance(place.app.screen, VerifyScreen))
    await place.until(lambda: not place.engine.is_busy)
    await place.press("escape")
    await place.until(lambda: isinstance(place.app.screen, BrowseScreen))


def last_job(place: Place) -> Any:
    return place.jobs[-1]


# Listing


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_marked_is_listed_and_opened(root: Path, size: tuple[int, int]) -> None:
    async with open_place(root, size=size) as place:
        await place.press("home", "down", "space", "space", "M")  # sub/ and a.txt
        await place.until_text("new manifest", "1 file and 1 folder picked", "2 files · 10 B", "▸ quoted")
        await place.until_text("name: home.sha256")
        await place.press("down")
        await place.until_text("▸ sha256sum")
        await place.press("enter")
        await place.until_text("Listed 2 files, 10 B", "Enter opens it")
        assert (root / "home" / "home.sha256").read_text() == (
            f"{digest(b'alpha')}  a.txt\n{digest(b'delta')}  sub/d e.txt\n"
        )
        assert last_job(place).state is JobState.FINISHED
        await place.press("enter")
        screen = place.app.browse_screen
        assert screen is not None
        await place.until(lambda: isinstance(screen.active.rows, ManifestRows) and screen.active.rows.count == 3)
        assert screen.active is screen.left and screen.right.panel is None


async def test_an_existing_name_is_refused_where_it_is_typed(root: Path) -> None:
    async with open_place(root) as place:
        await place.press("home", "down", "down", "M", "ctrl+u")
        await place.until_text("Type a name.")
        await place.type("b.txt")
        await place.until_text("✗ That name exists already.")
        await place.press("enter")
        assert not place.jobs
        await place.type("x")
        await place.until(lambda: "exists already" not in place.text)
        await place.press("ctrl+u")
        await place.type("sub/x")
        await place.until_text("A name without / goes into")
        await place.press("escape")
        await place.until(lambda: "new manifest" not in place.text)
        assert not place.jobs


async def test_a_name_that_nobody_touched_follows_the_form_and_one_that_was_typed_stays(root: Path) -> None:
    async with open_place(root) as place:
        await place.press("home", "down", "M", "up")
        await place.until_text("▸ json", "name: sub.manifest.json")
        await place.press("x", "down")
        await place.until_text("▸ quoted", "name: sub.manifest.jsonx")


async def test_a_name_that_is_taken_is_not_proposed(root: Path) -> None:
    (root / "home" / "sub.sha256").write_text("mine")
    async with open_place(root) as place:
        await place.press("home", "down", "M")
        await place.until_text("name: sub-2.sha256")


async def test_the_form_of_the_settings_is_proposed(root: Path) -> None:
    async with open_place(root) as place:
        place.set_program("manifest_format", "bsd")
        await place.press("home", "down", "M")
        await place.until_text("▸ bsd")


async def test_an_empty_folder_has_nothing_to_list(root: Path) -> None:
    (root / "home" / "nothing").mkdir()
    async with open_place(root) as place:
        await place.press("home", "down", "M")
        await place.until_text("0 files", "✗ There is no file to list.")
        await place.press("enter")
        assert not place.jobs


async def test_a_listing_that_is_left_goes_on_and_says_its_end(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with held(monkeypatch, "archive_tui.jobs.kinds.manifest_creation.create_manifest") as gate:
        async with open_place(root) as place:
            await place.press("home", "down", "M")
            await place.until_text("1 file · 5 B")
            await place.press("enter")
            await place.until_text("list sub in sub.sha256", "s stops")
            await place.press("escape")
            await place.until(lambda: "s stops" not in place.text)
            gate.set()
            await place.until_text("list sub in sub.sha256: Listed 1 file, 5 B")


async def test_a_listing_that_is_stopped_leaves_no_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with held(monkeypatch, "archive_tui.jobs.kinds.manifest_creation.create_manifest") as gate:
        async with open_place(root) as place:
            await place.press("home", "down", "M", "enter")
            await place.until_text("s stops")
            await place.press("s")
            await place.until(lambda: last_job(place).state is JobState.STOPPING)
            gate.set()
            await place.until_text("cancelled", "Esc closes")
            assert not (root / "home" / "sub.sha256").exists()


async def test_hostile_names_are_listed_and_never_interpreted(root: Path) -> None:
    name = os.fsdecode(b"new\nline \x1b[31m[bold] \xff.txt")
    (root / "home" / name).write_bytes(b"x")
    async with open_place(root, size=(120, 36)) as place:
        screen = place.app.browse_screen
        assert screen is not None
        row = next(at for at in range(screen.left.rows.count) if screen.left.rows.name(at) == name)
        screen.left.move_cursor(row)
        await place.press("M")
        await place.until_text("\\n", "\\x1b[31m[bold] \\xff.txt", "1 file · 1 B")
        await place.press("enter")
        await place.until_text("Enter opens it")
        made = next(path for path in (root / "home").iterdir() if path.name.endswith(".sha256"))
        assert os.fsencode(name).replace(b"\n", b"\\n") in made.read_bytes()
        await place.press("enter")
        await place.until(lambda: isinstance(screen.left.rows, ManifestRows) and screen.left.rows.is_complete)
        await place.press("f6")
        await place.until_text("Verified: 1 of 1 files")


# Checking


@pytest.mark.parametrize("size", SIZES)
async def test_a_manifest_is_checked_and_the_pane_shows_each_state(
    root: Path, document: Path, size: tuple[int, int]
) -> None:
    (root / "home" / "a.txt").write_bytes(b"ALPHA")
    (root / "home" / "b.txt").unlink()
    async with open_place(root, size=size) as place:
        await open_manifest_pane(place, document)
        await place.press("f6")
        await place.until_text(
            "✗ Findings: 1 changed, 1 missing; 2 of 4 files right", "✗ changed    a.txt", "○ missing"
        )
        await place.press("enter")
        await place.until_text(f"expected   {digest(b'alpha')}"[:70], f"found      {digest(b'ALPHA')}"[:70])
        await place.press("escape")
        await leave_page(place)
        await place.until_text("✗ changed", "○ missing")


async def test_only_the_marked_lines_are_checked(root: Path, document: Path) -> None:
    (root / "home" / "a.txt").unlink()
    async with open_place(root) as place:
        await open_manifest_pane(place, document)
        await place.press("home", "down", "down", "space", "f6")
        await place.until_text("✓ Verified: 1 of 1 files, all bytes")
        assert last_job(place).command == "" and "copy command" not in place.text


async def test_the_report_of_a_check_is_saved(root: Path, document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / "back")
    async with open_place(root) as place:
        await open_manifest_pane(place, document)
        await place.press("f6")
        await place.until_text("✓ Verified")
        await place.press("e", "enter")
        await place.until_text("Saved:")
        assert "Verified: 4 of 4 files, all bytes" in (root / "back" / "check-all.sha256.txt").read_text()


async def test_a_manifest_file_under_the_cursor_is_checked_and_a_folder_still_verified(
    root: Path, document: Path
) -> None:
    async with open_place(root) as place:
        screen = place.app.browse_screen
        assert screen is not None
        names = [screen.left.rows.name(row) for row in range(screen.left.rows.count)]
        screen.left.move_cursor(names.index("all.sha256"))
        await place.press("f6")
        await place.until_text("Check all.sha256", "✓ Verified: 4 of 4 files")
        await place.press("escape")
        await place.until(lambda: isinstance(place.app.screen, BrowseScreen))
        screen.left.move_cursor(names.index("a.txt"))
        await place.press("f6")
        await place.until(lambda: isinstance(place.app.screen, VerifyScreen) and not place.engine.is_busy)
        assert (last_job(place).kind, last_job(place).state) == ("verify-folder", JobState.VERIFIED)
        assert last_job(place).source == str(document.parent)


async def test_a_manifest_that_is_gone_is_said(root: Path, document: Path) -> None:
    async with open_place(root) as place:
        await open_manifest_pane(place, document)
        document.unlink()
        await place.press("f6")
        await place.until_text("cannot be seen any more")
        assert not place.jobs


# Asking, archiving, fetching


async def test_the_vault_is_asked_while_the_pane_stays(root: Path, document: Path) -> None:
    fill_vault(root, "a.txt")
    async with open_place(root) as place:
        await open_manifest_pane(place, document)
        await place.press("V")
        await place.until_text("2 of 4 lines in lab", "; 2 not")
        assert isinstance(place.app.screen, BrowseScreen)
        assert last_job(place).state is JobState.FINISHED
        assert "copied" not in place.text and place.text.count("not") >= 1


@pytest.mark.parametrize("size", SIZES)
async def test_archive_then_wipe_then_fetch(root: Path, document: Path, size: tuple[int, int]) -> None:
    async with open_place(root, size=size) as place:
        await open_manifest_pane(place, document)
        await place.press("f5")
        await place.until_text("Archive what lab lacks of 4 lines (19 B)?", "Enter archive")
        await place.press("enter")
        await place.until_text("✓ Uploaded 3 files (14 B) to the vault of lab", "1 was there already")
        assert "--archive --manifest all.sha256 --storage lab" in last_job(place).command
        await leave_page(place)
        for content in set(FILES.values()):
            assert (root / "lab" / content_key(digest(content))).read_bytes() == content
    async with open_place(root, size=size) as place:
        place.set_program("vault", "lab")
        await open_manifest_pane(place, document, root / "back")
        await place.press("f5")
        await place.until_text("Fetch 4 lines (19 B)", "Enter fetch", "o overwrite")
        await place.press("enter")
        await place.until_text("✓ Fetched 4 files", "each hashed and right")
        assert {name: (root / "back" / name).read_bytes() for name in FILES} == FILES


async def test_nothing_is_archived_or_fetched_without_an_answer(root: Path, document: Path) -> None:
    async with open_place(root) as place:
        await open_manifest_pane(place, document)
        await place.press("f5")
        await place.until_text("Enter archive")
        await place.press("escape")
        assert not place.jobs


async def test_files_that_differ_are_left_or_overwritten_as_is_answered(root: Path, document: Path) -> None:
    fill_vault(root)
    (root / "back" / "a.txt").write_bytes(b"mine")
    async with open_place(root) as place:
        place.set_program("vault", "lab")
        await open_manifest_pane(place, document, root / "back")
        await place.press("f5")
        await place.until_text("o overwrite")
        await place.press("enter")
        await place.until_text("? 1 decision", "1 item needs a decision", "d decide")
        assert (root / "back" / "b.txt").read_bytes() == b"beta", "the rest is done meanwhile"
        await place.press("d")
        await place.until_text("1 question open", "a.txt", "l  ")
        await place.press("l")
        await place.until_text("Nothing is left to decide.")
        await place.press("escape")
        await place.until_text("1 kept, being different")
        assert (root / "back" / "a.txt").read_bytes() == b"mine"
        await leave_page(place)
        await place.press("f5")
        await place.until_text("o overwrite")
        await place.press("o")
        await place.until(lambda: len(place.jobs) == 2 and not place.engine.is_busy)
        assert (root / "back" / "a.txt").read_bytes() == b"alpha"
        assert "--overwrite" in last_job(place).command


async def test_a_vault_that_breaks_off_in_the_middle_is_tried_again_and_the_pane_lives(
    root: Path, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, calls = FolderStore.put, iter(range(100))

    def put_until_down(store: FolderStore, *args: Any, **options: Any) -> Any:
        if next(calls) > 0:
            raise StorageUnavailable("No answer from lab.", hint="Is the network up?")
        return put(store, *args, **options)

    monkeypatch.setattr(FolderStore, "put", put_until_down)
    async with open_place(root) as place:
        await open_manifest_pane(place, document)
        await place.press("f5", "enter")
        await place.until_text("↻ retry in ", "No answer from lab", "It is tried again by itself", "r try again")
        assert last_job(place).state is JobState.WAITING
        monkeypatch.setattr(FolderStore, "put", put)
        await place.press("r")
        await place.until_text("Uploaded 3 files (14 B) to the vault of lab")


async def test_a_run_that_is_stopped_claims_nothing(
    root: Path, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, gate = threading.Event(), threading.Event()
    put = FolderStore.put

    def wait_and_put(store: FolderStore, *args: Any, **options: Any) -> Any:
        reached.set()
        assert gate.wait(20)
        return put(store, *args, **options)

    monkeypatch.setattr(FolderStore, "put", wait_and_put)
    async with open_place(root) as place:
        await open_manifest_pane(place, document)
        await place.press("f5", "enter")
        await place.until(reached.is_set)
        await place.press("s")
        await place.until_text("pausing")
        gate.set()
        await place.until_text("‖ paused", "Stopped at", "nothing is claimed for the rest", "s go on")
        await place.press("c")
        await place.until(lambda: last_job(place).state is JobState.CANCELLED)


async def test_what_was_archived_into_a_storage_is_fetched_from_there(root: Path, document: Path) -> None:
    async with open_place(root) as place:
        await open_manifest_pane(place, document)
        await place.press("f5", "enter")
        await place.until_text("✓ Uploaded")
        await leave_page(place)
        screen = place.app.browse_screen
        assert screen is not None
        screen.go_to(screen.right, open_folder(root / "back"))
        await place.until(lambda: not screen.right.is_loading)
        await place.press("f5")
        await place.until_text("Fetch 4 lines (19 B)")
        await place.press("enter")
        await place.until_text("✓ Fetched 4 files")
        assert last_job(place).source == "lab:object/"


async def test_lines_of_a_manifest_that_has_changed_are_never_taken_for_those_of_the_new_one(
    root: Path, document: Path
) -> None:
    async with open_place(root) as place:
        await open_manifest_pane(place, document)
        await place.press("home", "down", "down", "space")  # b.txt, the second line
        lines = document.read_text().splitlines(keepends=True)
        document.write_text("".join(lines[1:]))
        await place.press("f6")
        await place.until_text("The manifest has changed since it was listed", "3 of 3")
        assert not place.jobs
        await place.press("f6")
        await place.until_text("Verified: 1 of 1 files")
        assert last_job(place).title == "check all.sha256 (1 line)"


async def test_a_run_that_is_repeated_tells_the_panes_its_end_too(root: Path, document: Path) -> None:
    async with open_place(root) as place:
        await open_manifest_pane(place, document)
        await place.press("f6")
        await place.until_text("Verified: 4 of 4 files")
        (root / "home" / "b.txt").write_bytes(b"other")
        await place.press("r")
        await leave_page(place)
        await place.until_text("check all.sha256: Findings: 1 changed, 0 missing")


async def test_the_end_of_a_job_is_not_lost_when_the_other_pane_cannot_be_listed(
    root: Path, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(store: FolderStore, *args: Any, **options: Any) -> Any:
        raise StorageUnavailable("the other side is away", hint="try later")

    async with open_place(root) as place:
        monkeypatch.setattr(FolderStore, "list", refuse)
        await open_manifest_pane(place, document)
        screen = place.app.browse_screen
        assert screen is not None
        await place.press("f6")
        await place.until_text("Verified: 4 of 4 files")
        await place.press("escape")
        await place.until(lambda: screen.right.notice is not None and not screen.right.is_loading)
        await place.until_text("the other side is away", "check all.sha256: Verified: 4 of 4 files")


async def test_a_filter_does_not_narrow_what_is_archived_and_the_question_says_so(root: Path, document: Path) -> None:
    async with open_place(root) as place:
        await open_manifest_pane(place, document)
        await place.press("f", *"b.txt", "enter")
        await place.until_text('"b.txt" 1 of 4')
        await place.press("f5")
        await place.until_text("lacks of all 4 lines (19 B)?")


async def test_a_question_that_is_too_long_for_a_line_keeps_all_its_keys(root: Path, document: Path) -> None:
    deep = root / "back" / ("deep-" * 12) / ("below-" * 10)
    deep.mkdir(parents=True)
    async with open_place(root) as place:
        await open_manifest_pane(place, document, deep)
        await place.press("f5")
        await place.until_text("Fetch 4 lines (19 B) from local into", "Enter fetch, what", "o overwrite it · Esc no")
        await place.press("escape")
        await place.until(lambda: "Esc no" not in place.text)
        assert not place.jobs


async def test_who_does_not_leave_goes_on_with_the_panel(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with held(monkeypatch, "archive_tui.jobs.kinds.manifest_creation.create_manifest") as gate:
        async with open_place(root) as place:
            await place.press("home", "down", "M")
            await place.until_text("1 file · 5 B")
            await place.press("enter")
            await place.until_text("s stops")
            await place.press("ctrl+q", "ctrl+q")
            await place.until_text("1 job runs.", "Esc stay")
            await place.press("x")
            await place.until(lambda: "Esc stay" not in place.text)
            await place.press("s")
            await place.until_text("cancelled" if not place.engine.is_busy else "stopping")
            gate.set()


# The vault itself


async def open_vault_pane(place: Place) -> None:
    screen = place.app.browse_screen
    assert screen is not None
    screen.activate(screen.right)
    screen.right.open_location(open_storage_location(place.app.settings, "lab"), view="vault")
    await place.until(lambda: screen.right.view == "vault" and not screen.right.is_loading and screen.right.rows.count)


async def test_contents_of_a_vault_are_verified_and_the_damaged_one_is_named(root: Path) -> None:
    fill_vault(root)
    wrong = root / "lab" / content_key(digest(b"beta"))
    wrong.chmod(0o644)
    wrong.write_bytes(b"betA")
    async with open_place(root) as place:
        await open_vault_pane(place)
        await place.press("asterisk", "f6")
        await place.until_text("2 of 3 contents right; 1 DAMAGED in the vault")
        assert {evidence.level for evidence in place.evidence} == {EvidenceLevel.READ, EvidenceLevel.DAMAGED}
        job = place.engine.get(1)
        assert job is not None and job.findings[0].found == digest(b"betA")


async def test_the_whole_vault_is_verified_after_a_question(root: Path) -> None:
    fill_vault(root)
    async with open_place(root) as place:
        await open_vault_pane(place)
        await place.press("colon", *"whole", "enter")
        await place.until_text("Read every content of the vault of lab?")
        await place.press("enter")
        await place.until_text("✓ Verified: 3 of 3 contents of the vault of lab, all bytes")


async def test_a_content_is_fetched_under_its_digest_and_nothing_is_replaced(root: Path) -> None:
    fill_vault(root, "a.txt")
    async with open_place(root, folder=root / "back", size=(120, 36)) as place:
        await open_vault_pane(place)
        await place.press("f5")
        await place.until_text(f"Fetch {digest(b'alpha')}"[:20], "Enter fetch")
        await place.press("enter")
        await place.until_text("✓ Fetched 1 file (5 B)")
        assert (root / "back" / digest(b"alpha")).read_bytes() == b"alpha"


async def test_a_job_says_what_it_made_and_found_in_full(root: Path, document: Path) -> None:
    (root / "home" / "b.txt").unlink()
    async with open_place(root, size=(120, 36)) as place:
        await open_manifest_pane(place, document)
        await place.press("f5", "enter")
        await leave_page(place)
        await place.press("J", "enter")
        await place.until_text("lab:object/", "Findings (1)", "b.txt", "no such file here", "finished with findings")
        await place.press("o")
        await place.until_text("vault  ", "3 read and verified", "--manifest all.sha256", "missing  b.txt")


# Actions


async def test_every_command_line_is_copied_from_a_manifest(
    root: Path, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_place(root) as place:
        copied: list[str] = []
        monkeypatch.setattr(place.app, "copy_to_clipboard", copied.append)
        await open_manifest_pane(place, document)
        for words in ("copy", "verify", "ask"):
            await place.press("y", *words, "enter")
        assert [command.partition("archive-tui manifest ")[2].split()[0] for command in copied] == [
            "--archive", "--check", "--vault",
        ]  # fmt: skip


async def test_what_cannot_be_done_here_says_why(root: Path) -> None:
    async with open_place(root) as place:
        await place.press("V")
        await place.until_text("This needs the lines of a checksum manifest")
        await place.press("tab", "M")
        await place.until_text("A manifest lists files of this machine")


async def test_the_key_line_says_what_a_manifest_can(root: Path, document: Path) -> None:
    async with open_place(root) as place:
        assert "P publish" in place.text and "V ask vault" not in place.text
        await open_manifest_pane(place, document)
        await place.until_text("V ask vault", "F5 copy", "F6 verify")
        await place.press("tab")
        await place.until_text("P publish")
        assert "V ask vault" not in place.text


async def test_a_saved_report_of_a_vault_is_json_too(
    root: Path, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root / "back")
    async with open_place(root) as place:
        await open_manifest_pane(place, document)
        await place.press("f5", "enter")
        await place.until_text("✓ Uploaded")
        await place.press("E", "enter")
        await place.until_text("Saved:")
        values = json.loads((root / "back" / "archive-all.sha256.json").read_text())
        assert values["outcomes"]["uploaded"] == 3 and values["vault"] == "lab"


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[threading.Event]:
    """The function waits for the gate before it begins."""
    module, _, attribute = name.rpartition(".")
    import importlib

    gate = threading.Event()
    original = getattr(importlib.import_module(module), attribute)

    def wait(*args: Any, **options: Any) -> Any:
        assert gate.wait(20)
        return original(*args, **options)

    monkeypatch.setattr(name, wait)
    try:
        yield gate
    finally:
        gate.set()

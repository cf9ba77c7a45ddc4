"""Verifying and fetching from the panes, on a real archive folder: what is proven, found, or in the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archive_tui.archives.datasets.publishing import PublishRequest, plan_publish, publish
from archive_tui.archives.locations import open_folder, open_storage_location
from archive_tui.archives.storages import open_storage
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.jobs.states import JobState
from archive_tui.tui import routes
from archive_tui.tui.actions.browse_actions import (
    can_fetch,
    can_publish,
    can_verify,
    fetch_command,
    publish_command,
    verify_command,
)
from archive_tui.tui.actions.registry import ActionContext
from archive_tui.tui.rows.selection import Selected
from archive_tui.tui.screens.browse.browse_screen import BrowseScreen
from archive_tui.tui.screens.jobs.jobs_screen import JobsScreen
from archive_tui.tui.screens.verify import VerifyScreen
from tests.tui.guide_places import Place, make_settings, make_source, open_place

PICKED = (Selected("station-07", "station-07.0.0.1.zip", False, 1000, "station-07", None),)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A home with a source, and a storage `lab` that holds its version 0.0.1."""
    source = make_source(tmp_path)
    store = open_storage(make_settings(tmp_path), "lab").store
    publish(store, plan_publish(store, PublishRequest("station-07", source)))
    return tmp_path


def flip_byte(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(bytes(content))


def verify(place: Place, picked: tuple[Selected, ...] = PICKED) -> None:
    screen = place.app.browse_screen
    assert screen is not None and screen.right.location is not None
    routes.start_verify(place.app, screen.right.location, picked)


def fetch(place: Place) -> None:
    screen = place.app.browse_screen
    assert screen is not None and screen.right.location is not None and screen.left.location is not None
    routes.start_fetch(place.app, screen.right.location, screen.left.location, PICKED)


async def test_a_whole_version_is_verified_and_that_is_recorded(root: Path) -> None:
    async with open_place(root) as place:
        verify(place)
        await place.until_text("✓ Verified: 10 of 10 files, all bytes", "Proven: the archive was read whole")
        assert [evidence.level for evidence in place.evidence] == [EvidenceLevel.RESTORED]
        assert "verify again" in place.text and "stop" not in place.text
        await place.press("r")
        await place.until(lambda: len(place.evidence) == 2)
        await place.press("escape")
        await place.until(lambda: isinstance(place.app.screen, BrowseScreen))


async def test_a_flipped_byte_is_a_finding_with_both_digests(root: Path) -> None:
    async with open_place(root) as place:
        fetch(place)
        await place.until_text("Fetch station-07 0.0.1", "Enter fetch")
        await place.press("enter")
        fetched = root / "home" / "station-07.0.0.1"
        await place.until_text(f"fetch station-07 0.0.1: verified. Fetched to {fetched}"[:70])
        flip_byte(fetched / "raw" / "2026-03.dat", 10_000)
        (fetched / "sensors.csv").unlink()
        screen = place.app.browse_screen
        assert screen is not None and screen.left.location is not None
        folder = Selected("station-07.0.0.1/", "", True)
        routes.start_verify(place.app, screen.left.location, (folder,))
        await place.until_text(
            "✗ Findings: 1 changed, 1 missing, 0 extra of 10", "✗ changed    raw/2026-03.dat", "○ missing"
        )
        await place.press("enter")
        await place.until_text("expected   ", "found      ", "20 KB (20,000 bytes)")
        job = place.engine.get(place.jobs[-1].id)
        assert job is not None and job.state is JobState.FINDINGS
        assert f"found      {job.findings[0].found}" in place.text


async def test_a_damaged_archive_is_damaged_from_then_on(root: Path) -> None:
    flip_byte(root / "lab" / "station-07.0.0.1.zip", 200)
    async with open_place(root) as place:
        verify(place)
        await place.until_text("✗ Findings")
        assert place.evidence[-1].level is EvidenceLevel.DAMAGED
        assert place.jobs[-1].state is JobState.FINDINGS
        await place.press("escape")
        fetch(place)
        await place.until_text("Enter fetch")
        await place.press("enter")
        await place.until(lambda: len(place.jobs) == 2 and not place.engine.is_busy)
        assert place.jobs[-1].state in (JobState.FINDINGS, JobState.FAILED)
        assert not (root / "home" / "station-07.0.0.1").exists()


async def test_the_report_is_saved_as_text_and_as_json(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / "home")
    async with open_place(root) as place:
        verify(place)
        await place.until_text("✓ Verified")
        await place.press("e", "enter")
        await place.until_text("Saved:")
        await place.press("E", "enter")
        await place.until(lambda: (root / "home" / "verify-station-07-0.0.1.json").exists())
        text = (root / "home" / "verify-station-07-0.0.1.txt").read_text()
        assert "Verified: 10 of 10 files, all bytes" in text and "proven" in text
        values = json.loads((root / "home" / "verify-station-07-0.0.1.json").read_text())
        assert (values["verdict"], values["files_ok"]) == ("verified", 10)


async def test_a_folder_in_the_way_is_left_or_overwritten_as_is_answered(root: Path) -> None:
    target = root / "home" / "station-07.0.0.1"
    async with open_place(root, size=(120, 36)) as place:
        fetch(place)
        await place.until_text("Enter fetch")
        await place.press("enter")
        await place.until(lambda: target.exists() and not place.engine.is_busy)
        (target / "README.md").write_text("edited by the user")
        fetch(place)
        await place.until_text("Exists:", "l leave", "o overwrite")
        await place.press("escape")
        assert len(place.jobs) == 1
        fetch(place)
        await place.until_text("Exists:")
        await place.press("l")
        await place.until(lambda: len(place.jobs) == 2 and not place.engine.is_busy)
        assert place.jobs[1].state is JobState.FINDINGS
        assert (target / "README.md").read_text() == "edited by the user"
        fetch(place)
        await place.until_text("Exists:")
        await place.press("o")
        await place.until(lambda: len(place.jobs) == 3 and not place.engine.is_busy)
        assert place.jobs[2].state is JobState.VERIFIED
        assert (target / "README.md").read_text() == "# Station 07\n"


async def test_a_fetch_is_not_begun_without_an_answer(root: Path) -> None:
    async with open_place(root) as place:
        fetch(place)
        await place.until_text("Enter fetch")
        await place.press("escape")
        assert not place.jobs


async def test_a_folder_without_manifest_fails_with_a_hint(root: Path) -> None:
    async with open_place(root) as place:
        screen = place.app.browse_screen
        assert screen is not None and screen.left.location is not None
        routes.start_verify(place.app, screen.left.location, ())
        await place.until(lambda: isinstance(place.app.screen, VerifyScreen) and not place.engine.is_busy)
        await place.until_text("✗", "No manifest in the folder: ")
        assert place.jobs[0].state is JobState.FAILED


async def test_several_versions_are_verified_in_the_list_of_jobs(root: Path) -> None:
    async with open_place(root) as place:
        verify(place, PICKED * 3)
        await place.until(lambda: isinstance(place.app.screen, JobsScreen))
        await place.until(lambda: len(place.evidence) == 3)


async def test_a_version_that_is_gone_is_said(root: Path) -> None:
    async with open_place(root) as place:
        verify(place, (Selected("x", "station-07.9.9.9.zip", False, 1, "station-07", "9.9.9"),))
        await place.until_text("No version 9.9.9 of station-07")


async def test_datasets_in_a_folder_that_is_no_storage_are_verified_and_fetched(root: Path) -> None:
    (root / "elsewhere").mkdir()
    here, there = open_folder(root / "lab"), open_folder(root / "elsewhere")
    name = f"{here.prefix}station-07"
    picked = (Selected(name, f"{name}.0.0.1.zip", False, 1000, name, "0.0.1"),)
    async with open_place(root) as place:
        routes.start_verify(place.app, here, picked)
        await place.until_text("✓ Verified: 10 of 10 files, all bytes", "verify again")
        assert "copy command" not in place.text
        proof = place.evidence[0]
        assert f"{proof.store}/{proof.key}" == f"{here.store.identity}/{name}.0.0.1.zip"
        await place.press("escape")
        await place.until(lambda: isinstance(place.app.screen, BrowseScreen))
        routes.start_fetch(place.app, here, there, picked)
        await place.until_text("Fetch station-07 0.0.1 (1.0 KB)", "Enter fetch")
        await place.press("enter")
        await place.until(lambda: (root / "elsewhere" / "station-07.0.0.1" / "manifest.json").is_file())
        await place.until(lambda: not place.engine.is_busy)


def test_commands_are_offered_only_where_the_command_line_can_do_the_same(root: Path) -> None:
    folder, storage = open_folder(root / "lab"), open_storage_location(make_settings(root), "lab")
    name = f"{folder.prefix}station-07"
    in_folder = Selected(name, f"{name}.0.0.1.zip", False, 1000, name, "0.0.1")
    there = open_folder(root)
    assert can_verify(ActionContext(folder, there, "datasets", (in_folder,)))
    assert can_fetch(ActionContext(folder, there, "datasets", (in_folder,)))
    assert not can_publish(ActionContext(folder, storage, "datasets", (in_folder,)))
    assert verify_command(ActionContext(folder, there, "datasets", (in_folder,))) is None
    assert fetch_command(ActionContext(folder, there, "datasets", (in_folder,))) is None
    two = (*PICKED, *PICKED)
    assert verify_command(ActionContext(storage, there, "datasets", two)) == " && ".join(
        ["archive-tui dataset verify lab station-07"] * 2
    )
    files = tuple(Selected(name, name, True) for name in ("a/", "b/"))
    assert publish_command(ActionContext(there, storage, "objects", files)) is None
    assert publish_command(ActionContext(there, storage, "objects", files[:1])) is not None

"""The whole way in the panes, on a real datasafe in a folder: reserve, deposit, verify, update, retrieve."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.datasafe.opening import open_folder_safe
from archive_tui.archives.datasafe.safe import SafeState
from archive_tui.archives.locations import open_folder
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.queue import open_job_queue
from archive_tui.state.database import open_state_database
from archive_tui.state.evidence_table import EvidenceTable
from archive_tui.tui.archive_app import ArchiveApp
from archive_tui.tui.screens.deposit.deposit_screen import DepositScreen
from tests.tui.conftest import MakeApp
from tests.tui.safe_doubles import SAMPLE
from tests.tui.screen_text import text_of, wait_until
from tests.tui.test_browse import browse, running

LOI = f"{SAMPLE}/1"
SECONDS = 30.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "safe"
    with open_folder_safe(root, create=True) as safe:
        assert safe.reserve(SAMPLE) == LOI
    return root


@pytest.fixture
def app(make_app: MakeApp, root: Path, folder: Path, tmp_path: Path) -> Iterator[ArchiveApp]:
    (folder / "run.info").write_text("cwEPR Info file - v. 0.1.4 (2026-01-01)\n\nOperator: Ada\n")
    queue, evidence = open_job_queue(), EvidenceTable(open_state_database())
    engine = JobEngine(queue, evidence=evidence)
    yield make_app(open_folder(root), open_folder(folder), engine=engine, evidence_table=evidence)
    engine.close()
    queue.close()


async def deposit(app: ArchiveApp, pilot: Any, *names: str, is_update: bool = False) -> None:
    right, left = browse(app).right, browse(app).left
    left.move_cursor(left.rows.find(LOI.__eq__, 0) or 0)
    browse(app).activate(right)
    right.mark(set(names))
    await pilot.press("f5")
    await wait_until(pilot, lambda: isinstance(app.screen, DepositScreen))
    await pilot.press(*(["down"] if is_update else []), "enter")
    await wait_until(pilot, lambda: "metadata (.info" in text_of(app))
    await pilot.press("enter")
    await wait_until(pilot, lambda: "safety" in text_of(app))
    await pilot.press("enter", *(["u"] if is_update else []))
    await wait_until(pilot, lambda: "get it" in text_of(app), seconds=SECONDS)


async def test_the_whole_way(app: ArchiveApp, root: Path, folder: Path) -> None:
    async with running(app, size=(120, 40)) as pilot:
        left = browse(app).left
        assert "○ reserved" in text_of(app)
        await deposit(app, pilot, "raw.dat", "run.info")
        assert f"deposited  {LOI}" in text_of(app)
        await pilot.press("enter")
        await wait_until(pilot, lambda: "✓ verified" in text_of(app), seconds=SECONDS)

        await deposit(app, pilot, "raw.dat", "run.info", "notes.md", is_update=True)
        assert "kept as old version 1" in text_of(app)
        await pilot.press("enter")
        with open_folder_safe(root) as safe:
            assert safe.look(LOI).state is SafeState.DEPOSITED and safe.look(LOI).old_versions == 1

        browse(app).activate(left)
        await wait_until(pilot, lambda: not left.is_loading)
        left.move_cursor(left.rows.find(LOI.__eq__, 0) or 0)
        await pilot.press("f3")
        await wait_until(pilot, lambda: "Operator: Ada" in text_of(app) and "old 1" in text_of(app))
        await pilot.press("escape", "f6")
        await wait_until(pilot, lambda: "no findings" in text_of(app), seconds=SECONDS)
        await pilot.press("escape", "f5")
        await wait_until(pilot, lambda: "Retrieve" in text_of(app))
        await pilot.press("enter")
        fetched = folder / "exp-sa-42-cwepr-1"
        await wait_until(pilot, lambda: fetched.is_dir(), seconds=SECONDS)
        assert (fetched / "raw.dat").read_bytes() == (folder / "raw.dat").read_bytes()


async def test_damage_is_found_and_shown(app: ArchiveApp, root: Path) -> None:
    async with running(app, size=(120, 40)) as pilot:
        await deposit(app, pilot, "raw.dat", "run.info")
        await pilot.press("enter")
        (root / "exp/sa/42/cwepr/1/raw.dat").write_bytes(b"y" * 2000)
        browse(app).activate(browse(app).left)
        await pilot.press("f6")
        await wait_until(pilot, lambda: "1 finding" in text_of(app) and "raw.dat" in text_of(app), seconds=SECONDS)
        await pilot.press("escape")
        await wait_until(pilot, lambda: "✗ damaged" in text_of(app), seconds=SECONDS)

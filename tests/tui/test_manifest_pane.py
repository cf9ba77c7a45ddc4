"""A checksum manifest in a pane: its lines, what is known of each, and how the panes are used with it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from archive_tui.archives.locations import open_location
from archive_tui.archives.vault.outcomes import Outcome
from archive_tui.archives.vault.views.manifest_states import ManifestStates
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.kind import JobResult, JobWork
from archive_tui.jobs.states import JobState
from archive_tui.operations.listing import Arrangement, SortBy
from archive_tui.operations.manifest_checking import LineState
from archive_tui.settings import Settings
from archive_tui.tui.archive_app import ArchiveApp
from archive_tui.tui.panes.pane_messages import RowsArrived
from archive_tui.tui.rows import manifest_loading
from archive_tui.tui.rows.load_request import Loaded, LoadRequest
from archive_tui.tui.rows.manifest_rows import ManifestRows
from archive_tui.tui.rows.pane_loading import load_rows
from archive_tui.tui.rows.pane_rows import EmptyRows
from archive_tui.tui.rows.selection import PickedRows, Selected
from archive_tui.tui.screens.browse.browse_find import LONG_SEARCH
from tests.tui.conftest import MakeApp
from tests.tui.led_jobs import led_request
from tests.tui.screen_text import rows_of, text_of, wait_until
from tests.tui.test_browse import browse, running

HOSTILE = ("new\nline", "red\x1b[31m", "\u202egnp.exe", "[bold]x", os.fsdecode(b"latin-\xe9"))


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def lines_of(*names: str) -> str:
    return "".join(f"{digest_of(name.encode('utf-8', 'surrogateescape'))}  {name}\n" for name in names)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six files, of which one is gone, and their manifest with a line that is none."""
    root = tmp_path / "data"
    root.mkdir()
    names = [f"file-{number}.dat" for number in range(6)]
    for name in names:
        (root / name).write_text(name)
    (root / "file-4.dat").unlink()
    (root / "SHA256SUMS").write_text(lines_of(*names[:3]) + "this is no line\n" + lines_of(*names[3:]))
    (root / "notes.txt").write_text("just notes\n")
    return root


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    section = {
        "storage_client": "archive_tui.core.LocalStorageClient",
        "storage_area": str(tmp_path / "area"),
        "local_path": str(tmp_path),
    }
    return Settings(None, {"lab": section}, program={"vault": "lab"})


@pytest.fixture
def open_app(settings: Settings) -> Callable[..., ArchiveApp]:
    def make(left: Path, **options: Any) -> ArchiveApp:
        places = open_location(str(left), settings), open_location(str(left.parent), settings)
        return ArchiveApp(*places, settings, **options)

    return make


OpenApp = Callable[..., ArchiveApp]


def states_of(app: ArchiveApp) -> ManifestStates:
    rows = browse(app).left.rows
    assert isinstance(rows, ManifestRows)
    return rows.states


async def looked(pilot: Pilot[None], app: ArchiveApp) -> None:
    await wait_until(pilot, lambda: "1 missing" in text_of(app))


async def test_lines_show_what_the_disk_says_and_claim_no_more(open_app: OpenApp, folder: Path) -> None:
    app = open_app(folder / "SHA256SUMS")
    async with running(app, size=(120, 36)) as pilot:
        await looked(pilot, app)
        rows = [row[:60] for row in rows_of(app)]

        assert "data/SHA256SUMS · manifest" in rows[1]
        assert "file-0.dat" in rows[4] and "10 B  ? not read" in rows[4]
        assert "line 4: " in rows[7] and "! bad" in rows[7]
        assert "file-4.dat" in rows[9] and "○ missing" in rows[9]
        assert "7 of 7 · 1 missing · 1 bad line" in rows[33]


async def test_the_bottom_edge_is_short_where_the_pane_is_narrow(open_app: OpenApp, folder: Path) -> None:
    app = open_app(folder / "SHA256SUMS")
    async with running(app) as pilot:
        await looked(pilot, app)
        for position in (0, 1):
            states_of(app).record_vault(position, None)
        states_of(app).record_disk(0, LineState.CHANGED)
        browse(app).show_news()
        await wait_until(pilot, lambda: "vault 2 yes" in text_of(app))

        assert "7 · ✗ 1 ○ 1 · vault 2 yes" in rows_of(app)[21]


async def test_enter_opens_a_manifest_and_backspace_returns_to_it(
    open_app: OpenApp, folder: Path, settings: Settings
) -> None:
    (folder / "list.txt").write_text(lines_of("file-0.dat"))
    app = ArchiveApp(open_location(str(folder), settings), open_location("lab", settings), settings)
    async with running(app) as pilot:
        pane = browse(app).left
        for name in ("SHA256SUMS", "list.txt"):
            pane.move_cursor([pane.rows.name(row) for row in range(pane.rows.count)].index(name))
            await pilot.press("enter")
            await wait_until(pilot, lambda: pane.view == "manifest" and pane.rows.is_complete)
            assert pane.location is not None and pane.location.document == folder / name
            await pilot.press("backspace")
            await wait_until(pilot, lambda: pane.view == "objects" and pane.rows.is_complete)
            assert pane.cursor_name == name


async def test_enter_views_a_file_that_is_no_manifest(open_app: OpenApp, folder: Path, settings: Settings) -> None:
    app = ArchiveApp(open_location(str(folder), settings), open_location("lab", settings), settings)
    async with running(app) as pilot:
        pane = browse(app).left
        pane.move_cursor([pane.rows.name(row) for row in range(pane.rows.count)].index("notes.txt"))
        await pilot.press("enter")
        await wait_until(pilot, lambda: "just notes" in text_of(app))
        assert pane.view == "objects"


async def test_enter_on_a_line_shows_the_file(open_app: OpenApp, folder: Path) -> None:
    app = open_app(folder / "SHA256SUMS")
    async with running(app) as pilot:
        await pilot.press("enter")
        await wait_until(pilot, lambda: "all of it of 10 B" in text_of(app))


async def test_picked_lines_carry_their_line_and_position(open_app: OpenApp, folder: Path) -> None:
    app = open_app(folder / "SHA256SUMS")
    async with running(app) as pilot:
        await pilot.press("down", "down", "down", "space", "space", "space")
        picked = browse(app).action_context.picked

        assert [(selected.name, selected.position) for selected in picked] == [("file-3.dat", 4), ("file-4.dat", 5)]
        assert [selected.line.number for selected in picked if selected.line is not None] == [5, 6]
        assert picked[0].digest == digest_of(b"file-3.dat")
        assert browse(app).action_context.source.document == folder / "SHA256SUMS"  # type: ignore[union-attr]


async def test_bad_lines_and_the_way_up_cannot_be_marked(open_app: OpenApp, folder: Path) -> None:
    app = open_app(folder / "SHA256SUMS")
    async with running(app) as pilot:
        await pilot.press("asterisk")
        assert browse(app).left.marked == {f"file-{number}.dat" for number in range(6)}
        await pilot.press("home", "space")
        assert ".." not in browse(app).left.marked


@pytest.mark.parametrize(
    ("words", "positions"),
    [
        (":missing", [5]),
        (":changed", [1]),
        (":changed :missing", [1, 5]),
        (":bad", [3]),
        (":absent", [0]),
        (":yes", [1, 2]),
        (":changed :absent", []),
        ("file-1", [1]),
        ("file-[12]* :held", [1, 2]),
        (":nonsense", []),
    ],
)
async def test_filter_by_state(open_app: OpenApp, folder: Path, words: str, positions: list[int]) -> None:
    app = open_app(folder / "SHA256SUMS")
    async with running(app) as pilot:
        await looked(pilot, app)
        states = states_of(app)
        states.record_disk(1, LineState.CHANGED)
        states.record_vault(0, None, Outcome.ABSENT)
        states.record_vault(1, None)
        states.record_vault(2, Evidence("", "", EvidenceLevel.ATTESTED, None, 1, 1.7e9, ""))
        await pilot.press("f", *words, "enter")
        await wait_until(pilot, lambda: not browse(app).left.is_loading and browse(app).left.rows.count < 8)
        rows = browse(app).left.rows
        assert isinstance(rows, ManifestRows)

        assert list(rows.order) == positions
        assert f'"{words}"' in text_of(app)


async def test_sorting_keeps_the_lines_until_asked_and_puts_findings_first(open_app: OpenApp, folder: Path) -> None:
    app = open_app(folder / "SHA256SUMS")
    async with running(app) as pilot:
        await looked(pilot, app)
        states_of(app).record_disk(2, LineState.CHANGED)
        pane = browse(app).left
        for word in ("name", "size", "state"):
            await pilot.press("s")
            await wait_until(pilot, lambda word=word: not pane.is_loading and f"by {word}" in text_of(app))  # type: ignore[misc]
        assert [pane.rows.name(row) for row in (1, 2, 3)] == ["line 4", "file-2.dat", "file-4.dat"]

        await pilot.press("s")
        await wait_until(pilot, lambda: not pane.is_loading and pane.rows.name(1) == "file-0.dat")


async def test_inspect_says_everything_about_a_line(open_app: OpenApp, folder: Path) -> None:
    app = open_app(folder / "SHA256SUMS")
    async with running(app, size=(120, 36)) as pilot:
        await looked(pilot, app)
        await pilot.press("f4")
        await wait_until(pilot, lambda: "in vault" in text_of(app))
        shown = text_of(app)
        assert digest_of(b"file-0.dat")[:20] in shown
        assert "? not read" in shown and "10 B (10 bytes) on disk" in shown and "object/" in shown

        await pilot.press("escape", "down", "down", "down", "f4")
        await wait_until(pilot, lambda: "4 of " in text_of(app))


async def test_hostile_names_are_shown_escaped(open_app: OpenApp, folder: Path) -> None:
    escaped = [("\\" if "\n" in name else "", name.replace("\n", "\\n")) for name in HOSTILE]
    text = "".join(f"{start}{digest_of(b'x')}  {name}\n" for start, name in escaped)
    (folder / "hostile.sha256").write_bytes(os.fsencode(text))
    app = open_app(folder / "hostile.sha256")
    async with running(app, size=(120, 36)):
        shown = text_of(app)
        for name in ("new\\nline", "red\\x1b[31m", "\\u202egnp.exe", "[bold]x", "latin-\\xe9"):
            assert name in shown


async def test_without_utf8_every_state_has_its_letter(open_app: OpenApp, folder: Path) -> None:
    (folder / "SHA256SUMS").write_text(lines_of("file-0.dat", "file-4.dat", "grün.dat"))
    app = open_app(folder / "SHA256SUMS", ascii_only=True)
    async with running(app) as pilot:
        await wait_until(pilot, lambda: "o missing" in text_of(app))
        states_of(app).record_disk(0, LineState.SAME)
        browse(app).show_news()
        await wait_until(pilot, lambda: re.search(r" v \d s", text_of(app)) is not None)

        assert "gr\\xfcn.dat" in text_of(app)
        assert text_of(app).isascii()


async def test_an_empty_file_and_a_file_that_is_gone_say_so(open_app: OpenApp, folder: Path) -> None:
    (folder / "empty.sha256").write_text("")
    app = open_app(folder / "empty.sha256")
    async with running(app) as pilot:
        assert "No line of a checksum manifest" in text_of(app)
        (folder / "empty.sha256").unlink()
        await pilot.press("r")
        await wait_until(pilot, lambda: "The manifest cannot be seen" in text_of(app))


async def test_a_closed_and_reopened_manifest_still_knows(open_app: OpenApp, folder: Path) -> None:
    app = open_app(folder / "SHA256SUMS")
    async with running(app) as pilot:
        await looked(pilot, app)
        states_of(app).record_disk(0, LineState.SAME)
        await pilot.press("backspace")
        await wait_until(pilot, lambda: browse(app).left.view == "objects" and browse(app).left.rows.is_complete)
        await pilot.press("enter")
        await wait_until(pilot, lambda: browse(app).left.view == "manifest" and "✓ " in text_of(app))


class LedJob:
    """Records states when it is told to."""

    def __init__(self, states: ManifestStates) -> None:
        self.states = states
        self.go = threading.Event()

    def run(self, work: JobWork) -> JobResult:
        self.states.record_disk(0, LineState.CHANGED)
        self.go.wait(20)
        self.states.record_disk(1, LineState.SAME)
        return JobResult(JobState.FINISHED, "Checked.")


async def test_what_a_running_job_finds_appears_while_it_runs(open_app: OpenApp, folder: Path) -> None:
    engine = JobEngine()
    app = open_app(folder / "SHA256SUMS", engine=engine)
    try:
        async with running(app) as pilot:
            await looked(pilot, app)
            job = LedJob(states_of(app))
            pane = browse(app).left
            pane.move_cursor(6)
            engine.submit(led_request("check SHA256SUMS"), live={"run": job.run})
            await wait_until(pilot, lambda: "✗ changed" in text_of(app))
            painted = count_repaints(pane)
            await asyncio.sleep(0.6)
            assert painted == []

            job.go.set()
            await wait_until(pilot, lambda: "✓ " in text_of(app))
            assert pane.cursor == 6
    finally:
        engine.close()


def count_repaints(pane: Any) -> list[int]:
    painted: list[int] = []
    refresh = pane.refresh_lines

    def count(*lines: int) -> None:
        painted.extend(lines)
        refresh(*lines)

    pane.refresh_lines = count
    return painted


async def test_a_word_on_the_command_line_opens_a_manifest(make_app: MakeApp, folder: Path) -> None:
    app = make_app(str(folder / "SHA256SUMS"), str(folder))
    async with running(app, size=(200, 36)):
        assert browse(app).left.view == "manifest"
        assert "SHA256SUMS · manifest" in text_of(app)


async def test_two_manifests_are_compared_by_their_digests(settings: Settings, folder: Path) -> None:
    (folder / "other.sha256").write_text(
        lines_of("file-0.dat", "file-9.dat") + f"{digest_of(b'other')}  file-1.dat\n" + lines_of("file-2.dat")
    )
    places = [open_location(str(folder / name), settings) for name in ("SHA256SUMS", "other.sha256")]
    app = ArchiveApp(places[0], places[1], settings)
    async with running(app) as pilot:
        await pilot.press("equals_sign")
        signs = browse(app).left.signs
        assert signs is not None

        assert {name: str(sign) for name, sign in signs.items()} == {
            "file-0.dat": "=", "file-1.dat": "*", "file-2.dat": "=", "file-3.dat": "+", "file-4.dat": "+",
            "file-5.dat": "+",
        }  # fmt: skip


async def test_in_a_long_manifest_a_thread_looks_for_the_name(open_app: OpenApp, folder: Path) -> None:
    names = [f"file-{number:05d}" for number in range(LONG_SEARCH + 10)]
    (folder / "long.sha256").write_text("".join(f"{'ab' * 32}  {name}\n" for name in names))
    app = open_app(folder / "long.sha256")
    async with running(app) as pilot:
        pane = browse(app).left
        await pilot.press("slash", *"20007")
        await wait_until(pilot, lambda: pane.cursor_name == "file-20007")
        await pilot.press("escape")
        assert pane.cursor_name == "file-00000"


@pytest.mark.parametrize("last", ['"last"', "last"], ids=["all-quoted", "one-is-not"])
def test_a_long_quoted_manifest_shows_rows_before_its_dialect_is_settled(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    monkeypatch.setattr(manifest_loading, "LONG_DOCUMENT", 1000)
    names = [f'"file {number}"' for number in range(200)]
    (folder / "long.sha256").write_text("".join(f"{'ab' * 32}  {name}\n" for name in (*names, last)))
    location = open_location(str(folder / "long.sha256"), settings)
    request = LoadRequest(location, "manifest", Arrangement(sort_by=SortBy.LINE), None)
    rows = [loaded.rows for loaded in load_rows(request, threading.Event()) if loaded.rows is not None]

    assert (rows[0].count, rows[0].is_complete, rows[0].name(1)) == (101, False, "file 0")
    assert (rows[-1].count, rows[-1].is_complete) == (202, True)
    assert rows[-1].name(1) == ("file 0" if last == '"last"' else '"file 0"')


def test_a_count_never_takes_the_place_of_rows_that_still_wait() -> None:
    rows, count = RowsArrived(1, Loaded(EmptyRows(), 5)), RowsArrived(1, Loaded(None, 9))

    assert not rows.can_replace(count)
    assert rows.can_replace(RowsArrived(1, Loaded(EmptyRows(), 9)))
    assert count.can_replace(count) and count.can_replace(rows)
    assert not rows.can_replace(RowsArrived(2, Loaded(EmptyRows(), 9)))
    assert not RowsArrived(1, Loaded(EmptyRows(), 5, remark="Cut.")).can_replace(rows)


class CountedRows(EmptyRows):
    """Says how often it was asked."""

    count = 1000

    def __init__(self) -> None:
        self.asked = 0

    def name(self, row: int) -> str:
        self.asked += 1
        return f"row-{row}"

    def can_be_marked(self, row: int) -> bool:
        return row != 7

    def selected(self, row: int) -> Selected | None:
        return Selected(self.name(row), "")


def test_marked_rows_are_sought_once_and_only_when_somebody_asks() -> None:
    rows = CountedRows()
    picked = PickedRows(rows, {"row-3", "row-7", "row-900"})
    assert rows.asked == 0

    assert len(picked) == 2 and rows.asked == 1000
    assert [selected.name for selected in picked] == ["row-3", "row-900"]
    assert [selected.name for selected in picked[1:]] == ["row-900"]
    assert rows.asked < 1010


async def test_the_title_keeps_the_name_of_the_manifest(open_app: OpenApp, folder: Path) -> None:
    long = folder / ("measurements-" * 3) / "SHA256SUMS"
    long.parent.mkdir()
    long.write_text(lines_of("a"))
    app = open_app(long)
    async with running(app, size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: "1 of 1" in text_of(app))
        assert "/SHA256SUMS · manifest " in rows_of(app)[1][:40]

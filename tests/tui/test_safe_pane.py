"""The view *datasafe*: a tree of LOIs with their states, in the panes."""

from __future__ import annotations

import dataclasses
import threading
import time
from pathlib import Path

import pytest

from archive_tui.archives.datasafe.safe import SafeEntry, SafeState
from archive_tui.errors import StorageUnavailable
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.tui.archive_app import ArchiveApp
from archive_tui.tui.rows.safe_rows import SafeRows
from archive_tui.tui.rows.selection import PickedRows
from tests.tui.conftest import MakeApp, folder_location
from tests.tui.safe_doubles import (
    DIGEST,
    SAMPLE,
    MemorySafe,
    describe_fully,
    few_entries,
    safe_location,
    use_safe,
)
from tests.tui.screen_text import rows_of, text_of, wait_until
from tests.tui.test_browse import Evidences, browse, running

DAY = 86400.0


@pytest.fixture
def safe() -> MemorySafe:
    return MemorySafe(*few_entries())


def evidence_of(number: int, level: EvidenceLevel, *, digest: str = DIGEST) -> Evidence:
    checked_at = time.time() - 2 * DAY - 60
    return Evidence("memory-safe", f"{SAMPLE}/{number}", level, digest, 10, checked_at, "Read whole.")


@pytest.fixture
def app(make_app: MakeApp, safe: MemorySafe, folder: Path) -> ArchiveApp:
    known = Evidences(
        evidence_of(1, EvidenceLevel.READ),
        evidence_of(2, EvidenceLevel.READ, digest="00" * 32),
        evidence_of(3, EvidenceLevel.DAMAGED),
    )
    app = make_app(safe_location(), folder_location(folder), evidence_table=known)
    use_safe(app, safe)
    return app


def rows(app: ArchiveApp) -> SafeRows:
    shown = browse(app).left.rows
    assert isinstance(shown, SafeRows)
    return shown


def line_of(app: ArchiveApp, text: str) -> str:
    return next(row.split("││")[0] for row in rows_of(app) if text in row.split("││")[0])


def put_cursor(app: ArchiveApp, name: str) -> None:
    found = rows(app).find(name.__eq__, 0)
    assert found is not None, name
    browse(app).left.move_cursor(found)


async def test_states_in_glyph_and_word_and_what_is_proven_with_its_age(app: ArchiveApp) -> None:
    async with running(app):
        assert "lab ▸ 42.1001/ds/exp · datasafe" in rows_of(app)[1]
        assert "○ reserved" in line_of(app, "└ 10 ")
        assert "✗ damaged" in line_of(app, "├ 9 ")
        assert "◇ deposited" in line_of(app, "├ 4 ")
        assert "✓ 2 d" in line_of(app, "├ 1 ")
        assert "~ stale" in line_of(app, "├ 2 ")
        assert "✗ damaged" in line_of(app, "├ 3 ")
        assert "12 LOIs · 1 damaged · 1 reserved" in rows_of(app)[21]


async def test_a_wide_pane_shows_files_age_and_the_word(app: ArchiveApp) -> None:
    async with running(app, size=(160, 36)):
        line = line_of(app, "├ 1 ")
        assert "✓ verified 2 d" in line and " 3 " in line and "4.2 MB" in line
        assert line_of(app, "sa/").rstrip().endswith("✗ 1 damaged")
        assert " old " in rows_of(app)[2]


async def test_a_folder_of_one_folder_is_one_row_and_folds(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        names = [rows(app).name(row) for row in range(rows(app).count)]
        assert f"{SAMPLE}/" in names and "42.1001/ds/exp/sa/42/" not in names
        put_cursor(app, f"{SAMPLE}/")
        assert "⌄ 42/cwepr/" in line_of(app, "42/cwepr")
        await pilot.press("enter")
        assert "› 42/cwepr/" in line_of(app, "42/cwepr") and "├ 4 " not in text_of(app)
        await pilot.press("right")
        assert "├ 4 " in text_of(app)


async def test_up_goes_to_the_folder_and_folds_it(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        pane = browse(app).left
        put_cursor(app, f"{SAMPLE}/4")
        await pilot.press("left")
        assert pane.cursor_name == f"{SAMPLE}/"
        await pilot.press("backspace")
        assert rows(app).find(f"{SAMPLE}/4".__eq__, 0) is None
        await pilot.press("left", "left", "left", "left")
        await wait_until(pilot, lambda: "This is the top." in text_of(app))


async def test_what_was_folded_stays_so_when_it_is_listed_again(app: ArchiveApp, safe: MemorySafe) -> None:
    async with running(app) as pilot:
        put_cursor(app, f"{SAMPLE}/")
        await pilot.press("enter", "r")
        await wait_until(pilot, lambda: safe.listed == 2 and not browse(app).left.is_loading)
        assert browse(app).left.cursor_name == f"{SAMPLE}/" and "├ 4 " not in text_of(app)
        assert safe.closed == safe.opened == 2


async def test_marks_in_a_folded_folder_still_count(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        pane = browse(app).left
        put_cursor(app, f"{SAMPLE}/1")
        await pilot.press("space", "space")
        put_cursor(app, f"{SAMPLE}/")
        await pilot.press("enter")
        assert "2 marked" in rows_of(app)[21]
        assert isinstance(pane.picked, PickedRows)
        assert [selected.name for selected in pane.picked] == [f"{SAMPLE}/1", f"{SAMPLE}/2"]


async def test_a_folder_cannot_be_marked(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        put_cursor(app, f"{SAMPLE}/")
        await pilot.press("space")
        assert not browse(app).left.marked


@pytest.mark.parametrize(
    ("pattern", "found"),
    [(":damaged", [9]), (":reserved", [10]), ("42/cwepr/1", [1, 10]), (":deposited */trepr/*", [])],
)
async def test_the_filter_looks_at_all_lois_and_at_states(app: ArchiveApp, pattern: str, found: list[int]) -> None:
    async with running(app) as pilot:
        put_cursor(app, f"{SAMPLE}/")
        await pilot.press("enter", "f", *pattern, "enter")
        await wait_until(pilot, lambda: rows(app).filtered is not None)
        shown = [rows(app).name(row) for row in range(rows(app).count) if rows(app).entry_of(row) is not None]
        wanted = [f"{SAMPLE}/{number}" for number in found] or ["42.1001/ds/exp/sa/7/trepr/1"]
        assert shown == wanted
        assert "of 12" in rows_of(app)[21]
        await pilot.press("f", "ctrl+u", "enter")
        await wait_until(pilot, lambda: rows(app).filtered is None)
        assert "├ 4 " not in text_of(app)  # folded as before the filter


async def test_reversed_the_newest_number_is_first(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        await pilot.press("S")
        await wait_until(pilot, lambda: rows(app).arrangement.is_reversed)
        names = [rows(app).name(row) for row in range(rows(app).count)]
        assert names.index(f"{SAMPLE}/10") < names.index(f"{SAMPLE}/2") < names.index(f"{SAMPLE}/1")


async def test_an_empty_datasafe_says_how_to_begin(make_app: MakeApp, folder: Path) -> None:
    app = make_app(safe_location(), folder_location(folder))
    use_safe(app, MemorySafe())
    async with running(app):
        assert "N reserves one" in text_of(app) and "0 LOIs" in text_of(app)


async def test_nothing_but_reserved_lois(make_app: MakeApp, folder: Path) -> None:
    app = make_app(safe_location(), folder_location(folder))
    use_safe(app, MemorySafe(*(SafeEntry(f"{SAMPLE}/{n}", SafeState.RESERVED) for n in (1, 2))))
    async with running(app) as pilot:
        assert "2 LOIs · 2 reserved" in text_of(app)
        await pilot.press("f6")
        await wait_until(pilot, lambda: "No jobs can run here" in text_of(app))


async def test_a_server_that_dies_shows_what_came_and_says_so(app: ArchiveApp, safe: MemorySafe) -> None:
    safe.failing_at, safe.failure = 5, StorageUnavailable("No answer from safe.example.org.", hint="Is it up?")
    async with running(app, size=(100, 30)):
        assert "No answer from safe.example.org" in text_of(app)
        assert "5 of ? · incomplete" in text_of(app)
        assert rows(app).whole.root.lois == 5
        assert safe.closed == safe.opened


async def test_it_is_never_called_empty_while_it_loads(make_app: MakeApp, safe: MemorySafe, folder: Path) -> None:
    safe.gate = threading.Event()
    app = make_app(safe_location(), folder_location(folder))
    use_safe(app, safe)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: "of ? · loading" in text_of(app))
        assert "No LOI" not in text_of(app)
        safe.gate.set()
        await wait_until(pilot, lambda: "12 LOIs" in text_of(app))


async def test_a_hundred_thousand_lois(make_app: MakeApp, folder: Path) -> None:
    lois = [f"42.1001/ds/exp/sa/{sample}/cwepr/{n}" for sample in range(1, 101) for n in range(1, 1001)]
    safe = MemorySafe(*(SafeEntry(loi, SafeState.DEPOSITED, 3, 1000) for loi in lois))
    app = make_app(safe_location(), folder_location(folder))
    use_safe(app, safe)
    async with running(app) as pilot:
        assert "100,000 LOIs · 100 MB" in text_of(app)
        pane = browse(app).left
        assert rows(app).count == 100
        await pilot.press("enter")
        assert rows(app).count == 1100
        await pilot.press("end")
        assert pane.cursor == 1099
        pane.move_cursor(3)
        listed = safe.listed
        safe.known[lois[2]] = dataclasses.replace(safe.known[lois[2]], state=SafeState.DAMAGED)
        browse(app).list_after_job()
        await wait_until(pilot, lambda: "1 damaged" in text_of(app))
        assert safe.listed == listed  # only the picked one was asked for


HOSTILE = ("4\x1b[31m", "\u202egnp", "[bold]x[/]", "a\nb", "שלום", "x" * 300)


async def test_hostile_names_and_metadata_are_escaped(make_app: MakeApp, folder: Path) -> None:
    entries = [SafeEntry(f"42.1/ds/exp/{name}/1", SafeState.DAMAGED, detail=f"bad {name}") for name in HOSTILE]
    safe = MemorySafe(*entries)
    text = "line \x1b[2Jone\n\u202etwo\r\n[red]three[/red]\x07\x9b31m\n" + "y" * 500
    safe.described[entries[0].loi] = describe_fully(entries[0], text=text)
    app = make_app(safe_location(), folder_location(folder))
    use_safe(app, safe)
    async with running(app, size=(80, 60)) as pilot:
        for key in ("f3", "f4"):
            pane = browse(app).left
            put_cursor(app, entries[0].loi)
            await pilot.press(key)
            await wait_until(pilot, lambda: "damaged" in text_of(app) and "run.D" in text_of(app))
            shown = text_of(app)
            assert not any(letter in shown for letter in "\x1b\u202e\x07\x9b")
            if key == "f3":
                assert "[red]three" in shown
            await pilot.press("escape")
            assert pane.panel is None


async def test_view_shows_metadata_manifest_files_and_old_versions(app: ArchiveApp, safe: MemorySafe) -> None:
    safe.described[f"{SAMPLE}/1"] = describe_fully(safe.known[f"{SAMPLE}/1"], text="operator: Ada\nsample: P-17\n")
    async with running(app, size=(120, 40)) as pilot:
        put_cursor(app, f"{SAMPLE}/1")
        await pilot.press("enter")
        await wait_until(pilot, lambda: "operator: Ada" in text_of(app))
        for text in ("run.info", "Bruker BES3T", "run.DTA", "old versions", "old 1"):
            assert text in text_of(app)


async def test_inspect_shows_state_digests_and_evidence(app: ArchiveApp, safe: MemorySafe) -> None:
    safe.described[f"{SAMPLE}/1"] = describe_fully(safe.known[f"{SAMPLE}/1"])
    async with running(app, size=(120, 60)) as pilot:
        put_cursor(app, f"{SAMPLE}/1")
        await pilot.press("f4")
        await wait_until(pilot, lambda: "evidence, the newest first" in text_of(app))
        for text in ("◇ deposited", "✓ verified", "Read whole.", "cdcdcdcd", "4,200,0", "old 1"):
            assert text in text_of(app)
        await pilot.press("escape")
        put_cursor(app, f"{SAMPLE}/")
        await pilot.press("f4")
        assert "F6 verifies all" in text_of(app)


async def test_looking_at_a_loi_whose_server_is_gone(app: ArchiveApp, safe: MemorySafe) -> None:
    async with running(app) as pilot:
        safe.failure = StorageUnavailable("No answer.", hint="Is it up?")
        safe.failing_at = 99
        put_cursor(app, f"{SAMPLE}/1")
        await pilot.press("f3")
        await wait_until(pilot, lambda: "No answer." in text_of(app))


async def test_reserving_shows_the_new_loi_and_copies_it(app: ArchiveApp, safe: MemorySafe) -> None:
    async with running(app) as pilot:
        pane = browse(app).left
        put_cursor(app, f"{SAMPLE}/4")
        await pilot.press("N")
        assert f"reserve a number below: {SAMPLE}" in text_of(app)
        await pilot.press("enter")
        await wait_until(pilot, lambda: f"Reserved: {SAMPLE}/11" in text_of(app))
        assert pane.cursor_name == f"{SAMPLE}/11" and "○ reserved" in line_of(app, "└ 11 ")
        await pilot.press("Y")
        assert app.clipboard == f"{SAMPLE}/11"
        assert safe.listed == 1


async def test_a_loi_that_cannot_be_reserved_says_why(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        await pilot.press("N", "ctrl+u", *"42.1/rec", "enter")
        await wait_until(pilot, lambda: "String is not a valid LOI." in text_of(app))


async def test_copying_a_loi(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        put_cursor(app, f"{SAMPLE}/4")
        await pilot.press("Y")
        assert app.clipboard == f"{SAMPLE}/4"


async def test_at_sixty_by_sixteen_everything_is_there(app: ArchiveApp) -> None:
    async with running(app, size=(60, 16)) as pilot:
        put_cursor(app, f"{SAMPLE}/10")
        await pilot.pause()
        assert "○ reserved" in text_of(app) and "✗ damaged" in text_of(app)


async def test_ascii_only(make_app: MakeApp, safe: MemorySafe, folder: Path) -> None:
    app = make_app(safe_location(), folder_location(folder), ascii_only=True)
    use_safe(app, safe)
    async with running(app):
        assert "X damaged" in text_of(app) and "o reserved" in text_of(app) and ". deposited" in text_of(app)
        assert text_of(app).isascii()

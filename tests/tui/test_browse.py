"""The browse screen by keys, state and what can be read on it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from archive_tui.errors import StorageUnavailable
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import Listed, ObjectInfo
from archive_tui.tui.archive_app import ArchiveApp
from archive_tui.tui.screens.browse.browse_screen import BrowseScreen
from tests.tui.conftest import MakeApp, folder_location, storage_location
from tests.tui.screen_text import rows_of, text_of, wait_until


class Evidences:
    """Quacks like the evidence table."""

    def __init__(self, *known: Evidence) -> None:
        self.known = known

    def lookup_prefix(self, identity: str, prefix: str) -> dict[str, Evidence]:
        return {proof.key: proof for proof in self.known if proof.store == identity and proof.key.startswith(prefix)}

    def history(self, identity: str, key: str) -> list[Evidence]:
        return [proof for proof in self.known if proof.key == key]


class SlowStore(MemoryStore):
    """Gives some entries and then waits until it is let go."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count
        self.go_on = threading.Event()
        self.is_over = threading.Event()

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        try:
            for number in range(self.count):
                yield ObjectInfo(f"first-{number:04d}", 1)
            self.go_on.wait(20)
            for number in range(self.count):
                yield ObjectInfo(f"second-{number:04d}", 1)
        finally:
            self.is_over.set()


class BrokenStore(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.is_broken = True

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        if self.is_broken:
            raise StorageUnavailable("No answer from lab.example.org.", hint="Is the network there?")
        return iter([ObjectInfo("recovered.txt", 1)])


def browse(app: ArchiveApp) -> BrowseScreen:
    assert app.browse_screen is not None
    return app.browse_screen


@asynccontextmanager
async def running(app: ArchiveApp, *, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[None]]:
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: all(not pane.is_loading for pane in (browse(app).left, browse(app).right)))
        await pilot.pause()
        yield pilot


def store_with(*keys: str, size: int = 5) -> MemoryStore:
    store = MemoryStore()
    for key in keys:
        store.put(key, [b"x" * size])
    return store


@pytest.fixture
def app(make_app: MakeApp, folder: Path) -> ArchiveApp:
    return make_app(folder_location(folder), storage_location(store_with("a/one.dat", "two.dat")))


async def test_both_panes_show_their_location_and_how_much_it_holds(app: ArchiveApp) -> None:
    async with running(app):
        rows = rows_of(app)

        assert "data" in rows[1] and "lab" in rows[1]
        assert "station-07/" in rows[4]
        assert "5 of 5 · 2.3 KB · 1 hidden" in rows[21]
        assert "2 of 2 · 5 B" in rows[21]
        assert rows[23].startswith(" ? help")


async def test_tab_goes_to_the_other_pane_and_back(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        assert browse(app).active is browse(app).left
        await pilot.press("tab")
        assert browse(app).active is browse(app).right
        await pilot.press("tab")
        assert browse(app).active is browse(app).left


async def test_enter_opens_and_backspace_returns_to_where_the_cursor_was(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        pane = browse(app).left
        await pilot.press("enter")
        await wait_until(pilot, lambda: "inner.txt" in text_of(app))
        await pilot.press("backspace")
        await wait_until(pilot, lambda: "notes.md" in text_of(app))

        assert pane.cursor_name == "station-07/"


async def test_the_cursor_begins_on_the_first_entry_and_not_on_the_way_up(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        pane = browse(app).left
        assert pane.cursor_name == "station-07/"
        await pilot.press("home")
        assert pane.cursor_name == ".."
        await pilot.press("r")
        await wait_until(pilot, lambda: not pane.is_loading)
        assert pane.cursor_name == ".."


async def test_a_sentence_that_is_too_long_for_the_status_line_gets_more_lines(make_app: MakeApp, folder: Path) -> None:
    app = make_app(folder_location(folder), folder_location(folder))
    async with running(app) as pilot:
        await pilot.press("f5")
        await wait_until(pilot, lambda: "Tab goes there." in text_of(app))
        assert app.screen.status_line is not None and app.screen.status_line.size.height == 2  # type: ignore[attr-defined]
        await pilot.press("s")
        await wait_until(pilot, lambda: app.screen.status_line.size.height == 1)  # type: ignore[attr-defined]


async def test_the_same_keys_work_on_a_storage(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        await pilot.press("tab", "enter")
        await wait_until(pilot, lambda: "one.dat" in text_of(app))

        assert "lab ▸ a/" in text_of(app)
        await pilot.press("up", "enter")
        await wait_until(pilot, lambda: "two.dat" in text_of(app))


async def test_marks_by_key_pattern_and_inversion(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        pane = browse(app).left
        await pilot.press("space")
        assert pane.marked == {"station-07/"}
        assert pane.cursor_name == "station-08/"

        await pilot.press("plus", "backspace", *"*.dat", "enter")
        assert pane.marked == {"station-07/", "raw.dat"}
        assert [selected.name for selected in pane.picked] == ["station-07/", "raw.dat"]

        await pilot.press("minus", "backspace", *"raw*", "enter")
        assert pane.marked == {"station-07/"}
        await pilot.press("asterisk")
        assert pane.marked == {"station-08/", "notes.md", "raw.dat", "sensors.csv"}
        assert "4 marked" in text_of(app)


async def test_find_as_you_type_moves_and_escape_returns(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        pane = browse(app).left
        await pilot.press("slash", "s", "e")
        assert pane.cursor_name == "sensors.csv"
        await pilot.press("escape")
        assert pane.cursor_name == "station-07/"
        await pilot.press("slash", *"dat", "enter")
        assert pane.cursor_name == "raw.dat"


async def test_a_filter_says_what_it_covered(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        await pilot.press("f", *"station", "enter")
        await wait_until(pilot, lambda: '"station" 2 of 5' in text_of(app))

        assert "notes.md" not in text_of(app)
        await pilot.press("f", "ctrl+u", "enter")
        await wait_until(pilot, lambda: "notes.md" in text_of(app))


async def test_sort_and_hidden_files(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        pane = browse(app).left
        await pilot.press("s")
        await wait_until(pilot, lambda: not pane.is_loading and "by size" in text_of(app))
        assert [pane.rows.name(row) for row in range(3, 6)] == ["raw.dat", "sensors.csv", "notes.md"]

        await pilot.press("full_stop")
        await wait_until(pilot, lambda: ".hidden" in text_of(app))


async def test_swap_and_same_location(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        left, right = browse(app).left, browse(app).right
        await pilot.press("x")
        await wait_until(pilot, lambda: not left.is_loading and not right.is_loading)
        assert left.location is not None and left.location.storage is not None
        await pilot.press("o")
        await wait_until(pilot, lambda: not right.is_loading)
        assert right.location is not None and right.location.word == left.location.word


async def test_a_listing_is_never_called_complete_before_its_end(make_app: MakeApp) -> None:
    store = SlowStore(200)
    app = make_app(storage_location(store), storage_location(store_with("x")))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: "first-0000" in text_of(app))
        assert "of ? · loading" in text_of(app)
        assert "Nothing here" not in text_of(app)

        store.go_on.set()
        await wait_until(pilot, lambda: "400 of 400" in text_of(app))


async def test_leaving_a_location_stops_its_listing(make_app: MakeApp) -> None:
    store = SlowStore(200)
    app = make_app(storage_location(store), storage_location(store_with("x")))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: "first-0000" in text_of(app))
        await pilot.press("x")
        store.go_on.set()
        assert store.is_over.wait(5)


async def test_escape_stops_a_listing_and_says_that_it_is_not_all(make_app: MakeApp) -> None:
    store = SlowStore(200)
    app = make_app(storage_location(store), storage_location(store_with("x")))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: "first-0000" in text_of(app))
        await pilot.press("escape")
        store.go_on.set()
        await wait_until(pilot, lambda: "of ? · incomplete" in text_of(app))

        assert "Stopped: this is not all of it." in text_of(app)


async def test_a_failure_is_said_in_the_pane_and_r_tries_again(make_app: MakeApp, folder: Path) -> None:
    store = BrokenStore()
    app = make_app(folder_location(folder), storage_location(store))
    async with running(app) as pilot:
        assert "No answer from lab.example.org." in text_of(app)
        assert "Is the network there?" in text_of(app)
        assert "Nothing here" not in text_of(app)

        store.is_broken = False
        await pilot.press("tab", "r")
        await wait_until(pilot, lambda: "recovered.txt" in text_of(app))
        assert "1 of 1" in text_of(app)


async def test_states_come_from_the_evidence(make_app: MakeApp, folder: Path) -> None:
    store = store_with("good.dat", "bad.dat", "longer.dat", "new.dat")

    def proof(key: str, level: EvidenceLevel, size: int = 5) -> Evidence:
        return Evidence(store.identity, key, level, "ab" * 32, size, 0.0, "read", None)

    table = Evidences(
        proof("good.dat", EvidenceLevel.READ),
        proof("bad.dat", EvidenceLevel.DAMAGED),
        proof("longer.dat", EvidenceLevel.READ, 4),
    )
    app = make_app(folder_location(folder), storage_location(store), evidence_table=table)
    async with running(app, size=(120, 36)):
        lines = {line.split()[0]: line for row in rows_of(app) if (line := row.partition("││")[2]) and line.split()}

        assert "✓ verified" in lines["good.dat"]
        assert "✗ damaged" in lines["bad.dat"]
        assert "~ stale" in lines["longer.dat"]
        assert "◇ listed" in lines["new.dat"]


async def test_names_are_shown_and_never_interpreted(make_app: MakeApp, tmp_path: Path) -> None:
    for name in ("[red]markup", "esc\x1b[31m", "new\nline", "rtl\u202egpj", "日本語日本語日本語日本語日本語日本語"):
        (tmp_path / name).write_text("x")
    app = make_app(folder_location(tmp_path), storage_location(store_with("x")))
    async with running(app) as pilot:
        text = text_of(app)

        assert "[red]markup" in text
        assert "esc\\x1b[31m" in text
        assert "new\\nline" in text
        assert "rtl\\u202egpj" in text
        assert all(character not in text for character in "\x1b\u202e")
        assert {len(line) for line in text.splitlines()[1:3]} == {80}
        await pilot.press("slash", "日", "enter")
        assert browse(app).left.cursor_name == "日本語日本語日本語日本語日本語日本語"


async def test_compare_says_what_is_known(make_app: MakeApp) -> None:
    here, there = store_with("a", "b", "only-here"), store_with("a", "only-there")
    there.put("b", [b"longer"])
    app = make_app(storage_location(here), storage_location(there, "other"))
    async with running(app) as pilot:
        await pilot.press("equals_sign")

        assert browse(app).left.signs == {"a": "?", "b": "*", "only-here": "+"}
        assert "= 0 same  * 1 differ  + 1 here  - 1 there  ? 1 unknown  (by name, size, digest)"[:70] in text_of(app)
        await pilot.press("equals_sign")
        assert browse(app).left.signs is None


async def test_the_palette_finds_and_does_an_action(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        await pilot.press("colon", *"hidden")
        assert "Show hidden files" in text_of(app)
        assert "Swap the panes" not in text_of(app)
        await pilot.press("enter")
        await wait_until(pilot, lambda: ".hidden" in text_of(app))


async def test_actions_can_be_copied_as_commands(app: ArchiveApp, folder: Path) -> None:
    async with running(app) as pilot:
        await pilot.press("y", *"publish", "enter")

        assert app.clipboard == f"archive-tui dataset publish lab station-07 --source {folder}/station-07"
        assert "Copied: archive-tui dataset publish lab" in text_of(app)


async def test_what_cannot_be_done_says_why(make_app: MakeApp, folder: Path) -> None:
    app = make_app(folder_location(folder), folder_location(folder))
    async with running(app) as pilot:
        await pilot.press("f5")

        assert "Copy needs another place" in text_of(app)


async def test_help_lists_every_action_of_the_screen(app: ArchiveApp) -> None:
    async with running(app, size=(120, 80)) as pilot:
        await pilot.press("question_mark")
        text = text_of(app)

        missing = [action.title for action in browse(app).actions_here if action.keys and action.title not in text]
        assert missing == []
        await pilot.press("escape")
        assert "help: keys" not in text_of(app)


async def test_view_shows_text_and_bytes(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("first line\nsecond [b]line\x1b[0m\n")
    (tmp_path / "b.bin").write_bytes(bytes(range(256)))
    app = make_app(folder_location(tmp_path), storage_location(store_with("x")))
    async with running(app) as pilot:
        await pilot.press("f3")
        await wait_until(pilot, lambda: "second [b]line\\x1b[0m" in text_of(app))
        await pilot.press("escape", "down", "3")
        await wait_until(pilot, lambda: "000000 0001 0203 0405 0607" in text_of(app))


async def test_inspect_shows_the_history_of_the_evidence(make_app: MakeApp, folder: Path) -> None:
    store = store_with("a.dat")
    proof = Evidence(store.identity, "a.dat", EvidenceLevel.READ, "ab" * 32, 5, 0.0, "every byte read", None)
    app = make_app(storage_location(store), folder_location(folder), evidence_table=Evidences(proof))
    async with running(app) as pilot:
        await pilot.press("i")
        await wait_until(pilot, lambda: "every byte read" in text_of(app))
        assert "✓ verified" in text_of(app)


async def test_too_small_a_terminal_says_so_and_recovers(app: ArchiveApp) -> None:
    async with running(app) as pilot:
        await pilot.resize_terminal(50, 14)
        await wait_until(pilot, lambda: "needs 60x16" in text_of(app))
        await pilot.resize_terminal(60, 16)
        await wait_until(pilot, lambda: "station-07/" in text_of(app))


async def test_without_utf8_everything_is_ascii(make_app: MakeApp, folder: Path) -> None:
    app = make_app(folder_location(folder), storage_location(store_with("a.dat")), ascii_only=True)
    async with running(app) as pilot:
        assert text_of(app).isascii()
        await pilot.press("question_mark")
        assert text_of(app).isascii()


async def test_bad_words_are_answered_with_a_sentence(make_app: MakeApp, folder: Path) -> None:
    app = make_app(folder_location(folder), "no-such-place")
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: "notes.md" in text_of(app))
        assert "Neither a storage nor a folder:" in text_of(app)

        await pilot.press("g", "ctrl+u", *"nowhere", "enter")
        assert "Neither a storage nor a folder: nowhere" in text_of(app)


async def test_a_million_rows_move_as_fast_as_a_hundred(make_app: MakeApp, folder: Path) -> None:
    count = 200_000

    class LongStore(MemoryStore):
        def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
            return (ObjectInfo(f"row-{number:07d}", 1) for number in range(count))

    app = make_app(storage_location(LongStore()), folder_location(folder))
    async with running(app) as pilot:
        pane = browse(app).left
        asked: list[int] = []
        cells = pane.rows.cells

        class Counting:
            def __getattr__(self, name: str) -> Any:
                return getattr(rows, name)

            def cells(self, row: int, columns: Any) -> Any:
                asked.append(row)
                return cells(row, columns)

        rows, pane.rows = pane.rows, Counting()
        await pilot.press("down")
        assert len(asked) <= 3
        asked.clear()
        await pilot.press("end")
        assert pane.cursor == count - 1
        assert len(asked) <= 3 * pane.page

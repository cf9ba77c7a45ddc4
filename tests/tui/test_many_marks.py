"""Marks in long listings: a thread goes through the rows, and what is about them waits for it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from archive_tui.errors import OperationStopped
from archive_tui.tui.rows.manifest_rows import ManifestRows
from archive_tui.tui.rows.selection import PickedRows, Selected
from archive_tui.tui.screens.browse import browse_marks
from archive_tui.tui.screens.verify import VerifyScreen
from tests.tui.guide_places import Place, open_place
from tests.tui.test_manifest_page import FILES, digest, last_job, open_manifest_pane

MANY = 5000


class Rows:
    count = MANY

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def name(self, row: int) -> str:
        self.threads.add(threading.get_ident())
        return f"row-{row}"

    def can_be_marked(self, row: int) -> bool:
        return row > 0

    def selected(self, row: int) -> Selected | None:
        return Selected(self.name(row), "")


def test_collecting_stops_and_goes_on_where_it_was() -> None:
    asked = 0

    def stop_at_ten() -> bool:
        nonlocal asked
        asked += 1
        return asked > 10

    class Stop:
        is_set = staticmethod(stop_at_ten)

    names = {f"row-{row}" for row in range(MANY)}
    picked = PickedRows(Rows(), names, lambda row: MANY - row)
    with pytest.raises(OperationStopped):
        picked.collect(Stop())
    assert not picked.is_collected

    picked.collect()
    assert picked.is_collected and len(picked) == MANY - 1
    assert list(picked.places) == list(range(1, MANY))


@pytest.fixture
def document(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    path = tmp_path / "home" / "all.sha256"
    path.write_text("".join(f"{digest(content)}  {name}\n" for name, content in FILES.items()))
    return path


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every listing is a long one."""
    monkeypatch.setattr(browse_marks, "LONG_MARKING", 1)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Collecting waits for it."""
    gate = threading.Event()
    collect = PickedRows.collect

    def wait(self: PickedRows, *stop: object) -> None:
        assert threading.current_thread() is not threading.main_thread(), "collected in the way of the keys"
        assert gate.wait(20)
        collect(self, *stop)  # type: ignore[arg-type]

    monkeypatch.setattr(PickedRows, "collect", wait)
    return gate


async def mark_all(place: Place, document: Path) -> ManifestRows:
    await open_manifest_pane(place, document)
    await place.press("plus", "enter")
    await place.until_text("4 rows marked.")
    screen = place.app.browse_screen
    assert screen is not None and isinstance(screen.left.rows, ManifestRows)
    return screen.left.rows


@pytest.mark.usefixtures("short")
async def test_the_marked_lines_are_collected_in_the_background_then_checked(
    tmp_path: Path,
    document: Path,
    gate: threading.Event,
) -> None:
    async with open_place(tmp_path) as place:
        await mark_all(place, document)
        await place.press("minus", "backspace", *"a.txt", "enter")
        await place.until_text("3 rows marked.")
        await place.press("f6")
        await place.until_text("collecting the marked rows. Esc stops.")
        assert not place.jobs
        gate.set()
        await place.until(lambda: isinstance(place.app.screen, VerifyScreen))
        await place.until_text("Verified: 3 of 3 files")
        assert last_job(place).title == "check all.sha256 (3 lines)"


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("key", ["down", "escape", "tab"])
async def test_nothing_comes_under_the_fingers_of_who_has_gone_on(
    tmp_path: Path,
    document: Path,
    gate: threading.Event,
    key: str,
) -> None:
    async with open_place(tmp_path) as place:
        await mark_all(place, document)
        await place.press("f5")
        await place.until_text("collecting the marked rows")
        await place.press(key)
        gate.set()
        await place.until_text("Stopped: the marks are as they were." if key == "escape" else "not done, for you went")
        assert "Enter archive" not in place.text and not place.jobs


@pytest.mark.usefixtures("short")
async def test_inverting_in_the_background_marks_the_others(tmp_path: Path, document: Path) -> None:
    async with open_place(tmp_path) as place:
        await open_manifest_pane(place, document)
        await place.press("home", "down", "space", "asterisk")
        await place.until_text("3 rows marked.")
        screen = place.app.browse_screen
        assert screen is not None and screen.left.marked == set(FILES) - {"a.txt"}

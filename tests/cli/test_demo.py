from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from archive_tui.cli.entry import run_command_line
from archive_tui.settings import Settings
from tests.cli.conftest import Run

STEPS = ["prepare", "publish", "verify", "change", "publish", "diff", "fetch", "verify"]


def test_headless_goes_through_every_step_and_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    call = run("demo", "--headless")
    assert (call.status, call.err) == (0, "")
    assert [line.split()[1] for line in call.out.splitlines()[:-1]] == STEPS
    assert call.out.splitlines()[-1].startswith("All of it worked.")
    assert list(temporary.iterdir()) == []


def test_headless_can_be_repeated_in_a_folder_that_stays(run: Run, workplace: Path) -> None:
    for _ in range(2):
        assert run("demo", "--headless", "--folder", "playground").status == 0
    archive = workplace / "playground" / "archive"
    assert sorted(path.name for path in archive.glob("*.zip")) == ["station-07.0.0.1.zip", "station-07.0.0.2.zip"]
    words = ["dataset", "verify", "demo-archive", "station-07", "--settings", "playground/settings.ini"]
    assert run(*words).status == 0


def test_headless_as_json(run: Run) -> None:
    document = run("demo", "--headless", "--json").document
    assert [step["step"] for step in document["steps"]] == STEPS
    assert document["status"] == 0


def test_a_folder_that_is_no_playground_is_left_alone(run: Run, workplace: Path) -> None:
    call = run("demo", "--headless", "--folder", "work")
    assert call.status == 1
    assert (workplace / "work" / "winds" / "table.csv").is_file()


def test_the_panes_open_on_a_playground_with_a_version_and_a_change(workplace: Path) -> None:
    opened: list[tuple[str | None, str | None, list[str]]] = []

    def open_panes(left: str | None, right: str | None, settings: Settings) -> None:
        area = Path(settings.storages["demo-archive"]["storage_area"])
        opened.append((left, right, sorted(path.name for path in area.glob("*.zip"))))

    assert run_command_line(["demo", "--folder", "playground"], open_panes=open_panes) == 0
    assert opened == [(str(workplace / "playground" / "data"), "demo-archive", ["station-07.0.0.1.zip"])]

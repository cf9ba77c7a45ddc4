from __future__ import annotations

import io
from pathlib import Path

import pytest

from archive_tui.cli import diagnostics
from tests.cli.conftest import Run


@pytest.fixture
def published(run: Run, workplace: Path) -> Path:
    for version in ("1.0.0", "1.1.0"):
        (workplace / "work/winds/table.csv").write_text(version)
        assert run("dataset", "publish", "lab", "winds", "--version", version).status == 0
    return workplace / "archive"


def versions(archive: Path) -> list[str]:
    return sorted(path.name for path in archive.iterdir() if path.name.startswith("winds"))


def test_it_tells_what_refers_to_it_and_deletes_nothing_unasked(run: Run, published: Path) -> None:
    call = run("dataset", "delete", "lab", "winds", "1.1.0")
    assert (call.status, call.out) == (2, "")
    assert "winds.1.1.0.manifest.json" in call.err
    assert "`latest` gets version 1.0.0 afterwards" in call.err
    assert "Agree with --yes" in call.err
    assert len(versions(published)) == 4


def test_with_agreement_that_version_goes_and_no_other(run: Run, published: Path) -> None:
    call = run("dataset", "delete", "lab", "winds", "1.0.0", "--yes", "--json")
    assert call.document["deleted"] == ["winds.1.0.0.zip", "winds.1.0.0.manifest.json"]
    assert versions(published) == ["winds.1.1.0.manifest.json", "winds.1.1.0.zip"]
    call = run("dataset", "delete", "lab", "winds", "1.1.0", "--yes")
    assert call.out.startswith("Deleted: winds 1.1.0, ")
    assert "nothing at all" in call.err
    assert versions(published) == []
    assert run("dataset", "delete", "lab", "winds", "1.1.0", "--yes").status == 1


@pytest.mark.parametrize(("typed", "status"), [("1.1.0\n", 0), ("1.0.0\n", 2), ("yes\n", 2), ("", 2)])
def test_on_a_terminal_the_number_is_typed(
    typed: str, status: int, run: Run, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Keyboard(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Keyboard(typed))
    monkeypatch.setattr(diagnostics, "is_terminal", lambda: True)
    assert run("dataset", "delete", "lab", "winds", "1.1.0", "--quiet").status == status
    assert len(versions(published)) == (4 if status else 2)


def test_latest_is_no_number(run: Run, published: Path) -> None:
    call = run("dataset", "delete", "lab", "winds", "latest", "--yes")
    assert call.status == 2
    assert "Not a version" in call.err

from __future__ import annotations

import io
from pathlib import Path

import pytest

from archive_tui.cli import diagnostics
from tests.cli.conftest import Run


@pytest.fixture
def filled(run: Run, workplace: Path) -> Path:
    assert run("copy", "work/winds", "lab:backup").status == 0
    return workplace / "archive"


def test_without_agreement_it_counts_only(run: Run, filled: Path) -> None:
    call = run("delete", "lab:backup/")
    assert (call.status, call.out) == (2, "")
    assert "This would delete 2 objects, 10 KB. Nothing was deleted." in call.err
    assert "--yes" in call.err
    assert (filled / "backup/winds/table.csv").exists()


def test_with_agreement_it_deletes(run: Run, filled: Path) -> None:
    call = run("delete", "lab:backup/winds/raw", "--yes")
    assert (call.status, call.out) == (0, "Deleted: 1 object, 10 KB\n")
    assert [path.name for path in (filled / "backup/winds").iterdir()] == ["table.csv"]
    call = run("delete", "lab:", "--yes", "--json")
    assert call.document["deletions"][0]["deleted"] == 1
    assert list(filled.iterdir()) == []


@pytest.mark.parametrize(("typed", "status"), [("2\n", 0), ("3\n", 2), ("\n", 2), ("yes\n", 2), ("", 2)])
def test_on_a_terminal_the_count_is_typed(
    typed: str, status: int, run: Run, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Keyboard(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Keyboard(typed))
    monkeypatch.setattr(diagnostics, "is_terminal", lambda: True)
    call = run("delete", "lab:backup/", "--quiet")
    assert call.status == status
    assert "This deletes 2 objects, 10 KB. Type the number of objects to agree:" in call.err
    assert (filled / "backup").exists() is bool(status)


def test_protected_objects_keep_everything(run: Run, filled: Path, workplace: Path) -> None:
    (workplace / "waves.1.0.0.zip").write_text("published")
    assert run("copy", "waves.1.0.0.zip", "lab:backup").status == 0
    for word in ("lab:backup/", "lab:", "archive/backup", "archive", "archive/backup/"):
        call = run("delete", word, "--yes")
        assert (call.status, call.out) == (1, "")
        assert "is never deleted this way" in call.err
    assert run("delete", "lab:backup/", "--yes", "--json").document["error"]["code"] == "delete-protected"
    assert (filled / "backup/winds/table.csv").exists()


def test_local_files_and_folders(run: Run, workplace: Path) -> None:
    (workplace / "work/winds/link").symlink_to("../../settings.ini")
    assert run("delete", "work/winds/link", "work/winds/raw/", "--yes").status == 0
    assert (workplace / "settings.ini").exists()
    assert list((workplace / "work/winds/raw").iterdir()) == []
    assert run("delete", "work/winds", "--yes").status == 0
    assert list((workplace / "work").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("absent",), 1, "No such file or folder: absent"),
        (("lab:absent",), 1, "lies at or below this key: absent"),
        (("lab:absent/",), 1, "Nothing to delete lies there: lab:absent/"),
        (("/",), 2, "that is the whole machine"),
        (("~",), 2, "that is the whole machine"),
        (("~/",), 2, "that is the whole machine"),
        (("work/winds", "work/winds/raw/log.dat", "--background"), 2, "one folder or storage at a time"),
        ((), 2, "PLACE"),
    ],
)
def test_what_cannot_be_done_is_said(words: tuple[str, ...], status: int, message: str, run: Run) -> None:
    call = run("delete", *words, "--yes")
    assert (call.status, call.out) == (status, "")
    assert message in call.err


def test_into_the_trash(run: Run, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(workplace / "data"))
    call = run("delete", "work/winds", "--trash", "--yes")
    assert (call.status, call.out) == (0, "Moved to the trash: 2 objects, 10 KB\n")
    assert (workplace / "data/Trash/files/winds/table.csv").exists()
    assert list((workplace / "work").iterdir()) == []


@pytest.mark.parametrize("mark", [".datasafe.json", ".manifest/manifest.yaml"])
def test_what_a_place_of_its_own_keeps_is_protected(mark: str, run: Run, filled: Path) -> None:
    (filled / mark).parent.mkdir(exist_ok=True)
    (filled / mark).write_text("{}")
    for word in ("lab:backup/winds", "archive/backup/winds/raw/", "lab:"):
        call = run("delete", word, "--yes")
        assert (call.status, call.out) == (1, "")
        assert "keeps is never deleted this way" in call.err or "the mark of a" in call.err
    assert (filled / "backup/winds/table.csv").exists()

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def photos(workplace: Path) -> Path:
    folder = workplace / "photos"
    folder.mkdir()
    for name in ("a.jpeg", "b.jpeg", "notes.txt"):
        (folder / name).write_text(name)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_one_name(run: Run, photos: Path) -> None:
    call = run("rename", "photos/a.jpeg", "z.jpg")
    assert (call.status, call.out) == (0, "Renamed: 1 name; 1 object, 6 B\n")
    assert names(photos) == ["b.jpeg", "notes.txt", "z.jpg"]
    assert run("rename", "photos/", "pictures").status == 0
    assert names(photos.parent / "pictures") == ["b.jpeg", "notes.txt", "z.jpg"]


def test_many_by_a_pattern_after_a_look(run: Run, photos: Path) -> None:
    words = ("rename", "photos/", "--pattern", "*.jpeg", "--to", "{n:2}-{1}.jpg")
    call = run(*words, "--dry-run")
    assert call.status == 0
    assert call.out.splitlines()[:2] == ["a.jpeg → 01-a.jpg", "b.jpeg → 02-b.jpg"]
    assert call.out.endswith("2 to rename, 0 clash, 0 refused, 1 stay as they are. Nothing was renamed.\n")
    assert "a.jpeg" in names(photos)
    assert run(*words).status == 0
    assert names(photos) == ["01-a.jpg", "02-b.jpg", "notes.txt"]
    assert run("rename", "photos/01-a.jpg", "photos/02-b.jpg", "--regex", "--pattern", r"\d+-", "--to", "").status == 0
    assert names(photos) == ["a.jpg", "b.jpg", "notes.txt"]


def test_in_a_storage(run: Run, workplace: Path) -> None:
    assert run("copy", "work/winds", "lab:in").status == 0
    assert run("rename", "lab:in/winds", "gales").status == 0
    assert names(workplace / "archive/in/gales") == ["raw", "table.csv"]
    call = run("rename", "lab:in/gales/", "--pattern", "*", "--to", "{name}.old", "--json")
    assert call.document["renames"][0]["renamed"] == 2


def test_clashes_refuse_everything(run: Run, photos: Path) -> None:
    words = ("rename", "photos/", "--pattern", "*.jpeg", "--to", "x.jpg")
    call = run(*words)
    assert (call.status, call.out) == (2, "")
    assert "Names clash: a.jpeg → x.jpg, and another one becomes the same, and 1 more" in call.err
    call = run(*words, "--dry-run", "--json")
    assert (call.status, len(call.document["clashes"])) == (2, 2)
    assert names(photos) == ["a.jpeg", "b.jpeg", "notes.txt"]


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("photos/a.jpeg",), 2, "Without --pattern name one PLACE and its new name"),
        (("photos/a.jpeg", "b/c"), 2, "the new name has a slash"),
        (("photos/a.jpeg", ".."), 2, "the new name is refused (key-segment)"),
        (("photos/a.jpeg", "b.jpeg"), 2, "which lies there already"),
        (("photos/absent", "x"), 1, "No such file or folder"),
        (("photos/", "--pattern", "*"), 2, "--pattern and --to go together"),
        (("photos/", "--pattern", "(a+)+", "--regex", "--to", "x"), 2, "might never end"),
        (("photos/", "--pattern", "*.png", "--to", "x"), 2, "No name would change"),
        (("photos/", "work/", "--pattern", "*", "--to", "{1}x"), 2, "One folder or storage at a time"),
        (("lab:", "x"), 2, "Name what is in it"),
        ((".", "x"), 2, "Name what is in it"),
    ],
)
def test_what_cannot_be_done_is_said(words: tuple[str, ...], status: int, message: str, run: Run, photos: Path) -> None:
    call = run("rename", *words)
    assert (call.status, call.out) == (status, "")
    assert message in call.err
    assert names(photos) == ["a.jpeg", "b.jpeg", "notes.txt"]

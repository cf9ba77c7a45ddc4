from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from archive_tui.cli import diagnostics
from tests.cli.conftest import Run

MONTH = 30 * 86400.0

Age = Callable[[], None]


@pytest.fixture
def filled(run: Run, workplace: Path) -> Path:
    """The vault in `lab` holds the contents of a, b and c; `keep.sha256` names only a."""
    for name in "abc":
        (workplace / name).write_text(name)
    assert run("manifest", "--create", "a", "b", "c", "--manifest", "all.sha256").status == 0
    assert run("manifest", "--create", "a", "--manifest", "keep.sha256").status == 0
    assert run("manifest", "--archive", "--manifest", "all.sha256", "--storage", "lab").status == 0
    return workplace / "archive"


@pytest.fixture
def age(filled: Path) -> Age:
    """Lets a month go by for all that lies in the vault."""

    def make_older() -> None:
        marks = filled / "object.prune-marks.json"
        document = json.loads(marks.read_text())
        for each in document["rounds"]:
            each["marked"] = (each["marked"] or marks.stat().st_mtime) - MONTH
            each["marked_here"] -= MONTH
        marks.chmod(0o644)
        marks.write_text(json.dumps(document))
        for path in (filled / "object").rglob("*"):
            if path.is_file():
                os.utime(path, (path.stat().st_mtime - MONTH,) * 2)

    return make_older


def _count(vault: Path) -> int:
    return sum(path.is_file() for path in (vault / "object").rglob("*"))


def test_in_two_runs(run: Run, filled: Path, age: Age) -> None:
    words = ("vault", "prune", "--storage", "lab", "--manifest", "keep.sha256")
    call = run(*words, "--dry-run")
    assert (call.status, call.out.splitlines()[3:]) == (
        0,
        [
            "mark      2 that none of them refers to",
            "wait      0 that are marked",
            "delete    0 contents, 0 B",
        ],
    )
    assert "used with this vault before" in call.err
    assert "all.sha256" in call.err
    assert not (filled / "object.prune-marks.json").exists()
    call = run(*words)
    assert (call.status, call.out) == (0, "Deleted: 0 contents, 0 B; 2 newly marked, 2 wait\n")
    assert "2 contents can be deleted by a prune after 14 days." in call.err
    age()
    call = run(*words)
    assert (call.status, call.out) == (2, "")
    assert "This would delete 2 contents, 2 B. Nothing was marked or deleted." in call.err
    document = run(*words, "--dry-run", "--json").document
    assert (len(document["delete"]), document["referenced"], document["status"]) == (2, 1, 0)
    assert _count(filled) == 3
    call = run(*words, "--yes")
    assert (call.status, call.out) == (0, "Deleted: 2 contents, 2 B; 0 newly marked, 0 wait\n")
    assert _count(filled) == 1
    document = run(*words, "--yes", "--json").document
    assert (document["deleted"], document["plan"]["contents"], document["status"]) == (0, 1, 0)


@pytest.mark.parametrize(("typed", "status"), [("2\n", 0), ("3\n", 2), ("", 2), ("yes\n", 2)])
def test_on_a_terminal_the_count_is_typed(
    typed: str, status: int, run: Run, filled: Path, age: Age, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Keyboard(io.StringIO):
        def isatty(self) -> bool:
            return True

    words = ("vault", "prune", "--storage", "lab", "--manifest", "keep.sha256")
    run(*words)
    age()
    monkeypatch.setattr("sys.stdin", Keyboard(typed))
    monkeypatch.setattr(diagnostics, "is_terminal", lambda: True)
    call = run(*words, "--quiet")
    assert call.status == status
    assert "This deletes 2 contents, 2 B. Type the number of contents to agree:" in call.err
    assert _count(filled) == (3 if status else 1)


def test_archiving_takes_the_mark_away(run: Run, filled: Path, age: Age) -> None:
    words = ("vault", "prune", "--storage", "lab", "--manifest", "keep.sha256")
    run(*words)
    age()
    assert run("manifest", "--archive", "--manifest", "all.sha256", "--storage", "lab").status == 0
    assert run(*words, "--yes").out == "Deleted: 0 contents, 0 B; 2 newly marked, 2 wait\n"
    assert _count(filled) == 3


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ((), 2, "--manifest"),
        (("--manifest", "absent"), 1, "No such manifest: absent"),
        (("--manifest", "work"), 1, "Not a file: work"),
        (("--manifest", "keep.sha256", "--grace", "59m"), 2, "The grace time is too short"),
        (("--manifest", "keep.sha256", "--grace", "soon"), 2, "not a length of time"),
        (("--manifest", "keep.sha256", "--manifest", "settings.ini"), 1, "not a line of a manifest"),
        (("--manifest", "keep.sha256", "--storage", "labb"), 2, "lab"),
    ],
)
def test_what_cannot_be_done_is_said(words: tuple[str, ...], status: int, message: str, run: Run, filled: Path) -> None:
    options = words if "--storage" in words else (*words, "--storage", "lab")
    call = run("vault", "prune", *options, "--yes")
    assert (call.status, call.out) == (status, "")
    assert message in call.err
    assert _count(filled) == 3
    assert not (filled / "object.prune-marks.json").exists()

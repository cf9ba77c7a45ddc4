from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_here_and_in_a_storage(run: Run, workplace: Path) -> None:
    assert run("mkdir", "new/deep").out == "Made: new/deep\n"
    assert run("mkdir", "lab:in/here/", "--json").document == {"place": "lab:in/here/", "status": 0}
    assert (workplace / "new/deep").is_dir()
    assert (workplace / "archive/in/here").is_dir()


@pytest.mark.parametrize(
    ("word", "status", "message"),
    [
        ("work", 1, "Something of this name is there already: work"),
        ("lab:", 2, "That is the storage itself"),
        ("lab:../out", 2, "Key refused"),
        ("nowhere:x", 2, "No storage of this name"),
        ("settings.ini/x", 1, "settings.ini/x"),
    ],
)
def test_what_cannot_be_done_is_said(word: str, status: int, message: str, run: Run, workplace: Path) -> None:
    call = run("mkdir", word)
    assert (call.status, call.out) == (status, "")
    assert message in call.err
    assert not (workplace / "out").exists()
    assert not list((workplace / "archive").glob("*"))

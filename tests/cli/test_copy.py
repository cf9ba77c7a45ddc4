from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_a_folder_goes_and_comes_back(run: Run, workplace: Path) -> None:
    call = run("copy", "work/winds", "lab:backup")
    assert (call.status, call.out) == (0, "Verified: 2 objects copied, 10 KB\n")
    assert (workplace / "archive/backup/winds/raw/log.dat").read_bytes() == bytes(range(256)) * 40
    assert run("copy", "lab:backup/winds/", "back").status == 0
    assert (workplace / "back/table.csv").read_text() == "hour,speed\n1,3.5\n"
    assert (workplace / "back/table.csv").stat().st_mode & 0o200


def test_the_same_again_writes_nothing(run: Run) -> None:
    run("copy", "work/winds/", "lab")
    call = run("copy", "work/winds/", "lab")
    assert (call.status, call.out) == (0, "Verified: 0 objects copied, 0 B; 2 lay there already\n")


def test_another_content_is_kept_unless_asked_for(run: Run, workplace: Path) -> None:
    run("copy", "work/winds/table.csv", "lab")
    (workplace / "work/winds/table.csv").write_text("changed")
    call = run("copy", "work/winds/table.csv", "lab")
    assert call.status == 1
    assert "changed    table.csv  (another content lies there and was kept)" in call.out
    assert run("copy", "work/winds/table.csv", "lab", "--on-conflict", "keep-both").status == 0
    assert (workplace / "archive/table (2).csv").read_text() == "changed"
    assert (workplace / "archive/table.csv").read_text() != "changed"
    assert run("copy", "work/winds/table.csv", "lab", "--on-conflict", "replace").status == 0
    assert (workplace / "archive/table.csv").read_text() == "changed"


def test_what_has_to_be_decided_is_put_off(run: Run, workplace: Path) -> None:
    run("copy", "work/winds/", "lab")
    (workplace / "work/winds/table.csv").write_text("changed")
    (workplace / "work/winds/new").write_text("new")
    call = run("copy", "work/winds/", "lab", "--on-conflict", "ask")
    assert call.status == 1
    assert "archive-tui jobs answer" in call.err
    assert (workplace / "archive/new").read_text() == "new"
    assert (workplace / "archive/table.csv").read_text() != "changed"


def test_a_published_version_is_never_replaced(run: Run, workplace: Path) -> None:
    (workplace / "winds.1.0.0.zip").write_text("published")
    assert run("copy", "winds.1.0.0.zip", "lab").status == 0
    (workplace / "winds.1.0.0.zip").write_text("something else")
    call = run("copy", "winds.1.0.0.zip", "lab", "--on-conflict", "replace")
    assert call.status == 1
    assert "a published version is never replaced" in call.out
    assert (workplace / "archive/winds.1.0.0.zip").read_text() == "published"


def test_several_sources_and_a_document(run: Run, workplace: Path) -> None:
    (workplace / "x").write_text("x")
    run("copy", "x", "lab:deep")
    call = run("copy", "x", "work/winds", "lab:deep/x", "out", "--json")
    assert call.status == 0  # two of one name, of one content: the second lies there already
    assert [copy["copied"] for copy in call.document["copies"]] == [1, 2, 0]
    assert call.document["copies"][2]["same"] == 1


def test_several_sources_are_proven(run: Run, workplace: Path) -> None:
    call = run("copy", "work/winds/raw/log.dat", "work/winds/table.csv", "lab", "--json")
    assert (call.status, call.document["status"]) == (0, 0)
    assert [copy["copied"] for copy in call.document["copies"]] == [1, 1]
    assert {copy["state"] for copy in call.document["copies"]} == {"verified"}


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("work/winds", "work/winds"), 2, "The target lies in what is to be copied"),
        (("work/winds", "work"), 2, "Source and target are the same place"),
        (("work/winds", "work/winds/deep"), 2, "The target lies in what is to be copied"),
        (("lab:", "lab:deep"), 2, "The target lies in what is to be copied"),
        (("absent", "lab"), 1, "No such file or folder: absent"),
        (("lab:absent", "out"), 1, "lies at or below this key: absent"),
        (("lap:x", "out"), 2, "No storage of this name: lap"),
        (("work/winds", "work/winds/table.csv"), 1, "Not a folder: work/winds/table.csv"),
        (("work/winds",), 2, "Missing argument"),
        (("work/winds", "lab", "--on-conflict", "overwrite"), 2, "overwrite"),
        (("work/winds", "work/winds/raw", "lab", "--background"), 2, "one folder or storage at a time"),
    ],
)
def test_what_cannot_be_done_is_said(words: tuple[str, ...], status: int, message: str, run: Run) -> None:
    call = run("copy", *words)
    assert (call.status, call.out) == (status, "")
    assert message in call.err


def test_what_is_no_file_is_listed(run: Run, workplace: Path) -> None:
    (workplace / "work/winds/link").symlink_to("table.csv")
    (workplace / "work/winds/empty").mkdir()
    call = run("copy", "work/winds", "lab")
    assert call.status == 1
    assert "link" in call.out
    assert "1 skipped" in call.out
    assert "note: 1 empty folder not copied" in call.err


def test_it_is_listed_as_a_job(run: Run) -> None:
    run("copy", "work/winds", "lab")
    assert "copy winds/ to lab:" in run("jobs", "list", "--all").out

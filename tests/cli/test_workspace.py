"""`archive-tui workspace`: the files of a workspace through its broker, each with its own outcome."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def files(workplace: Path) -> Path:
    (workplace / "files").mkdir()
    (workplace / "a.txt").write_text("hello\n")
    (workplace / "b.txt").write_text("other\n")
    write(workplace, {"version": "7", "broker": {"type": "host", "host_path": str(workplace / "files")}})
    return workplace / "files"


def write(workplace: Path, document: object) -> None:
    (workplace / "w.json").write_text(json.dumps(document))


def test_the_whole_way(run: Run, files: Path, workplace: Path) -> None:
    call = run("workspace", "upload", "w.json", "a.txt", "b.txt", "--into", "raw")
    assert (call.status, call.out) == (0, "uploaded   raw/a.txt, 6 B\nuploaded   raw/b.txt, 6 B\n")
    assert run("workspace", "upload", "w.json", "a.txt", "--into", "raw").out == "same       raw/a.txt, 6 B\n"
    assert run("workspace", "list", "w.json").out == ""
    lines = run("workspace", "list", "w.json", "--recursive").out.splitlines()
    assert [line.split()[0] for line in lines] == ["file", "raw/a.txt", "raw/b.txt"]
    assert run("workspace", "move", "w.json", "raw/a.txt", "done/a.txt").status == 0
    call = run("workspace", "download", "w.json", "done/a.txt", "--to", "out")
    assert call.status == 0 and (workplace / "out" / "a.txt").read_text() == "hello\n"
    call = run("workspace", "delete", "w.json", "done/a.txt", "gone")
    assert call.status == 2 and "--yes" in call.err and (files / "done" / "a.txt").exists()
    call = run("workspace", "delete", "w.json", "done/a.txt", "gone", "--yes")
    assert (call.status, call.out) == (0, "deleted    done/a.txt\nabsent     gone\n")
    assert [str(path.relative_to(files)) for path in files.rglob("*") if path.is_file()] == ["raw/b.txt"]


def test_each_file_has_its_outcome(run: Run, files: Path, workplace: Path) -> None:
    (files / "a.txt").write_text("another")
    call = run("workspace", "upload", "w.json", "a.txt", "b.txt", "--json")
    assert call.status == 1
    first, second = call.document["files"]
    assert (first["outcome"], second["outcome"]) == ("failed", "uploaded")
    assert "Exists already" in first["error"] and second["error"] is None
    assert (files / "a.txt").read_text() == "another"
    call = run("workspace", "download", "w.json", "b.txt", "none", "--to", "out")
    assert call.status == 1 and "failed     none: " in call.out
    assert (workplace / "out" / "b.txt").exists()
    assert run("workspace", "upload", "w.json", "a.txt", "--overwrite").status == 0


def test_a_document_is_checked_and_its_secrets_are_not_shown(run: Run, files: Path, workplace: Path) -> None:
    call = run("workspace", "validate", "w.json")
    assert call.status == 0 and "host_path" in call.out and "It can be used." in call.out
    keys = {"access_key_id": "KEYID", "secret_access_key": "SECRETKEY"}
    broker = {"type": "s3", "bucket_name": "b", "credentials": keys, "endpoint_url": "http://127.0.0.1:9"}
    (workplace / "new.json").write_text(json.dumps({"broker": broker}))
    call = run("workspace", "validate", "new.json", "--previous", "w.json")
    assert call.status == 1
    assert "bucket_access" in call.out and "broker_type" in call.out
    assert "SECRETKEY" not in call.out + call.err and "KEYID" not in call.out + call.err
    assert run("workspace", "validate", "new.json", "--json").document["warnings"][0]["name"] == "bucket_access"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"broker": {"type": "zzz"}}, "'zzz' is an invalid broker type"),
        ({"broker": {"type": "host"}}, 'Host broker requires "host_path" to be populated'),
        ({"version": "9", "broker": {}}, "9 is an unsupported version number"),
        ({"broker": {"type": "host", "host_path": "x"}, "more": 1}, "more"),
        ([], "no JSON object"),
    ],
)
def test_what_cannot_be_used_is_said(run: Run, files: Path, workplace: Path, document: object, said: str) -> None:
    write(workplace, document)
    for words in (("validate", "w.json"), ("list", "w.json"), ("upload", "w.json", "a.txt")):
        call = run("workspace", *words)
        assert call.status == 2, call.err
        assert said in call.err and "Traceback" not in call.err
    assert run("workspace", "list", "none.json").status == 2


def test_names_that_lead_out_are_refused(run: Run, files: Path, workplace: Path) -> None:
    assert run("workspace", "move", "w.json", "../a.txt", "x").status == 1
    assert run("workspace", "delete", "w.json", "../a.txt", "--yes").status == 1
    assert (workplace / "a.txt").exists()


def test_two_files_never_come_to_one_place(run: Run, files: Path, workplace: Path) -> None:
    (workplace / "other").mkdir()
    (workplace / "other" / "a.txt").write_text("another")
    call = run("workspace", "upload", "w.json", "a.txt", "other/a.txt", "--overwrite")
    assert call.status == 2 and "Two files would come to one place" in call.err
    assert not list(files.iterdir())
    for folder in ("x", "y"):
        (files / folder).mkdir()
        (files / folder / "a.txt").write_text(folder)
    call = run("workspace", "download", "w.json", "x/a.txt", "y/a.txt", "--to", "out", "--overwrite")
    assert call.status == 2 and not (workplace / "out").exists()
    lines = run("workspace", "list", "w.json", "x").out.splitlines()
    assert lines[1].split()[0] == "x/a.txt"

"""`archive-tui manifest --create`, and which options go with which action."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from archive_tui.cli.manifest import ACTIONS, FORMATS, OF_ACTION, OF_EVERY_ACTION, manifest
from archive_tui.manifests.checksum_lines.line import WRITTEN_DIALECTS, Dialect
from archive_tui.settings import MANIFEST_FORMATS
from tests.cli.conftest import Run


@pytest.fixture
def tree(workplace: Path) -> Path:
    for name in ("one.txt", "two.txt", ".dot.txt", "d/a.dat", "d/b/c.dat", "d/b/e/f.dat", "d/.h/i.dat"):
        (workplace / name).parent.mkdir(parents=True, exist_ok=True)
        (workplace / name).write_text(name)
    return workplace


def names(out: str) -> list[str]:
    return [line[66:] for line in out.splitlines()]


def create(run: Run, *words: str) -> list[str]:
    call = run("manifest", "--create", "--format", "sha256sum", *words)
    assert (call.status, call.err) == (0, "")
    return names(call.out)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.txt", ["one.txt", "two.txt"]),
        (".*.txt", [".dot.txt"]),
        ("?n[a-e].txt", ["one.txt"]),
        ("[!t]*.txt", ["one.txt"]),
        ("[^t]*.txt", ["one.txt"]),
        ("./*.txt", ["./one.txt", "./two.txt"]),
        ("d//*.dat", ["d//a.dat"]),
        ("*/*.dat", ["d/a.dat"]),
        ("*/*/*.dat", ["d/b/c.dat"]),
        ("d/**/*.dat", ["d/a.dat", "d/b/c.dat", "d/b/e/f.dat"]),
        ("**/c.dat", ["d/b/c.dat"]),
        ("**/**/f.dat", ["d/b/e/f.dat"]),
        ("d/**", ["d/a.dat", "d/b/c.dat", "d/b/e/f.dat"]),
        ("d/.h/*", ["d/.h/i.dat"]),
    ],
)
def test_patterns(run: Run, tree: Path, pattern: str, found: list[str]) -> None:
    assert create(run, pattern) == found


def test_a_name_that_is_there_wins_over_the_pattern(run: Run, tree: Path) -> None:
    (tree / "*.txt").write_text("literal")
    assert create(run, "*.txt") == ["*.txt"]


def test_folders_that_match_a_pattern_are_left_out_with_a_note(run: Run, tree: Path) -> None:
    call = run("manifest", "--create", "d/*")
    assert call.status == 0
    assert call.out.count("\n") == 1
    assert call.err == "note: Left out: 1 folder that a pattern matches; --dir takes the files in one.\n"
    assert run("--quiet", "manifest", "--create", "d/*").err == ""


def test_a_pattern_that_nothing_matches(run: Run, tree: Path) -> None:
    call = run("manifest", "--create", "*.none", "one.txt")
    assert (call.status, call.err) == (1, "archive-tui: '*.none': No file matches\n")
    assert call.out.endswith('  "one.txt"\n')


def test_folders_as_they_are_typed(run: Run, tree: Path) -> None:
    assert create(run, "--dir", ".") == ["./.dot.txt", "./one.txt", "./settings.ini", "./two.txt"]
    assert create(run, "--dir", "d/") == ["d/a.dat"]
    assert create(run, "--dir", "./d", "--dir", "d") == ["./d/a.dat", "d/a.dat"]
    assert create(run, "--dir", "d/../d") == ["d/../d/a.dat"]
    assert create(run, "--dir", f"{tree}/d") == [f"{tree}/d/a.dat"]
    assert create(run, "--dir", "d", "d/a.dat", "--recursive", "--dir", "d/b")[:2] == ["d/.h/i.dat", "d/a.dat"]


def test_names_are_sorted_by_their_bytes(run: Run, workplace: Path) -> None:
    wanted = ["Z", "a b", "a", "b", "\u00e9", "\U0001f600", "\ufffd"]
    for name in wanted:
        (workplace / name).write_text(name)
    assert create(run, *wanted) == ["Z", "a", "a b", "b", "\u00e9", "\ufffd", "\U0001f600"]


def test_links(run: Run, tree: Path) -> None:
    (tree / "d" / "to-file").symlink_to("a.dat")
    (tree / "d" / "to-folder").symlink_to("b")
    (tree / "d" / "up").symlink_to("..")
    call = run("manifest", "--create", "--dir", "d", "--recursive", "--format", "sha256sum")
    assert names(call.out) == ["d/.h/i.dat", "d/a.dat", "d/b/c.dat", "d/b/e/f.dat", "d/to-file"]
    assert (call.status, call.err) == (0, "note: Not entered: 2 symbolic links to folders.\n")
    (tree / "d2").symlink_to("d")
    assert names(run("manifest", "--create", "--dir", "d2", "--format", "sha256sum").out) == ["d2/a.dat", "d2/to-file"]


def test_what_is_no_file_is_left_out_of_folders_and_an_error_when_it_is_named(run: Run, tree: Path) -> None:
    os.mkfifo(tree / "d" / "pipe")
    (tree / "d" / "to-device").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tree / "d" / "socket"))
        call = run("manifest", "--create", "--dir", "d", "--format", "sha256sum")
    assert (call.status, names(call.out)) == (0, ["d/a.dat"])
    assert call.err == "note: Left out: 3 sockets, pipes or devices: d/pipe, d/socket, d/to-device\n"
    call = run("manifest", "--create", "d/pipe", "/dev/null", "d")
    assert (call.status, call.out) == (1, "")
    assert call.err == (
        "archive-tui: d/pipe: Not a regular file\n"
        "archive-tui: /dev/null: Not a regular file\n"
        "archive-tui: d: Is a directory\n"
    )


def test_unfinished_files_of_this_program_are_left_out(run: Run, tree: Path) -> None:
    (tree / "d" / ".archive-tui-0123456789ab-0123456789abcdef.part").write_text("half")
    assert create(run, "--dir", "d", "--recursive") == ["d/.h/i.dat", "d/a.dat", "d/b/c.dat", "d/b/e/f.dat"]
    assert run("manifest", "--create", "d/.archive-tui*").err == "archive-tui: 'd/.archive-tui*': No file matches\n"


def test_result_document(run: Run, tree: Path) -> None:
    (tree / os.fsdecode(b"odd\xff")).write_bytes(b"12345")
    document = run("manifest", "--create", "one.txt", os.fsdecode(b"odd\xff"), "--json").document
    digests = [hashlib.sha256(content).hexdigest() for content in (b"12345", b"one.txt")]
    odd = {"path_bytes": base64.b64encode(b"odd\xff").decode(), "size": 5, "sha256": digests[0]}
    assert document["entries"] == [odd, {"path": "one.txt", "size": 7, "sha256": digests[1]}]
    assert (document["manifest"], document["format"], document["files"], document["bytes"]) == (None, "quoted", 2, 12)
    assert (document["failures"], document["changed"], document["status"]) == ([], [], 0)
    assert document["seconds"] >= 0
    document = run("manifest", "--create", "--dir", "d", "--manifest", "OUT", "--format", "bsd", "--json").document
    assert (document["manifest"], document["format"], document["files"]) == ("OUT", "bsd", 1)
    assert "entries" not in document


def test_document_of_a_failure(run: Run, tree: Path) -> None:
    call = run("manifest", "--create", "one.txt", "absent", "--manifest", "OUT", "--json")
    assert (call.status, call.document["manifest"]) == (1, None)
    assert call.document["failures"] == [{"path": "absent", "reason": "No such file or directory"}]
    call = run("manifest", "--create", "--dir", "d", "--recursive", "--manifest", "one.txt", "--json")
    assert (call.status, call.document["error"]["code"]) == (1, "target-exists")
    call = run("manifest", "--create", "--json")
    assert (call.status, call.document["error"]["code"]) == (2, "usage")


def test_note_of_what_was_listed(run: Run, tree: Path) -> None:
    call = run("manifest", "--create", "*.txt", "--manifest", "OUT")
    assert (call.status, call.out, call.err) == (0, "", "note: Listed in OUT: 2 files, 14 B.\n")
    assert run("manifest", "--create", "*.txt", "--manifest", "OUT2", "--quiet").err == ""


def test_a_dash_among_the_files_is_standard_input(tree: Path) -> None:
    (tree / "#first").write_text("")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "archive_tui",
            "manifest",
            "--create",
            "-",
            "one.txt",
            "#first",
            "--format",
            "sha256sum",
        ],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        input=b"piped",
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert names(done.stdout.decode()) == ["#first", "-", "one.txt"]
    assert f"{hashlib.sha256(b'piped').hexdigest()}  -" in done.stdout.decode()


def test_a_dash_is_standard_output(run: Run, tree: Path) -> None:
    assert run("manifest", "--create", "one.txt", "--manifest", "-").out.endswith('  "one.txt"\n')
    assert not (tree / "-").exists()


def test_forms_that_are_named_in_three_places() -> None:
    assert set(FORMATS) == {str(dialect) for dialect in Dialect}
    assert tuple(map(str, WRITTEN_DIALECTS)) == MANIFEST_FORMATS


def test_a_form_that_is_only_read(run: Run, tree: Path) -> None:
    call = run("manifest", "--create", "one.txt", "--format", "csv")
    assert (call.status, call.out) == (2, "")
    assert "csv is read, not written" in call.err


@pytest.mark.parametrize("chosen", ["csv", "sha256sums", "", "QUOTED"])
def test_a_form_in_the_settings_that_is_none(run: Run, tree: Path, chosen: str) -> None:
    (tree / "settings.ini").write_text(f"[archive-tui]\nmanifest_format = {chosen}\n")
    call = run("manifest", "--create", "one.txt")
    assert (call.status, call.out) == (2, "")
    assert "manifest_format" in call.err and "quoted, sha256sum, bsd, json" in call.err


def test_no_action_and_several(run: Run) -> None:
    call = run("manifest", "one.txt")
    assert call.status == 2
    assert "one of --create, --check, --vault, --archive or --fetch" in call.err
    call = run("manifest", "-c", "--create", "--manifest", "m")
    assert call.status == 2
    assert "One action at a time; given were --create and --check." in call.err


@pytest.mark.parametrize("action", [action for action in ACTIONS if action != "create"])
def test_actions_that_read_need_a_manifest_and_take_no_files(run: Run, action: str) -> None:
    call = run("manifest", f"--{action}")
    assert (call.status, call.out) == (2, "")
    assert f"--{action} needs --manifest FILE." in call.err
    call = run("manifest", f"--{action}", "SHA256SUMS")
    assert (call.status, call.out) == (2, "")
    assert f"--{action} takes no FILE; name the manifest with --manifest FILE." in call.err


VALUES = {
    "folders": "d", "manifest": "m", "dialect": "json", "storage": "lab", "path": "lab:x", "root": "d",
    "on_conflict": "keep", "retries": "3", "bandwidth": "1MB/s", "deadline": "2h",
}  # fmt: skip
STRANGERS = [
    (action, parameter)
    for action in ACTIONS
    for parameter in manifest.params
    if parameter.name is not None and parameter.name not in OF_ACTION[action] | OF_EVERY_ACTION
]


@pytest.mark.parametrize(("action", "parameter"), STRANGERS, ids=lambda value: getattr(value, "name", value))
def test_an_option_of_another_action_is_refused(run: Run, tree: Path, action: str, parameter: object) -> None:
    option = parameter.opts[0]  # type: ignore[attr-defined]
    value = [VALUES[parameter.name]] if parameter.name in VALUES else []  # type: ignore[attr-defined]
    call = run("manifest", f"--{action}", *(["one.txt"] if action == "create" else ["--manifest", "m"]), option, *value)
    assert (call.status, call.out) == (2, "")
    assert f"{option} does not go with --{action}; it is an option of --" in call.err


def test_every_option_belongs_somewhere() -> None:
    known = OF_EVERY_ACTION.union(*OF_ACTION.values())
    assert {parameter.name for parameter in manifest.params} <= known
    assert len(STRANGERS) > 35


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--check", "--manifest", "m", "--dir", "d"], "add --extra"),
        (["--archive", "--manifest", "m", "--all"], "--all needs --path"),
        (["--create", "--recursive", "x"], "--recursive needs --dir"),
        (["--create", "x", "--manifest", ""], "--manifest needs the name"),
        (["--check", "--manifest", "m", "--format", "md5"], "--format"),
        (["--check", "--manifest"], "--manifest"),
        (["--chek"], "--chek"),
    ],
)
def test_options_that_need_others(run: Run, tree: Path, words: list[str], said: str) -> None:
    call = run("manifest", *words)
    assert (call.status, call.out) == (2, "")
    assert said in call.err


def test_help_has_a_group_for_each_action_and_fits_into_80_columns(run: Run) -> None:
    call = run("manifest", "--help")
    assert max(map(len, call.out.splitlines())) <= 80
    for parameter in manifest.params:
        if parameter.opts[0].startswith("--"):
            assert parameter.opts[0] in call.out
    for title in ("Actions (exactly one):", "For --create:", "For --check:", "For --vault, --archive and --fetch:"):
        assert f"\n{title}\n" in call.out

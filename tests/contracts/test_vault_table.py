"""The rows of the table of `archive-tui manifest` that are about creating and checking, seen from outside."""

from __future__ import annotations

import hashlib
import itertools
import os
from pathlib import Path

import pytest

from tests.contracts.coreutils import Answer, run_program

ACTIONS = ["--create", "--check", "--vault", "--archive", "--fetch"]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.txt", "a.txt", "no-ending", "d/x.dat", "d/dotted.name/y.dat", "d/.hidden", "d/sub/deep/z"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"content of {name}\n")
    return tmp_path


def quoted(folder: Path, *names: str) -> bytes:
    return "".join(f'{digest(folder / name)}  "{name}"\n' for name in names).encode()


def assert_fails(answer: Answer, *said: str, status: int | None = None) -> None:
    assert answer.status != 0 if status is None else answer.status == status
    for message in said:
        assert message in answer.err.decode()
    assert answer.err.startswith(b"archive-tui: ")


def test_create_lists_files_sorted_by_the_bytes_of_their_names(folder: Path) -> None:
    answer = run_program(folder, "--create", "no-ending", "b.txt", "a.txt", "b.txt")
    assert answer == Answer(0, quoted(folder, "a.txt", "b.txt", "no-ending"), b"")


def test_create_expands_patterns_that_the_shell_left_alone(folder: Path) -> None:
    assert run_program(folder, "--create", "*.txt") == Answer(0, quoted(folder, "a.txt", "b.txt"), b"")


def test_create_of_a_folder_takes_the_files_directly_in_it(folder: Path) -> None:
    assert run_program(folder, "--create", "--dir", "d") == Answer(0, quoted(folder, "d/.hidden", "d/x.dat"), b"")


def test_create_of_a_folder_and_all_below(folder: Path) -> None:
    names = ("d/.hidden", "d/dotted.name/y.dat", "d/sub/deep/z", "d/x.dat")
    answer = run_program(folder, "--create", "--dir", "d", "--recursive")
    assert answer == Answer(0, quoted(folder, *names), b"")


def test_create_writes_names_as_they_were_typed(folder: Path) -> None:
    absolute = run_program(folder, "--create", "--dir", str(folder / "d"))
    assert absolute.out.decode().count(f'  "{folder}/d/') == 2
    dotted = run_program(folder, "--create", "--dir", "./d", "./a.txt", "--format", "sha256sum")
    assert [line[66:] for line in dotted.out.decode().splitlines()] == ["./a.txt", "./d/.hidden", "./d/x.dat"]


def test_create_with_manifest_writes_a_file_and_prints_nothing(folder: Path) -> None:
    answer = run_program(folder, "--create", "a.txt", "--manifest", "OUT", "--format", "sha256sum")
    assert (answer.status, answer.out) == (0, b"")
    assert (folder / "OUT").read_text() == f"{digest(folder / 'a.txt')}  a.txt\n"


@pytest.mark.parametrize("words", [[], ["--manifest", "OUT"], ["--format", "bsd"]])
def test_create_without_files_and_folders_is_an_error(folder: Path, words: list[str]) -> None:
    assert_fails(run_program(folder, "--create", *words), "--dir", status=2)


def test_recursive_without_dir_is_an_error(folder: Path) -> None:
    assert_fails(run_program(folder, "--create", "--recursive", "a.txt"), "--recursive needs --dir", status=2)


def test_create_never_replaces_a_file(folder: Path) -> None:
    (folder / "OUT").write_text("precious")
    assert_fails(run_program(folder, "--create", "a.txt", "--manifest", "OUT"), "OUT", "exists")
    assert (folder / "OUT").read_text() == "precious"
    (folder / "dangling").symlink_to("nowhere")
    assert_fails(run_program(folder, "--create", "a.txt", "--manifest", "dangling"), "dangling", "exists")
    assert not (folder / "nowhere").exists()
    assert_fails(run_program(folder, "--create", "a.txt", "--manifest", "d"), "exists")


@pytest.mark.parametrize("out", ["absent/OUT", "a.txt/OUT", "n" * 300, ""])
def test_create_says_that_the_manifest_cannot_be_made(folder: Path, out: str) -> None:
    before = sorted(folder.rglob("*"))
    assert_fails(run_program(folder, "--create", "a.txt", "--manifest", out))
    assert sorted(folder.rglob("*")) == before


def test_create_where_nothing_may_be_written(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o555)
    answer = run_program(folder, "--create", "a.txt", "--manifest", "closed/OUT", without_privileges=True)
    assert_fails(answer, "closed/OUT", status=1)
    assert list(closed.iterdir()) == []


@pytest.mark.parametrize("words", [["--dir", "empty"], ["--dir", "empty", "--recursive"], ["nothing*.here"]])
@pytest.mark.parametrize("out", [[], ["--manifest", "OUT"]])
def test_create_that_finds_nothing_is_an_error(folder: Path, words: list[str], out: list[str]) -> None:
    (folder / "empty" / "below").mkdir(parents=True)
    answer = run_program(folder, "--create", *words, *out)
    assert_fails(answer, status=1)
    assert answer.out == b""
    assert not (folder / "OUT").exists()


def test_create_names_every_input_that_cannot_be_read_and_leaves_no_manifest(folder: Path) -> None:
    (folder / "d" / "broken").symlink_to("nowhere")
    (folder / "d" / "loop").symlink_to("loop")
    (folder / "d" / "locked").write_text("")
    (folder / "d" / "locked").chmod(0)
    (folder / "d" / "sub").chmod(0)
    words = ["--create", "a.txt", "absent", "d", "--dir", "d", "--dir", "gone", "--recursive", "--manifest", "OUT"]
    answer = run_program(folder, *words, without_privileges=True)
    (folder / "d" / "sub").chmod(0o755)
    assert_fails(
        answer,
        "archive-tui: absent: No such file or directory\n",
        "archive-tui: d: Is a directory\n",
        "archive-tui: d/broken: No such file or directory\n",
        "archive-tui: d/loop: Too many levels of symbolic links\n",
        "archive-tui: d/locked: Permission denied\n",
        "archive-tui: d/sub: Permission denied\n",
        "archive-tui: gone: No such file or directory\n",
        "OUT was not written: 7 inputs could not be read",
        status=1,
    )
    assert not (folder / "OUT").exists()
    assert [path.name for path in folder.iterdir() if path.name.startswith(".archive-tui")] == []


def test_create_to_standard_output_lists_what_it_can_and_fails(folder: Path) -> None:
    answer = run_program(folder, "--create", "a.txt", "absent", "b.txt")
    assert answer == Answer(1, quoted(folder, "a.txt", "b.txt"), b"archive-tui: absent: No such file or directory\n")


@pytest.mark.parametrize("dialect", ["quoted", "sha256sum", "bsd", "json"])
def test_check_reads_what_create_writes(folder: Path, dialect: str) -> None:
    created = run_program(folder, "--create", "--dir", "d", "--recursive", "--format", dialect, "--manifest", "OUT")
    assert created.status == 0
    answer = run_program(folder, "--check", "--manifest", "OUT")
    names = ("d/.hidden", "d/dotted.name/y.dat", "d/sub/deep/z", "d/x.dat")
    assert answer == Answer(0, "".join(f"{name}: OK\n" for name in names).encode(), b"")


def test_check_of_a_manifest_that_is_not_there(folder: Path) -> None:
    answer = run_program(folder, "--check", "--manifest", "absent")
    assert answer == Answer(1, b"", b"archive-tui: absent: No such file or directory\n")


@pytest.mark.parametrize("dialect", ["quoted", "sha256sum", "bsd", "json"])
def test_check_says_an_error_for_each_missing_file_and_counts_mismatches(folder: Path, dialect: str) -> None:
    run_program(folder, "--create", "*.txt", "--dir", "d", "--format", dialect, "--manifest", "OUT")
    (folder / "a.txt").unlink()
    (folder / "b.txt").write_text("content of B.txt\n")
    (folder / "d" / "x.dat").unlink()
    answer = run_program(folder, "--check", "--manifest", "OUT")
    assert answer.status == 1
    assert answer.out == (b"a.txt: FAILED open or read\nb.txt: FAILED\nd/.hidden: OK\nd/x.dat: FAILED open or read\n")
    assert answer.err == (
        b"archive-tui: a.txt: No such file or directory\n"
        b"archive-tui: d/x.dat: No such file or directory\n"
        b"archive-tui: WARNING: 2 listed files could not be read\n"
        b"archive-tui: WARNING: 1 computed checksum did NOT match\n"
    )


def test_check_reads_the_table_with_a_header(folder: Path) -> None:
    text = f"File,SHA256,Vault\na.txt,{digest(folder / 'a.txt').upper()},yes\r\nb.txt,{'0' * 64},\n"
    (folder / "t.csv").write_text(text)
    for words in ([], ["--format", "csv"]):
        answer = run_program(folder, "--check", "--manifest", "t.csv", *words)
        assert (answer.status, answer.out) == (1, b"a.txt: OK\nb.txt: FAILED\n")


def test_the_settings_change_the_form_of_new_manifests(folder: Path) -> None:
    (folder / "settings.ini").write_text("[archive-tui]\nmanifest_format = bsd\n")
    assert run_program(folder, "--create", "a.txt").out.startswith(b"SHA256 (a.txt) = ")
    assert run_program(folder, "--create", "a.txt", "--format", "quoted").out == quoted(folder, "a.txt")


@pytest.mark.parametrize("count", [0, 2, 5])
def test_exactly_one_action(folder: Path, count: int) -> None:
    for actions in itertools.islice(itertools.combinations(ACTIONS, count), 3):
        answer = run_program(folder, *actions, "--manifest", "m")
        assert_fails(answer, *(actions or ACTIONS), status=2)


def test_names_that_are_no_utf8_survive(folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9\xff")
    (folder / name).write_text("x")
    answer = run_program(folder, "--create", os.fsencode(name), "--manifest", "OUT")
    assert answer.status == 0
    assert b'  "caf\xe9\xff"\n' in (folder / "OUT").read_bytes()
    assert run_program(folder, "--check", "--manifest", "OUT").out == b"caf\xe9\xff: OK\n"

"""`archive-tui manifest --check`: what it says beyond sha256sum, how it stops, and what a person at a terminal sees."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.cli.output import ByteWriter
from archive_tui.cli.progress_display import NoProgress, ProgressLine, choose_line_display
from archive_tui.jobs.progress_meter import ProgressMeter
from archive_tui.progress import BytesDone, Ended, Planned
from tests.cli.conftest import Run
from tests.servers.terminal import TerminalSession

ROOT = Path(__file__).parents[2]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def tree(workplace: Path) -> Path:
    (workplace / "d").mkdir()
    for name in ("a", "b", "c"):
        (workplace / "d" / name).write_text(name)
    return workplace


def list_tree(run: Run, *words: str) -> None:
    assert run("manifest", "--create", "--dir", "d", "--manifest", "m", *words).status == 0


def test_document_of_a_clean_check(run: Run, tree: Path) -> None:
    list_tree(run)
    document = run("manifest", "--check", "--manifest", "m", "--json").document
    assert document.pop("seconds") >= 0
    assert document == {
        "manifest": "m",
        "format": "quoted",
        "verdict": "verified",
        "counts": {
            "ok": 3,
            "failed": 0,
            "unreadable": 0,
            "ignored": 0,
            "bad_lines": 0,
            "moved": 0,
            "extra": 0,
            "closed_folders": 0,
        },
        "bytes": 3,
        "findings": [],
        "bad_lines": [],
        "status": 0,
    }


def test_document_of_findings(run: Run, tree: Path) -> None:
    list_tree(run, "--format", "json")
    (tree / "d" / "a").write_text("longer")
    (tree / "d" / "b").rename(tree / "d" / "moved")
    (tree / "d" / "extra").write_text("new")
    call = run("manifest", "--check", "--manifest", "m", "--json", "--extra")
    document = call.document
    assert (call.status, document["verdict"], document["status"]) == (1, "findings", 1)
    assert document["counts"] == {
        "ok": 1,
        "failed": 1,
        "unreadable": 1,
        "ignored": 0,
        "bad_lines": 0,
        "moved": 1,
        "extra": 1,
        "closed_folders": 0,
    }
    changed, missing, moved, extra = document["findings"]
    assert changed == {
        "path": "d/a",
        "verdict": "FAILED",
        "line": 1,
        "expected": digest(b"a"),
        "expected_size": 1,
        "found": digest(b"longer"),
        "found_size": 6,
    }
    assert (missing["path"], missing["verdict"]) == ("d/b", "FAILED open or read")
    assert missing["reason"] == "No such file or directory"
    assert (moved["path"], moved["verdict"], moved["to"]) == ("d/b", "MOVED", {"path": "d/moved"})
    assert (extra["path"], extra["verdict"], extra["found_size"]) == ("d/extra", "EXTRA", 3)


def test_document_names_bad_lines_with_their_reasons(run: Run, tree: Path) -> None:
    (tree / "m").write_text(f"{digest(b'a')}  d/a\nd41d8cd98f00b204e9800998ecf8427e  d/b\n" + "junk\n" * 2000)
    call = run("manifest", "--check", "--manifest", "m", "--json")
    assert (call.status, call.document["counts"]["bad_lines"]) == (0, 2001)
    assert len(call.document["bad_lines"]) == 1000
    assert call.document["bad_lines"][0]["line"] == 2
    assert "MD5" in call.document["bad_lines"][0]["reason"]


def test_document_of_a_manifest_that_is_not_there(run: Run, tree: Path) -> None:
    call = run("manifest", "--check", "--manifest", "absent", "--json")
    assert (call.status, call.document["error"]["code"]) == (1, "source-not-found")


def test_extra_and_moved_files(run: Run, tree: Path) -> None:
    list_tree(run)
    (tree / "d" / "b").rename(tree / "d" / "deeper\nname")
    (tree / "d" / "new file").write_text("new")
    call = run("manifest", "--check", "--manifest", "m", "--extra")
    assert call.status == 1
    assert call.out == (
        "d/a: OK\nd/b: FAILED open or read\nd/c: OK\n\\d/b: MOVED to d/deeper\\nname\nd/new file: EXTRA\n"
    )
    assert call.err == (
        "archive-tui: d/b: No such file or directory\n"
        "archive-tui: WARNING: 1 listed file could not be read\n"
        "archive-tui: WARNING: 1 listed file has moved\n"
        "archive-tui: WARNING: 1 file is not listed\n"
    )
    quiet = run("manifest", "--check", "--manifest", "m", "--extra", "--quiet", "--ignore-missing")
    assert (quiet.status, quiet.out) == (1, "\\d/b: MOVED to d/deeper\\nname\nd/new file: EXTRA\n")
    silent = run("manifest", "--check", "--manifest", "m", "--extra", "--status", "--ignore-missing")
    assert (silent.status, silent.out, silent.err) == (1, "", "")


def test_extra_files_are_looked_for_where_one_says(run: Run, tree: Path) -> None:
    list_tree(run)
    (tree / "elsewhere").mkdir()
    (tree / "elsewhere" / "x").write_text("x")
    assert run("manifest", "--check", "--manifest", "m", "--extra").status == 0
    call = run("manifest", "--check", "--manifest", "m", "--extra", "--dir", "elsewhere")
    assert (call.status, call.out.splitlines()[-1]) == (1, "elsewhere/x: EXTRA")
    call = run("manifest", "--check", "--manifest", "m", "--extra", "--dir", "nowhere")
    assert (call.status, call.out) == (1, "")
    assert "No such folder: nowhere" in call.err


def test_a_size_that_differs_is_said(run: Run, tree: Path) -> None:
    list_tree(run, "--format", "json")
    (tree / "d" / "a").write_text("longer")
    (tree / "d" / "b").write_text("B")
    call = run("manifest", "--check", "--manifest", "m")
    assert call.out == "d/a: FAILED\nd/b: FAILED\nd/c: OK\n"
    assert call.err == (
        "archive-tui: d/a: 1 bytes expected, 6 found\narchive-tui: WARNING: 2 computed checksums did NOT match\n"
    )
    assert run("manifest", "--check", "--manifest", "m", "--status").err == ""


def test_a_size_that_lies_about_the_right_content_is_a_finding(run: Run, tree: Path) -> None:
    list_tree(run, "--format", "json")
    document = json.loads((tree / "m").read_text())
    document["files"][0]["size"] = 7
    (tree / "m").write_text(json.dumps(document))
    call = run("manifest", "--check", "--manifest", "m")
    assert (call.status, call.out.splitlines()[0]) == (1, "d/a: FAILED")
    assert "d/a: 7 bytes expected, 1 found" in call.err


def test_reasons_for_bad_lines_in_dialects_that_sha256sum_does_not_know(run: Run, tree: Path) -> None:
    (tree / "m").write_text(f'{digest(b"a")}  "d/a"\n{digest(b"b")[:32]}  "d/b"\n')
    call = run("manifest", "--check", "--manifest", "m", "--warn", "--strict")
    assert (call.status, call.out) == (1, "d/a: OK\n")
    assert call.err.startswith("archive-tui: m: 2: improperly formatted SHA256 checksum line (")


def test_names_begin_at_the_root(run: Run, tree: Path) -> None:
    list_tree(run)
    (tree / "d").rename(tree / "other")
    (tree / "below").mkdir()
    (tree / "other").rename(tree / "below" / "d")
    assert run("manifest", "--check", "--manifest", "m", "--root", "below").out == "d/a: OK\nd/b: OK\nd/c: OK\n"
    call = run("manifest", "--check", "--manifest", "m", "--root", "nowhere")
    assert (call.status, call.out) == (1, "")
    assert "No such folder: nowhere" in call.err


def test_quiet_of_the_program_is_quiet_of_the_check(run: Run, tree: Path) -> None:
    list_tree(run)
    assert run("--quiet", "manifest", "--check", "--manifest", "m").out == ""
    assert run("-q", "manifest", "-c", "--manifest", "m", "--warn").out.count("OK") == 3


def test_the_dialect_can_be_said(run: Run, tree: Path) -> None:
    (tree / '"quoted"').write_text("literal")
    (tree / "quoted").write_text("plain")
    (tree / "m").write_text(f'{digest(b"plain")}  "quoted"\n')
    call = run("manifest", "--check", "--manifest", "m")
    assert (call.status, call.out) == (1, "")
    assert "--format quoted" in call.err
    assert run("manifest", "--check", "--manifest", "m", "--format", "quoted").out == "quoted: OK\n"
    assert run("manifest", "--check", "--manifest", "m", "--format", "sha256sum").out == '"quoted": FAILED\n'


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def program(*words: str) -> list[str]:
    return [sys.executable, "-m", "archive_tui", "manifest", *words]


@pytest.fixture
def slow_manifest(tree: Path) -> Iterator[Path]:
    """A manifest whose second file takes long: 64 GiB of nothing, which cost no disk."""
    (tree / "d" / "huge").touch()
    os.truncate(tree / "d" / "huge", 64 << 30)
    text = f"{digest(b'a')}  d/a\n{'0' * 64}  d/huge\n{digest(b'b')}  d/b\n"
    (tree / "m").write_text(text)
    yield tree
    (tree / "d" / "huge").unlink()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_check_and_nothing_is_claimed_for_the_rest(
    slow_manifest: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        program("--check", "--manifest", "m"),
        cwd=slow_manifest,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _wait_until_it_reads(process.pid, "huge")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"d/a: OK\n")
    assert b"archive-tui: Stopped after 1 line, 0 findings; nothing is claimed for the rest.\n" in err


def test_a_signal_stops_a_creation_and_leaves_no_manifest(slow_manifest: Path) -> None:
    process = subprocess.Popen(
        program("--create", "d/a", "d/huge", "--manifest", "OUT"),
        cwd=slow_manifest,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _wait_until_it_reads(process.pid, "huge")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Stopped after 1 of 2 files. OUT was not written.\n" in err
    assert sorted(path.name for path in slow_manifest.iterdir()) == ["d", "m", "settings.ini", "work"]


def _wait_until_it_reads(pid: int, name: str) -> None:
    pause = threading.Event()
    while True:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if link.readlink().name == name:
                    return
            except FileNotFoundError:
                continue
        pause.wait(0.02)


def test_a_person_sees_results_above_one_line_of_progress(slow_manifest: Path) -> None:
    (slow_manifest / "d" / "odd\x1b[2Jname").write_text("odd")
    with (slow_manifest / "m").open("r+b") as manifest:
        text = manifest.read()
        manifest.seek(0)
        manifest.write(f"{digest(b'odd')}  d/odd\x1b[2Jname\n{digest(b'')}  d/absent\n".encode() + text)
    argv = program("--check", "--manifest", "m")
    with TerminalSession(argv, env={"PYTHONPATH": str(ROOT)}, cwd=slow_manifest) as terminal:
        terminal.wait_for("check: ")
        lines = [line.rstrip() for line in terminal.text.splitlines() if line.strip()]
        assert lines[:4] == [
            "d/odd\\x1b[2Jname: OK",
            "archive-tui: d/absent: No such file or directory",
            "d/absent: FAILED open or read",
            "d/a: OK",
        ]
        assert lines[4].startswith("check: ")
        assert len(lines) == 5
        terminal.send("ctrl+c")
        terminal.wait_for("nothing is claimed for the rest")
        assert "check: " not in terminal.text


def test_a_progress_line_is_cut_at_the_edge_and_taken_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    meter = ProgressMeter(lambda: now[0])
    line = ProgressLine(lambda: now[0])
    meter(Planned("check", 10, 1000))
    line.update(meter.snapshot())
    assert capsys.readouterr().err == "", "short operations show none"
    now[0] += 2
    meter(BytesDone("check", 250))
    line.update(meter.snapshot())
    shown = capsys.readouterr().err
    assert shown.startswith("\rcheck: 25 %") and shown.endswith("\033[K") and len(shown) < 90
    line.say("said")
    assert capsys.readouterr().err == "\r\033[Ksaid\n"
    line.update(meter.snapshot())
    meter(Ended("check", True))
    line.update(meter.snapshot())
    assert capsys.readouterr().err.endswith("\r\033[K")
    line.close()
    assert capsys.readouterr().err == ""


def test_where_no_terminal_is_there_is_no_progress_line() -> None:
    assert isinstance(choose_line_display(quiet=False), NoProgress)
    assert isinstance(choose_line_display(quiet=True), NoProgress)


def test_bytes_are_collected_and_come_in_order(run: Run, tree: Path) -> None:
    names = [f"d/f{number:05d}" for number in range(3000)]
    for name in names:
        (tree / name).write_text("")
    (tree / "m").write_text("".join(f"{digest(b'')}  {name}\n" for name in names))
    assert run("manifest", "--check", "--manifest", "m").out == "".join(f"{name}: OK\n" for name in names)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_that_takes_no_more(tree: Path, unbuffered: str) -> None:
    (tree / "m").write_text(f"{digest(b'a')}  d/a\n" * 5000)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            program("--check", "--manifest", "m"),
            cwd=tree,
            env={**environment(), "PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == b"archive-tui: Cannot write the output: No space left on device\n"


def test_a_reader_that_goes_away(tree: Path) -> None:
    (tree / "m").write_text(f"{digest(b'a')}  d/a\n" * 20_000)
    command = f"{sys.executable} -m archive_tui manifest --check --manifest m | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tree, env=environment(), capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (141, b"d/a: OK\n", b"")


def test_without_a_standard_output(tree: Path) -> None:
    (tree / "m").write_text(f"{digest(b'a')}  d/a\n")
    command = f"{sys.executable} -m archive_tui manifest --check --manifest m >&-"
    done = subprocess.run(["bash", "-c", command], cwd=tree, env=environment(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        b"archive-tui: Cannot write the output: Bad file descriptor\n",
    )


def test_a_writer_without_a_terminal_writes_bytes_as_they_are(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    from archive_tui.cli.output import flush_output

    ByteWriter().write(b"\xff\x1b[2J\n")
    flush_output()
    assert capfdbinary.readouterr().out == b"\xff\x1b[2J\n"


@pytest.mark.parametrize("words", [["--check", "--manifest", "m"], ["--create", "d/a"], ["--help"]], ids=" ".join)
def test_no_command_of_manifests_imports_what_is_heavy(tree: Path, words: list[str]) -> None:
    (tree / "m").write_text(f"{digest(b'a')}  d/a\n")
    code = (
        "import sys\nfrom archive_tui.cli.entry import run_command_line\n"
        f"status = run_command_line(['manifest', *{words!r}])\n"
        "heavy = ('textual', 'rich', 'boto3', 'botocore', 'azure', 'obstore', 'sqlite3', 'asyncio', 'isal')\n"
        "sys.exit(status or ' '.join(name for name in heavy if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, env=environment(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) in ((0, b""), (1, b"\n"))

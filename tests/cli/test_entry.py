"""The words of the command line, the standard streams, signals: what does not belong to one command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from archive_tui import __version__
from archive_tui.cli.diagnostics import ExitStatus
from archive_tui.cli.entry import run_command_line
from archive_tui.cli.invocation import Invocation
from archive_tui.cli.root import COMMANDS
from archive_tui.cli.running import run_operation
from archive_tui.errors import OperationStopped
from archive_tui.progress import BytesDone, Notice, Planned, Report, StopSignal, check_stop
from archive_tui.settings import Settings
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]


def start(*words: str, folder: Path, **options: object) -> subprocess.Popen[str]:
    """Starts the program in a process of its own, as a shell does."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "archive_tui", *words],
        cwd=folder,
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,  # type: ignore[call-overload]
    )


def test_the_program_runs_as_a_module(workplace: Path) -> None:
    process = start("ls", "work/winds", folder=workplace)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "raw/\ntable.csv\n", "")


def test_version(run: Run) -> None:
    assert run("--version").out == f"archive-tui {__version__}\n"


def test_help_lists_every_command(run: Run) -> None:
    call = run("--help")
    assert call.status == 0
    for name in COMMANDS:
        assert f"\n  {name} " in call.out


Opened = list[tuple[str | None, str | None]]


@pytest.fixture
def opened(workplace: Path) -> Opened:
    return []


@pytest.mark.parametrize(
    ("words", "left", "right"),
    [
        ([], None, None),
        (["work"], "work", None),
        (["lab"], "lab", None),
        (["work", "lab:deep"], "work", "lab:deep"),
        ([".", "local"], ".", "local"),
        (["./demo"], "./demo", None),
        (["--settings", "settings.ini", "work"], "work", None),
        (["work", "--settings", "settings.ini"], "work", None),
        (["--settings", "settings.ini"], None, None),
    ],
)
def test_words_that_are_no_command_open_the_panes(
    workplace: Path, opened: Opened, words: list[str], left: str | None, right: str | None
) -> None:
    (workplace / "demo").mkdir()

    def open_panes(left: str | None, right: str | None, settings: Settings) -> None:
        assert settings.path == Path("settings.ini")
        opened.append((left, right))

    assert run_command_line(words, open_panes=open_panes) == 0
    assert opened == [(left, right)]


def test_a_word_that_is_a_command_is_one_even_if_a_folder_has_its_name(run: Run, workplace: Path) -> None:
    (workplace / "storage").mkdir()
    assert run("storage", "list").status == 0


def test_a_near_miss_of_a_command_is_said(run: Run) -> None:
    call = run("datset", "versions")
    assert call.status == 2
    assert "Did you mean the command 'dataset'?" in call.err


def test_without_a_terminal_the_panes_say_what_to_do(workplace: Path) -> None:
    process = start(folder=workplace)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert "terminal" in err and "hint: " in err


def test_a_reader_that_goes_away_is_no_error(workplace: Path) -> None:
    many = workplace / "many"
    many.mkdir()
    for number in range(3000):
        (many / f"a-rather-long-name-so-that-the-pipe-fills-up-{number:05}").touch()
    process = start("ls", "many", folder=workplace)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) == ExitStatus.OUTPUT_CLOSED


def test_a_full_disk_behind_standard_output_is_an_error(workplace: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "archive_tui", "ls", "work/winds"],
            cwd=workplace,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert run.returncode == 1
    assert "No space left on device" in run.stderr and "Traceback" not in run.stderr


def test_names_are_raw_in_pipes_and_survive_any_locale(workplace: Path) -> None:
    (workplace / "odd").mkdir()
    (workplace / "odd" / "été-名.txt").touch()
    process = subprocess.run(
        [sys.executable, "-m", "archive_tui", "ls", "odd"],
        cwd=workplace,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert process.stdout == "été-名.txt\n".encode()


def _publish_slowly(workplace: Path) -> subprocess.Popen[str]:
    """Starts a publish that takes seconds: 6 GiB of nothing, which cost no disk but have to be hashed and deflated."""
    large = workplace / "work" / "winds" / "large.dat"
    large.touch()
    os.truncate(large, 6 << 30)
    return start("dataset", "publish", "lab", "winds", "--compression-level", "9", folder=workplace)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_cleanly_and_says_what_is_left(workplace: Path, number: signal.Signals) -> None:
    process = _publish_slowly(workplace)
    assert process.stderr is not None
    while "pack: begins" not in process.stderr.readline():
        assert process.poll() is None, "it ended before it could be stopped"
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (ExitStatus.STOPPED, "")
    assert "Nothing of winds 0.0.1 is visible in folder " in err
    assert not [path for path in (workplace / "archive").rglob("*") if path.is_file()]


def test_the_second_signal_leaves_at_once(workplace: Path) -> None:
    script = (
        "import sys, time\n"
        "from archive_tui.cli.invocation import Invocation\n"
        "from archive_tui.cli.running import run_operation\n"
        "print('ready', flush=True)\n"
        "run_operation(Invocation(), lambda report, stop: time.sleep(600))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    while "Stopping" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == ExitStatus.STOPPED
    assert "Left at once" in err


def test_an_operation_runs_beside_the_progress_and_returns_its_result(capsys: pytest.CaptureFixture[str]) -> None:
    def operation(report: Report, stop: StopSignal) -> str:
        assert threading.current_thread() is not threading.main_thread()
        report(Planned("count", items=2, bytes=10))
        report(Notice("worth knowing"))
        report(BytesDone("count", 10))
        return "result"

    assert run_operation(Invocation(), operation) == "result"
    assert "note: worth knowing" in capsys.readouterr().err


def test_an_error_of_an_operation_arrives_unchanged() -> None:
    error = OperationStopped("mine")

    def operation(report: Report, stop: StopSignal) -> None:
        raise error

    with pytest.raises(OperationStopped) as caught:
        run_operation(Invocation(), operation)
    assert caught.value is error


def test_handlers_of_signals_are_given_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    run_operation(Invocation(), lambda report, stop: check_stop(stop))
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before

"""The process that works through the queue: never two, none lost between two looks, and nothing of the terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archive_tui.errors import ArchiveError
from archive_tui.jobs import background
from archive_tui.jobs.background import (
    inherit_runner_lock,
    is_runner_alive,
    start_background_runner,
    take_runner_lock,
)
from tests.architecture.sources import ROOT

PATIENCE = 60.0

# Stands in for the program: it writes down what it was begun with, and lives until the file `end` is there.
PROGRAM = """
import json, os, sys, time
def main():
    state = os.environ["XDG_STATE_HOME"]
    fds = {name: os.readlink(f"/proc/self/fd/{name}") for name in ("0", "1", "2")}
    seen = {"words": sys.argv[1:], "cwd": os.getcwd(), "sid": os.getsid(0), "pid": os.getpid(), "fds": fds,
            "open": len(os.listdir("/proc/self/fd")), "config": os.environ.get("AWS_CONFIG_FILE"),
            "secret": os.environ.get("AWS_SECRET_ACCESS_KEY")}
    with open(f"{state}/seen.tmp", "w") as out:
        json.dump(seen, out)
    os.rename(f"{state}/seen.tmp", f"{state}/seen")
    while not os.path.exists(f"{state}/end"):
        time.sleep(0.01)
main()
"""


def wait_for(condition: object, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def stand_in(state: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `archive_tui` that only says how it was begun, before the real one in the search path."""
    folder = tmp_path_factory.mktemp("stand-in")
    (folder / "archive_tui").mkdir()
    (folder / "archive_tui" / "__init__.py").touch()
    (folder / "archive_tui" / "__main__.py").write_text(PROGRAM)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    return state


def test_only_one_has_the_lock(state: Path) -> None:
    lock = take_runner_lock(state)
    assert lock is not None
    assert take_runner_lock(state) is None
    assert is_runner_alive(state)
    lock.release()
    lock.release()
    assert not is_runner_alive(state)


def test_looking_takes_no_lock_away_and_leaves_no_descriptor(state: Path) -> None:
    lock = take_runner_lock(state)
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert all(is_runner_alive(state) for _ in range(10))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert lock is not None
    lock.release()


def test_who_looks_keeps_nobody_from_starting(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looking = background._take(state)
    assert looking is not None
    monkeypatch.setattr(background.time, "sleep", lambda seconds: looking.release())
    lock = take_runner_lock(state)
    assert lock is not None
    lock.release()


def test_a_descriptor_that_is_none_is_no_lock(state: Path) -> None:
    assert inherit_runner_lock(1000) is None


def test_the_lock_of_a_killed_process_is_free(state: Path) -> None:
    script = (
        "import sys, time, pathlib\nfrom archive_tui.jobs.background import take_runner_lock\n"
        f"assert take_runner_lock(pathlib.Path({str(state)!r}))\nprint('held', flush=True)\ntime.sleep(600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    assert is_runner_alive(state)
    process.send_signal(signal.SIGSTOP)
    assert is_runner_alive(state), "a process that is held up is alive"
    process.kill()
    process.wait(PATIENCE)
    process.stdout.close()
    assert not is_runner_alive(state)


def test_a_runner_has_nothing_of_the_terminal(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(stand_in)
    monkeypatch.setenv("AWS_CONFIG_FILE", "here/aws.ini")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "kept")
    assert start_background_runner(stand_in, Path("settings.ini"))
    assert not start_background_runner(stand_in), "one is begun already, even if it has not come to its first line"
    wait_for((stand_in / "seen").exists, "it was not begun")
    seen = json.loads((stand_in / "seen").read_text())
    assert seen["sid"] == seen["pid"] != os.getsid(0)
    assert seen["cwd"] == "/"
    assert seen["words"][:3] == ["jobs", "run", "--lock-descriptor"]
    assert seen["words"][4:] == ["--settings", str(stand_in / "settings.ini")]
    assert seen["fds"] == {"0": "/dev/null", "1": str(stand_in / "jobs.log"), "2": str(stand_in / "jobs.log")}
    assert seen["open"] == 5  # those three, the lock, and the folder that is being listed
    assert (seen["config"], seen["secret"]) == (str(stand_in / "here" / "aws.ini"), "kept")
    assert is_runner_alive(stand_in)
    (stand_in / "end").touch()
    wait_for(lambda: not is_runner_alive(stand_in), "it did not end")


def test_of_many_that_start_one_exactly_one_does(stand_in: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(16) as pool:
        started = list(pool.map(lambda _: start_background_runner(stand_in), range(64)))
    assert started.count(True) == 1
    (stand_in / "end").touch()
    wait_for(lambda: not is_runner_alive(stand_in), "it did not end")


def test_where_none_can_be_started_it_is_said(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(state / "no-such-python"))
    with pytest.raises(ArchiveError, match="No process could be started") as caught:
        start_background_runner(state)
    assert caught.value.code == "background-failed"
    assert "archive-tui jobs run" in caught.value.hint
    assert not is_runner_alive(state)


def test_a_state_folder_that_cannot_be_is_said(state: Path) -> None:
    (state / "file").touch()
    with pytest.raises(ArchiveError) as caught:
        start_background_runner(state / "file" / "below")
    assert caught.value.code == "background-failed"


def test_a_long_log_is_begun_anew_and_the_old_one_kept_once(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "LONGEST_LOG", 10)
    (stand_in / "jobs.log").write_text("more than ten bytes\n")
    (stand_in / "end").touch()
    assert start_background_runner(stand_in)
    wait_for(lambda: not is_runner_alive(stand_in), "it did not end")
    assert (stand_in / "jobs.log.1").read_text() == "more than ten bytes\n"
    assert (stand_in / "jobs.log").read_text() == ""
    assert (stand_in / "jobs.log").stat().st_mode & 0o777 == 0o600

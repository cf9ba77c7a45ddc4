"""Real processes that queue, run, watch and stop jobs."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from archive_tui.cli.entry import run_command_line
from archive_tui.jobs.background import is_runner_alive
from tests.archives.faults.commands import Finished

PATIENCE = 60.0


def run_program(folder: Path, *words: str) -> Finished:
    """Calls the program inside of this process, in `folder`, which is the current one: the start of one costs more than
    most of what it does here."""
    assert Path.cwd() == folder
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run_command_line(words)
    return Finished(int(status), *(stream.buffer.getvalue().decode() for stream in (out, err)))  # type: ignore[attr-defined]


def list_jobs(folder: Path) -> list[dict[str, Any]]:
    """What `jobs list --all` says at this moment, by number."""
    done = run_program(folder, "jobs", "list", "--all", "--json")
    assert done.status == 0, done.err
    return sorted(done.document["jobs"], key=lambda job: int(job["job"]))


def show_job(folder: Path, number: int) -> dict[str, Any]:
    done = run_program(folder, "jobs", "show", str(number), "--json")
    assert done.status == 0, done.err
    found: dict[str, Any] = done.document
    return found


def state_folder() -> Path:
    return Path(os.environ["XDG_STATE_HOME"]) / "archive-tui"


def eventually(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def wait_until_nobody_runs() -> None:
    """Waits until the process in the background has ended, so that it outlives no test."""
    eventually(lambda: not is_runner_alive(state_folder()), "the process in the background does not end")


def fill(folder: Path, name: str, size: int) -> Path:
    """Makes a source of `size` bytes that no compression makes smaller."""
    source = folder / "work" / name
    source.mkdir(parents=True, exist_ok=True)
    (source / "raw.dat").write_bytes(os.urandom(size))
    return source


def stop_process(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
    process.communicate()

"""A server as a child process: started in its own process group, waited for, stopped by its id."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

START_SECONDS = 30.0
STOP_SECONDS = 5.0


class ServerStartError(RuntimeError):
    pass


def _wait_until_ready(process: subprocess.Popen[bytes], is_ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerStartError(log.read_text(errors="replace")[-4000:])
        time.sleep(0.02)


def _stop_group(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
            return


@contextlib.contextmanager
def running_server(
    command: Sequence[str | Path], is_ready: Callable[[], bool], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs `command` in `folder` until the block ends; its output lies in `server.log` there.

    Raises: ServerStartError, with the end of the log, when it is not ready in time.
    """
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, is_ready, log)
        yield process
    finally:
        _stop_group(process)

"""Starts engines in processes of their own, and waits for what they do."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
SECONDS = 30.0


class EngineProcess:
    """One `tests.jobs.engine_program`."""

    def __init__(self, path: Path, command: str, **parameters: Any) -> None:
        words = [sys.executable, "-m", "tests.jobs.engine_program", str(path), command]
        if command == "here":
            words.append(json.dumps(parameters, default=str))
        self.process = subprocess.Popen(
            words, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def wait_ready(self) -> EngineProcess:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n", self.process.stderr and self.process.stderr.read()
        return self

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        os.kill(self.process.pid, number)
        if number is signal.SIGKILL:
            self.process.wait()

    def finish(self) -> str:
        """Lets it end by itself, and returns what it printed."""
        output, errors = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode == 0, errors
        return output.strip()


@contextlib.contextmanager
def engine_process(path: Path, command: str, **parameters: Any) -> Iterator[EngineProcess]:
    """A process that is gone at the end, one way or another."""
    started = EngineProcess(path, command, **parameters)
    try:
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            started.kill(signal.SIGCONT)
            started.kill()
        for stream in (started.process.stdin, started.process.stdout, started.process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def until(condition: Callable[[], bool]) -> None:
    """Fails when the condition has not come true for long."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)

"""The real program in a process of its own: run, traced with faults in its system calls, or killed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.required_servers import find_program, skip_missing_server

ROOT = Path(__file__).parents[3]
PROGRAM = (sys.executable, "-m", "archive_tui")
PATIENCE = 120.0
INSTALL_STRACE = "apt-get install strace"
_CALL = re.compile(r"^(\d+) +([a-z_0-9]+)\(")


@dataclass(frozen=True)
class Finished:
    """`status` is negative for the signal that ended the program."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def was_killed(self) -> bool:
        return self.status in (-9, 137)

    def check_refusal(self, *parts: str, status: int = 1) -> None:
        """Fails unless the program ended with one clear sentence, a hint, and this status."""
        assert self.status == status, (self.status, self.err)
        lines = [line for line in self.err.splitlines() if line.startswith(("archive-tui: ", "hint: "))]
        assert [line.partition(":")[0] for line in lines] == ["archive-tui", "hint"], self.err
        assert "Traceback" not in self.err and "mistake in archive-tui" not in self.err, self.err
        assert all(part in self.err for part in parts), (parts, self.err)


def program_environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def start_program(
    folder: Path, *words: str, before: tuple[str, ...] = (), program: tuple[str, ...] = PROGRAM
) -> subprocess.Popen[str]:
    """Starts the program in `folder`; `before` is what comes before it on the command line."""
    return subprocess.Popen(
        [*before, *program, *words],
        cwd=folder,
        env=program_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str]) -> Finished:
    out, err = process.communicate(timeout=PATIENCE)
    return Finished(process.returncode, out, err)


def run_program(
    folder: Path, *words: str, before: tuple[str, ...] = (), program: tuple[str, ...] = PROGRAM
) -> Finished:
    return wait_for(start_program(folder, *words, before=before, program=program))


def publish_words(name: str, source: Path, *more: str) -> tuple[str, ...]:
    return ("dataset", "publish", "lab", name, "--source", str(source), "--json", "--quiet", *more)


class Tracer:
    """Runs the program under strace with faults injected into its system calls.

    A number in an injection counts the calls of each thread by itself, as strace does.
    """

    def __init__(self, folder: Path, *, program: tuple[str, ...] = PROGRAM) -> None:
        self._program = program
        self._strace = str(find_program("strace", INSTALL_STRACE, beside_interpreter=False))
        self._folder = folder
        probe = subprocess.run([self._strace, "-qq", "-o", "/dev/null", "true"], capture_output=True, text=True)
        if probe.returncode != 0:
            skip_missing_server("strace", f"it may not trace here ({probe.stderr.strip()}); {INSTALL_STRACE}")

    def run(self, folder: Path, *words: str, inject: str, path: str = "") -> Finished:
        """`inject` in strace's words: `linkat:signal=KILL:when=2`; `path`: only calls that name this path."""
        return run_program(folder, *words, before=self.command(inject, path), program=self._program)

    def command(self, inject: str, path: str = "") -> tuple[str, ...]:
        """Returns what comes before a program to trace it."""
        calls = inject.partition(":")[0]
        only = ("-P", path) if path else ()
        return (self._strace, "-qq", "-f", "-o", "/dev/null", *only, "-e", f"trace={calls}", "-e", f"inject={inject}")

    def count_calls(self, folder: Path, calls: tuple[str, ...], *words: str) -> dict[str, int]:
        """Runs the program without a fault; returns for each call how often the thread that makes most of them
        makes it."""
        trace = self._folder / "trace.txt"
        before = (self._strace, "-qq", "-f", "-o", str(trace), "-e", f"trace={','.join(calls)}")
        finished = run_program(folder, *words, before=before, program=self._program)
        assert finished.status == 0, finished.err
        matches = (_CALL.match(line) for line in trace.read_text(errors="replace").splitlines())
        by_thread = Counter((match[1], match[2]) for match in matches if match)
        most: dict[str, int] = {}
        for (_, name), count in by_thread.items():
            most[name] = max(most.get(name, 0), count)
        return most

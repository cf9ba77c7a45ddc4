"""Processes that work on one datasafe: many at once, or one that is killed on the way.

They are forks of one process that has imported everything and opened nothing, so that each starts at once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from archive_tui.archives.datasafe.opening import open_store_safe
from archive_tui.archives.datasafe.safe import Safe
from archive_tui.archives.storages import open_storage
from archive_tui.errors import ArchiveError
from archive_tui.settings import load_settings
from tests.archives.datasafe.dying_store import BEFORE, DyingStore
from tests.archives.faults.commands import ROOT, program_environment

PATIENCE = 120


@dataclass(frozen=True)
class Work:
    """`act` is the name of a method of the safe, called `times` times with `loi` and the bytes of the file `archive`;
    `step` as of DyingStore, 0: the process lives."""

    settings: str
    prefix: str
    act: str
    loi: str
    archive: str = ""
    times: int = 1
    step: int = 0
    moment: str = BEFORE
    only_writes: bool = True


@dataclass(frozen=True)
class Ended:
    """`status` is negative for a signal. `answers` are the LOIs and digests that it got, and codes of errors."""

    status: int
    answers: list[str]

    @property
    def was_killed(self) -> bool:
        return self.status == -signal.SIGKILL


class Processes:
    def __init__(self, program: subprocess.Popen[str]) -> None:
        self._program = program

    def run(self, *works: Work) -> list[Ended]:
        """Does all of this at once, each in a process of its own."""
        assert self._program.stdin is not None and self._program.stdout is not None
        print(json.dumps([asdict(work) for work in works]), file=self._program.stdin, flush=True)
        ended = [Ended(*each) for each in json.loads(self._program.stdout.readline())]
        assert all(each.status in (0, -signal.SIGKILL) for each in ended), ended
        return ended


@contextmanager
def running_processes() -> Iterator[Processes]:
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(
        command, cwd=ROOT, env=program_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            yield Processes(program)
        finally:
            assert program.stdin is not None
            program.stdin.close()


def main() -> None:
    import boto3  # noqa: F401

    assert threading.active_count() == 1, "a fork of several threads could wait for a lock for ever"
    for line in sys.stdin:
        started = [_start(Work(**work)) for work in json.loads(line)]
        print(json.dumps([_wait(*each) for each in started]), flush=True)


def _start(work: Work) -> tuple[int, int]:
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    status = 1
    try:
        signal.alarm(PATIENCE)
        with os.fdopen(writing, "w") as answers:
            json.dump(_do(work), answers)
        status = 0
    finally:
        os._exit(status)


def _wait(child: int, reading: int) -> tuple[int, list[Any]]:
    with os.fdopen(reading) as answers:
        text = answers.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), json.loads(text or "[]")


def _do(work: Work) -> list[str]:
    store = open_storage(load_settings(Path(work.settings)), "lab").store
    if work.step:
        store = DyingStore(store, work.step, work.moment, only_writes=work.only_writes)
    with open_store_safe(store, work.prefix) as safe:
        return [_do_once(safe, work) for _ in range(work.times)]


def _do_once(safe: Safe, work: Work) -> str:
    try:
        if work.act == "reserve":
            return safe.reserve(work.loi)
        act = safe.update if work.act == "update" else safe.deposit
        return act(work.loi, [Path(work.archive).read_bytes()]).archive_digest
    except ArchiveError as error:
        return error.code


if __name__ == "__main__":
    main()

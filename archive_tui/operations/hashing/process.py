"""A second Python that hashes small files, for one alone spends most of its time between two files.

It is a fresh interpreter, never a fork, so that it may be started from a program with threads and a screen. It ends
when its standard input does, however its parent ends. Nothing depends on it: whoever asks does the work when it fails.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import subprocess
import sys
from collections import deque
from typing import Generic, TypeVar

from archive_tui.operations.hashing.serving import LENGTH_BYTES
from archive_tui.operations.hashing.small_files import SmallDigests

_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from archive_tui.operations.hashing.serving import serve; serve()"
)
_READ_SIZE = 1 << 16

Task = TypeVar("Task")


class HashProcess(Generic[Task]):
    """Hashes batches of small files below `root` in another process, in their order; use it from one thread.

    It never waits: poll `reader` for input, and `writer` for output while `has_unsent`.

    Raises: OSError when it cannot be started.
    """

    def __init__(self, root: str, *, follow_symlinks: bool, largest: int) -> None:
        if not sys.executable:
            raise FileNotFoundError("There is no Python interpreter to start")
        package_parent = os.path.realpath(f"{__file__}/../../../..")
        # Its own session: Ctrl-C in the terminal is for the parent, which then closes the pipe.
        way = "follow" if follow_symlinks else "contained"
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _START, package_parent, str(largest), way, root],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self.writer = self._process.stdin.fileno()
        self.reader = self._process.stdout.fileno()
        os.set_blocking(self.writer, False)
        os.set_blocking(self.reader, False)
        self._unsent = bytearray()
        self._received = bytearray()
        self.tasks: deque[Task] = deque()
        """What has been asked and not been answered, oldest first."""

    @property
    def has_unsent(self) -> bool:
        return bool(self._unsent)

    def ask(self, task: Task, names: bytes) -> None:
        """`names` are paths with a NUL between them; `task` comes back with the answer.

        Raises: OSError when the other process is gone.
        """
        self.tasks.append(task)
        self._unsent += len(names).to_bytes(LENGTH_BYTES, "little") + names
        self.send()

    def send(self) -> None:
        """Raises: OSError when the other process is gone."""
        while self._unsent:
            try:
                count = os.write(self.writer, self._unsent)
            except BlockingIOError:
                return
            del self._unsent[:count]

    def take_answers(self) -> list[tuple[Task, SmallDigests]]:
        """Returns the answers that are there.

        Raises: OSError when the other process is gone; what is in `tasks` then has to be done by somebody else.
        """
        answers = []
        with contextlib.suppress(BlockingIOError):
            while content := os.read(self.reader, _READ_SIZE):
                self._received += content
                answers.extend(self._cut_answers())
                if len(content) < _READ_SIZE:
                    return answers
            if not answers:
                raise BrokenPipeError("The hashing process has ended")
        return answers

    def _cut_answers(self) -> list[tuple[Task, SmallDigests]]:
        answers = []
        received = self._received
        while len(received) >= LENGTH_BYTES:
            end = LENGTH_BYTES + int.from_bytes(received[:LENGTH_BYTES], "little")
            if len(received) < end:
                break
            answers.append((self.tasks.popleft(), marshal.loads(received[LENGTH_BYTES:end])))
            del received[:end]
        return answers

    def close(self) -> None:
        """Ends the process, which holds nothing that could be half done, and waits for it."""
        with contextlib.suppress(OSError):
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()

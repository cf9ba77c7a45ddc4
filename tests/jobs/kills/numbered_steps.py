"""The real program, with every step that changes something outside of it counted, and killed at one of them.

`python -m tests.jobs.kills.numbered_steps WORDS…` runs `archive-tui WORDS…`. `KILL_AT=n` kills it with SIGKILL at step
n; `COUNT_INTO=file` writes the number of steps at the end. A step is the moment before or after a request to a server,
a system call that names or syncs a file, a transaction of the records, and each piece that a put takes from its source
or a reader gives.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

SMALL_PART = 5 << 20
"""The least that S3 allows: a few megabytes make several parts."""


class Steps:
    """Counts over all threads."""

    def __init__(self, kill_at: int) -> None:
        self.count = 0
        self._kill_at = kill_at
        self._lock = threading.Lock()

    def step(self) -> None:
        with self._lock:
            self.count += 1
            if self.count == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Returns `call` with a step before and one after it."""

        @functools.wraps(call)
        def counted(*arguments: Any, **options: Any) -> Any:
            self.step()
            result = call(*arguments, **options)
            self.step()
            return result

        return counted

    def along(self, iterate: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        """Returns an iterating method with a step at each of its pieces."""

        @functools.wraps(iterate)
        def counted(*arguments: Any, **options: Any) -> Iterator[Any]:
            for piece in iterate(*arguments, **options):
                self.step()
                yield piece

        return counted

    def wrap(self, owner: Any, *names: str) -> None:
        for name in names:
            setattr(owner, name, self.around(getattr(owner, name)))


def install(steps: Steps) -> None:
    """Hooks the counting into what the program calls; a name that is gone is an error."""
    from archive_tui.objects.azure.lean_put import LeanPut
    from archive_tui.objects.azure.reader import WindowedReader
    from archive_tui.objects.azure.upload import BlobUpload
    from archive_tui.objects.checked_source import CheckedSource
    from archive_tui.objects.folder.reader import FileRangeReader
    from archive_tui.objects.s3 import pieces
    from archive_tui.objects.s3.connection import S3Connection
    from archive_tui.objects.s3.reading import S3Reader
    from archive_tui.state.database import StateDatabase

    steps.wrap(os, "link", "rename", "replace", "unlink", "fsync", "mkdir", "rmdir")
    steps.wrap(StateDatabase, "write")
    steps.wrap(S3Connection, "send_once")
    steps.wrap(LeanPut, "put")
    steps.wrap(BlobUpload, "_stage_block", "_make_visible")
    for reader in (S3Reader, WindowedReader, FileRangeReader):
        steps.wrap(reader, "read")
    CheckedSource.__iter__ = steps.along(CheckedSource.__iter__)  # type: ignore[method-assign]
    small = {"in_memory": 1 << 20, "single_put": SMALL_PART, "attested_put": SMALL_PART, "continued_put": SMALL_PART}
    small["part"] = SMALL_PART
    sizes = pieces.TransferSizes
    sizes.__init__.__defaults__ = tuple(small.get(field.name, field.default) for field in fields(sizes))


def main() -> None:
    steps = Steps(int(os.environ.get("KILL_AT", "0")))
    install(steps)
    from archive_tui.__main__ import main as run_program

    try:
        run_program()
    finally:
        if target := os.environ.get("COUNT_INTO"):
            Path(target).write_text(str(steps.count))


if __name__ == "__main__":
    sys.argv[0] = "archive-tui"
    main()

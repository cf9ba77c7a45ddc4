"""A process that forks a child for each put, so that the child can be traced from its first system call on.

Reads a JSON object per line: root, key, overwrite, hard_links, read_only. For each it prints the child's number, waits
for a line, lets the child put CONTENT, and prints the outcome: `put`, the class of the error, or `killed`.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from archive_tui.errors import ArchiveError
from archive_tui.objects.folder import temporary_entries
from archive_tui.objects.folder.store import FolderStore

CONTENT = random.Random(7).randbytes(3 * 40_000)
_PR_SET_PTRACER = 0x59616D61
_ANYBODY = ctypes.c_ulong(-1)


def chunks() -> Iterator[bytes]:
    for start in range(0, len(CONTENT), 40_000):
        yield CONTENT[start : start + 40_000]


def _refuse_links(*args: object, **kwargs: object) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def put_content(command: dict[str, Any]) -> str:
    if not command.get("hard_links", True):
        os.link = _refuse_links  # type: ignore[assignment]
        temporary_entries.UNSIGNED_CLAIM_AGE = 0.2
    store = FolderStore(Path(command["root"]), read_only_objects=command.get("read_only", True))
    try:
        store.put(command["key"], chunks(), len(CONTENT), overwrite=command.get("overwrite", False))
    except ArchiveError as error:
        return type(error).__name__
    return "put"


def _say(text: str) -> None:
    os.write(1, (text + "\n").encode())


def _be_child(command: dict[str, Any]) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANYBODY, 0, 0, 0)
    _say(str(os.getpid()))
    os.read(0, 100)
    outcome = put_content(command)
    os.write(1, (outcome + "\n").encode())


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        # Whatever is imported late is imported now: no fault shall meet the import system.
        put_content({"root": folder, "key": "warm/up"})
        put_content({"root": folder, "key": "warm/up"})
    _say("ready")
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            try:
                _be_child(json.loads(line))
            except BaseException as error:
                _say(f"unexpected: {error!r}")
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            _say("killed")


if __name__ == "__main__":
    main()

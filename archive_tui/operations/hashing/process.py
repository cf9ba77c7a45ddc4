"""A second Python that hashes small files, for one alone spends most of its time between two files.

It is a fresh interpreter, never a fork, so that it may be started from a program with threads and a screen. It ends
when its standard input does, however its parent ends. Nothing depends on it: whoever asks does the work when it fails.
"""

from __future__ import annotations

import contextlib
import errno
import marshal
import os
import struct
import sys
from typing import IO, TYPE_CHECKING, Any

from archive_tui.integrity.streams import FileDigest, hash_small_files
from archive_tui.operations.scanning.contained_open import ContainedOpener
from archive_tui.progress import StopSignal, never

if TYPE_CHECKING:  # the other process starts in half the time without it
    from pathlib import Path

_LENGTH = struct.Struct("<I")
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from archive_tui.operations.hashing.process import serve; serve()"
)


Batch = list[tuple[str, list[str]]]
"""Folders, relative to a root, each with names of files in it."""


def hash_batch(
    opener: ContainedOpener, batch: Batch, largest: int, stop: StopSignal = never
) -> list[FileDigest | None]:
    """Returns the digests of a batch as `hash_small_files` does, one folder after the other.

    A folder that cannot be opened is an error of each of its files.
    """
    found: list[FileDigest | None] = []
    for path, names in batch:
        try:
            folder = opener.open_folder(path)
        except OSError as error:
            found.extend([(0, None, error.errno or errno.EIO)] * len(names))
            continue
        found.extend(hash_small_files(folder.descriptor, names, largest=largest, stop=stop))
    return found


class HashProcess:
    """Hashes batches of small files below `root` in another process, one batch at a time; use it from one thread.

    Raises: OSError when it cannot be started.
    """

    def __init__(self, root: Path) -> None:
        import subprocess  # not at the top: the other process does not need it

        if not sys.executable:
            raise FileNotFoundError("There is no Python interpreter to start")
        package_parent = os.path.realpath(f"{__file__}/../../../..")
        # Its own session: Ctrl-C in the terminal is for the parent, which then closes the pipe.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _START, package_parent, os.fspath(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def hash_batch(self, batch: Batch, largest: int) -> list[FileDigest | None]:
        """Returns what the function of this name would.

        Raises: OSError when the other process is gone.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        _send(self._process.stdin, (batch, largest))
        answer: list[FileDigest | None] = _receive(self._process.stdout)
        return answer

    def interrupt(self) -> None:
        """Makes a running `hash_batch` raise; from any thread."""
        with contextlib.suppress(OSError):
            self._process.kill()  # it holds nothing that could be half done

    def close(self) -> None:
        """Ends the process and waits for it."""
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self.interrupt()
        self._process.wait()


def serve() -> None:
    """Answers requests on standard input until it ends; the root is the last argument."""
    opener = ContainedOpener(sys.argv[-1])
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    with contextlib.suppress(OSError):
        while True:
            batch, largest = _receive(requests)
            _send(answers, hash_batch(opener, batch, largest))
    os._exit(0)  # the usual way out would complain about a pipe that the parent has closed


def _send(pipe: IO[bytes], message: Any) -> None:
    content = marshal.dumps(message)
    pipe.write(_LENGTH.pack(len(content)) + content)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:
    header = pipe.read(_LENGTH.size)
    content = pipe.read(_LENGTH.unpack(header)[0]) if len(header) == _LENGTH.size else b""
    try:
        return marshal.loads(content)
    except (EOFError, ValueError) as error:
        raise BrokenPipeError(errno.EPIPE, "The hashing process ended in the middle of an answer") from error

"""Somebody who makes two entries of a folder change places all the time, each time in one step."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_AT_FDCWD = -100
_EXCHANGE = 2


def _exchange(first: Path, second: Path) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "renameat2"):
        pytest.skip("the C library has no renameat2 (Linux has)")
    if library.renameat2(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _EXCHANGE) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


@contextmanager
def swapping(first: Path, second: Path) -> Iterator[None]:
    """Lets `first` and `second`, which both exist, change places until the block ends."""
    _exchange(first, second)
    is_over = threading.Event()

    def swap() -> None:
        while not is_over.is_set():
            _exchange(first, second)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()

"""The lock for the last step of a move: one holder at a time, in this process and in others."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from archive_tui.errors import OperationStopped
from archive_tui.operations.moving.machine_lock import held_on_machine
from archive_tui.progress import never

_HOLDER = """
import sys
from archive_tui.operations.moving.machine_lock import held_on_machine
from archive_tui.progress import never
with held_on_machine("content", never):
    print("held", flush=True)
    sys.stdin.readline()
"""


class _StopsAfter:
    def __init__(self, looks: int) -> None:
        self._looks = looks

    def is_set(self) -> bool:
        self._looks -= 1
        return self._looks < 0


def test_one_thread_at_a_time() -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(200):
            with held_on_machine("content", never):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1}


def test_another_process_waits_and_a_killed_one_lets_go() -> None:
    holder = subprocess.Popen([sys.executable, "-c", _HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(OperationStopped), held_on_machine("content", _StopsAfter(3)):
            pytest.fail("it was held by another process")
    finally:
        holder.kill()
        holder.communicate()
    with held_on_machine("content", never):
        pass


def test_what_happens_inside_passes_through_and_lets_go() -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="inside"), held_on_machine("content", never):
            raise ValueError("inside")

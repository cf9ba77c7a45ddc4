"""Something done in a child process that dies, without any clean-up, at its n-th call into the file system."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

STEPS = ("rename", "unlink", "fsync", "rmdir", "open", "link", "mkdir", "chmod")


def run_and_die(number: int, act: Callable[[], object]) -> bool:
    """Runs `act` in a child that dies at its n-th call into the file system; True if it lived to the end."""
    child = os.fork()
    if child == 0:
        countdown = number

        def dying(true_call: Callable[..., object]) -> Callable[..., object]:
            def call(*args: object, **kwargs: object) -> object:
                nonlocal countdown
                countdown -= 1
                if countdown == 0:
                    os._exit(7)
                return true_call(*args, **kwargs)

            return call

        try:
            for name in STEPS:
                setattr(os, name, dying(getattr(os, name)))
            act()
        except BaseException:
            os._exit(8)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 7)
    return status == 0


def every_death(
    act: Callable[[], object], prepare: Callable[[], None], *, least: int = 20, stride: int = 1
) -> Iterator[int]:
    """Yields after each death of a child that has done `act`, at every step or every `stride`-th; before each,
    `prepare` is called. There have to be more than `least` steps."""
    for number in range(1, 500, stride):
        prepare()
        if run_and_die(number, act):
            assert number > least
            return
        yield number
    pytest.fail("the child never came to its end")

"""What is on the screen of an app under test, as rows of text."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.app import App
from textual.pilot import Pilot


def rows_of(app: App[None]) -> list[str]:
    """The rows of the screen on top, without trailing blanks."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    return [line.text[:width].rstrip() for line in lines[:height]]


def text_of(app: App[None]) -> str:
    return "\n".join(rows_of(app))


async def wait_until(pilot: Pilot[None], condition: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Lets the app work until the condition holds.

    Raises: AssertionError with the screen when it does not in `seconds`.
    """
    for _ in range(int(seconds / 0.01)):
        await pilot.pause()
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"did not happen in {seconds} s; the screen:\n{text_of(pilot.app)}")

"""What is photographed: each scene drives the program to one screen. Register others with `@scene(name)`."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from archive_tui.tui.terminal import FEW_COLOURS_THEME
from tests.screenshots.stage import Stage

Drive = Callable[[Stage], Awaitable[None]]
SMALL, LARGE = (80, 24), (120, 36)


@dataclass(frozen=True)
class Scene:
    name: str
    drive: Drive
    sizes: tuple[tuple[int, int], ...] = (SMALL, LARGE)


SCENES: list[Scene] = []


def scene(name: str, *, sizes: tuple[tuple[int, int], ...] = (SMALL, LARGE)) -> Callable[[Drive], Drive]:
    """Registers a function that drives a stage as the scene of that name; one picture is made for each size."""

    def register(drive: Drive) -> Drive:
        SCENES.append(Scene(name, drive, sizes))
        return drive

    return register


@scene("browse")
async def browse(stage: Stage) -> None:
    await stage.press("tab", "enter", "tab", *["down"] * 3, "space", "space", "up")


@scene("browse-objects", sizes=(LARGE,))
async def browse_objects(stage: Stage) -> None:
    await stage.press("tab", "v", "down")


@scene("help", sizes=(SMALL,))
async def help_panel(stage: Stage) -> None:
    await stage.press("question_mark")


@scene("palette")
async def palette(stage: Stage) -> None:
    await stage.press("down", "down", "colon")


@scene("find-and-filter", sizes=(SMALL,))
async def find(stage: Stage) -> None:
    await stage.press("f", "s", "t", "a", "t", "enter", "slash", "0", "8")


@scene("compare", sizes=(LARGE,))
async def compare(stage: Stage) -> None:
    await stage.press("down", "down", "enter", "tab", "g", "ctrl+u", *"~/backup/winds", "enter", "tab")
    await stage.press("equals_sign")


@scene("inspect", sizes=(LARGE,))
async def inspect(stage: Stage) -> None:
    await stage.press("tab", "v", "down", "i")


@scene("view", sizes=(LARGE,))
async def view(stage: Stage) -> None:
    await stage.press("end", "f3")


@scene("copy-as-command", sizes=(SMALL,))
async def copy_as_command(stage: Stage) -> None:
    await stage.press("y", "p", "u", "b", "l", "enter")


@scene("hostile-names", sizes=(SMALL,))
async def hostile_names(stage: Stage) -> None:
    folder = stage.home / "hostile"
    folder.mkdir()
    for name in ("new\nline.txt", "red\x1b[31m.txt", "\u202egnp.exe", "שלום.txt", "[bold]markup.txt"):
        (folder / name).write_text("1")
    (folder / os.fsdecode(b"latin-\xe9.txt")).write_text("1")
    await stage.press("g", "ctrl+u", *str(folder), "enter")


@scene("small-terminal", sizes=((50, 12),))
async def small_terminal(stage: Stage) -> None:
    await stage.settle()


@scene("browse-16-colours", sizes=(SMALL,))
async def browse_in_16_colours(stage: Stage) -> None:
    stage.app.theme = FEW_COLOURS_THEME
    await browse(stage)


@scene("store-not-reached", sizes=(SMALL,))
async def store_not_reached(stage: Stage) -> None:
    await stage.press("tab", "g", "ctrl+u", *"far-s3", "enter")
    browse_screen = stage.app.browse_screen
    assert browse_screen is not None
    await stage.until(lambda: not browse_screen.active.is_loading)

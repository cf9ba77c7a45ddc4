"""The scenes of file operations: the review of a deletion, the preview of new names, a question, properties."""

from __future__ import annotations

from archive_tui.tui.terminal import FEW_COLOURS_THEME
from tests.screenshots.page_scenes import until_text
from tests.screenshots.scenes import SMALL, scene
from tests.screenshots.stage import Stage


def _put_cursor_on(stage: Stage, name: str) -> None:
    browse = stage.app.browse_screen
    assert browse is not None
    pane = browse.active
    pane.move_cursor([pane.rows.name(row) for row in range(pane.rows.count)].index(name))


async def _mark(stage: Stage, *names: str) -> None:
    for name in names:
        _put_cursor_on(stage, name)
        await stage.press("space")


@scene("files-delete")
async def delete_review(stage: Stage) -> None:
    await _mark(stage, "winds/", "field-notes.md", "raw.2026-11.dat")
    await stage.press("f8")
    await until_text(stage, "undone?")


@scene("files-delete-refused")
async def delete_refused(stage: Stage) -> None:
    await stage.press("tab", "v")
    _put_cursor_on(stage, "winds.2.0.1.zip")
    await stage.press("f8")
    await until_text(stage, "refused")


@scene("files-rename")
async def rename_preview(stage: Stage) -> None:
    await _open_winds(stage)
    await stage.press("ctrl+u", *"2026-*.csv", "enter", "ctrl+u", *"winds-{1}.csv")
    await until_text(stage, "to rename")


@scene("files-rename-clash")
async def rename_clash(stage: Stage) -> None:
    await _open_winds(stage)
    await stage.press("ctrl+u", *"*-*.csv", "enter", "ctrl+u", *"winds-{2}.csv")
    await until_text(stage, "clash")


@scene("files-rename-16-colours", sizes=(SMALL,))
async def rename_in_few_colours(stage: Stage) -> None:
    stage.app.theme = FEW_COLOURS_THEME
    await rename_clash(stage)


@scene("files-delete-16-colours", sizes=(SMALL,))
async def refused_in_few_colours(stage: Stage) -> None:
    stage.app.theme = FEW_COLOURS_THEME
    await delete_refused(stage)


async def _open_winds(stage: Stage) -> None:
    _put_cursor_on(stage, "winds/")
    await stage.press("enter", "asterisk", "f2")
    await until_text(stage, "Names like")


@scene("files-move", sizes=(SMALL,))
async def move_question(stage: Stage) -> None:
    await _mark(stage, "winds/", "field-notes.md")
    await stage.press("m")


@scene("files-properties", sizes=(SMALL,))
async def folder_properties(stage: Stage) -> None:
    _put_cursor_on(stage, "winds/")
    await stage.press("f4")
    await until_text(stage, "holds")

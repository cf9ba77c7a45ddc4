"""Makes the pictures of all screens: `python -m tests.screenshots [SCENE…]` writes SVG and PNG into screenshots/."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive_tui.tui.terminal import prepare_environment

PICTURES = Path(__file__).parents[2] / "screenshots"
MORE_SCENES = (
    "tests.screenshots.page_scenes",
    "tests.screenshots.job_scenes",
    "tests.screenshots.manifest_scenes",
    "tests.screenshots.manifest_page_scenes",
    "tests.screenshots.safe_scenes",
    "tests.screenshots.file_scenes",
)


@contextmanager
def make_home() -> Iterator[Path]:
    """An empty home folder whose path is the same in every picture.

    Raises: FileExistsError when pictures are being made already.
    """
    home = Path(tempfile.gettempdir()) / "ada"
    home.mkdir()
    try:
        yield home
    finally:
        shutil.rmtree(home)


async def take_pictures(wanted: list[str]) -> list[Path]:
    """Returns the SVG files that were written."""
    from tests.screenshots.scenes import SCENES
    from tests.screenshots.stage import open_stage, prepare_home

    for module in MORE_SCENES:
        if importlib.util.find_spec(module) is not None:
            importlib.import_module(module)
    written = []
    for scene in SCENES:
        if wanted and scene.name not in wanted:
            continue
        for size in scene.sizes:
            # A home for each picture: a scene may publish, damage or fetch as it likes.
            with make_home() as home:
                settings = prepare_home(home)
                async with open_stage(home, settings, size) as stage:
                    await scene.drive(stage)
                    await stage.settle()
                    path = PICTURES / f"{scene.name}-{size[0]}x{size[1]}.svg"
                    path.write_text(stage.app.export_screenshot(title="archive-tui"))
                    written.append(path)
    return written


def main() -> int:
    prepare_environment({"TERM": "xterm-256color"})
    prepare_environment()
    from tests.screenshots.pictures import find_chromium, write_png

    PICTURES.mkdir(exist_ok=True)
    written = asyncio.run(take_pictures(sys.argv[1:]))
    chromium = find_chromium()
    for path in written:
        if chromium is not None:
            write_png(path, path.with_suffix(".png"), chromium)
        print(path.relative_to(PICTURES.parent))
    if chromium is None:
        print("No Chromium was found: only the SVG files are new. On Debian: apt install chromium", file=sys.stderr)
    return 0 if written else 1


if __name__ == "__main__":
    sys.exit(main())

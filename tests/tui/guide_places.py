"""An app on a real folder and a real local archive, for the tests of the pages."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from archive_tui.archives.locations import open_folder, open_storage_location
from archive_tui.integrity.evidence import Evidence
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.queue import open_job_queue
from archive_tui.settings import Settings, load_settings
from archive_tui.tui.archive_app import ArchiveApp
from archive_tui.tui.screens.page import Page

SECONDS = 15.0


class EvidenceList(list[Evidence]):
    """Quacks like an EvidenceTable."""

    def record(self, evidence: Evidence) -> bool:
        self.append(evidence)
        return True

    def record_many(self, findings: Iterable[Evidence]) -> bool:
        self.extend(findings)
        return True

    def lookup(self, store_identity: str, keys: object) -> dict[str, Evidence]:
        return {}

    def lookup_prefix(self, store_identity: str, prefix: str = "") -> dict[str, Evidence]:
        return {}


def make_settings(root: Path) -> Settings:
    """Two storages in a file, as a job needs them: it opens them anew."""
    path = root / "settings.ini"
    sections = (
        f"[{name}]\nstorage_client = archive_tui.core.LocalStorageClient\n"
        f"storage_area = {root / name}\nlocal_path = {root}\n"
        for name in ("lab", "second")
    )
    path.write_text("\n".join(sections))
    return load_settings(path)


def make_source(root: Path) -> Path:
    """A small folder of data, as a scientist might have it."""
    source = root / "home" / "station-07"
    (source / "raw").mkdir(parents=True)
    (source / "README.md").write_text("# Station 07\n")
    (source / "sensors.csv").write_text("time,temperature\n" + "12:00,21.4\n" * 400)
    for number in range(8):
        (source / "raw" / f"2026-{number + 1:02d}.dat").write_bytes(bytes([number]) * 20_000)
    return source


class Place:
    """The running app, and what the tests ask of it."""

    def __init__(
        self, root: Path, app: ArchiveApp, pilot: Pilot[Any], engine: JobEngine, evidence: EvidenceList
    ) -> None:
        self.root = root
        self.app = app
        self.pilot = pilot
        self.engine = engine
        self.evidence = evidence

    @property
    def page(self) -> Any:
        assert isinstance(self.app.screen, Page)
        return self.app.screen

    def set_program(self, key: str, value: str) -> None:
        """Changes what the settings say of the program itself."""
        settings = self.app.settings
        self.app.settings = dataclasses.replace(settings, program={**settings.program, key: value})

    @property
    def jobs(self) -> list[JobSnapshot]:
        """All jobs in the order in which they were submitted."""
        return sorted(self.engine.snapshot(), key=lambda job: job.id)

    @property
    def text(self) -> str:
        """Everything that stands on the screen, one text line each."""
        width, height = self.app.size
        compositor = self.app.screen._compositor
        strips = compositor.render_strips(self.app.size) if width and height else []
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.pilot.press(*(_key(letter) for letter in text))

    async def until(self, condition: Callable[[], Any], what: str = "") -> None:
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"never came: {what}\n{self.text}"
            await self.pilot.pause()
            await asyncio.sleep(0.01)
        await self.pilot.pause()

    async def until_text(self, *texts: str) -> None:
        """Where a line is broken depends on the length of a path: each text may go over the end of a line."""

        def are_there() -> bool:
            shown = self.text
            in_one_line = " ".join(shown.split())
            return all(text in shown or text in in_one_line for text in texts)

        await self.until(are_there, " / ".join(texts))


def _key(letter: str) -> str:
    return {" ": "space", ".": "full_stop", "/": "slash", "-": "minus", "_": "underscore", ";": "semicolon"}.get(
        letter, letter
    )


@asynccontextmanager
async def open_place(
    root: Path,
    *,
    size: tuple[int, int] = (80, 24),
    workers: int = 2,
    folder: Path | None = None,
    database: Path | None = None,
) -> AsyncIterator[Place]:
    settings = make_settings(root)
    evidence = EvidenceList()
    queue = open_job_queue(database) if database is not None else None
    engine = JobEngine(queue, workers=workers, evidence=evidence)
    app = ArchiveApp(
        open_folder(folder or root / "home"),
        open_storage_location(settings, "lab"),
        settings,
        engine=engine,
        evidence_table=evidence,  # type: ignore[arg-type]
        ascii_only=False,
    )
    try:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            yield Place(root, app, pilot, engine, evidence)
    finally:
        engine.close()
        if queue is not None:
            queue.close()

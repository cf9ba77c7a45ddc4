"""The stage on which pictures are taken: a home folder with data, an archive with datasets, evidence of all kinds."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from archive_tui.archives.datasets.publishing import DatasetDetails, PublishRequest, plan_publish, publish
from archive_tui.archives.datasets.verifying import verify_version
from archive_tui.archives.demo_data import change_playground, prepare_playground
from archive_tui.archives.locations import open_location
from archive_tui.archives.storages import open_storage
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.queue import open_job_queue
from archive_tui.objects.object_store import ObjectStore
from archive_tui.settings import Settings, load_settings
from archive_tui.state.database import open_state_database
from archive_tui.state.evidence_table import EvidenceTable
from archive_tui.tui.app import TOUR_HINT
from archive_tui.tui.archive_app import ArchiveApp

DAY = 86400.0
_METHODS = {
    EvidenceLevel.READ: "Every byte read and hashed.",
    EvidenceLevel.ATTESTED: "The store's own SHA-256 of what it received.",
    EvidenceLevel.DAMAGED: "Read in full: 1 of 12 files has wrong bytes.",
}


@dataclass
class Stage:
    """A running app and the keys to it."""

    app: ArchiveApp
    pilot: Pilot[Any]
    home: Path
    engine: JobEngine
    closing: list[Callable[[], None]] = field(default_factory=list)
    """Done after the picture was taken, before the home is removed."""

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.settle()

    async def settle(self, seconds: float = 0.15) -> None:
        await self.pilot.pause()
        await asyncio.sleep(seconds)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], bool], *, seconds: float = 20.0) -> None:
        """Raises: TimeoutError."""
        async with asyncio.timeout(seconds):
            while not condition():
                await self.settle(0.05)


def prepare_home(home: Path) -> Settings:
    """Fills a home folder: data to publish, an archive with three datasets, and what is known of them."""
    os.environ.update(HOME=str(home), XDG_STATE_HOME=str(home / ".state"), XDG_DATA_HOME=str(home / ".data"))
    os.environ.pop("XDG_CONFIG_HOME", None)
    playground = prepare_playground(home / "demo")
    data = home / "data"
    playground.source.rename(home / "station-07.tmp")
    data.mkdir()
    (home / "station-07.tmp").rename(data / "station-07")
    _write_more_data(data)
    area = home / "archive"
    section = {
        "storage_client": "archive_tui.core.LocalStorageClient",
        "storage_area": str(area),
        "local_path": str(data),
    }
    unreachable = {
        "storage_client": "archive_tui.core.AwsStorageClient",
        "bucket": "far-archive",
        "endpoint_url": "http://127.0.0.1:1",
        "aws_access_key_id": "example",
        "aws_secret_access_key": "example",
        "local_path": str(data),
    }
    settings = _write_settings(home, {"lab-archive": section, "far-s3": unreachable})
    store = open_storage(settings, "lab-archive").store
    evidence = EvidenceTable(open_state_database())
    for name, source, version in (
        ("station-07", data / "station-07", "1.3.0"),
        ("winds", data / "winds", "1.9.0"),
        ("winds", data / "winds", "2.0.1"),
        ("station-08", data / "station-08", "0.9.0"),
    ):
        _publish(store, evidence, name, source, version)
    _change_station(playground, data)
    _publish(store, evidence, "station-07", data / "station-07", "1.4.0")
    _age_files(home)
    _age_evidence(store, evidence)
    return settings


def _write_settings(home: Path, storages: dict[str, dict[str, str]]) -> Settings:
    """In a file, for a job opens its storages anew."""
    path = home / "settings.ini"
    sections = (
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())
        for name, values in storages.items()
    )
    path.write_text("\n".join(sections))
    return load_settings(path)


def _write_more_data(data: Path) -> None:
    for name, lines in (("station-08", 900), ("winds", 2400)):
        (data / name).mkdir()
        for month in range(1, 13):
            table = "".join(f"2026-{month:02d}-{line % 28 + 1:02d},{line * 7 % 313 / 10}\n" for line in range(lines))
            (data / name / f"2026-{month:02d}.csv").write_text(table)
    shutil.copytree(data / "winds", data.parent / "backup" / "winds")
    (data / "winds" / "2026-12.csv").write_text("2026-12-01,4.5\n" * 700)
    (data / "winds" / "2027-01.csv").write_text("2027-01-01,3.1\n" * 30)
    (data / "field-notes.md").write_text("# Field notes\n\n* The mast was repaired on 12 May.\n" * 40)
    (data / "raw.2026-11.dat").write_bytes(bytes(range(256)) * 2600)
    (data / "measurement-2026-11-22T15:00:00-station-07.raw.dat").write_bytes(b"\x00\x01" * 150_000)


def _change_station(playground: Any, data: Path) -> None:
    (data / "station-07").rename(playground.source)
    change_playground(playground)
    playground.source.rename(data / "station-07")


def _publish(store: ObjectStore, evidence: EvidenceTable, name: str, source: Path, version: str) -> None:
    details = DatasetDetails(title=f"Weather {name}", license="CC-BY-4.0")
    request = PublishRequest(name=name, source=source, version=version, details=details, allow_identical=True)
    receipt = publish(store, plan_publish(store, request))
    if receipt.evidence is not None:
        evidence.record(receipt.evidence)


def _age_files(home: Path) -> None:
    """Pictures show a life, not a minute."""
    now = time.time()
    for folder, newest_first in ((home / "data", False), (home / "archive", True)):
        for number, path in enumerate(sorted(folder.glob("*"), reverse=newest_first)):
            moment = now - DAY * (0.4 + number * number * 1.3)
            os.utime(path, (moment, moment))


def _age_evidence(store: ObjectStore, evidence: EvidenceTable) -> None:
    """One version is verified for good; the others get older evidence, one of them a bad one."""
    _, proof = verify_version(store, "station-07", "1.4.0")
    if proof is not None:
        evidence.record(proof)
    now = proof.checked_at if proof is not None else 0.0
    for key, level, days in (
        ("winds.2.0.1.zip", EvidenceLevel.ATTESTED, 5.0),
        ("winds.1.9.0.zip", EvidenceLevel.ATTESTED, 70.0),
        ("station-08.0.9.0.zip", EvidenceLevel.DAMAGED, 1.0),
        ("station-07.1.3.0.zip", EvidenceLevel.READ, 2.0),
    ):
        info = store.info(key)
        evidence.record(
            Evidence(store.identity, key, level, None, info.size, now - days * DAY, _METHODS[level], info.version)
        )


@asynccontextmanager
async def open_stage(home: Path, settings: Settings, size: tuple[int, int]) -> AsyncIterator[Stage]:
    """Runs the program on that home: the data on the left, the archive on the right."""
    queue, evidence = open_job_queue(), EvidenceTable(open_state_database())
    engine = JobEngine(queue, evidence=evidence)
    app = ArchiveApp(
        open_location(str(home / "data"), settings),
        open_location("lab-archive", settings),
        settings,
        engine=engine,
        evidence_table=evidence,
        go_on_in_background=lambda: None,
        greeting=TOUR_HINT,
    )
    closing: list[Callable[[], None]] = []
    try:
        async with app.run_test(size=size) as pilot:
            stage = Stage(app, pilot, home, engine, closing)
            browse = app.browse_screen
            assert browse is not None
            await stage.until(lambda: not (browse.left.is_loading or browse.right.is_loading))
            await stage.settle()
            yield stage
    finally:
        for close in closing:
            close()
        engine.close()
        queue.close()

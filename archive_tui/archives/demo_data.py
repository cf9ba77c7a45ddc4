"""A small playground to try everything on: two years of a made-up weather station, the same bytes on every machine."""

from __future__ import annotations

import json
import math
import random
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive_tui.errors import TargetExists

DATASET = "station-07"
STORAGE = "demo-archive"
MARKER = ".archive-tui-demo"
"""Lies in every playground; a folder without it is never emptied."""

_STATION_SEED = 7
_MONTHS = ("2025-09", "2025-10", "2025-11", "2025-12")


@dataclass(frozen=True, slots=True)
class Playground:
    """`data` holds the working folders, `archive` is the storage, `fetched` is where versions may be fetched to."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    @property
    def fetched(self) -> Path:
        return self.root / "fetched"

    @property
    def settings_path(self) -> Path:
        return self.root / "settings.ini"

    @property
    def source(self) -> Path:
        return self.data / DATASET


def prepare_playground(root: Path) -> Playground:
    """Writes a fresh playground into `root`: working data, an empty archive, and the settings that name it.

    An earlier playground there is replaced.

    Raises: TargetExists when `root` holds anything else.
    """
    playground = Playground(root.absolute())
    if root.exists() and any(root.iterdir()):
        if not (root / MARKER).is_file():
            raise TargetExists(
                f"Not a playground, and not empty: {root}", hint="Choose a folder that is empty or does not exist."
            )
        for entry in (playground.data, playground.archive, playground.fetched):
            shutil.rmtree(entry, ignore_errors=True)
    for folder in (playground.data, playground.archive, playground.fetched):
        folder.mkdir(parents=True, exist_ok=True)
    (root / MARKER).write_text("Made by archive-tui demo; may be deleted at any time.\n", encoding="utf-8")
    playground.settings_path.write_text(_settings_text(playground), encoding="utf-8")
    for path, content in station_files():
        target = playground.source / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return playground


def change_playground(playground: Playground) -> str:
    """Does what a month of work does: a file is corrected, one is added, one goes. Returns it in a sentence."""
    corrected = playground.source / "sensors" / "2025-10.csv"
    lines = corrected.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[100] = lines[100].replace(lines[100].split(",")[2], "11.7", 1)
    corrected.write_text("".join(lines), encoding="utf-8")
    added = playground.source / "sensors" / "2026-01.csv"
    added.write_bytes(_sensor_table("2026-01", random.Random(_STATION_SEED + 100)))
    (playground.source / "notes" / "draft.txt").unlink()
    return "sensors/2025-10.csv corrected, sensors/2026-01.csv added, notes/draft.txt removed"


def station_files() -> Iterator[tuple[str, bytes]]:
    """Yields relative paths and contents, about 1.5 MB in 14 files."""
    chance = random.Random(_STATION_SEED)
    yield "README.md", _README.encode()
    for month in _MONTHS:
        yield f"sensors/{month}.csv", _sensor_table(month, chance)
        yield f"raw/logger-{month}.dat", _logger_dump(chance)
    yield "calibration/thermometer.json", _calibration(chance)
    yield "notes/field-notes.md", _FIELD_NOTES.encode()
    yield "notes/draft.txt", b"to do: ask for the key of the mast\n"
    yield "images/horizon.pgm", _horizon_image()
    yield "images/préparation du site.txt", b"Photos of the site follow by post.\n"


def _sensor_table(month: str, chance: random.Random) -> bytes:
    rows = ["time,station,temperature_c,humidity_pct,pressure_hpa,wind_m_s\n"]
    for minute in range(0, 28 * 24 * 60, 10):
        day, hour = minute // 1440 + 1, minute % 1440 // 60
        temperature = 9 + 6 * math.sin((hour - 8) / 24 * math.tau) + chance.gauss(0, 0.4)
        rows.append(
            f"{month}-{day:02d}T{hour:02d}:{minute % 60:02d}:00Z,07,{temperature:.1f},"
            f"{chance.uniform(45, 98):.0f},{chance.gauss(1013, 6):.1f},{abs(chance.gauss(3, 2)):.1f}\n"
        )
    return "".join(rows).encode()


def _logger_dump(chance: random.Random) -> bytes:
    """Binary records of a logger: a header, then counter and two 16-bit readings, hard to compress like real ones."""
    records = b"".join(
        struct.pack("<IHH", number, chance.getrandbits(16), chance.getrandbits(16)) for number in range(16_000)
    )
    return b"LOG7" + struct.pack("<I", 16_000) + records


def _calibration(chance: random.Random) -> bytes:
    points = [{"reference_c": step, "reading_c": round(step + chance.gauss(0, 0.05), 3)} for step in range(-20, 45, 5)]
    return (json.dumps({"instrument": "PT100 #4411", "points": points}, indent=2) + "\n").encode()


def _horizon_image() -> bytes:
    width, height = 320, 120
    pixels = bytearray()
    for row in range(height):
        for column in range(width):
            ridge = 60 + 14 * math.sin(column / 31) + 7 * math.sin(column / 11)
            pixels.append(40 if row > ridge else 160 + row)
    return f"P5 {width} {height} 255\n".encode() + bytes(pixels)


def _settings_text(playground: Playground) -> str:
    return (
        "# The settings of this playground; nothing outside of it is touched.\n"
        f"[{STORAGE}]\n"
        "storage_client = archive_tui.core.LocalStorageClient\n"
        f"storage_area = {playground.archive}\n"
        f"local_path = {playground.data}\n"
    )


_README = """# Station 07

Weather station on the northern ridge (sample data made up by archive-tui).

- `sensors/`: one table a month, a row every ten minutes
- `raw/`: what the logger wrote, records of 8 bytes
- `calibration/`: the comparison of the thermometer with the reference
- `notes/`: what was seen in the field
"""

_FIELD_NOTES = """# Field notes

2025-09-03  Mast set up, logger started at 10:00.
2025-10-14  Reading of the thermometer looks low around 16:40; check the table.
2025-12-21  Snow on the rain gauge. Cleaned.
"""

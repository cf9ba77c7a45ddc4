"""The scenes of the datasafe: its tree in a pane, looking at a LOI, and the guide that deposits files."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from archive_tui.archives.datasafe.safe import MetadataText, OldVersion, SafeEntry, SafeState
from archive_tui.archives.locations import DATASAFE
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.jobs.kind import JobResult
from archive_tui.jobs.states import JobState
from archive_tui.tui.screens.deposit.deposit_screen import DepositScreen
from archive_tui.tui.screens.deposit.deposit_work import PROGRESS
from tests.screenshots.page_scenes import until_text
from tests.screenshots.scenes import SMALL, scene
from tests.screenshots.stage import DAY, Stage
from tests.tui.led_jobs import LedJob
from tests.tui.safe_doubles import MemorySafe, describe_fully, use_safe

METADATA = """cwEPR Info file - v. 0.1.4 (2026-01-21)

GENERAL
Filename:       run-0042
Date start:     2026-11-20
Operator:       Ada Byron
Purpose:        Temperature series, 80 K to 290 K

SAMPLE
Name:           P3HT film 17
LOI:            42.1001/info/tb/sample/substrate/17

SPECTROMETER
Model:          Bruker EMX
"""
DIGEST = "9f2c" * 16


def _entries() -> list[SafeEntry]:
    kinds = [
        ("2026-11-18/cwepr", 1),
        ("2026-11-20/trepr", 2),
        ("ba/3/cwepr", 3),
        ("sa/17/cwepr", 9),
        ("sa/42/cwepr", 3),
        ("sa/42/trepr", 12),
    ]
    entries = []
    for place, (kind, count) in enumerate(kinds):
        for number in range(1, count + 1):
            loi = f"42.1001/ds/exp/{kind}/{number}"
            moment = time.time() - DAY * (40 - 6 * place) - 9000 * number
            size = 3_100_000 + 171_300 * number * (place + 1)
            entries.append(SafeEntry(loi, SafeState.DEPOSITED, 3 + number % 3, size, moment, DIGEST))
    return entries


def make_safe(stage: Stage) -> MemorySafe:
    """Every state, and evidence of all kinds."""
    safe = MemorySafe(*_entries())
    reserved = {"state": SafeState.RESERVED, "files": None, "size": None, "modified": None, "digest": None}
    for name, changes in (
        ("sa/17/cwepr/3", {"old_versions": 1}),
        ("sa/17/cwepr/5", {"state": SafeState.DAMAGED, "detail": "MANIFEST.yaml is missing."}),
        ("sa/17/cwepr/9", reserved),
    ):
        loi = f"42.1001/ds/exp/{name}"
        safe.known[loi] = dataclasses.replace(safe.known[loi], **changes)
    evidence = stage.app.evidence_table
    assert evidence is not None
    for number, level, days in ((1, EvidenceLevel.READ, 2), (2, EvidenceLevel.READ, 2), (3, EvidenceLevel.READ, 40)):
        loi = f"42.1001/ds/exp/sa/17/cwepr/{number}"
        digest = DIGEST if number != 2 else "00" * 32
        evidence.record(Evidence(safe.identity, loi, level, digest, 3, time.time() - days * DAY, "Every file read."))
    loi = "42.1001/ds/exp/sa/17/cwepr/3"
    described = describe_fully(safe.known[loi], text=METADATA)
    old = (OldVersion(1, time.time() - 30 * DAY, 3_600_000, "07ab" * 16),)
    safe.described[loi] = dataclasses.replace(
        described, old_versions=old, metadata=(MetadataText("run-0042.info", METADATA),)
    )
    use_safe(stage.app, safe)
    return safe


async def open_safe(stage: Stage) -> MemorySafe:
    """The datasafe on the right, its sample 17 unfolded."""
    safe = make_safe(stage)
    browse = stage.app.browse_screen
    assert browse is not None and browse.right.location is not None
    location: Any = dataclasses.replace(browse.right.location, views=(DATASAFE,), safe_prefix="")
    browse.go_to(browse.right, location)
    await stage.until(lambda: browse.right.view == DATASAFE and browse.right.rows.is_complete)
    await stage.press("tab")
    return safe


async def put_cursor(stage: Stage, name: str) -> None:
    browse = stage.app.browse_screen
    assert browse is not None
    found = browse.right.rows.find(name.__eq__, 0)
    assert found is not None, name
    browse.right.move_cursor(found)
    await stage.settle()


@scene("datasafe")
async def datasafe(stage: Stage) -> None:
    await open_safe(stage)
    for name in ("2026-11-20/trepr/", "2026-11-18/cwepr/", "ba/3/cwepr/", "sa/42/"):
        await put_cursor(stage, f"42.1001/ds/exp/{name}")
        await stage.press("enter")
    await put_cursor(stage, "42.1001/ds/exp/sa/17/cwepr/3")


@scene("datasafe-16-colours", sizes=(SMALL,))
async def datasafe_in_16_colours(stage: Stage) -> None:
    from archive_tui.tui.terminal import FEW_COLOURS_THEME

    stage.app.theme = FEW_COLOURS_THEME
    await datasafe(stage)


@scene("datasafe-metadata")
async def datasafe_metadata(stage: Stage) -> None:
    await datasafe(stage)
    await stage.press("f3")
    await until_text(stage, "Ada Byron")


@scene("datasafe-inspect")
async def datasafe_inspect(stage: Stage) -> None:
    await datasafe(stage)
    await stage.press("f4")
    await until_text(stage, "evidence")


@scene("datasafe-reserve", sizes=(SMALL,))
async def datasafe_reserve(stage: Stage) -> None:
    await datasafe(stage)
    await stage.press("N")
    await stage.press("enter")
    await until_text(stage, "Y copies it")


@scene("datasafe-retrieve", sizes=(SMALL,))
async def datasafe_retrieve(stage: Stage) -> None:
    await datasafe(stage)
    await stage.press("f5")


async def open_guide(stage: Stage, number: int) -> None:
    await open_safe(stage)
    run = stage.home / "data" / "run-0042"
    run.mkdir()
    for name, size in (("run-0042.DSC", 2400), ("run-0042.DTA", 4_194_304)):
        (run / name).write_bytes(b"\x01" * size)
    browse = stage.app.browse_screen
    assert browse is not None
    browse.left.list_again()
    await stage.until(lambda: browse.left.rows.find("run-0042/".__eq__, 0) is not None)
    await put_cursor(stage, f"42.1001/ds/exp/sa/17/cwepr/{number}")
    await stage.press("tab")
    browse.left.move_cursor(browse.left.rows.find("run-0042/".__eq__, 0) or 0)
    await stage.press("f5")
    await until_text(stage, "files from")


@scene("deposit-1-loi")
async def deposit_loi(stage: Stage) -> None:
    await open_guide(stage, 9)


@scene("deposit-1-update", sizes=(SMALL,))
async def deposit_update(stage: Stage) -> None:
    await open_guide(stage, 3)
    await stage.press("down")


@scene("deposit-2-metadata")
async def deposit_metadata(stage: Stage) -> None:
    await open_guide(stage, 9)
    await stage.press("enter")
    await until_text(stage, "m writes")


@scene("deposit-2-form", sizes=(SMALL,))
async def deposit_form(stage: Stage) -> None:
    await deposit_metadata(stage)
    await stage.press("m")
    await stage.press(*"Temperature series of film 17", "enter", *"Ada Byron", "enter")


@scene("deposit-3-plan")
async def deposit_plan(stage: Stage) -> None:
    await deposit_form(stage)
    await stage.press("pagedown")
    await until_text(stage, "1 of them is metadata")
    await stage.press("enter")
    await until_text(stage, "safety")


async def open_guide_with_job(stage: Stage, result: JobResult | None = None) -> LedJob:
    """The guide at its job; without a result it runs."""
    led = LedJob("deposit 42.1001/ds/exp/sa/17/cwepr/9", result)
    place = {"source": str(stage.home / "data" / "run-0042"), "destination": "lab-archive:42.1001/ds/exp/sa/17/cwepr/9"}
    command = "archive-tui safe put 42.1001/ds/exp/sa/17/cwepr/9 /tmp/ada/data/run-0042 --storage lab-archive"
    led.request = dataclasses.replace(led.request, command=command, **place)
    stage.closing.append(led.go.set)
    await open_guide(stage, 9)
    guide = stage.app.screen
    assert isinstance(guide, DepositScreen)
    guide.draft.job_id, guide.draft.step = led.submit(stage.engine), PROGRESS
    guide.follow_job(guide.draft.job_id)
    await until_text(stage, "%")
    return led


@scene("deposit-4-progress", sizes=(SMALL,))
async def deposit_progress(stage: Stage) -> None:
    await open_guide_with_job(stage)


@scene("deposit-5-receipt")
async def deposit_receipt(stage: Stage) -> None:
    from archive_tui.jobs.kinds.safe_deposits import DepositResult

    loi = "42.1001/ds/exp/sa/17/cwepr/9"
    method = "Every file unpacked, hashed and compared with its manifest."
    evidence = Evidence("memory-safe", loi, EvidenceLevel.RESTORED, DIGEST, 3, time.time(), method)
    result = DepositResult(loi, 4, 4_196_900, 4_197_480, DIGEST, evidence)
    led = await open_guide_with_job(stage, JobResult(JobState.VERIFIED, "Deposited.", value=result))
    led.go.set()
    await until_text(stage, "get it")

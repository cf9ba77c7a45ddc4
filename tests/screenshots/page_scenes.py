"""The scenes of the full-screen pages: publish guide, verification, fetch, jobs, connections."""

from __future__ import annotations

import threading
import time

from archive_tui.integrity.report import Finding, FindingKind, IntegrityReport
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.kind import JobResult, JobWork
from archive_tui.jobs.request import JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.progress import BytesDone, Ended, ItemDone, ItemFailed, Planned, check_stop
from archive_tui.tui import submitting
from archive_tui.tui.screens.browse.browse_marks import find_names
from archive_tui.tui.screens.verify import VerifyScreen
from tests.screenshots.scenes import SMALL, scene
from tests.screenshots.stage import Stage
from tests.tui.led_jobs import led_request

FILES, FILE_SIZE = 612, 1_970_000
DAMAGED = ((87, "raw/2026-09.dat"), (301, "raw/2026-10.dat"))


def _text(stage: Stage) -> str:
    strips = stage.app.screen._compositor.render_strips(stage.app.size)
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def until_text(stage: Stage, text: str) -> None:
    try:
        await stage.until(lambda: text in _text(stage))
    except TimeoutError as error:
        raise TimeoutError(f"never came: {text}\n{_text(stage)}") from error


async def _open_guide(stage: Stage) -> None:
    browse = stage.app.browse_screen
    assert browse is not None and browse.left.location is not None and browse.right.location is not None
    folders = sorted(find_names(browse.left.rows, lambda name: name.endswith("/")))
    await stage.press(*["down"] * folders.index("station-07/"), "P")
    await until_text(stage, "step 1 of 7: source" if stage.app.size.width < 100 else "▸source")
    assert "Publish station-07" in _text(stage)


async def _go_to_step(stage: Stage, number: int) -> None:
    await _open_guide(stage)
    waits = ("can be published", "Latest is", "Licence", "safety", "in Python")
    for text in waits[: number - 1]:
        await stage.press("pagedown")
        await until_text(stage, text)


@scene("publish-1-source")
async def publish_source(stage: Stage) -> None:
    await _go_to_step(stage, 1)


@scene("publish-2-contents")
async def publish_contents(stage: Stage) -> None:
    await _go_to_step(stage, 2)


@scene("publish-3-version")
async def publish_version(stage: Stage) -> None:
    source = stage.home / "data" / "station-07"
    (source / "calibration").mkdir(exist_ok=True)
    for number in range(12):
        (source / "calibration" / f"sensor-{number:02d}.csv").write_text(f"{number},1.0\n" * 900)
    (source / "README.md").write_text("# Station 07, repaired\n")
    await _go_to_step(stage, 3)
    await stage.press("h")
    await until_text(stage, "compared by SHA-256")


@scene("publish-4-details")
async def publish_details(stage: Stage) -> None:
    await _go_to_step(stage, 4)
    await stage.press("down", "down", "down", *"Ada Byron; Chen Wei")


@scene("publish-5-plan")
async def publish_plan(stage: Stage) -> None:
    await _go_to_step(stage, 5)


@scene("publish-6-progress")
async def publish_progress(stage: Stage) -> None:
    await _go_to_step(stage, 5)
    led = FilmedJob("publish", "publish station-07 1.5.0", "pack", "upload", 402)
    submit, live = stage.engine.submit, {"run": led.run}
    stage.engine.submit = lambda job, live=live: submit(led.request(), live={"run": led.run})  # type: ignore[method-assign]
    await stage.press("enter")
    await until_text(stage, "402 of 612")
    await stage.settle(0.6)


@scene("publish-7-receipt")
async def publish_receipt(stage: Stage) -> None:
    (stage.home / "data" / "station-07" / "more.csv").write_text("1,2\n" * 5000)
    await _go_to_step(stage, 6)


@scene("fetch", sizes=(SMALL,))
async def fetch(stage: Stage) -> None:
    await stage.press("tab", "f5")


@scene("verify-running")
async def verify_running(stage: Stage) -> None:
    led = FilmedJob("verify", "verify station-07 1.4.0", "verify", "", 402)
    await _show_verification(stage, led)
    await until_text(stage, "402 of 612")
    await stage.settle(0.6)


@scene("verify-findings")
async def verify_findings(stage: Stage) -> None:
    led = FilmedJob("verify", "verify station-08 0.9.0", "verify", "", FILES)
    led.go.set()
    await _show_verification(stage, led)
    await until_text(stage, "Findings: ")
    await stage.press("enter")


@scene("verify-clean", sizes=(SMALL,))
async def verify_clean(stage: Stage) -> None:
    await stage.press("tab", "f6")
    await until_text(stage, "all bytes")


@scene("connections")
async def connections(stage: Stage) -> None:
    await stage.press("C", "t")
    await until_text(stage, "so:")


class FilmedJob:
    """Comes to a point and stays there, as a picture needs it."""

    def __init__(self, kind: str, title: str, phase: str, second_phase: str, files: int) -> None:
        self.kind, self.title = kind, title
        self.phase, self.second_phase = phase, second_phase
        self.files = files
        self.go = threading.Event()

    def submit(self, engine: JobEngine) -> int:
        return engine.submit(self.request(), live={"run": self.run})

    def request(self) -> JobRequest:
        """What a job of this kind and title says of itself."""
        _, name, version = self.title.split()
        archive, folder = f"lab-archive:{name}.{version}.zip", f"~/data/{name}"
        source, destination = {
            "publish": (folder, archive),
            "fetch": (archive, f"{folder}.{version}"),
            "verify": (archive, ""),
        }[self.kind]
        command = f"archive-tui dataset {self.kind} lab-archive {name} --version {version}"
        return led_request(self.title, source=source, destination=destination, command=command)

    def run(self, work: JobWork) -> JobResult:
        report, stop = work.report, work.stop
        report(Planned(self.phase, FILES, FILES * FILE_SIZE))
        if self.second_phase:
            report(Planned(self.second_phase))
        damaged = dict(DAMAGED) if self.kind == "verify" else {}
        for number in range(1, self.files + 1):
            if number in damaged:
                report(ItemFailed(self.phase, damaged[number], number, "changed: other content"))
            else:
                report(ItemDone(self.phase, f"raw/{number}", number))
            report(BytesDone(self.phase, number * FILE_SIZE))
            if self.second_phase:
                report(BytesDone(self.second_phase, number * FILE_SIZE // 3))
            if number % 40 == 0:
                time.sleep(0.1)
        while self.files < FILES and not self.go.wait(0.05):
            check_stop(stop)
        report(Ended(self.phase, True))
        if self.kind != "verify":
            return JobResult(JobState.VERIFIED, "Published.")
        findings = tuple(
            Finding(FindingKind.CHANGED, path, "9f2c" + "5" * 58 + "e1", "07ab" + "3" * 58 + "44", 20_000, 20_000, "")
            for _, path in DAMAGED
        )
        result = IntegrityReport(self.title, FILES, FILES - 2, 10, 10, findings)
        return JobResult(JobState.FINDINGS, result.sentence, findings, result)


async def _show_verification(stage: Stage, led: FilmedJob) -> None:
    services = submitting.find_services(stage.app)
    assert services is not None
    stage.app.push_screen(VerifyScreen(led.submit(stage.engine), services))

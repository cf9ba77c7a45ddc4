"""One page with led jobs, as a program for tests in a real terminal: `python -m tests.tui.page_program ROOT PAGE`.

The jobs tick ten times a second for as long as the file ROOT/run exists, and then stand still.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import ClassVar

from archive_tui.tui.terminal import prepare_environment


def main() -> None:
    prepare_environment()
    from archive_tui.archives.locations import open_folder, open_storage_location
    from archive_tui.jobs.engine import JobEngine
    from archive_tui.jobs.kind import JobResult, JobWork
    from archive_tui.jobs.states import JobState
    from archive_tui.progress import BytesDone, ItemDone, Planned, check_stop
    from archive_tui.tui import archive_app, routes, submitting
    from archive_tui.tui.archive_app import ArchiveApp
    from archive_tui.tui.screens.jobs.job_screen import JobScreen
    from archive_tui.tui.screens.publish.draft import PublishDraft
    from archive_tui.tui.screens.publish.publish_screen import PROGRESS, PublishScreen
    from archive_tui.tui.screens.verify import VerifyScreen
    from tests.tui.guide_places import make_settings
    from tests.tui.led_jobs import led_request

    root, page = Path(sys.argv[1]), sys.argv[2]

    def run(work: JobWork) -> JobResult:
        report, stop = work.report, work.stop
        files, size = 5000, 5_000_000_000
        first, second = ("pack", "upload") if page == "publish" else ("verify", "")
        report(Planned(first, files, size))
        if second:
            report(Planned(second))
        done = 0
        while True:
            check_stop(stop)
            if (root / "run").exists() and done < files:
                done += 3
                report(ItemDone(first, f"file {done}", done))
                report(BytesDone(first, done * (size // files)))
                if second:
                    report(BytesDone(second, done * (size // files) // 3))
            elif (root / "end").exists():
                return JobResult(JobState.VERIFIED, "Verified: 5000 of 5000 files, all bytes")
            time.sleep(0.1)

    settings = make_settings(root)
    engine = JobEngine(workers=2)

    class PageApp(ArchiveApp):
        CSS_PATH: ClassVar[list[str]] = [str(Path(archive_app.__file__).parent / path) for path in ArchiveApp.CSS_PATH]

        def on_mount(self) -> None:
            ids = [engine.submit(led_request(f"verify set-{n} 1.0.0"), live={"run": run}) for n in range(2)]
            services = submitting.find_services(self)
            assert services is not None
            if page == "jobs":
                self.call_after_refresh(routes.open_jobs, self)
            elif page == "job":
                self.set_timer(0.5, lambda: self.push_screen(JobScreen(services, services.feed.get(ids[0]))))
            elif page == "publish":
                draft = PublishDraft(root, "lab", "set-0", step=PROGRESS, publish_job=ids[0])
                self.call_after_refresh(self.push_screen, PublishScreen(draft, services))
            else:
                self.call_after_refresh(self.push_screen, VerifyScreen(ids[0], services))

    PageApp(open_folder(root), open_storage_location(settings, "lab"), settings, engine=engine).run()
    engine.close()


if __name__ == "__main__":
    main()

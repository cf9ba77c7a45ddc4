"""Opens the two panes: checks the terminal first, and imports Textual only when they can be drawn."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from archive_tui.tui.terminal import check_terminal, prepare_environment

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.settings import Settings

SWITCH_SECONDS = 0.0005
"""After so long a thread that computes lets others run: the keys wait behind a dozen of them while jobs work."""

TOUR_HINT = "New here? The keys: ?   A tour on sample data: q, then archive-tui demo"


def run_panes(left: Location | str | None, right: Location | str | None, settings: Settings) -> None:
    """Runs the terminal interface until the user leaves; jobs that run then come to a point where they can go on.

    None: the current folder on the left, the first storage on the right.

    Raises: ConfigurationError (code `no-terminal`) when this is no terminal on which it can be drawn.
    """
    check_terminal(os.environ, (sys.stdin, sys.stdout, sys.stderr))
    prepare_environment(theme=settings.program.get("theme", ""))
    from archive_tui.archives.storages import default_storage_name
    from archive_tui.jobs.background import start_background_runner
    from archive_tui.jobs.engine import JobEngine
    from archive_tui.jobs.limits import JobLimits
    from archive_tui.jobs.queue import open_job_queue
    from archive_tui.state.database import open_state_database
    from archive_tui.state.evidence_table import EvidenceTable
    from archive_tui.tui.archive_app import ArchiveApp

    database = open_state_database()
    evidence = EvidenceTable(database)
    queue = open_job_queue()
    engine = JobEngine(queue, evidence=evidence, limits=JobLimits.load(settings))
    path = queue.path
    try:
        app = ArchiveApp(
            left if left is not None else str(os.curdir),
            right if right is not None else default_storage_name(settings),
            settings,
            engine=engine,
            evidence_table=evidence,
            go_on_in_background=None if path is None else lambda: start_background_runner(path.parent, settings.path),
            greeting=TOUR_HINT if settings.path is None else "",
        )
        sys.setswitchinterval(SWITCH_SECONDS)
        app.run()
    finally:
        engine.close()
        queue.close()
        database.close()

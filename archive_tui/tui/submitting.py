"""Asks a question, submits a job, and opens what watches it: what all ways to the other screens share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from archive_tui.jobs.request import JobRequest
from archive_tui.names.display import escape_for_display
from archive_tui.tui.lines.cells import cut_middle
from archive_tui.tui.services import Services
from archive_tui.tui.widgets.line_editor import LineEditor, Prompt

if TYPE_CHECKING:
    from archive_tui.tui.archive_app import ArchiveApp

MakeRequest = Callable[[], JobRequest]
"""Describes a job, and the same once more to do it again. It is called outside of the screens' thread."""

LEAST_PATH = 12
"""Cells by which a folder can still be told from another one."""

WRAPPED = 10
"""Cells that may stay empty at the end of a line that is broken between words."""


def find_services(app: ArchiveApp) -> Services | None:
    """What the pages share; None, and said so, where no jobs can run."""
    if app.feed is None:
        app.show_status("No jobs can run here.")
        return None
    return Services(app.settings, app.feed, app.listing_pool, app.publish_drafts)


def fit_path(app: ArchiveApp, before: str, path: str, after: str) -> str:
    """A question for two lines of the screen: the path gives way, the keys that answer stay."""
    before, shown = escape_for_display(before), escape_for_display(path)
    width = app.size.width - 2
    room = min(width, 2 * width - WRAPPED - cell_len(before) - cell_len(after))
    return before + cut_middle(shown, max(LEAST_PATH, room)) + after


def ask_key(app: ArchiveApp, question: str, answers: dict[str, bool], then: Callable[[bool], None]) -> None:
    """Asks in the status line of the panes; `then` receives what the key stands for, any other key is a no."""
    screen = app.browse_screen
    if screen is not None:
        screen.ask(Prompt(question, lambda key: then(answers[key]), LineEditor(), choices=frozenset(answers)))


def submit_watched(
    app: ArchiveApp,
    services: Services,
    make: MakeRequest,
    then: Callable[[int], None] = lambda job_id: None,
    *,
    live: Mapping[str, Any] | None = None,
) -> None:
    """Queues a job; how it ends is said in the status line. `then` receives its number."""

    def queued(job_id: int) -> None:
        watch_job(app, job_id)
        then(job_id)

    services.feed.submit(make, queued, live=live)


def submit_on_page(
    app: ArchiveApp, services: Services, make: MakeRequest, *, live: Mapping[str, Any] | None = None
) -> None:
    """Queues a job and opens the page that watches it, on which it can be done again."""
    from archive_tui.tui.screens.verify import VerifyScreen

    def open_page(job_id: int) -> None:
        app.push_screen(VerifyScreen(job_id, services, make, live=live))

    submit_watched(app, services, make, open_page, live=live)


def watch_job(app: ArchiveApp, job_id: int | None) -> None:
    """Says in the status line how a job has ended; the page that watches it says so itself."""
    if job_id is not None and app.news is not None:
        app.news.watch(job_id)

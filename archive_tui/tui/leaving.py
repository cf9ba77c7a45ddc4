"""Leaving while there are jobs: they stop and are taken up next time, or another process goes on with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from archive_tui.errors import ArchiveError
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.queue.job_queue import LAST_ON_DISK
from archive_tui.jobs.states import JobState
from archive_tui.names.display import escape_for_display
from archive_tui.tui.job_feed import JobFeed
from archive_tui.tui.lines.sentences import describe_error, describe_leaving
from archive_tui.tui.screens.action_screen import ActionScreen
from archive_tui.tui.widgets.line_editor import LineEditor, Prompt

if TYPE_CHECKING:
    from archive_tui.jobs.engine import JobEngine
    from archive_tui.tui.archive_app import ArchiveApp

STOP, BACKGROUND = "s", "b"


def _is_kept(job: JobSnapshot) -> bool:
    return job.is_kept and job.id <= LAST_ON_DISK


class Leaving:
    """One of it for the app. `go_on_in_background` starts the process that works through the queue; None: there can be
    none, for nothing is kept on a disk."""

    def __init__(self, app: ArchiveApp, go_on_in_background: Callable[[], object] | None) -> None:
        self._app = app
        self._go_on_in_background = go_on_in_background
        self._question: Prompt | None = None
        self._is_leaving = False
        self._can_go_on = False

    def request(self) -> None:
        """Leaves; asks first while a job runs here, or waits to."""
        app, feed = self._app, self._app.feed
        here = [job for job in feed.jobs if job.is_here and job.state.is_running] if feed is not None else []
        waiting = [job for job in feed.jobs if job.state in (JobState.QUEUED, JobState.WAITING)] if feed else []
        if feed is None or not (here or waiting):
            app.exit()
            return
        if self._is_leaving:
            return
        screen = app.screen
        if isinstance(screen, ActionScreen) and screen.status_line is not None:
            asked = (*here, *waiting)
            lost = sum(self._go_on_in_background is None or not _is_kept(job) for job in asked)
            self._can_go_on = lost < len(asked)
            self._ask(screen, describe_leaving(len(here), len(waiting), lost))
        else:
            self._leave(STOP)

    def _ask(self, screen: ActionScreen, question: str) -> None:
        """Who stays goes on with what was asked before: a panel, or a line half typed."""
        line = screen.status_line
        before = line.prompt if line is not None else None
        if before is not None and before is self._question:
            return

        def stay() -> None:
            if before is not None:
                screen.ask(before)

        answers = frozenset({STOP, BACKGROUND} if self._can_go_on else {STOP})
        self._question = Prompt(question, self._leave, LineEditor(), cancelled=stay, choices=answers)
        screen.ask(self._question)

    def _leave(self, answer: str) -> None:
        feed = self._app.feed
        if self._is_leaving or feed is None:
            return
        self._is_leaving = True
        if answer == BACKGROUND:
            self._app.show_status("Handing the jobs over: they come to a point where another process can go on.")
        else:
            self._app.show_status("Stopping: the jobs come to a point where they can go on next time.")
        self._app.listing_pool.submit(lambda: self._let_go(feed, answer), self._failed)

    def _let_go(self, feed: JobFeed, answer: str) -> None:
        """In a thread: an operation may take a moment to stop."""
        engine: JobEngine = feed.engine
        if answer == BACKGROUND and self._go_on_in_background is not None:
            engine.detach()
            self._go_on_in_background()
        else:
            engine.close()
        self._app.call_later(self._app.exit)

    def _failed(self, error: Exception) -> None:
        sentence = describe_error(error) if isinstance(error, ArchiveError) else f"{type(error).__name__}: {error}"
        self._app.call_later(self._stay, f"{sentence} The jobs are kept: archive-tui jobs run goes on with them.")

    def _stay(self, sentence: str) -> None:
        """The jobs are stopped by now, and nobody goes on with them: that is said, and q leaves."""
        self._is_leaving = False
        self._app.show_status(escape_for_display(sentence))

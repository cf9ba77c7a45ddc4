"""What the jobs make worth saying in the status line: how they ended, what they wait for, what last time left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.states import ENDS, JobState
from archive_tui.names.display import escape_for_display
from archive_tui.tui.job_feed import JobBoard
from archive_tui.tui.lines.sentences import describe_end, describe_left_over, join_sentences

if TYPE_CHECKING:
    from archive_tui.tui.archive_app import ArchiveApp

_AT_REST = ENDS | {JobState.PAUSED, JobState.UNDECIDED}


class JobNews:
    """Listens to the feed for the app. Jobs that were begun here are watched; of all others only what they leave behind
    in the panes matters."""

    def __init__(self, app: ArchiveApp) -> None:
        self._app = app
        self._watched: set[int] = set()
        self._is_first = True

    def watch(self, job_id: int) -> None:
        """Says how the job ends, be it that it has ended already."""
        self._watched.add(job_id)
        feed = self._app.feed
        if feed is not None:
            self._tell_watched(JobBoard(), feed.board)

    def on_board(self, before: JobBoard, now: JobBoard) -> None:
        """Called with every new board."""
        if self._is_first:
            self._is_first = False
            self._tell_left_over(now)
        else:
            new = [remark for remark in now.remarks if remark not in before.remarks]
            if new:
                self._app.show_status(escape_for_display(new[-1]))
            self._tell_watched(before, now)
            self._list_after(before, now)
        self._app.refresh_summary()

    def _tell_left_over(self, board: JobBoard) -> None:
        sentence = join_sentences(describe_left_over(board.jobs), *board.remarks)
        if sentence:
            self._app.show_status(escape_for_display(sentence))

    def _tell_watched(self, before: JobBoard, now: JobBoard) -> None:
        states = {job.id: job.state for job in before.jobs}
        for job in now.jobs if self._watched else ():
            if job.id not in self._watched or states.get(job.id) is job.state:
                continue
            if job.state.is_end:
                self._watched.discard(job.id)
                self._tell(job, f"{_subject(job)}: {describe_end(job)}")
            elif job.state is JobState.UNDECIDED:
                self._tell(job, f"{job.title} needs a decision, the rest is done: J, then d.")
            elif job.state is JobState.WAITING:
                self._tell(job, f"{_subject(job)}: {join_sentences(job.message, 'It is tried again by itself.')}")

    def _tell(self, job: JobSnapshot, sentence: str) -> None:
        app, browse = self._app, self._app.browse_screen
        if browse is not None and getattr(app.screen, "job_id", None) == job.id:
            browse.show_status(escape_for_display(sentence))
        else:
            app.show_status(escape_for_display(sentence))

    def _list_after(self, before: JobBoard, now: JobBoard) -> None:
        """What a job has made, or proved, is shown: when it has ended, and when it rests."""
        states = {job.id: job.state for job in before.jobs}
        has_stopped = any(
            job.state in _AT_REST and states.get(job.id) is not job.state and job.attempt for job in now.jobs
        )
        browse = self._app.browse_screen
        if has_stopped and browse is not None:
            browse.list_after_job()


def _subject(job: JobSnapshot) -> str:
    """The title before a colon; that of a copy may end in one, which means a whole storage."""
    return job.title.removesuffix(":")

"""Asks a question, submits a job, and says how it has ended: what all ways to the other screens share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.cells import cell_len

from archive_tui.jobs.job import JobSnapshot
from archive_tui.names.display import escape_for_display
from archive_tui.tui.lines.cells import cut_middle
from archive_tui.tui.lines.sentences import describe_end
from archive_tui.tui.services import NoEvidence, Services
from archive_tui.tui.widgets.line_editor import LineEditor, Prompt

if TYPE_CHECKING:
    from archive_tui.tui.archive_app import ArchiveApp

LEAST_PATH = 12
"""Cells by which a folder can still be told from another one."""

WRAPPED = 10
"""Cells that may stay empty at the end of a line that is broken between words."""


def find_services(app: ArchiveApp) -> Services | None:
    """What the pages share; None, and said so, where no jobs can run."""
    if app.engine is None:
        app.show_status("No jobs can run here.")
        return None
    evidence = app.evidence_table if app.evidence_table is not None else NoEvidence()
    return Services(
        app.settings, app.engine, evidence, app.listing_pool, app.publish_drafts, vault_evidence=app.evidence_table
    )


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


def watch_job(app: ArchiveApp, job_id: int | None) -> None:
    """Says in the status line how a job has ended; the page that watches it says so itself."""
    if job_id is None or app.engine is None:
        return
    engine = app.engine

    def tell(job: JobSnapshot) -> None:
        sentence = escape_for_display(f"{job.title}: {describe_end(job)}")
        browse = app.browse_screen
        if browse is not None and getattr(app.screen, "job_id", None) == job.id:
            browse.show_status(sentence)
        else:
            app.show_status(sentence)

    def listen(job: JobSnapshot) -> None:
        if job.id == job_id and job.state.is_end:
            unsubscribe()
            app.call_later(tell, job)

    unsubscribe = engine.subscribe(listen)
    job = engine.get(job_id)
    if job is not None and job.state.is_end:
        unsubscribe()
        tell(job)

"""A manifest of what is marked, made in a panel in the place of the other pane: choose, watch, open."""

from __future__ import annotations

import os
import threading
import time
from itertools import chain
from typing import TYPE_CHECKING

from textual.timer import Timer

from archive_tui.archives.locations import open_manifest_location
from archive_tui.errors import ArchiveError, OperationStopped
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.kinds.manifest_creation import (
    Amount,
    ListedPart,
    create_manifest_job,
    measure_part,
    propose_manifest_name,
)
from archive_tui.jobs.states import JobState
from archive_tui.manifests.checksum_lines.line import WRITTEN_DIALECTS, Dialect
from archive_tui.tui.lines.sentences import describe_error
from archive_tui.tui.panes.panel import Panel, PanelLine
from archive_tui.tui.screens.manifest.create_lines import choice_lines, end_lines, progress_lines
from archive_tui.tui.submitting import find_services, submit_watched
from archive_tui.tui.widgets.line_editor import LineEditor, Prompt

if TYPE_CHECKING:
    from archive_tui.tui.screens.browse.browse_screen import BrowseScreen

TICK_SECONDS = 0.25
LONGEST_NAME = 255
"""Bytes, on every file system in use."""

MOST_TRIED = 20

_CHOOSING = "Enter lists it · ↑↓ form · Esc"
_RUNNING = "s stops · Esc: it goes on"
_ENDED = "Esc closes"
_FINISHED = "Enter opens it · Esc closes"


class CreatePanel:
    """One life from the key to the end of the job, or to an Esc. The name is typed in the status line."""

    def __init__(self, screen: BrowseScreen, part: ListedPart) -> None:
        self._screen = screen
        self._app = screen.archive_app
        self._part = part
        self._pane = screen.active
        self._dialect = default_dialect(self._app.settings.program.get("manifest_format", ""))
        self._proposed = propose_free_name(part, self._dialect)
        self._editor = LineEditor(self._proposed)
        self._panel = Panel("new manifest", (), _CHOOSING)
        self._amount: Amount | None = None
        self._problem = ""
        self._stop = threading.Event()
        self._told_at = 0.0
        self._out = part.folder
        self._is_submitted = False
        self._job_id: int | None = None
        self._timer: Timer | None = None

    def show(self) -> None:
        prompt = Prompt("name:", self._start, self._editor, changed=lambda text: self._draw(), intercept=self._take_key)
        self._screen.open_panel(self._panel, typing=prompt)
        prompt.cancelled = self._close
        self._draw()
        self._app.listing_pool.submit(self._measure, self._measure_failed)

    # What is listed is counted in the background.

    def _measure(self) -> None:
        try:
            amount = measure_part(self._part, self._tell_amount, stop=self._stop)
        except OperationStopped:
            return
        except ArchiveError as error:
            self._app.call_later(self._show_problem, describe_error(error))
            return
        self._app.call_later(self._show_amount, amount)

    def _measure_failed(self, error: Exception) -> None:
        self._app.call_later(self._show_problem, f"{type(error).__name__}: {error}")

    def _tell_amount(self, amount: Amount) -> None:
        now = time.monotonic()
        if now - self._told_at >= TICK_SECONDS:
            self._told_at = now
            self._app.call_later(self._show_amount, amount)

    def _show_amount(self, amount: Amount) -> None:
        self._amount = amount
        if not self._is_submitted:
            self._draw()

    def _show_problem(self, sentence: str) -> None:
        self._problem = sentence
        if not self._is_submitted:
            self._draw()

    # Choosing

    def _draw(self) -> None:
        width = self._width
        dialects = WRITTEN_DIALECTS
        self._show(choice_lines(self._part, self._amount, self._dialect, dialects, self._find_fault(), width))

    def _find_fault(self) -> str:
        """Why nothing can be listed under this name; empty when it can."""
        if self._problem:
            return self._problem
        if self._amount is not None and self._amount.is_complete and not self._amount.files:
            return "There is no file to list."
        return find_name_fault(self._editor.text, self._part)

    def _take_key(self, key: str) -> bool:
        if key in ("up", "down"):
            at = (WRITTEN_DIALECTS.index(self._dialect) + (1 if key == "down" else -1)) % len(WRITTEN_DIALECTS)
            self._choose(WRITTEN_DIALECTS[at])
            return True
        return key == "enter" and bool(self._find_fault())

    def _choose(self, dialect: Dialect) -> None:
        """A name that nobody has touched follows the form."""
        before, self._dialect = self._proposed, dialect
        self._proposed = propose_free_name(self._part, dialect)
        if self._editor.text == before:
            self._editor.text, self._editor.cursor = self._proposed, len(self._proposed)
            if self._screen.status_line is not None:
                self._screen.status_line.refresh()
        self._draw()

    def _close(self) -> None:
        self._stop.set()
        if self._timer is not None:
            self._timer.stop()
        self._screen.close_panel()

    # The job, and its end

    def _start(self, name: str) -> None:
        self._stop.set()
        services = find_services(self._app)
        if services is None:
            self._screen.close_panel()
            return
        part, dialect = self._part, self._dialect
        self._out, self._is_submitted = part.folder / name, True
        submit_watched(
            self._app,
            services,
            lambda: create_manifest_job(part, name, dialect, policy=services.policy()),
            self._queued,
        )
        self._ask(_RUNNING)
        self._timer = self._screen.set_interval(TICK_SECONDS, self._tick)
        self._tick()

    def _queued(self, job_id: int) -> None:
        self._job_id = job_id
        self._tick()

    def _tick(self) -> None:
        job = self._job
        if job is None:
            return
        if not job.state.is_end:
            self._show(progress_lines(job, self._width))
            return
        if self._timer is not None:
            self._timer.stop()
        self._ask(_FINISHED if job.state is JobState.FINISHED else _ENDED)
        self._show(end_lines(job, self._width))

    def _ask(self, footer: str) -> None:
        """The keys of the panel now; a prompt that says them takes them."""
        self._panel.footer = footer
        self._screen.ask(
            Prompt(
                footer, self._accept, LineEditor(), cancelled=self._close, intercept=self._take_job_key, is_silent=True
            )
        )

    def _take_job_key(self, key: str) -> bool:
        job = self._job
        if key == "s" and job is not None and not job.state.is_end and self._app.feed is not None:
            self._app.feed.do(lambda engine: engine.cancel(job.id))
        if key == "enter":
            return job is None or not job.state.is_end
        if key == "q":
            self._close()
        return key != "escape"

    def _accept(self, text: str) -> None:
        job = self._job
        self._close()
        if job is not None and job.state is JobState.FINISHED:
            location = open_manifest_location(self._out, self._app.settings)
            self._screen.activate(self._pane)
            self._screen.go_to(self._pane, location)

    @property
    def _job(self) -> JobSnapshot | None:
        return self._app.feed.get(self._job_id) if self._app.feed is not None else None

    @property
    def _width(self) -> int:
        return max(20, self._screen.other.size.width - 4)

    def _show(self, lines: list[PanelLine]) -> None:
        self._panel.replace_lines(lines)
        self._screen.refresh_panel()


def default_dialect(word: str) -> Dialect:
    """The form that the settings name; quoted without one, or where it is not one that is written."""
    return Dialect(word) if word in WRITTEN_DIALECTS else Dialect.QUOTED


def propose_free_name(part: ListedPart, dialect: Dialect) -> str:
    """The name that says what is listed, with a number where it is taken."""
    proposed = propose_manifest_name(part, dialect)
    stem, dot, ending = proposed.rpartition(".manifest.json" if dialect is Dialect.JSON else ".sha256")
    names = (f"{stem}-{number}{dot}{ending}" for number in range(2, MOST_TRIED))
    return next((name for name in chain((proposed,), names) if not find_name_fault(name, part)), proposed)


def find_name_fault(name: str, part: ListedPart) -> str:
    """What is wrong with the name of a new manifest, empty when nothing is."""
    if not name.strip() or name in (".", ".."):
        return "Type a name."
    if "/" in name or "\0" in name:
        return "A name without / goes into this folder."
    if len(os.fsencode(name)) > LONGEST_NAME:
        return "The name is too long."
    path = part.folder / name
    return "That name exists already." if path.exists() or path.is_symlink() else ""

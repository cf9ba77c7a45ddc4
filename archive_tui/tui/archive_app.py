"""The application: it owns what outlives screens (jobs, evidence, listings' threads) and knows the screens' ways."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import RenderableType
from textual.app import App
from textual.screen import Screen
from textual.timer import Timer
from textual.types import CSSPathType

from archive_tui.archives.vault.views.known_manifests import open_known_manifests
from archive_tui.archives.vault.views.known_names import KnownNames
from archive_tui.archives.vault.views.manifest_states import StatesByDocument
from archive_tui.tui.actions.keymap import Keymap
from archive_tui.tui.background import BackgroundPool
from archive_tui.tui.lines.jobs_summary import summarise_jobs
from archive_tui.tui.screens.action_screen import ActionScreen
from archive_tui.tui.screens.browse.browse_screen import BrowseScreen
from archive_tui.tui.terminal import supports_utf8
from archive_tui.tui.widgets.line_editor import LineEditor, Prompt

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.jobs.engine import JobEngine
    from archive_tui.jobs.job import JobSnapshot
    from archive_tui.settings import Settings
    from archive_tui.state.evidence_table import EvidenceTable
    from archive_tui.tui.screens.publish.draft import PublishDraft

FIRST_PAINT_HELD = 0.15
"""Seconds for which output is held at the start: rows that come in time save a second painting of everything."""

JOBS_TICK = 0.25
"""Seconds between two looks at running jobs; no timer runs when there are none."""


class ArchiveApp(App[None]):
    """`engine` and `evidence_table` are opened and closed by whoever makes the app; None: none is used."""

    TITLE = "archive-tui"
    CSS_PATH: ClassVar[CSSPathType | None] = ["styles/lines.tcss", "styles/pages.tcss"]
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False

    def __init__(
        self,
        left: Location | str,
        right: Location | str,
        settings: Settings,
        *,
        engine: JobEngine | None = None,
        evidence_table: EvidenceTable | None = None,
        ascii_only: bool | None = None,
        greeting: str = "",
    ) -> None:
        super().__init__()
        self.first_locations = (left, right)
        self.settings = settings
        self.engine = engine
        self.evidence_table = evidence_table
        self.greeting = greeting
        self.ascii_only = not supports_utf8(os.environ) if ascii_only is None else ascii_only
        self.keymap = Keymap(settings.program.get("keymap", "mc"), ascii_only=self.ascii_only)
        self.listing_pool = BackgroundPool()
        self.manifest_states = StatesByDocument()
        self.known_manifests = open_known_manifests(evidence_table)
        self.known_names = KnownNames(self.known_manifests)
        self.publish_drafts: dict[tuple[str, ...], PublishDraft] = {}
        self._is_held = True
        self._jobs_timer: Timer | None = None
        self._is_leaving = False
        self._question: Prompt | None = None

    def get_default_screen(self) -> Screen[Any]:
        return BrowseScreen(self.first_locations)

    def on_mount(self) -> None:
        self.set_timer(FIRST_PAINT_HELD, self.release_first_paint)
        if self.engine is not None:
            self.engine.subscribe(self._on_job_changed)

    def release_first_paint(self) -> None:
        """Paints what was held back since the start, once; called again it does nothing."""
        if self._is_held:
            self._is_held = False
            # Not `screen.refresh()`: that forgets which lines the widgets still owe, and the next key would send them.
            self.screen.query("*").refresh()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        # `batch_update` would paint twice at its end: once for the layout, once for the repaint that it held back.
        super()._display(screen, None if self._is_held else renderable)

    @property
    def browse_screen(self) -> BrowseScreen | None:
        return next((screen for screen in self.screen_stack if isinstance(screen, BrowseScreen)), None)

    def show_status(self, sentence: str) -> None:
        """Says a sentence on the screen that is on top, and keeps it for the browse screen. Any thread may call it."""
        if self._thread_id != threading.get_ident():
            self.call_later(self.show_status, sentence)
            return
        for screen in {self.screen, self.browse_screen}:
            if isinstance(screen, ActionScreen):
                screen.show_status(sentence)

    # Jobs: a timer looks at them only while one is not at its end.

    def _on_job_changed(self, job: JobSnapshot) -> None:
        self.call_later(self._job_has_changed, job)

    def _job_has_changed(self, job: JobSnapshot) -> None:
        self.refresh_summary()
        browse = self.browse_screen
        if job.state.is_end and browse is not None:
            browse.list_after_job()

    def refresh_summary(self) -> None:
        """Shows the state of the jobs in the title line of the screen that is on top."""
        if self.engine is None:
            return
        summary = summarise_jobs(self.engine.snapshot())
        if isinstance(self.screen, BrowseScreen):
            self.screen.show_news()
        if isinstance(self.screen, ActionScreen):
            self.screen.show_summary(summary)
        if not summary and self._jobs_timer is not None:
            self._jobs_timer.stop()
            self._jobs_timer = None
        elif summary and self._jobs_timer is None:
            self._jobs_timer = self.set_interval(JOBS_TICK, self.refresh_summary)

    # Leaving.

    async def action_quit(self) -> None:
        self.request_quit()

    def action_help_quit(self) -> None:
        self.show_status("q leaves, Esc closes what is open.")

    def request_quit(self) -> None:
        """Leaves; with running jobs it asks first, then stops them and waits for their own end."""
        if self.engine is None or not self.engine.is_busy:
            self.exit()
            return
        count = sum(not job.state.is_end for job in self.engine.snapshot())
        running, them = (f"{count} jobs run", "them") if count > 1 else ("1 job runs", "it")
        question = f"{running}. q stops {them} and leaves, any other key stays."
        screen = self.screen
        if isinstance(screen, ActionScreen) and screen.status_line is not None:
            self._ask_to_leave(screen, question)
        else:
            self._stop_and_leave()

    def _ask_to_leave(self, screen: ActionScreen, question: str) -> None:
        """Who stays goes on with what was asked before: a panel, or a line half typed."""
        line = screen.status_line
        before = line.prompt if line is not None else None
        if before is not None and before is self._question:
            return

        def stay() -> None:
            if before is not None:
                screen.ask(before)

        answers = frozenset({"q", "y"})
        self._question = Prompt(
            question, lambda key: self._stop_and_leave(), LineEditor(), cancelled=stay, choices=answers
        )
        screen.ask(self._question)

    def _stop_and_leave(self) -> None:
        if self._is_leaving or self.engine is None:
            return
        self._is_leaving = True
        self.show_status("Stopping: waiting for the jobs to end.")
        engine = self.engine
        self.listing_pool.submit(lambda: self._wait_and_leave(engine), lambda error: self._leave_from_thread())

    def _wait_and_leave(self, engine: JobEngine) -> None:
        engine.close()
        self._leave_from_thread()

    def _leave_from_thread(self) -> None:
        self.call_later(self.exit)

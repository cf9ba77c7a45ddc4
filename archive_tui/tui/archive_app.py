"""The application: it owns what outlives screens (jobs, evidence, listings' threads) and knows the screens' ways."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import RenderableType
from textual.app import App
from textual.screen import Screen
from textual.types import CSSPathType

from archive_tui.archives.vault.views.known_manifests import open_known_manifests
from archive_tui.archives.vault.views.known_names import KnownNames
from archive_tui.archives.vault.views.manifest_states import StatesByDocument
from archive_tui.errors import ArchiveError
from archive_tui.names.display import escape_for_display
from archive_tui.tui.actions.keymap import Keymap
from archive_tui.tui.background import BackgroundPool
from archive_tui.tui.job_feed import JobFeed
from archive_tui.tui.job_news import JobNews
from archive_tui.tui.leaving import Leaving
from archive_tui.tui.lines.jobs_summary import summarise_jobs
from archive_tui.tui.lines.sentences import describe_error
from archive_tui.tui.screens.action_screen import ActionScreen
from archive_tui.tui.screens.browse.browse_screen import BrowseScreen
from archive_tui.tui.terminal import supports_utf8

if TYPE_CHECKING:
    from archive_tui.archives.datasafe.safe import Safe
    from archive_tui.archives.locations import Location
    from archive_tui.jobs.engine import JobEngine
    from archive_tui.settings import Settings
    from archive_tui.state.evidence_table import EvidenceTable
    from archive_tui.tui.screens.deposit.draft import DepositDraft
    from archive_tui.tui.screens.publish.draft import PublishDraft

FIRST_PAINT_HELD = 0.15
"""Seconds for which output is held at the start: rows that come in time save a second painting of everything."""


class ArchiveApp(App[None]):
    """`engine` and `evidence_table` are opened and closed by whoever makes the app; None: none is used.
    `go_on_in_background` starts the process that goes on with the jobs when the user leaves; None: none can."""

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
        go_on_in_background: Callable[[], object] | None = None,
    ) -> None:
        super().__init__()
        self.first_locations = (left, right)
        self.settings = settings
        self.feed = JobFeed(engine, self.call_later, self._complain) if engine is not None else None
        self.news = JobNews(self) if engine is not None else None
        self.leaving = Leaving(self, go_on_in_background)
        self.evidence_table = evidence_table
        self.greeting = greeting
        self.ascii_only = not supports_utf8(os.environ) if ascii_only is None else ascii_only
        self.keymap = Keymap(settings.program.get("keymap", "mc"), ascii_only=self.ascii_only)
        self.listing_pool = BackgroundPool()
        self.manifest_states = StatesByDocument()
        self.known_manifests = open_known_manifests(evidence_table)
        self.known_names = KnownNames(self.known_manifests)
        self.publish_drafts: dict[tuple[str, ...], PublishDraft] = {}
        self.deposit_drafts: dict[tuple[str, ...], DepositDraft] = {}
        self._is_held = True

    def get_default_screen(self) -> Screen[Any]:
        return BrowseScreen(self.first_locations)

    def on_mount(self) -> None:
        self.set_timer(FIRST_PAINT_HELD, self.release_first_paint)
        if self.feed is not None and self.news is not None:
            self._start_jobs(self.feed, self.news)

    def on_unmount(self) -> None:
        if self.feed is not None:
            self.feed.close()

    def release_first_paint(self) -> None:
        """Paints what was held back since the start, once; called again it does nothing."""
        if self._is_held:
            self._is_held = False
            # Not `screen.refresh()`: that forgets which lines the widgets still owe, and the next key would send them.
            self.screen.query("*").refresh()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        # `batch_update` would paint twice at its end: once for the layout, once for the repaint that it held back.
        super()._display(screen, None if self._is_held else renderable)

    def open_safe(self, location: Location) -> Safe:
        """Opens the datasafe of a location; close it. Any thread may call it.

        Raises: ConfigurationError, StorageError.
        """
        from archive_tui.archives.locations import open_location_safe

        return open_location_safe(location, self.settings)

    def show_reserved(self, location: Location, loi: str) -> None:
        """Shows a LOI that was just reserved in the panes that show its datasafe."""
        if self.browse_screen is not None:
            self.browse_screen.show_reserved(location, loi)

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

    # Jobs: the feed tells when something has changed, and sleeps while nothing does.

    def _start_jobs(self, feed: JobFeed, news: JobNews) -> None:
        feed.listen(news.on_board)
        feed.start()

    def _complain(self, error: ArchiveError) -> None:
        self.show_status(escape_for_display(f"✗ {describe_error(error)}"))

    def refresh_summary(self) -> None:
        """Shows the state of the jobs in the title line of the screen that is on top."""
        if self.feed is None:
            return
        if isinstance(self.screen, BrowseScreen):
            self.screen.show_news()
        if isinstance(self.screen, ActionScreen):
            self.screen.show_summary(summarise_jobs(self.feed.jobs))

    # Leaving.

    async def action_quit(self) -> None:
        self.request_quit()

    def action_help_quit(self) -> None:
        self.show_status("q leaves, Esc closes what is open.")

    def request_quit(self) -> None:
        """Leaves; with jobs that run here or wait it asks first what becomes of them."""
        self.leaving.request()

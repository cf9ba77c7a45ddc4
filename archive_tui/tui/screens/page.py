"""The base of the full-screen pages: a title line, a body, and the status line and key line that every screen has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from archive_tui.errors import ArchiveError
from archive_tui.names.display import escape_for_display
from archive_tui.tui.actions.page_actions import PAGE
from archive_tui.tui.actions.registry import REGISTRY, Action, ActionContext
from archive_tui.tui.job_feed import JobBoard
from archive_tui.tui.lines.cells import Cell, cut_end, pad_to
from archive_tui.tui.lines.sentences import describe_error
from archive_tui.tui.panes.panel_contents import help_lines
from archive_tui.tui.screens.page_palette import PagePalette
from archive_tui.tui.services import Services
from archive_tui.tui.tasks import TaskEnded, Tasks
from archive_tui.tui.widgets.key_line import KeyLine
from archive_tui.tui.widgets.line_editor import LineEditor, Prompt
from archive_tui.tui.widgets.line_view import LineView
from archive_tui.tui.widgets.row_list import RowList
from archive_tui.tui.widgets.small_terminal import SmallTerminal
from archive_tui.tui.widgets.status_line import StatusLine

TICK_SECONDS = 0.25
HELP_PAGE = 10


class Page(PagePalette):
    """Subclasses give `action_groups`, `compose_body` and `draw`. `draw` is called whenever the jobs have changed, four
    times a second while `is_live`, and not at all when nothing happens."""

    body_classes: ClassVar[str] = ""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.services = services
        self.tasks = Tasks(self, services.background)
        self._title = LineView(id="page-title", classes="one-line")
        self._help = RowList(id="page-help", has_cursor=False)
        self._ticker: Timer | None = None
        self._ends: list[Callable[[], None]] = []

    def compose(self) -> ComposeResult:
        yield SmallTerminal()
        yield self._title
        with Vertical(id="page-body"):
            yield from self.compose_body()
        yield self._help
        yield self.menu
        yield StatusLine()
        yield KeyLine()

    def compose_body(self) -> Iterable[Widget]:
        raise NotImplementedError

    def on_mount(self) -> None:
        self._ends.append(self.services.feed.listen(self._board_changed))
        self.call_after_refresh(self.update_page)

    def on_unmount(self) -> None:
        for end in self._ends:
            end()
        self._ends.clear()
        self.tasks.stop_all()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.update_page)

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self.update_page)

    # What is shown

    def title_cells(self) -> tuple[str, list[Cell]]:
        """The title, and what stands at the right end of its line."""
        return "", []

    def draw(self) -> None:
        """Brings the body up to date."""

    def is_live(self) -> bool:
        """True while a task of this page runs; of jobs it hears by itself."""
        return False

    def update_page(self) -> None:
        if not self.is_attached or self.status_line is None:
            return
        self._draw_title()
        self.draw()
        self.draw_keys()
        self._set_ticking()

    def say(self, text: str) -> None:
        """Shows a sentence in the status line; it stays until the next one."""
        if self.status_line is not None:
            self.status_line.say(text, with_time=bool(text))

    def say_error(self, error: ArchiveError) -> None:
        self.say(escape_for_display(f"✗ {describe_error(error)}"))

    def ask_text(self, label: str, text: str, accepted: Callable[[str], None]) -> None:
        """Asks for a line of text in the status line; Esc answers nothing."""
        self.ask(Prompt(label, accepted, LineEditor(text)))

    @property
    def status_text(self) -> str:
        return self.status_line.sentence if self.status_line is not None else ""

    def _draw_title(self) -> None:
        left, right = self.title_cells()
        room = max(0, self.size.width - sum(cell_len(text) for text, _ in right))
        self._title.show([[(pad_to(" " + cut_end(left, room - 2), room), "heading"), *right]])

    # Keys

    @property
    def action_context(self) -> ActionContext:
        return ActionContext(subject=self)

    @property
    def actions_here(self) -> list[Action]:
        """Only what makes sense now is shown, and done."""
        own = [action for action in super().actions_here if self.offers(action)]
        return [*own, *(action for action in REGISTRY.in_groups((PAGE,)) if not self._is_typed(action))]

    def offers(self, action: Action) -> bool:
        return True

    def _is_typed(self, action: Action) -> bool:
        """While a field has the focus, the palette's key is a letter of its text."""
        return action.id == "page.palette" and isinstance(self.focused, Input)

    def on_key(self, event: events.Key) -> None:
        """While the help is open it has the keys: some move it, every other one closes it."""
        if not self.has_class("-help"):
            return
        event.stop()
        event.prevent_default()
        steps = {"up": -1, "down": 1, "pageup": -HELP_PAGE, "pagedown": HELP_PAGE}
        if event.key in steps:
            self._help.move_cursor(steps[event.key])
        else:
            self.remove_class("-help")
            self.call_after_refresh(self.update_page)

    def do_page_help(self) -> None:
        self.set_focus(None)
        self.add_class("-help")
        lines = help_lines(self.actions_here, self.archive_app.keymap)
        self._help.show_rows([[], *([(" ", ""), *line] for line in lines)])

    def run_registered(self, action: Action) -> None:
        super().run_registered(action)
        self.update_page()

    # What runs

    def on_task_ended(self, message: TaskEnded) -> None:
        message.then(message.outcome)
        self.update_page()

    def follow_job(self, job_id: int) -> None:
        """Has a job fetched in full for as long as the page is open."""
        self._ends.append(self.services.feed.follow(job_id))

    def _board_changed(self, before: JobBoard, now: JobBoard) -> None:
        if self.is_current:
            self.update_page()

    def _set_ticking(self) -> None:
        if self.is_live() and self._ticker is None:
            self._ticker = self.set_interval(TICK_SECONDS, self._tick)
        elif not self.is_live() and self._ticker is not None:
            self._ticker.stop()
            self._ticker = None

    def _tick(self) -> None:
        if self.is_live():
            self.draw()
            self._draw_title()
        else:
            self.update_page()

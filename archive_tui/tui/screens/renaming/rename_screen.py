"""Renames several entries by a pattern: what each name becomes is shown as one types, clashes first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import events
from textual.widget import Widget
from textual.widgets import Input

from archive_tui.errors import ArchiveError
from archive_tui.jobs.place_words import make_command
from archive_tui.names.display import escape_for_display
from archive_tui.operations.renaming import RenamePlan, RenameRule, plan_renames
from archive_tui.progress import StopSignal
from archive_tui.tui import file_routes
from archive_tui.tui.actions.file_actions import RENAMING, picked_words
from archive_tui.tui.actions.registry import Action
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.sentences import describe_error
from archive_tui.tui.screens.page import Page
from archive_tui.tui.screens.publish.publish_screen import EDITING_KEYS
from archive_tui.tui.screens.renaming.rename_lines import count_plan_rows, plan_row, total_line
from archive_tui.tui.services import Services
from archive_tui.tui.tasks import Outcome
from archive_tui.tui.widgets.form_field import FormField
from archive_tui.tui.widgets.line_view import LineView
from archive_tui.tui.widgets.row_list import RowList

_LISTING, _PLANNING = "list", "plan"
REGEX_MARK = "/"
"""What a pattern begins with that is a regular expression: no name holds one."""


class RenameScreen(Page):
    action_groups: ClassVar[tuple[str, ...]] = (RENAMING,)

    def __init__(self, selection: file_routes.FileSelection, services: Services) -> None:
        super().__init__(services)
        self._selection = selection
        self._existing: list[str] | None = None
        self._plan: RenamePlan | None = None
        self._fault = ""
        self._at = 0
        self._total = LineView(id="renaming-total")
        self._rows = RowList(id="renaming-rows", has_cursor=False)
        self._fields = (
            FormField(
                "Names like", "*", name="renaming-pattern", hint="* and ? fit anything; /a+b/ is a regular expression."
            ),
            FormField(
                "become",
                "{1}",
                name="renaming-to",
                hint="{1} what the first * fits · {n:3} a number · {stem} · {suffix}",
            ),
        )

    def compose_body(self) -> Iterable[Widget]:
        yield from self._fields
        yield self._total
        yield self._rows

    def on_mount(self) -> None:
        self._fields[0].input.focus(scroll_visible=False)

        def find(stop: StopSignal) -> list[str]:
            return file_routes.find_names_there(self._selection, self.services.settings, stop)

        self.tasks.start(_LISTING, find, self._listed)

    def _listed(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._fault = describe_error(outcome.error)
        else:
            self._existing = outcome.value
            self._plan_anew()

    # The rule, and what it makes of the names.

    @property
    def _words(self) -> tuple[str, str, bool]:
        """Pattern, what names become, and whether the pattern is a regular expression."""
        pattern, to = self._fields[0].value, self._fields[1].value
        if not pattern.startswith(REGEX_MARK):
            return pattern, to, False
        return pattern.removeprefix(REGEX_MARK).removesuffix(REGEX_MARK), to, True

    @property
    def command_line(self) -> str:
        pattern, to, is_regex = self._words
        words = picked_words(self._selection.location, self._selection.names)
        # What begins with a dash would be an option.
        options = [f"--pattern={pattern}", f"--to={to}", *(["--regex"] if is_regex else [])]
        return make_command(["rename", *words], options)

    def on_input_changed(self, message: Input.Changed) -> None:
        self._plan_anew()
        self.call_after_refresh(self.update_page)

    def _plan_anew(self) -> None:
        self._plan = None
        if self._existing is None:
            return
        self._fault = ""
        pattern, to, is_regex = self._words
        names, existing = self._selection.names, self._existing

        def plan(stop: StopSignal) -> RenamePlan:
            rule = RenameRule.by_regex(pattern, to) if is_regex else RenameRule.by_pattern(pattern, to)
            return plan_renames(names, rule, existing)

        self.tasks.start(_PLANNING, plan, self._planned)

    def _planned(self, outcome: Outcome) -> None:
        error: ArchiveError | None = outcome.error
        self._plan, self._fault = outcome.value, "" if error is None else describe_error(error)

    def title_cells(self) -> tuple[str, list[Cell]]:
        where = escape_for_display(self._selection.location.title)
        return f"Rename {len(self._selection.names):,} in {where}", []

    def draw(self) -> None:
        plan = self._plan
        self._keep_focus()
        if self._fault:
            self._total.show([[], [(f" ✗ {escape_for_display(self._fault)}", "damaged")]])
        elif plan is None:
            self._total.show([[], [(" ▸ looking at the names", "running")]])
        else:
            self._total.show([[], total_line(plan)])
        width = self.size.width
        if plan is None:
            self._rows.show_rows([])
        else:
            self._rows.show_drawn_rows(count_plan_rows(plan), lambda index: plan_row(plan, index, width))

    def _keep_focus(self) -> None:
        """The help takes the focus away, and nobody else gives it back."""
        focused = [number for number, field in enumerate(self._fields) if field.input is self.focused]
        if focused:
            self._at = focused[0]
        elif not self.has_class("-help") and not self.has_class("-menu"):
            self._fields[self._at].input.focus(scroll_visible=False)

    # What can be done.

    def offers(self, action: Action) -> bool:
        word = action.id.removeprefix("renaming.")
        is_first = self.focused is self._fields[0].input
        if word == "field":
            return is_first
        if word == "start":
            return not is_first and self._plan is not None and self._plan.is_clean
        return word != "copy" or bool(self.command_line)

    def on_key(self, event: events.Key) -> None:
        if not self.has_open_prompt and isinstance(self.focused, Input) and event.key in EDITING_KEYS - {"enter"}:
            event.prevent_default()  # the field's own bindings run last of all: the screen leaves these keys to them

    def do_renaming_field(self) -> None:
        self._fields[1].input.focus(scroll_visible=False)

    def do_renaming_up(self) -> None:
        self._fields[0].input.focus(scroll_visible=False)

    def do_renaming_down(self) -> None:
        self._fields[1].input.focus(scroll_visible=False)

    def do_renaming_page_up(self) -> None:
        self._rows.move_page(-1)

    def do_renaming_page_down(self) -> None:
        self._rows.move_page(1)

    def do_renaming_start(self) -> None:
        plan = self._plan
        if plan is not None and plan.is_clean:
            app = self.archive_app
            self.dismiss()
            file_routes.submit_renames(app, self.services, self._selection, plan)

    def do_renaming_copy(self) -> None:
        self.app.copy_to_clipboard(self.command_line)
        self.say(escape_for_display(f"Copied: {self.command_line}"))

    def do_renaming_leave(self) -> None:
        self.dismiss()
        self.archive_app.show_status("Nothing was renamed.")

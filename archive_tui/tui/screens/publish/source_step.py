"""Step 1: what is published, under which name, into which storage."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.app import ComposeResult
from textual.widgets import Input

from archive_tui.archives.storages import storage_names
from archive_tui.errors import ArchiveError, InvalidName
from archive_tui.names.dataset_names import check_dataset_name
from archive_tui.names.display import escape_for_display
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.sentences import describe_error
from archive_tui.tui.screens.publish.draft import PublishDraft, propose_name
from archive_tui.tui.screens.publish.step import PublishStep
from archive_tui.tui.services import Services
from archive_tui.tui.widgets.form_field import LABEL_WIDTH, FormField
from archive_tui.tui.widgets.line_view import LineView

SOURCE_HELP = "A folder, or a single file."
NAME_HELP = "Letters, digits, . _ - and blanks; / makes groups: climate/winds"


class SourceStep(PublishStep):
    title = "source"
    can_go_back = False

    def __init__(self, draft: PublishDraft, services: Services) -> None:
        super().__init__(draft, services)
        self._names = storage_names(services.settings)
        self._storage = draft.storage_name if draft.storage_name in self._names else self._names[0]
        self._proposed = propose_name(draft.source)
        self._intro = LineView(id="source-intro")
        self._storages = LineView(id="source-storage")
        self._source = FormField(
            "Source", str(draft.source), name="source", hint=SOURCE_HELP, check=self._find_source_fault
        )
        self._dataset = FormField("Dataset", draft.name, name="name", hint=NAME_HELP, check=find_name_fault)

    def compose(self) -> ComposeResult:
        yield self._intro
        yield self._source
        yield self._dataset
        yield self._storages

    def begin(self) -> None:
        self.focus_field(1 if self.draft.name else 0)

    @property
    def offered(self) -> tuple[str, ...]:
        return ("up", "down", *(("left", "right") if self._is_choosing else ()))

    @property
    def _is_choosing(self) -> bool:
        return self.focused_field is None

    def draw_step(self) -> None:
        if self.draft.chosen:
            text = f"Only what you have marked in it ({len(self.draft.chosen)}), and nothing else:"
            shown = escape_for_display("  ".join(self.draft.chosen))
        else:
            text, shown = "What is published, and where to. Nothing is sent before step 6.", ""
        self._intro.show([[], [(f" {text}", "")], [(f"   {shown}", "weak")]])
        self._storages.show(self._storage_lines())

    def _storage_lines(self) -> list[list[Cell]]:
        lines: list[list[Cell]] = []
        for name in self._names:
            is_chosen = name == self._storage
            label = " Into" if name == self._names[0] else ""
            mark = "(•)" if is_chosen else "( )"
            style = "cursor" if is_chosen and self._is_choosing else ""
            lines.append([(label.ljust(LABEL_WIDTH), "heading"), (f" {mark} {escape_for_display(name)} ", style)])
        lines += [[], [(" " * LABEL_WIDTH + f" {self._describe_storage()}", "weak")]]
        return lines

    def _describe_storage(self) -> str:
        try:
            storage = self.services.storage(self._storage)
        except ArchiveError as error:
            return f"✗ {escape_for_display(error.message)}"
        return escape_for_display(storage.store.label)

    def do_publish_up(self) -> None:
        if not self._is_choosing:
            self.move_focus(-1)
        elif not self._choose(-1):
            self.focus_field(len(self.fields) - 1)

    def do_publish_down(self) -> None:
        if self._is_choosing:
            self._choose(1)
        elif not self.move_focus(1):
            self.screen.set_focus(None)

    def do_publish_left(self) -> None:
        self._choose(-1)

    def do_publish_right(self) -> None:
        self._choose(1)

    def _choose(self, by: int) -> bool:
        """Returns False when there is no storage that way."""
        index = self._names.index(self._storage) + by
        if not 0 <= index < len(self._names):
            return False
        self._storage = self._names[index]
        return True

    def on_input_changed(self, message: Input.Changed) -> None:
        """A name that nobody has touched follows the source."""
        if message.input is self._source.input and self._dataset.value == self._proposed:
            self._proposed = self._dataset.value = propose_name(Path(self._source.value))
        self.page.say("")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.page.update_page()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        self.page.update_page()

    def _find_source_fault(self, text: str) -> str:
        return "" if text.strip() else "Name a folder or a file."

    def finish(self) -> str:
        for field in self.fields:
            if field.fault:
                self.focus_field(self.fields.index(field))
                return field.fault
        try:
            self.services.storage(self._storage)
        except ArchiveError as error:
            return escape_for_display(f"✗ {describe_error(error)}")
        self.keep()
        return ""

    def keep(self) -> None:
        source = Path(self._source.value.strip()).expanduser()
        before = (self.draft.source, self.draft.name, self.draft.storage_name)
        after = (source, self._dataset.value, self._storage)
        if source != self.draft.source:
            self.draft.chosen = ()
            self.draft.forget_scan()
        elif before != after:
            self.draft.forget_plan()
        self.draft.source, self.draft.name, self.draft.storage_name = after


def find_name_fault(text: str) -> str:
    """What is wrong with a dataset's name, empty when nothing is."""
    try:
        check_dataset_name(text)
    except InvalidName as error:
        return escape_for_display(error.message)
    return ""

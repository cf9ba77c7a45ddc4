"""The guide that deposits files in a datasafe: LOI, metadata, plan, progress, receipt, one step at a time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from textual import events
from textual.widget import Widget
from textual.widgets import Input

from archive_tui.archives.datasafe.safe import SafeEntry, SafeState
from archive_tui.names.display import escape_for_display
from archive_tui.progress import StopSignal
from archive_tui.tui.actions.registry import Action
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.sentences import describe_error
from archive_tui.tui.screens.deposit.deposit_lines import (
    loi_rows,
    metadata_rows,
    plan_rows,
    progress_rows,
    receipt_rows,
    title_words,
)
from archive_tui.tui.screens.deposit.deposit_work import LOI, METADATA, PLAN, PROGRESS, RECEIPT, STEPS, DepositWork
from archive_tui.tui.screens.deposit.draft import NEW, DepositDraft, scan_draft, write_metadata
from archive_tui.tui.screens.deposit.metadata_form import MetadataForm
from archive_tui.tui.screens.publish.publish_screen import EDITING_KEYS
from archive_tui.tui.services import Services
from archive_tui.tui.tasks import Outcome
from archive_tui.tui.widgets.line_view import Line
from archive_tui.tui.widgets.row_list import RowList

_SCAN, _RESERVE, _WRITE = "scan", "reserve", "write"


class DepositScreen(DepositWork):
    """What was chosen lies in the draft, which outlives this screen; so does the job that it starts."""

    def __init__(self, draft: DepositDraft, services: Services) -> None:
        super().__init__(draft, services)
        self._rows = RowList(id="deposit-rows", has_cursor=False)
        self._form = MetadataForm(draft.fields)
        self._failure = ""

    def compose_body(self) -> Iterable[Widget]:
        yield self._rows
        yield self._form

    def on_mount(self) -> None:
        if self.draft.job_id is not None:
            self.follow_job(self.draft.job_id)
        elif self.draft.step >= METADATA:
            self.do_deposit_rescan()

    @property
    def is_form_open(self) -> bool:
        return self.has_class("-form")

    # What is shown

    def title_cells(self) -> tuple[str, list[Cell]]:
        name = escape_for_display(self.draft.source.name)
        verb = "Update from" if self.draft.is_update else "Deposit"
        return f"{verb} {name}", title_words(self.draft.step, STEPS, self.size.width)

    def draw(self) -> None:
        self.go_on_when_done()
        self._rows.show_rows(self._step_rows(max(40, self.size.width - 2)))

    def _step_rows(self, width: int) -> list[Line]:
        draft, job = self.draft, self.job
        if draft.step == LOI:
            return loi_rows(draft, width)
        if draft.step == METADATA or (draft.step == PLAN and draft.scan is None):
            return metadata_rows(draft, width, self._failure)
        if draft.step == PLAN:
            return plan_rows(draft, self.command_line, width)
        if job is None:
            return []
        return progress_rows(job, width) if draft.step == PROGRESS else receipt_rows(draft, job, width)

    def is_live(self) -> bool:
        return any(self.tasks.is_running(name) for name in (_SCAN, _RESERVE, _WRITE))

    # What can be done

    def offers(self, action: Action) -> bool:
        word, step = action.id.removeprefix("deposit."), self.draft.step
        if self.is_form_open:
            words = ("field", "write-now") if self._form.has_fields_left else ("write",)
            return word in ("up", "down", "leave", *words)
        if word in ("field", "write", "write-now"):
            return False
        if word in ("next", "start", "done"):
            return word == ("next" if step < PLAN else "start" if step == PLAN else "done") and self._can_go_on
        possible = {"up", "down", "leave", *self._possible_words()}
        return word in possible

    @property
    def _can_go_on(self) -> bool:
        step = self.draft.step
        if step == PROGRESS:
            return False
        return step in (LOI, RECEIPT) or self.draft.scan is not None

    def _possible_words(self) -> set[str]:
        step, job = self.draft.step, self.job
        words = {"copy"} if self.command_line else set()
        if step in (METADATA, PLAN):
            words |= {"back", "rescan"} | ({"metadata"} if step == METADATA and self.draft.scan is not None else set())
        if step == PROGRESS:
            words |= self.job_words() | ({"back"} if job is not None and job.state.is_end else set())
        return words | ({"copy-loi"} if self.draft.loi and step != PROGRESS else set())

    def on_key(self, event: events.Key) -> None:
        if not self.has_open_prompt and isinstance(self.focused, Input) and event.key in EDITING_KEYS:
            event.prevent_default()  # the field's own bindings run last of all: the screen leaves these keys to them

    def do_deposit_up(self) -> None:
        self._move(-1)

    def do_deposit_down(self) -> None:
        self._move(1)

    def _move(self, step: int) -> None:
        draft = self.draft
        if self.is_form_open:
            self._form.move_focus(step)
        elif draft.step == LOI:
            at = draft.choices.index(draft.choice) + step
            draft.choice = draft.choices[max(0, min(at, len(draft.choices) - 1))]
        else:
            self._rows.move_cursor(step)

    def do_deposit_back(self) -> None:
        draft = self.draft
        if draft.step == PROGRESS:
            draft.job_id, draft.step = None, METADATA  # the files are looked at again before another job begins
            self.do_deposit_rescan()
        else:
            draft.step = max(LOI, draft.step - 1)
        self.say("")

    def do_deposit_next(self) -> None:
        draft = self.draft
        if draft.step == LOI and draft.choice == NEW:
            self.ask_text("reserve a number below:", draft.kind, self._reserve)
        elif draft.step == LOI:
            draft.step = METADATA
            self.do_deposit_rescan()
        elif draft.scan is not None:
            draft.step = PLAN

    def do_deposit_done(self) -> None:
        self.dismiss()

    def do_deposit_leave(self) -> None:
        if self.is_form_open:
            self._close_form()
        else:
            self.dismiss()

    def do_deposit_copy(self) -> None:
        self._copy(self.command_line)

    def do_deposit_copy_loi(self) -> None:
        self._copy(self.draft.loi)

    def _copy(self, text: str) -> None:
        self.app.copy_to_clipboard(text)
        self.say(f"Copied: {escape_for_display(text)}")

    # The LOI

    def _reserve(self, loi: str) -> None:
        app, location = self.archive_app, self.draft.location

        def reserve(stop: StopSignal) -> str:
            with app.open_safe(location) as safe:
                return safe.reserve(loi.strip())

        self.draft.kind = loi.strip().rstrip("/")
        self.tasks.start(_RESERVE, reserve, self._reserved)
        self.update_page()

    def _reserved(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.say_error(outcome.error)
            return
        self.draft.offer(SafeEntry(outcome.value, SafeState.RESERVED))
        self.draft.step = METADATA
        self.say(f"Reserved: {escape_for_display(outcome.value)}. Y copies it.")
        self.archive_app.show_reserved(self.draft.location, outcome.value)
        self.do_deposit_rescan()

    # The metadata

    def do_deposit_rescan(self) -> None:
        draft = self.draft
        draft.scan, self._failure = None, ""
        self.tasks.start(_SCAN, lambda stop: scan_draft(draft, stop), self._scanned)

    def _scanned(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._failure = escape_for_display(describe_error(outcome.error))
            self.draft.step = min(self.draft.step, METADATA)
        else:
            self.draft.scan = outcome.value

    def do_deposit_metadata(self) -> None:
        self.add_class("-form")
        self._form.begin(self.draft.source)
        self.update_page()

    def do_deposit_field(self) -> None:
        self._form.move_focus(1)

    def do_deposit_write(self) -> None:
        fields, folder = self._form.values, self.draft.source
        if not any(fields.values()):
            self.say("All fields are empty: nothing to write.")
            return
        self.tasks.start(_WRITE, lambda stop: write_metadata(folder, fields), self._written)

    do_deposit_write_now = do_deposit_write

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.draw_keys()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        if not self._form.move_focus(1):
            self.do_deposit_write()

    def _written(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.say_error(outcome.error)
            return
        name: str = outcome.value
        if self.draft.chosen:
            self.draft.chosen = (*self.draft.chosen, name)
        self.say(f"Written: {escape_for_display(str(Path(self.draft.source, name)))}")
        self._close_form()
        self.do_deposit_rescan()

    def _close_form(self) -> None:
        self.draft.fields.update(self._form.values)
        self.set_focus(None)
        self.remove_class("-form")
        self.call_after_refresh(self.update_page)

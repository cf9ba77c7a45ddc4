"""The receipt of a job: what was done, how it was proven, what is left over; to read, and to save as text or JSON."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import ClassVar

from textual.widget import Widget

from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.receipts.receipt import Receipt, receipt_json, receipt_text
from archive_tui.names.display import escape_for_display
from archive_tui.tui.actions.page_actions import RECEIPT, ROWS
from archive_tui.tui.actions.registry import Action
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.job_rows import state_look
from archive_tui.tui.lines.receipts import save_pieces
from archive_tui.tui.lines.text_rows import wrap_words
from archive_tui.tui.screens.page import Page
from archive_tui.tui.screens.row_moves import RowMoves
from archive_tui.tui.services import Services
from archive_tui.tui.tasks import Outcome
from archive_tui.tui.widgets.line_view import Line
from archive_tui.tui.widgets.row_list import RowList

LINES_SHOWN = 2000
"""Of a receipt with a million items only its beginning is shown; a file holds all of it."""

HEAD_LINES = 2
"""Of the text: its title and a rule, which the title line says already."""

_LABEL = re.compile(r"\S+(?: \S+)*  +(?=\S)")

Write = Callable[[Receipt], Iterator[str]]


class ReceiptScreen(RowMoves, Page):
    action_groups: ClassVar[tuple[str, ...]] = (RECEIPT, ROWS)

    def __init__(self, services: Services, job: JobSnapshot) -> None:
        super().__init__(services)
        self._job = job
        self._lines: list[str] | None = None
        self._rows = RowList(id="receipt-lines", has_cursor=False)

    def compose_body(self) -> Iterable[Widget]:
        yield self._rows

    @property
    def command_line(self) -> str:
        return self._job.command

    def on_mount(self) -> None:
        engine, job_id = self.services.feed.engine, self._job.id

        def read(stop: object) -> list[str]:
            text = "".join(itertools.islice(receipt_text(engine.receipt(job_id)), LINES_SHOWN + 1))
            return text.splitlines()[HEAD_LINES:]

        self.tasks.start("read", read, self._read)

    def _read(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.say_error(outcome.error)
            self._lines = []
        else:
            self._lines = outcome.value

    def title_cells(self) -> tuple[str, list[Cell]]:
        glyph, style = state_look(self._job)
        title = escape_for_display(f"Receipt of job {self._job.id}: {self._job.title}")
        return title, [(f"{glyph} {self._job.state} ", style)]

    def draw(self) -> None:
        if self._lines is None:
            self._rows.show_rows([[], [(" ▸ reading", "running")]])
            return
        width = self.size.width
        rows: list[Line] = []
        for line in self._lines[:LINES_SHOWN]:
            rows += _wrapped(line, width)
        if len(self._lines) > LINES_SHOWN:
            rows.append([(" There is more: w saves all of it.", "doubtful")])
        self._rows.show_rows(rows)

    def offers(self, action: Action) -> bool:
        return bool(self._job.command) if action.id == "receipt.copy" else True

    def do_receipt_copy(self) -> None:
        self.app.copy_to_clipboard(self._job.command)
        self.say(escape_for_display(f"Copied: {self._job.command}"))

    def do_receipt_save(self) -> None:
        self._ask_for_path("txt", receipt_text)

    def do_receipt_save_json(self) -> None:
        self._ask_for_path("json", receipt_json)

    def _ask_for_path(self, ending: str, write: Write) -> None:
        proposed = Path.cwd() / f"job-{self._job.id}.receipt.{ending}"
        self.ask_text("Save the receipt as", str(proposed), lambda path: self._save(path, write))

    def _save(self, path: str, write: Write) -> None:
        engine, job_id = self.services.feed.engine, self._job.id

        def save(stop: object) -> Path:
            return save_pieces(Path(path).expanduser(), write(engine.receipt(job_id)))

        self.tasks.start("save", save, self._saved)

    def _saved(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.say_error(outcome.error)
        else:
            self.say(f"Saved: {escape_for_display(str(outcome.value))}")

    def do_receipt_leave(self) -> None:
        self.dismiss()

    @property
    def moving_rows(self) -> RowList:
        return self._rows


def _wrapped(line: str, width: int) -> list[Line]:
    """Long lines go on below what stands beside their label, or below their beginning."""
    label = _LABEL.match(line)
    indent = label.end() if label is not None and label.end() < width // 3 else len(line) - len(line.lstrip())
    first, *more = wrap_words(line[indent:], width - 2 - indent)
    begin = escape_for_display(line[:indent])
    return [[(f" {begin}{first}", "")], *([(f" {' ' * indent}{text}", "")] for text in more)]

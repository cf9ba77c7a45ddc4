"""Step 2: what the source holds, while it is being looked at: counts, what stays out, what is in the way."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from textual.app import ComposeResult

from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count, format_size
from archive_tui.operations.scanning.chosen_entries import narrow_scan
from archive_tui.operations.scanning.scan import PartialScan, iter_scan
from archive_tui.operations.scanning.source_scan import ScanRemark
from archive_tui.progress import StopSignal, check_stop
from archive_tui.tui.lines.cells import Cell, cut_middle
from archive_tui.tui.lines.sentences import describe_error
from archive_tui.tui.lines.text_rows import wrap_words
from archive_tui.tui.screens.publish.draft import PublishDraft
from archive_tui.tui.screens.publish.step import PublishStep
from archive_tui.tui.services import Services
from archive_tui.tui.tasks import Outcome
from archive_tui.tui.widgets.line_view import LineView
from archive_tui.tui.widgets.row_list import RowList

TASK = "scan"
REMARKS_SHOWN = 50
"""While it is being looked at, the newest remarks are shown; all of them when that is done."""


class ContentsStep(PublishStep):
    title = "contents"

    def __init__(self, draft: PublishDraft, services: Services) -> None:
        super().__init__(draft, services)
        self._counts = LineView(id="contents-counts")
        self._remarks = RowList(id="contents-remarks", has_cursor=False)
        self._lock = threading.Lock()
        self._partial = PartialScan(0, 0, "")
        self._found: list[ScanRemark] = []
        self._failure = ""

    def compose(self) -> ComposeResult:
        yield self._counts
        yield self._remarks

    @property
    def offered(self) -> tuple[str, ...]:
        return ("up", "down", *(() if self.is_live() else ("rescan",)))

    @property
    def can_go_on(self) -> bool:  # type: ignore[override]
        return self.draft.scan is not None

    def begin(self) -> None:
        if self.draft.scan is None:
            self.do_publish_rescan()

    def is_live(self) -> bool:
        return self.page.tasks.is_running(TASK)

    def do_publish_rescan(self) -> None:
        self.draft.forget_scan()
        self._failure, self._found, self._partial = "", [], PartialScan(0, 0, "")
        self.page.tasks.start(TASK, self._scan, self._scanned)

    def do_publish_up(self) -> None:
        self._remarks.move_cursor(-1)

    def do_publish_down(self) -> None:
        self._remarks.move_cursor(1)

    def _scan(self, stop: StopSignal) -> PartialScan:
        partial = PartialScan(0, 0, "")
        for partial in iter_scan(self.draft.source, stop=stop):
            check_stop(stop)
            with self._lock:
                self._partial = partial
                self._found.extend(partial.remarks)
        return partial

    def _scanned(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._failure = escape_for_display(describe_error(outcome.error))
            self.page.say_error(outcome.error)
        elif outcome.value.scan is not None:
            self.draft.scan = narrow_scan(outcome.value.scan, self.draft.chosen)

    def draw_step(self) -> None:
        scan = self.draft.scan
        if scan is not None:
            self._draw_counts(len(scan.files), scan.total_bytes, "")
            self._draw_remarks(scan.refusals, scan.warnings, scan.skipped)
            return
        with self._lock:
            partial, found = self._partial, tuple(self._found)
        self._draw_counts(partial.files, partial.bytes, partial.latest)
        self._remarks.show_rows(_remark_rows(found[-REMARKS_SHOWN:], "·", "weak", self.size.width))

    def _draw_counts(self, files: int, size: int, latest: str) -> None:
        source = escape_for_display(str(self.draft.source))
        if self._failure:
            verdict: list[Cell] = [(f" ✗ {self._failure}", "damaged")]
        elif self.draft.scan is None:
            room = max(10, self.size.width - 16)
            verdict = [(" ▸ looking", "running"), (f"   {cut_middle(escape_for_display(latest), room)}", "weak")]
        else:
            verdict = self._verdict(self.draft.scan.refusals)
        self._counts.show(
            [
                [],
                [(f" {cut_middle(source, max(10, self.size.width - 2))}", "heading")],
                [],
                [(f"   {format_count(files, 'file').rjust(16)}", "")],
                [(f"   {format_size(size).rjust(16)}", "")],
                verdict,
                [],
            ]
        )

    def _verdict(self, refusals: tuple[ScanRemark, ...]) -> list[Cell]:
        if refusals:
            count = format_count(len(refusals), "thing")
            return [(f" ✗ Cannot be published: {count} in the way. Repair, then r looks again.", "damaged")]
        if self.draft.scan is not None and not self.draft.scan.files:
            return [(" ✗ Nothing to publish: there are no files.", "damaged")]
        return [(" ✓ Everything here can be published.", "proven")]

    def _draw_remarks(
        self, refusals: tuple[ScanRemark, ...], warnings: tuple[ScanRemark, ...], skipped: tuple[ScanRemark, ...]
    ) -> None:
        width = self.size.width
        rows = _remark_rows(refusals, "✗", "damaged", width)
        rows += _remark_rows(warnings, "!", "doubtful", width)
        if skipped:
            rows += [[(f" Kept out ({len(skipped)}):", "heading")], *_remark_rows(skipped, "·", "weak", width)]
        self._remarks.show_rows(rows)

    def finish(self) -> str:
        scan = self.draft.scan
        if scan is None:
            return "Still looking at the source."
        if scan.refusals:
            return f"{scan.refusals[0].text}  Rename, move or repair it, then r looks again."
        return "" if scan.files else "There are no files to publish."


def _remark_rows(remarks: Sequence[ScanRemark], sign: str, style: str, width: int) -> list[list[Cell]]:
    """Each remark wrapped, its rule at the end."""
    rows: list[list[Cell]] = []
    for remark in remarks:
        lines = wrap_words(f"{remark.text} ({remark.rule})", width - 5)
        rows += [[(f" {sign if index == 0 else ' '} {line}", style)] for index, line in enumerate(lines)]
    return rows

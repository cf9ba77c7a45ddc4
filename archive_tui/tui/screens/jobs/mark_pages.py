"""What became of the items of a job, fetched by the page as the window comes to them: there may be a million."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from archive_tui.continuation import ItemMark
from archive_tui.tui.tasks import Outcome, Tasks

if TYPE_CHECKING:
    from archive_tui.jobs.engine import JobEngine

PAGE = 200
PAGES_KEPT = 20
FINDINGS_SHOWN = 5000


class MarkPages:
    """Rows are asked for by `find`; one that is not here yet is None, and `changed` is called when it is."""

    def __init__(self, engine: JobEngine, job_id: int, tasks: Tasks, changed: Callable[[], None]) -> None:
        self._engine = engine
        self._job_id = job_id
        self._tasks = tasks
        self._changed = changed
        self._pages: OrderedDict[int, list[ItemMark]] = OrderedDict()
        self._stale: set[int] = set()
        self._loading: int | None = None
        self.count = 0
        self.only_findings = False
        self.error = ""

    def show(self, *, only_findings: bool) -> None:
        """Begins anew, with all items or with those that need a look."""
        self.only_findings = only_findings
        self.count = 0
        self._pages.clear()
        self._loading = None
        self.refresh()

    def refresh(self) -> None:
        """Counts again; while the job runs there are ever more."""
        if self._tasks.is_running("count"):
            return
        engine, job_id = self._engine, self._job_id
        if self.only_findings:
            self._tasks.start(
                "count",
                lambda stop: engine.marks(job_id, only_findings=True, limit=FINDINGS_SHOWN),
                self._take_findings,
            )
        else:
            self._tasks.start("count", lambda stop: engine.count_marks(job_id), self._take_count)

    def find(self, index: int) -> ItemMark | None:
        page = self._pages.get(index // PAGE)
        if page is None or index // PAGE in self._stale:
            self._load(index // PAGE)
        if page is None:
            return None
        return page[index % PAGE] if index % PAGE < len(page) else None

    def _take_findings(self, outcome: Outcome) -> None:
        if self._has_failed(outcome) or not self.only_findings:
            return
        marks = list(outcome.value)
        self.count = len(marks)
        self._pages = OrderedDict((at // PAGE, marks[at : at + PAGE]) for at in range(0, len(marks), PAGE))
        self._changed()

    def _take_count(self, outcome: Outcome) -> None:
        if self._has_failed(outcome) or self.only_findings:
            return
        if outcome.value != self.count:
            self._stale = set(self._pages)  # they stay until they are fetched again
            self.count = outcome.value
        self._changed()

    def _load(self, number: int) -> None:
        if self._loading is not None:
            return
        self._loading = number
        engine, job_id = self._engine, self._job_id
        self._tasks.start(
            "marks",
            lambda stop: list(engine.marks(job_id, offset=number * PAGE, limit=PAGE)),
            lambda outcome: self._take_page(number, outcome),
        )

    def _take_page(self, number: int, outcome: Outcome) -> None:
        self._loading = None
        if self._has_failed(outcome) or self.only_findings:
            return
        self._pages[number] = outcome.value
        self._stale.discard(number)
        while len(self._pages) > PAGES_KEPT:
            self._pages.popitem(last=False)
        self._changed()

    def _has_failed(self, outcome: Outcome) -> bool:
        self.error = outcome.error.message if outcome.error is not None else ""
        return outcome.error is not None

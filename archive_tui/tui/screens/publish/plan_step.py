"""Step 5: exactly what will happen, before anything does."""

from __future__ import annotations

from textual.app import ComposeResult

from archive_tui.archives.datasets.planning import NOT_CREATE_ONLY, PublishPlan, plan_publish
from archive_tui.jobs.commands import publish_command
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_number, format_size
from archive_tui.objects.object_store import Support
from archive_tui.tui.lines.cells import Cell
from archive_tui.tui.lines.text_rows import labelled_rows, wrap_words
from archive_tui.tui.screens.publish.draft import PublishDraft
from archive_tui.tui.screens.publish.step import PublishStep
from archive_tui.tui.services import Services
from archive_tui.tui.tasks import Outcome
from archive_tui.tui.widgets.row_list import RowList

TASK = "plan"


class PlanStep(PublishStep):
    title = "plan"
    next_word = "start"

    def __init__(self, draft: PublishDraft, services: Services) -> None:
        super().__init__(draft, services)
        self._rows = RowList(id="plan-rows", has_cursor=False)
        self._plan: PublishPlan | None = None
        self._traits_sentence = ""

    def compose(self) -> ComposeResult:
        yield self._rows

    @property
    def offered(self) -> tuple[str, ...]:
        if self._plan is None:
            return () if self.is_live() else ("rescan",)
        return ("up", "down", *(("copy",) if self.command_line else ()))

    @property
    def can_go_on(self) -> bool:  # type: ignore[override]
        return self._plan is not None and not self._plan.refusals

    @property
    def command_line(self) -> str:
        """Empty where no command does the same: a part of a folder cannot be named on the command line."""
        if self._plan is None or self.draft.chosen:
            return ""
        return publish_command(self.draft.storage_name, self._plan)

    def is_live(self) -> bool:
        return self.page.tasks.is_running(TASK)

    def begin(self) -> None:
        self.do_publish_rescan()

    def do_publish_rescan(self) -> None:
        draft, services = self.draft, self.services

        def make_plan(stop: object) -> tuple[PublishPlan, str]:
            storage = services.storage(draft.storage_name)
            request = draft.request(storage.client.compression_level)
            plan = plan_publish(storage.store, request, scan=draft.scan)
            return plan, describe_create_only(storage.store.probe().create_only)

        self.page.tasks.start(TASK, make_plan, self._planned)

    def _planned(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.page.say_error(outcome.error)
            return
        self._plan, self._traits_sentence = outcome.value

    def draw_step(self) -> None:
        if self._plan is None:
            text = " ▸ making the plan" if self.is_live() else " No plan: r tries again."
            self._rows.show_rows([[], [(text, "running" if self.is_live() else "doubtful")]])
        else:
            self._rows.show_rows(self._plan_rows(self._plan))

    def _plan_rows(self, plan: PublishPlan) -> list[list[Cell]]:
        width = max(40, self.size.width - 2)
        store = self.services.storage(self.draft.storage_name).store
        rows: list[list[Cell]] = [[]]
        rows += labelled_rows("Publish", f"{plan.request.name} {plan.version}", width, "heading")
        rows += labelled_rows("from", str(plan.request.source), width)
        rows += labelled_rows("into", f"{self.draft.storage_name}  ({store.label})", width)
        rows += labelled_rows("as", plan.key, width)
        amount = f"{format_number(len(plan.scan.files))} files, {format_size(plan.scan.total_bytes)}"
        free = f"; {format_size(plan.free_bytes)} are free there" if plan.free_bytes is not None else ""
        rows += labelled_rows("amount", f"{amount}, packed into one archive, a manifest beside it{free}", width)
        rows += [[]]
        rows += [[(f" ✗ {line}", "damaged")] for text in plan.refusals for line in wrap_words(text, width - 4)]
        style = "doubtful" if self._traits_sentence == NOT_CREATE_ONLY else ""
        rows += labelled_rows("safety", self._traits_sentence, width, style)
        for remark in plan.remarks:
            if remark != NOT_CREATE_ONLY:
                rows += labelled_rows("note", remark, width, "doubtful")
        rows += [[]]
        command = self.command_line or "there is none: only some entries of the folder are published"
        rows += labelled_rows("command", command, width, "weak")
        return rows

    def do_publish_up(self) -> None:
        self._rows.move_cursor(-1)

    def do_publish_down(self) -> None:
        self._rows.move_cursor(1)

    def do_publish_copy(self) -> None:
        self.app.copy_to_clipboard(self.command_line)
        self.page.say(escape_for_display(f"Copied: {self.command_line}"))

    def finish(self) -> str:
        if self._plan is None:
            return "The plan is not ready."
        if self._plan.refusals:
            return escape_for_display(self._plan.refusals[0])
        self.draft.plan = self._plan
        self.draft.publish_job = None
        return ""


def describe_create_only(create_only: Support) -> str:
    """The sentence that says what the store itself guarantees about versions that exist."""
    if create_only is Support.NO:
        return NOT_CREATE_ONLY
    if create_only is Support.YES:
        return "The store itself refuses to replace a published version; this one becomes visible last, at once."
    return (
        "Whether the store itself refuses to replace a version is not known; archive-tui looks first and checks after."
    )

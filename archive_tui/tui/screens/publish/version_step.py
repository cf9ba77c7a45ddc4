"""Step 3: what has changed since the latest version, and which number this one gets."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Input

from archive_tui.archives.datasets.planning import INCREMENTS, PublishRequest, plan_publish
from archive_tui.errors import InvalidName
from archive_tui.integrity.inventory import Difference
from archive_tui.jobs.kinds.comparing import compare_job
from archive_tui.jobs.states import JobState
from archive_tui.names.dataset_names import version_number
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_number, format_size
from archive_tui.tui.lines.progress_lines import bar_cells, phase_figures
from archive_tui.tui.lines.times import format_age
from archive_tui.tui.screens.publish.difference_lines import added_line, all_rows, count_line
from archive_tui.tui.screens.publish.draft import LITERAL, PublishDraft, suggest_increment
from archive_tui.tui.screens.publish.step import PublishStep
from archive_tui.tui.services import Services
from archive_tui.tui.tasks import Outcome
from archive_tui.tui.widgets.line_view import Line, LineView
from archive_tui.tui.widgets.row_list import RowList

TASK = "versions"
CHOICES = (*INCREMENTS, LITERAL)
MEANINGS = {
    "patch": "a correction",
    "minor": "files were added",
    "major": "not comparable with what came before",
    LITERAL: "a number of your own",
}


class VersionStep(PublishStep):
    title = "version"

    def __init__(self, draft: PublishDraft, services: Services) -> None:
        super().__init__(draft, services)
        self._difference = LineView(id="version-difference")
        self._choices = LineView(id="version-choices")
        self._literal = Input(draft.literal, compact=True, placeholder="1.2.3", select_on_focus=False)
        self._literal.cursor_blink = False
        self._result = LineView(id="version-result")
        self._counted: tuple[Difference, list[Line]] | None = None
        self._all = RowList(id="version-all", has_cursor=False)

    def compose(self) -> ComposeResult:
        yield self._difference
        yield self._choices
        yield self._literal
        yield self._result
        yield self._all

    @property
    def offered(self) -> tuple[str, ...]:
        if self.draft.plan is None:
            return ("retry",) if not self.is_live() else ()
        words = ["up", "down"]
        if self.draft.difference is not None:
            words.append("differences")
            if self.draft.difference.unknown and not self.draft.is_compared and not self._is_comparing:
                words.append("hash")
        return (*words, *(("stop",) if self._is_comparing else ()))

    @property
    def can_go_on(self) -> bool:  # type: ignore[override]
        return self.draft.plan is not None

    @property
    def _is_comparing(self) -> bool:
        job = self.services.feed.get(self.draft.compare_job)
        return job is not None and not job.state.is_end

    def is_live(self) -> bool:
        return self.page.tasks.is_running(TASK)

    def begin(self) -> None:
        if self.draft.plan is None:
            self.do_publish_retry()
        if self.draft.compare_job is not None:
            self.page.follow_job(self.draft.compare_job)
        self._place_literal()

    def do_publish_retry(self) -> None:
        """Asks the storage again for what is published under this name."""
        draft, storages = self.draft, self.services
        request = PublishRequest(draft.name, draft.source)
        self.page.tasks.start(
            TASK,
            lambda stop: plan_publish(storages.storage(draft.storage_name).store, request, scan=draft.scan, stop=stop),
            self._planned,
        )

    def _planned(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.page.say_error(outcome.error)
            return
        self.draft.plan = outcome.value
        self.draft.difference = outcome.value.difference
        self.draft.version = self.draft.version or suggest_increment(self.draft.difference)[0]
        self._place_literal()

    # Comparing by digest

    def do_publish_hash(self) -> None:
        plan = self.draft.plan
        if plan is not None:
            self.services.feed.submit(lambda: compare_job(plan), self._begin_comparing, live={"plan": plan})

    def _begin_comparing(self, job_id: int) -> None:
        self.draft.compare_job = job_id
        if self.is_attached:
            self.page.follow_job(job_id)

    def do_publish_stop(self) -> None:
        job_id = self.draft.compare_job
        if job_id is not None:
            self.services.feed.do(lambda engine: engine.cancel(job_id))

    def _take_comparison(self) -> None:
        job = self.services.feed.get(self.draft.compare_job)
        if job is None or not job.state.is_end or self.draft.is_compared:
            return
        if job.state is JobState.FINISHED and job.id not in self.services.feed.board.full:
            return  # its end is known, what it has found is still being fetched
        self.draft.compare_job = None
        if isinstance(job.result, Difference):
            suggested_before = suggest_increment(self.draft.difference)[0]
            self.draft.difference, self.draft.is_compared = job.result, True
            if self.draft.version == suggested_before:
                self.draft.version = suggest_increment(job.result)[0]
        self.page.say(escape_for_display(f"{job.message} {job.hint}"))

    # What is shown

    def draw_step(self) -> None:
        self._take_comparison()
        self._difference.show(self._difference_lines())
        self._choices.show(self._choice_lines() if self.draft.plan is not None else [])
        self._result.show(self._result_lines() if self.draft.plan is not None else [])

    def _difference_lines(self) -> list[Line]:
        plan, difference = self.draft.plan, self.draft.difference
        if plan is None:
            asking = f" ▸ asking {self.draft.storage_name} for its versions of {escape_for_display(self.draft.name)}"
            failed = " Not known yet what is published: r asks again."
            return [[], [(asking if self.is_live() else failed, "running" if self.is_live() else "doubtful")]]
        if plan.latest is None:
            new = f" {escape_for_display(self.draft.name)} is new here: this will be its first version."
            return [[], [(new, "heading")], [], added_line(plan.scan)]
        return [
            [],
            [(f" {self._latest_sentence()}", "heading")],
            [],
            *self._counted_lines(difference),
            *self._compare_lines(),
        ]

    def _latest_sentence(self) -> str:
        plan = self.draft.plan
        assert plan is not None and plan.latest is not None
        age = format_age(plan.latest.modified)
        parts = [f"{age} ago"] if age else []
        if plan.latest_manifest is not None:
            parts.append(f"{format_number(len(plan.latest_manifest.inventory))} files")
        parts.append(format_size(plan.latest.size))
        how = "compared by SHA-256" if self.draft.is_compared else "compared by name and size"
        if plan.difference is None:
            how = "its manifest cannot be read, so nothing is compared"
        return f"Latest is {plan.latest.version} ({', '.join(parts)}), {how}:"

    def _counted_lines(self, difference: Difference | None) -> list[Line]:
        if difference is None:
            return []
        if self._counted is not None and self._counted[0] is difference:
            return self._counted[1]
        lines: list[Line] = [
            count_line("+ added", difference.added),
            count_line("* changed", difference.changed),
            count_line("- removed", difference.removed),
            count_line("= same", difference.same, is_listed=False),
        ]
        if difference.unknown:
            lines.append(
                [
                    *count_line("? equal size", difference.unknown, is_listed=False),
                    ("    not yet compared", "doubtful"),
                ]
            )
        self._counted = difference, lines  # a hundred thousand entries are not counted again at each tick
        return lines

    def _compare_lines(self) -> list[Line]:
        job = self.services.feed.get(self.draft.compare_job)
        phase = job.current_phase if job is not None else None
        if job is None or phase is None or job.state.is_end:
            return []
        return [[(f"   {job.state}  {phase_figures(phase)} ".ljust(54), ""), *bar_cells(phase.fraction, 20)]]

    def _choice_lines(self) -> list[Line]:
        suggested, reason = suggest_increment(self.draft.difference)
        lines: list[Line] = []
        for choice in CHOICES:
            is_chosen = choice == self.draft.version
            number = "" if choice == LITERAL else self.draft.resulting_version(choice)
            word = "other" if choice == LITERAL else choice
            meaning = reason if choice == suggested else MEANINGS[choice]
            text = f" {'(•)' if is_chosen else '( )'} {number.ljust(9)} {word.ljust(7)} {meaning.ljust(38)}"
            tail = "suggested" if choice == suggested else ""
            lines.append([("  ", ""), (text, "cursor" if is_chosen else ""), (f"  {tail}", "weak")])
        return lines

    def _result_lines(self) -> list[Line]:
        fault = self._find_fault()
        if fault:
            return [[], [(f" ✗ {fault}", "damaged")]]
        plan = self.draft.plan
        number = self.draft.resulting_version(self.draft.wanted_version)
        lower = plan is not None and plan.latest is not None and version_number(number) < plan.latest.number
        if lower and plan is not None and plan.latest is not None:
            text = f" ! {number} is lower than {plan.latest.version}, which stays the latest. That is allowed."
            return [[], [(text, "doubtful")]]
        return [[], [(" Published versions are never overwritten; this one appears last, at once.", "weak")]]

    def _find_fault(self) -> str:
        try:
            self.draft.resulting_version(self.draft.wanted_version)
        except InvalidName as error:
            return escape_for_display(error.message) if self.draft.literal.strip() else "Type the number: 1.2.3"
        return ""

    # Keys

    def do_publish_up(self) -> None:
        self._move(-1)

    def do_publish_down(self) -> None:
        self._move(1)

    def _move(self, by: int) -> None:
        if self.has_class("-all"):
            self._all.move_cursor(by)
            return
        index = CHOICES.index(self.draft.version) if self.draft.version in CHOICES else 0
        self.draft.version = CHOICES[max(0, min(index + by, len(CHOICES) - 1))]
        self._place_literal()

    def _place_literal(self) -> None:
        is_literal = self.draft.version == LITERAL
        if is_literal:
            self.screen.set_focus(self._literal, scroll_visible=False)
        elif self.app.focused is self._literal:
            self.screen.set_focus(None)

    def take_character(self, character: str) -> bool:
        """A digit begins a number of one's own."""
        if not character.isdigit() or self.draft.plan is None or self.has_class("-all"):
            return False
        self.draft.version = LITERAL
        self._literal.value = self.draft.literal = character
        self._literal.cursor_position = 1
        self._place_literal()
        return True

    def do_publish_differences(self) -> None:
        self._all.show_rows(all_rows(self.draft.difference))
        self.toggle_class("-all")

    def close_inner(self) -> bool:
        is_open = self.has_class("-all")
        self.remove_class("-all")
        return is_open

    def on_input_changed(self, message: Input.Changed) -> None:
        self.draft.literal = message.value
        self.page.update_page()

    def finish(self) -> str:
        return "Enter again goes to the next step." if self.close_inner() else self._find_fault()

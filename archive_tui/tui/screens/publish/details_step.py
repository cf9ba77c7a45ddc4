"""Step 4: what people will want to know about the dataset; carried over from the latest version."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TypeVar

from textual import events
from textual.app import ComposeResult

from archive_tui.archives.datasets.planning import DatasetDetails
from archive_tui.tui.screens.publish.draft import PublishDraft
from archive_tui.tui.screens.publish.step import PublishStep
from archive_tui.tui.services import Services
from archive_tui.tui.widgets.form_field import FormField
from archive_tui.tui.widgets.line_view import LineView

Value = TypeVar("Value")


class DetailsStep(PublishStep):
    title = "details"

    def __init__(self, draft: PublishDraft, services: Services) -> None:
        super().__init__(draft, services)
        self._began_with = draft.carried_details()
        details = self._began_with
        self._intro = LineView(id="details-intro")
        self._title = FormField(
            "Title", details.title or "", name="title", hint="One line, as in a list of references."
        )
        self._description = FormField(
            "Description", details.description or "", name="description", hint="What was measured, where, how."
        )
        self._license = FormField(
            "Licence", details.license or "", name="license", hint="An SPDX word: CC-BY-4.0, CC0-1.0, ODbL-1.0, …"
        )
        self._creators = FormField(
            "Creators",
            "; ".join(details.creators or ()),
            name="creators",
            hint="Several are parted by ; as in Ada Byron; Chen Wei",
        )
        self._keywords = FormField(
            "Keywords", ", ".join(details.keywords or ()), name="keywords", hint="Several are parted by a comma."
        )

    def compose(self) -> ComposeResult:
        yield self._intro
        yield self._title
        yield self._description
        yield self._license
        yield self._creators
        yield self._keywords

    @property
    def offered(self) -> tuple[str, ...]:
        return ("up", "down")

    def begin(self) -> None:
        self.focus_field(0)

    def draw_step(self) -> None:
        plan = self.draft.plan
        if (
            self.draft.details is None
            and plan is not None
            and plan.latest_manifest is not None
            and plan.latest is not None
        ):
            text = f"Carried over from {plan.latest.version}; all of it may stay as it is."
        else:
            text = "All of it may stay empty; it is kept in the manifest."
        self._intro.show([[], [(f" {text}", "")], [(" PgDn goes on from any field.", "weak")]])

    def do_publish_up(self) -> None:
        self.move_focus(-1)

    def do_publish_down(self) -> None:
        self.move_focus(1)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.page.draw_keys()

    def finish(self) -> str:
        self.keep()
        return ""

    def keep(self) -> None:
        before = self._began_with
        entered = DatasetDetails(
            title=_changed(self._title.value.strip(), before.title or ""),
            description=_changed(self._description.value.strip(), before.description or ""),
            license=_changed(self._license.value.strip(), before.license or ""),
            creators=_changed(split_entries(self._creators.value, ";"), before.creators or ()),
            keywords=_changed(split_entries(self._keywords.value, ","), before.keywords or ()),
        )
        if entered != DatasetDetails():
            self.draft.details = _combined(self.draft.details, entered)


def _changed(value: Value, before: Value) -> Value | None:
    """None for what was left as it was: it is carried over then, not written anew."""
    return None if value == before else value


def _combined(earlier: DatasetDetails | None, later: DatasetDetails) -> DatasetDetails:
    if earlier is None:
        return later
    changes = {field.name: getattr(later, field.name) for field in fields(later)}
    return replace(earlier, **{name: value for name, value in changes.items() if value is not None})


def split_entries(text: str, separator: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(separator) if part.strip())

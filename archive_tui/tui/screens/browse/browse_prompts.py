"""The short questions of the browse screen, asked in its status line: filter, marks by pattern, go to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from archive_tui.errors import ArchiveError
from archive_tui.names.display import escape_for_display
from archive_tui.operations.listing import SortBy
from archive_tui.operations.listing_comparison import Sign, compare_listings
from archive_tui.tui.lines.sentences import describe_error
from archive_tui.tui.rows.pane_rows import SORTS
from archive_tui.tui.screens.action_screen import ActionScreen
from archive_tui.tui.widgets.line_editor import LineEditor, Prompt

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.tui.panes.pane import Pane

_FILTER_QUESTIONS = {
    "datasafe": "filter (part of a LOI, or :reserved :deposited :damaged):",
    "manifest": "filter (name, or :changed :missing :absent :held …):",
    "vault": "filter (part of a digest or of a name):",
}
_FIRST_WHEN_SORTED = {
    SortBy.SIZE: ", the largest first",
    SortBy.MODIFIED: ", the newest first",
    SortBy.NAMES: ", those with most names first",
    SortBy.STATE: ", what needs a look first",
}
_WORDS_OF_SIGNS = {
    Sign.SAME: "same",
    Sign.DIFFERS: "differ",
    Sign.ONLY_HERE: "here",
    Sign.ONLY_THERE: "there",
    Sign.UNKNOWN: "unknown",
}


class BrowsePrompts(ActionScreen):
    """Mixed into the browse screen; `active`, `other` and `go_to` are its own."""

    if TYPE_CHECKING:

        @property
        def active(self) -> Pane: ...
        @property
        def other(self) -> Pane: ...

        def go_to(self, pane: Pane, location: Location, *, cursor_name: str | None = None) -> None: ...

    def do_pane_filter(self) -> None:
        pane = self.active
        question = _FILTER_QUESTIONS.get(pane.view, "filter (part of a name, or * and ?):")
        self.ask(Prompt(question, self._set_filter, LineEditor(pane.arrangement.pattern)))

    def _set_filter(self, text: str) -> None:
        self.active.rearrange(replace(self.active.arrangement, pattern=text.strip()))
        self.show_status(
            "Filter removed." if not text.strip() else f'Only rows with "{escape_for_display(text)}"; f changes it.'
        )

    def do_pane_sort(self) -> None:
        kinds, sort_by = SORTS[self.active.view], self.active.arrangement.sort_by
        now = kinds[(kinds.index(sort_by) + 1) % len(kinds)] if sort_by in kinds else kinds[0]
        self.active.rearrange(replace(self.active.arrangement, sort_by=now))
        self.show_status(f"Sorted by {now}{_FIRST_WHEN_SORTED.get(now, '')}.")

    def do_pane_reverse(self) -> None:
        arrangement = self.active.arrangement
        self.active.rearrange(replace(arrangement, is_reversed=not arrangement.is_reversed))

    def do_pane_hidden(self) -> None:
        arrangement = self.active.arrangement
        self.active.rearrange(replace(arrangement, shows_hidden=not arrangement.shows_hidden))
        self.show_status("Hidden files are shown." if not arrangement.shows_hidden else "Hidden files are not shown.")

    def do_work_compare(self) -> None:
        """Compares the rows of both panes, or takes the signs of the last comparison away."""
        here, there = self.active, self.other
        if here.signs is not None:
            here.show_signs(None)
            there.show_signs(None)
            self.show_status("The signs of the comparison are gone.")
            return
        if here.view != there.view:
            self.show_status("The panes show different views: v changes the view of a pane.")
            return
        compared = compare_listings(here.rows.items(), there.rows.items())
        here.show_signs(compared.here)
        there.show_signs(compared.there)
        counts = "  ".join(f"{sign} {compared.count(sign):,} {word}" for sign, word in _WORDS_OF_SIGNS.items())
        is_partial = not (here.rows.is_complete and there.rows.is_complete)
        self.show_status(f"{counts}  ({'of what is loaded so far' if is_partial else 'by name, size, digest'})")

    def do_pane_go(self) -> None:
        location = self.active.location
        word = f"{location.word.rstrip('/')}/" if location is not None and location.folder is not None else ""
        self.ask(Prompt("go to (folder, manifest or STORAGE[:PREFIX]):", self._go_to_word, LineEditor(word)))

    def _go_to_word(self, word: str) -> None:
        if not word.strip():
            return
        try:
            location = self.open_word(word.strip())
        except ArchiveError as error:
            self.show_status(escape_for_display(describe_error(error)))
            return
        self.go_to(self.active, location)

    def open_word(self, word: str) -> Location:
        """What a user typed, as a location; nobody is contacted.

        Raises: ArchiveError.
        """
        from archive_tui.archives.locations import open_location

        return open_location(word, self.archive_app.settings)

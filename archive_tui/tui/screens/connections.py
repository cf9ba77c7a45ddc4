"""The configured storages: where they lie, and what a test has proven about one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.widget import Widget

from archive_tui.archives.storages import describe_storage, storage_names
from archive_tui.jobs.commands import storage_test_command
from archive_tui.names.display import escape_for_display
from archive_tui.operations.storage_test import Outcome as CardOutcome
from archive_tui.operations.storage_test import StorageCard, test_storage
from archive_tui.progress import StopSignal
from archive_tui.tui.actions.page_actions import CONNECTIONS, ROWS
from archive_tui.tui.actions.registry import Action
from archive_tui.tui.lines.cells import Cell, cut_middle, pad_to
from archive_tui.tui.lines.sentences import describe_error
from archive_tui.tui.lines.text_rows import labelled_rows, wrap_words
from archive_tui.tui.screens.page import Page
from archive_tui.tui.screens.row_moves import RowMoves
from archive_tui.tui.services import Services
from archive_tui.tui.tasks import Outcome
from archive_tui.tui.widgets.row_list import RowList

OUTCOME_LOOKS = {
    CardOutcome.PROVEN: ("✓ proven", "proven"),
    CardOutcome.REFUSED: ("– it does not", "doubtful"),
    CardOutcome.UNKNOWN: ("? unknown", "doubtful"),
    CardOutcome.FAILED: ("✗ failed", "damaged"),
}
TASK = "test"
DETAIL_INDENT = 37


class ConnectionsScreen(RowMoves, Page):
    action_groups: ClassVar[tuple[str, ...]] = (CONNECTIONS, ROWS)

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._names = storage_names(services.settings)
        self._cards: dict[str, StorageCard | str] = {}
        self._testing = ""
        self._list = RowList(id="connections-list")
        self._card = RowList(id="connections-card", has_cursor=False)

    def compose_body(self) -> Iterable[Widget]:
        self._list.styles.height = min(8, len(self._names) + 2)
        yield self._list
        yield self._card

    @property
    def chosen(self) -> str:
        return self._names[min(self._list.cursor, len(self._names) - 1)]

    @property
    def command_line(self) -> str:
        return storage_test_command(self.chosen)

    def is_live(self) -> bool:
        return self.tasks.is_running(TASK)

    def title_cells(self) -> tuple[str, list[Cell]]:
        path = self.services.settings.path
        where = str(path) if path is not None else "there is no settings file; settings.example.ini shows how"
        room = max(10, self.size.width - 20)
        return "Connections", [(f"{cut_middle(escape_for_display(where), room)} ", "weak")]

    def draw(self) -> None:
        width = self.size.width
        self._list.show_drawn_rows(len(self._names), lambda index: self._name_row(self._names[index], width))
        self._card.show_rows(self._card_rows(self.chosen, width))

    def _name_row(self, name: str, width: int) -> list[Cell]:
        values = describe_storage(self.services.settings, name)
        kind = values.get("storage_client", "").rpartition(".")[2].removesuffix("StorageClient")
        where = values.get("storage_area") or values.get("bucket") or values.get("container") or ""
        card = self._cards.get(name)
        word = "" if card is None else "usable" if isinstance(card, StorageCard) and card.is_usable else "not usable"
        text = f" {pad_to(escape_for_display(name), 16)} {pad_to(escape_for_display(kind), 10)} "
        room = max(10, width - len(text) - 14)
        style = "proven" if word == "usable" else "damaged"
        glyph = {"": " ", "usable": "✓ "}.get(word, "✗ ")
        return [
            (text, ""),
            (pad_to(cut_middle(escape_for_display(where), room), room), "weak"),
            (f" {glyph}{word}", style),
        ]

    def _card_rows(self, name: str, width: int) -> list[list[Cell]]:
        rows: list[list[Cell]] = [[(f" {escape_for_display(name)}", "heading")]]
        card = self._cards.get(name)
        if isinstance(card, StorageCard):
            return [
                *rows,
                *_outcome_rows(card, width),
                [],
                *labelled_rows("so:", card.conclusion, width - 2, "heading"),
            ]
        for key, value in describe_storage(self.services.settings, name).items():
            rows += [[(f"   {escape_for_display(key)}".ljust(24), "weak"), (f" {escape_for_display(value)}", "")]]
        rows.append([])
        if self._testing == name and self.is_live():
            return [*rows, [(" ▸ trying it out with one small object, which is removed again", "running")]]
        if card is None:
            return [*rows, [(" Not tested in this session: t tries what it can do, with one small object.", "weak")]]
        return [*rows, *labelled_rows("✗", card, width - 2, "damaged")]

    def offers(self, action: Action) -> bool:
        return action.id != "connections.test" or not self.is_live()

    def do_connections_test(self) -> None:
        name = self.chosen
        self._testing = name

        def test(stop: StopSignal) -> StorageCard:
            return test_storage(self.services.storage(name).store, stop=stop)

        self.tasks.start(TASK, test, lambda outcome: self._tested(name, outcome))

    def _tested(self, name: str, outcome: Outcome) -> None:
        if outcome.error is None:
            self._cards[name] = outcome.value
        else:
            self._cards[name] = describe_error(outcome.error)

    def do_connections_copy(self) -> None:
        self.app.copy_to_clipboard(self.command_line)
        self.say(escape_for_display(f"Copied: {self.command_line}"))

    def do_connections_leave(self) -> None:
        self.dismiss()

    @property
    def moving_rows(self) -> RowList:
        return self._list

    def do_row_page_up(self) -> None:
        self._card.move_page(-1)

    def do_row_page_down(self) -> None:
        self._card.move_page(1)


def _outcome_rows(card: StorageCard, width: int) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for row in card.rows:
        look, style = OUTCOME_LOOKS[row.outcome]
        lines = wrap_words(row.detail or f"{row.seconds * 1000:.0f} ms", width - DETAIL_INDENT - 1)
        rows.append([(f"   {row.name.ljust(18)}", ""), (look.ljust(DETAIL_INDENT - 21), style), (lines[0], "weak")])
        rows += [[(" " * DETAIL_INDENT + line, "weak")] for line in lines[1:]]
    return rows

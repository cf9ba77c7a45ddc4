"""What a pane and its listing thread say to each other, and what a pane says to its screen."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from textual.message import Message

from archive_tui.errors import ArchiveError, OperationStopped
from archive_tui.names.display import escape_for_display
from archive_tui.tui.rows.load_request import Loaded, LoadRequest
from archive_tui.tui.rows.pane_loading import Load

if TYPE_CHECKING:
    from archive_tui.tui.panes.pane import Pane


class RowsArrived(Message):
    """Rows, or only a count, from the thread that lists. `generation` tells which listing of the pane it was."""

    def __init__(self, generation: int, loaded: Loaded) -> None:
        super().__init__()
        self.generation = generation
        self.loaded = loaded

    def can_replace(self, message: Message) -> bool:
        """Whether `message`, the next one that waits, makes this one needless: newer rows do, but a mere count replaces
        no rows."""
        if not isinstance(message, RowsArrived) or message.generation != self.generation or self.loaded.remark:
            return False
        return message.loaded.rows is not None or self.loaded.rows is None


class ListingFailed(Message):
    """The listing has ended early."""

    def __init__(self, generation: int, error: Exception) -> None:
        super().__init__()
        self.generation = generation
        self.error = error


class PaneListed(Message):
    """For the screen: all rows are there, or no more will come. `sentence`: what went wrong."""

    def __init__(self, pane: Pane, sentence: str = "") -> None:
        super().__init__()
        self.pane = pane
        self.sentence = sentence


class PaneClicked(Message):
    """`row` None: beside the rows."""

    def __init__(self, pane: Pane, row: int | None, *, is_double: bool) -> None:
        super().__init__()
        self.pane = pane
        self.row = row
        self.is_double = is_double


def run_listing(pane: Pane, generation: int, load: Load, request: LoadRequest, stop: threading.Event) -> None:
    """Runs in a thread: one listing, its results as messages, nothing else."""
    for loaded in load(request, stop):
        pane.post_message(RowsArrived(generation, loaded))


def report_listing_failure(pane: Pane, generation: int, error: Exception) -> None:
    pane.post_message(ListingFailed(generation, error))


def describe_failure(error: Exception) -> tuple[str, str]:
    """A sentence and a hint for the user, whatever was raised."""
    if isinstance(error, OperationStopped):
        return "Stopped: this is not all of it.", "r lists again."
    if isinstance(error, ArchiveError):
        return escape_for_display(error.message), escape_for_display(error.hint) or "r tries again."
    return f"{type(error).__name__}: {escape_for_display(str(error))}", "r tries again; if it stays, please report it."

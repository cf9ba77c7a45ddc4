"""File operations in the panes: when they can be done, by which command line, and the actions of their pages."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from archive_tui.conflicts import ConflictRule
from archive_tui.jobs.place_words import make_command, place_word, selection_words
from archive_tui.tui.actions.registry import REGISTRY, Action, ActionContext

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location

OBJECTS = "objects"
RENAMING, DELETING = "renaming", "deleting"


def is_file_place(location: Location | None) -> bool:
    """A folder or a storage, in which files and objects can be put, renamed and deleted."""
    if location is None or location.document is not None:
        return False
    return location.folder is not None or (location.storage is not None and location.storage.kind != "http")


def in_files(context: ActionContext) -> bool:
    return context.view == OBJECTS and is_file_place(context.source)


def picks_files(context: ActionContext) -> bool:
    return in_files(context) and context.first is not None


def can_move(context: ActionContext) -> bool:
    """To another place, which is shown as files or datasets: what lies in a datasafe is written by it alone."""
    source, target = context.source, context.target
    if source is None or target is None or not picks_files(context) or not is_file_place(target):
        return False
    return context.target_view in ("", OBJECTS, "datasets") and source.word != target.word


def words_place(location: Location) -> tuple[dict[str, str], str]:
    """As jobs name it: a storage as a whole and a prefix in it, of this machine's disk the very folder."""
    if location.storage is not None:
        return {"storage": location.storage.name}, location.prefix
    return {"folder": str(location.folder)}, ""


def picked_words(location: Location, names: Sequence[str]) -> list[str]:
    """The words by which a command line names entries of a location."""
    place, base = words_place(location)
    return selection_words(place, base, names)


def move_command(context: ActionContext) -> str | None:
    if context.source is None or context.target is None:
        return None
    place, into = words_place(context.target)
    words = ["move", *_picked(context), place_word(place, into)]
    return make_command(words, ["--on-conflict", str(ConflictRule.ASK)]) or None


def rename_command(context: ActionContext) -> str | None:
    """What a name becomes is yet to be said: NEW stands for it, and for several a pattern that changes nothing."""
    words = _picked(context)
    if len(words) == 1:
        return make_command(["rename", *words, "NEW"]) or None
    return make_command(["rename", *words], ["--pattern", "*", "--to", "{1}", "--dry-run"]) or None


def delete_command(context: ActionContext) -> str | None:
    """It asks before it deletes."""
    return make_command(["delete", *_picked(context)]) or None


def new_folder_command(context: ActionContext) -> str | None:
    if context.source is None:
        return None
    return shlex.join(["archive-tui", "mkdir", place_word(*words_place(context.source)) + "NEW"])


def _picked(context: ActionContext) -> list[str]:
    return picked_words(context.source, [selected.name for selected in context.picked]) if context.source else []


def _command(context: ActionContext) -> str | None:
    return getattr(context.subject, "command_line", None) or None


REGISTRY.register(
    Action("renaming.field", "Next field", ("enter",), RENAMING, label="next field"),
    Action("renaming.start", "Rename as shown", ("enter",), RENAMING, _command, label="rename"),
    Action("renaming.up", "Field above", ("up",), RENAMING),
    Action("renaming.down", "Field below", ("down",), RENAMING, label="field"),
    Action("renaming.page-up", "Names before", ("pageup",), RENAMING),
    Action("renaming.page-down", "More names", ("pagedown",), RENAMING, label="more names"),
    Action("renaming.copy", "Copy the command line", ("f4",), RENAMING, _command, label="copy command"),
    Action("renaming.leave", "Leave: nothing is renamed", ("escape",), RENAMING, label="leave"),
    Action("deleting.trash", "Move it to the trash", ("t", "f8", "8"), DELETING, _command, label="to the trash"),
    Action("deleting.versions", "Delete it: the store keeps it as earlier versions", ("t", "f8", "8"), DELETING,
           _command, label="delete, keep versions"),
    Action("deleting.for-good", "Delete it for good: asks for the count", ("D", "delete"), DELETING, _command,
           label="delete for good"),
    Action("deleting.leave", "Leave: nothing is deleted", ("escape", "enter", "q", "backspace"), DELETING,
           label="leave it"),
    Action("deleting.again", "Count again", ("r",), DELETING, label="count again"),
    Action("deleting.up", "Up", ("up", "pageup"), DELETING),
    Action("deleting.down", "Down", ("down", "pagedown"), DELETING),
    Action("deleting.copy", "Copy the command line", ("y",), DELETING, _command, label="copy command"),
)  # fmt: skip

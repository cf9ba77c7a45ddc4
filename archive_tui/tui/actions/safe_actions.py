"""What can be done with datasafes in the panes: when, and by which command line the same."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archive_tui.archives.datasafe.safe import SafeEntry, SafeState
from archive_tui.tui.actions.registry import ActionContext

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location

DATASAFE = "datasafe"


def in_safe(context: ActionContext) -> bool:
    return context.source is not None and context.view == DATASAFE


def to_safe(context: ActionContext) -> bool:
    """The other pane shows a datasafe."""
    return context.target is not None and context.target_view == DATASAFE


def shows_safe(context: ActionContext) -> bool:
    return in_safe(context) or to_safe(context)


def can_deposit(context: ActionContext) -> bool:
    """Files of a folder of this machine go to the datasafe in the other pane."""
    is_folder = context.source is not None and context.source.folder is not None and context.view == "objects"
    return is_folder and to_safe(context) and context.first is not None


def picked_entries(context: ActionContext) -> list[SafeEntry]:
    return [selected.entry for selected in context.picked if selected.entry is not None]


def picked_filled(context: ActionContext) -> list[SafeEntry]:
    """Those that have content, be it damaged."""
    return [entry for entry in picked_entries(context) if entry.state is not SafeState.RESERVED]


def can_retrieve(context: ActionContext) -> bool:
    first = context.first
    is_loi = in_safe(context) and first is not None and first.entry is not None
    return is_loi and context.target is not None and context.target.folder is not None and not to_safe(context)


def can_retrieve_old(context: ActionContext) -> bool:
    entries = picked_entries(context)
    return can_retrieve(context) and len(entries) == 1 and entries[0].old_versions > 0


def picks_loi(context: ActionContext) -> bool:
    return in_safe(context) and context.first is not None and context.first.entry is not None


def can_verify_safe(context: ActionContext) -> bool:
    return in_safe(context)


def loi_to_reserve(context: ActionContext) -> str:
    """The kind of LOI under the cursor of the pane that shows the datasafe; a beginning of one where nothing is."""
    at = context.first if in_safe(context) else context.under_other
    if at is None:
        return "42."
    return at.name.rstrip("/").rpartition("/")[0] if at.entry is not None else at.name.rstrip("/")


def safe_location(context: ActionContext) -> Location | None:
    """The location of the datasafe that is meant: in the active pane, else in the other one."""
    if in_safe(context):
        return context.source
    return context.target if to_safe(context) else None


def command_of(location: Location | None, *words: str) -> str | None:
    """The command line `archive-tui safe …` with these words for the datasafe of a location."""
    if location is None:
        return None
    if location.storage is not None:
        return shlex.join(["archive-tui", "safe", *words, "--storage", location.storage.name])
    return shlex.join(["archive-tui", "safe", *words, "--root", str(safe_root(location))])


def safe_root(location: Location) -> Path:
    """The folder of this machine in which the datasafe lies."""
    return Path("/") / (location.safe_prefix or "")


def reserve_command(context: ActionContext) -> str | None:
    return command_of(safe_location(context), "new", loi_to_reserve(context))


def retrieve_command(context: ActionContext) -> str | None:
    target, lois = context.target, [entry.loi for entry in picked_filled(context)]
    if target is None or target.folder is None or not lois:
        return None
    commands = [command_of(context.source, "get", loi, "--to", str(target.folder)) for loi in lois]
    return " && ".join(filter(None, commands))


def deposit_command(context: ActionContext) -> str | None:
    """None without a LOI to deposit under: the guide reserves one."""
    at, folder = context.under_other, context.source.folder if context.source is not None else None
    if at is None or at.entry is None or folder is None:
        return None
    source, names = choose_files(folder, [selected.name for selected in context.picked])
    verb = "put" if at.entry.state is SafeState.RESERVED else "update"
    files = [word for name in names for word in ("--file", name)]
    return command_of(context.target, verb, at.entry.loi, str(source), *files)


def choose_files(folder: Path, names: Sequence[str]) -> tuple[Path, tuple[str, ...]]:
    """Returns the folder that is deposited, and which entries of it (none: all): a single folder is one by itself."""
    if len(names) == 1 and names[0].endswith("/"):
        return Path(os.path.join(folder, names[0].rstrip("/"))), ()  # noqa: PTH118  (a hostile name stays as it is)
    return folder, tuple(name.rstrip("/") for name in names)


def verify_safe_command(context: ActionContext) -> str | None:
    lois = [entry.loi for entry in picked_entries(context)]
    if lois:
        return command_of(context.source, "verify", *lois)
    prefix = [context.first.name] if context.first is not None else []
    return command_of(context.source, "verify", *prefix, "--all")


def verify_whole_command(context: ActionContext) -> str | None:
    return command_of(context.source, "verify", "--all")


def list_safe_command(context: ActionContext) -> str | None:
    return command_of(context.source, "ls")


def show_command(context: ActionContext) -> str | None:
    entries = picked_entries(context)
    return command_of(context.source, "show", entries[0].loi) if entries else None

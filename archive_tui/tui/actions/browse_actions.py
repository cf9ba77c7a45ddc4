"""The actions of the browse screen, with the command line that does the same."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING

from archive_tui.conflicts import ConflictRule
from archive_tui.jobs.place_words import make_command, place_word, selection_words
from archive_tui.tui.actions import file_actions as files
from archive_tui.tui.actions import manifest_actions as manifests
from archive_tui.tui.actions import safe_actions as safes
from archive_tui.tui.actions.registry import REGISTRY, Action, ActionContext
from archive_tui.tui.rows.selection import Selected

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location

HELP, WORK, PANES, MARKS, FILES, MOVES, PROGRAM = "help", "work", "panes", "marks", "files", "moves", "program"
BROWSE_GROUPS = (HELP, WORK, PANES, MARKS, FILES, MOVES, PROGRAM)


def is_folder(context: ActionContext) -> bool:
    return context.source is not None and context.source.folder is not None


def target_has_storage(context: ActionContext) -> bool:
    """The other pane shows a storage in which something can be published."""
    target = context.target
    return target is not None and target.storage is not None and target.storage.kind != "http"


def target_is_folder(context: ActionContext) -> bool:
    """A folder of this machine that is shown as one: what lies in a datasafe is written by the datasafe alone."""
    return context.target is not None and context.target.folder is not None and not safes.to_safe(context)


def picks_dataset(context: ActionContext) -> bool:
    return any(selected.dataset for selected in context.picked)


def shows_files(context: ActionContext) -> bool:
    """The rows are entries of a folder, not datasets that lie in one."""
    return is_folder(context) and context.view not in ("datasets", "datasafe")


def picks_object(context: ActionContext) -> bool:
    return context.first is not None and not context.first.is_folder


def can_publish(context: ActionContext) -> bool:
    return shows_files(context) and target_has_storage(context)


def can_fetch(context: ActionContext) -> bool:
    return picks_dataset(context) and target_is_folder(context)


def can_copy_files(context: ActionContext) -> bool:
    """Files, objects and folders as they are, between two places that are not the same."""
    source, target = context.source, context.target
    if source is None or target is None or not context.picked or context.view != "objects":
        return False
    if safes.to_safe(context):
        return False
    are_places = all(place.folder is not None or place.storage is not None for place in (source, target))
    return are_places and source.word != target.word


def can_copy(context: ActionContext) -> bool:
    into_or_from_safe = safes.can_deposit(context) or safes.can_retrieve(context)
    return into_or_from_safe or manifests.can_copy_lines(context) or can_fetch(context) or can_copy_files(context)


def can_verify(context: ActionContext) -> bool:
    is_ours = manifests.can_verify_lines(context) or safes.in_safe(context)
    return shows_files(context) or picks_dataset(context) or is_ours


def list_command(context: ActionContext) -> str | None:
    source = context.source
    if safes.in_safe(context):
        return safes.list_safe_command(context)
    return None if source is None or source.document is not None else _join("archive-tui", "ls", source.word)


def publish_command(context: ActionContext) -> str | None:
    """None for several entries of a folder: no command publishes only a part of it."""
    source, target, first = context.source, context.target, context.first
    if source is None or source.folder is None or target is None or target.storage is None or len(context.picked) > 1:
        return None
    path = source.folder / first.name.rstrip("/") if first is not None else source.folder
    return _join("archive-tui", "dataset", "publish", target.storage.name, path.name, "--source", str(path))


def fetch_command(context: ActionContext) -> str | None:
    """One command for each dataset; None where one of them lies in a folder that is no configured storage."""
    target = context.target
    if target is None or target.folder is None:
        return None
    datasets = [selected for selected in context.picked if selected.dataset is not None]
    return _join_all(_dataset_command("fetch", context, selected, "--to", str(target.folder)) for selected in datasets)


def copy_command(context: ActionContext) -> str | None:
    if safes.can_deposit(context) or safes.in_safe(context):
        return safes.deposit_command(context) if safes.can_deposit(context) else safes.retrieve_command(context)
    if manifests.can_copy_lines(context):
        return manifests.copy_lines_command(context)
    return fetch_command(context) if can_fetch(context) else copy_files_command(context)


def copy_files_command(context: ActionContext) -> str | None:
    if not can_copy_files(context) or context.source is None or context.target is None:
        return None
    here, base = _place_and_prefix(context.source)
    there, into = _place_and_prefix(context.target)
    words = ["copy", *selection_words(here, base, [selected.name for selected in context.picked])]
    return make_command([*words, place_word(there, into)], ["--on-conflict", str(ConflictRule.ASK)]) or None


def _place_and_prefix(location: Location) -> tuple[dict[str, str], str]:
    """As jobs name it: a storage as a whole and a prefix in it, of this machine's disk the very folder."""
    if location.storage is not None:
        return {"storage": location.storage.name}, location.prefix
    return {"folder": str(location.folder)}, ""


def verify_command(context: ActionContext) -> str | None:
    """One command for each dataset and folder that is picked; None as for `fetch_command`."""
    if safes.in_safe(context):
        return safes.verify_safe_command(context)
    if manifests.can_verify_lines(context):
        return manifests.check_lines_command(context)
    source = context.source
    folder = source.folder if source is not None else None
    commands: list[str | None] = []
    for selected in context.picked:
        if selected.dataset is not None:
            commands.append(_dataset_command("verify", context, selected))
        elif folder is not None and selected.is_folder:
            commands.append(_join("archive-tui", "verify", str(folder / selected.name.rstrip("/"))))
    if not commands and folder is not None:
        commands.append(_join("archive-tui", "verify", str(folder)))
    return _join_all(commands)


def connections_command(context: ActionContext) -> str:
    return "archive-tui storage list"


def demo_command(context: ActionContext) -> str:
    return "archive-tui demo"


def _dataset_command(verb: str, context: ActionContext, selected: Selected, *more: str) -> str | None:
    if context.source is None or context.source.storage is None or selected.dataset is None:
        return None
    version = ["--version", selected.version] if selected.version else []
    return _join("archive-tui", "dataset", verb, context.source.storage.name, selected.dataset, *version, *more)


def _join(*words: str) -> str:
    return shlex.join(words)


def _join_all(commands: Iterable[str | None]) -> str | None:
    """None when there is no command, or when one of them is missing: half of the work is not the same."""
    known = list(commands)
    return " && ".join(filter(None, known)) if known and None not in known else None


_NEEDS_OTHER_SIDE = (
    "Copy needs another place in the other pane: for datasets and lines a folder or a vault, for a datasafe files of "
    "this machine. Tab goes there."
)
_NEEDS_MANIFEST = "This needs the lines of a checksum manifest: Enter on one opens it, M makes one of your files."
_NEEDS_FILES = (
    "Publishing needs files or folders of this machine here (v changes the view), and a storage in the other pane: "
    "Tab goes there, g opens one."
)

_NEEDS_OTHER_FILES = (
    "Moving needs files or objects here, and another folder or storage in the other pane: Tab goes there."
)
_NEEDS_ENTRIES = (
    "This needs files or objects: v shows those of a storage. A published version is deleted by the command: "
    "archive-tui dataset delete."
)
_NEEDS_SAFE = "This needs a datasafe in a pane: v shows that of a storage, or of a folder that is one."
_SAFE = frozenset({"datasafe"})
_OBJECTS = frozenset({files.OBJECTS})
_FILE_VIEWS = frozenset({"", "objects", "datasets"})

REGISTRY.register(
    Action("help", "Help: these keys", ("question_mark", "f1", "1"), HELP, label="help"),
    Action("work.view", "View the first bytes", ("f3", "3"), WORK, available=picks_object, label="view",
           why_not="View shows one object: put the cursor on a file."),
    Action("work.inspect", "Inspect: size, evidence", ("f4", "4", "i"), WORK),
    Action("work.copy", "Copy to the other pane", ("f5", "5"), WORK, copy_command, can_copy, "copy",
           _NEEDS_OTHER_SIDE),
    Action("work.verify", "Verify: hash all again", ("f6", "6"), WORK, verify_command, can_verify,
           "verify", "Verify needs a folder with a manifest, a manifest, a dataset or a vault: v shows a storage's."),
    Action("vault.ask", "Ask whether vault has it", ("V",), WORK, manifests.ask_command, manifests.in_manifest,
           "ask vault", _NEEDS_MANIFEST, frozenset({"manifest"})),
    Action("vault.archive", "Archive what is missing", (), WORK, manifests.archive_lines_command, manifests.can_archive,
           why_not=_NEEDS_MANIFEST),
    Action("vault.fetch", "Fetch from the vault", (), WORK, manifests.fetch_lines_command, manifests.can_fetch_lines,
           why_not="Fetching needs a manifest or a vault here, and a folder in the other pane: Tab goes there."),
    Action("vault.verify", "Verify the whole vault", (), WORK, available=manifests.in_vault,
           why_not="This needs a vault: v shows that of a storage."),
    Action("safe.reserve", "Reserve a LOI", ("N",), WORK, safes.reserve_command, safes.shows_safe, "reserve",
           _NEEDS_SAFE, _SAFE),
    Action("safe.copy-loi", "Copy the LOI", ("Y",), WORK, safes.show_command, safes.picks_loi, "copy LOI",
           "Put the cursor on a LOI of a datasafe.", _SAFE),
    Action("safe.deposit", "Deposit in the datasafe", (), WORK, safes.deposit_command, safes.can_deposit,
           why_not="Depositing needs files of this machine here, and a datasafe in the other pane: v shows it."),
    Action("safe.retrieve-old", "Retrieve an old version", (), WORK, available=safes.can_retrieve_old,
           why_not="This needs one LOI with old versions here, and a folder of this machine in the other pane."),
    Action("safe.verify", "Verify the whole datasafe", (), WORK, safes.verify_whole_command, safes.in_safe,
           why_not=_NEEDS_SAFE),
    Action("work.publish", "Publish a dataset version", ("P", "f9", "9"), WORK, publish_command, can_publish, "publish",
           _NEEDS_FILES, _FILE_VIEWS),
    Action("work.audit", "Audit: watch it verify", ("A",), WORK, verify_command, can_verify, "audit",
           "An audit needs a folder with a manifest, or a dataset: v shows the datasets of a storage.", _FILE_VIEWS),
    Action("work.compare", "Compare the two panes", ("equals_sign",), WORK),
    Action("jobs", "Jobs", ("J",), WORK, label="jobs"),
    Action("connections", "Connections", ("C",), WORK, connections_command),
    Action("pane.other", "Go to the other pane", ("tab",), PANES),
    Action("pane.open", "Open, expand, view", ("enter", "right"), PANES),
    Action("pane.up", "Go up", ("backspace", "left"), PANES),
    Action("pane.go", "Go to folder or storage", ("g",), PANES),
    Action("pane.recent", "Places: bookmarks, recent", ("b",), PANES),
    Action("pane.bookmark", "Bookmark this location", ("B",), PANES),
    Action("pane.view", "Next view: datasets …", ("v",), PANES),
    Action("pane.find", "Find as you type", ("slash",), PANES, label="find"),
    Action("pane.find-next", "Find the next one", ("n",), PANES),
    Action("pane.filter", "Filter the names", ("f",), PANES),
    Action("pane.sort", "Sort: name, size, time", ("s",), PANES),
    Action("pane.reverse", "Reverse the order", ("S",), PANES),
    Action("pane.hidden", "Show hidden files", ("full_stop",), PANES),
    Action("pane.refresh", "List again", ("r", "ctrl+r"), PANES, list_command),
    Action("pane.same", "Same place in other pane", ("o",), PANES),
    Action("pane.swap", "Swap the panes", ("x",), PANES),
    Action("mark", "Mark", ("space", "insert"), MARKS),
    Action("mark.glob", "Mark by pattern", ("plus",), MARKS),
    Action("mark.unglob", "Unmark by pattern", ("minus",), MARKS),
    Action("mark.invert", "Invert the marks", ("asterisk",), MARKS),
    Action("manifest.create", "List it in a manifest", ("M",), MARKS, manifests.list_in_manifest_command,
           manifests.can_list, "list",
           "A manifest lists files of this machine: open their folder here, v shows its files.", _FILE_VIEWS),
    Action("files.move", "Move to the other pane", ("m",), FILES, files.move_command, files.can_move, "move",
           _NEEDS_OTHER_FILES, _OBJECTS),
    Action("files.rename", "Rename; many by a pattern", ("f2", "2", "R"), FILES, files.rename_command,
           files.picks_files, why_not=_NEEDS_ENTRIES),
    Action("files.new-folder", "New folder", ("f7", "7"), FILES, files.new_folder_command, files.in_files, "folder",
           "A folder is made among files or objects: v shows them.", _OBJECTS),
    Action("files.delete", "Delete: counts, then asks", ("f8", "8", "delete"), FILES, files.delete_command,
           files.picks_files, "delete", _NEEDS_ENTRIES, _OBJECTS),
    Action("cursor.up", "Up", ("up",), MOVES),
    Action("cursor.down", "Down", ("down",), MOVES),
    Action("cursor.page-up", "A page up", ("pageup", "ctrl+u"), MOVES),
    Action("cursor.page-down", "A page down", ("pagedown", "ctrl+d"), MOVES),
    Action("cursor.home", "First row", ("home",), MOVES),
    Action("cursor.end", "Last row", ("end",), MOVES),
    Action("palette", "All actions", ("colon", "ctrl+p"), PROGRAM, label="more"),
    Action("command", "Copy as a command line", ("y",), PROGRAM),
    Action("tour", "The tour on sample data", (), PROGRAM, demo_command),
    Action("dismiss", "Close, stop listing", ("escape",), PROGRAM),
    Action("quit", "Quit", ("q", "f10", "0", "ctrl+q"), PROGRAM),
)  # fmt: skip

"""The actions of the browse screen, with the command line that does the same."""

from __future__ import annotations

import shlex

from archive_tui.tui.actions.registry import REGISTRY, Action, ActionContext

HELP, WORK, PANES, MARKS, MOVES, PROGRAM = "help", "work", "panes", "marks", "moves", "program"
BROWSE_GROUPS = (HELP, WORK, PANES, MARKS, MOVES, PROGRAM)


def is_folder(context: ActionContext) -> bool:
    return context.source is not None and context.source.folder is not None


def has_storage(context: ActionContext) -> bool:
    return context.source is not None and context.source.storage is not None


def target_has_storage(context: ActionContext) -> bool:
    return context.target is not None and context.target.storage is not None


def target_is_folder(context: ActionContext) -> bool:
    return context.target is not None and context.target.folder is not None


def picks_dataset(context: ActionContext) -> bool:
    return has_storage(context) and any(selected.dataset for selected in context.picked)


def picks_object(context: ActionContext) -> bool:
    return context.first is not None and not context.first.is_folder


def can_publish(context: ActionContext) -> bool:
    return is_folder(context) and target_has_storage(context)


def can_fetch(context: ActionContext) -> bool:
    return picks_dataset(context) and target_is_folder(context)


def can_copy(context: ActionContext) -> bool:
    return can_publish(context) or can_fetch(context)


def can_verify(context: ActionContext) -> bool:
    return is_folder(context) or picks_dataset(context)


def list_command(context: ActionContext) -> str | None:
    return None if context.source is None else _join("archive-tui", "ls", context.source.word)


def publish_command(context: ActionContext) -> str | None:
    source, target, first = context.source, context.target, context.first
    if source is None or source.folder is None or target is None or target.storage is None:
        return None
    path = source.folder / first.name.rstrip("/") if first is not None else source.folder
    return _join("archive-tui", "dataset", "publish", target.storage.name, path.name, "--source", str(path))


def fetch_command(context: ActionContext) -> str | None:
    first, target = context.first, context.target
    if first is None or first.dataset is None or target is None or target.folder is None:
        return None
    return _join(*_dataset_words("fetch", context), "--to", str(target.folder))


def copy_command(context: ActionContext) -> str | None:
    return publish_command(context) if can_publish(context) else fetch_command(context)


def verify_command(context: ActionContext) -> str | None:
    source, first = context.source, context.first
    if source is not None and source.folder is not None:
        inside = source.folder / first.name.rstrip("/") if first is not None and first.is_folder else source.folder
        return _join("archive-tui", "verify", str(inside))
    if first is None or first.dataset is None:
        return None
    return _join(*_dataset_words("verify", context))


def connections_command(context: ActionContext) -> str:
    return "archive-tui storage list"


def demo_command(context: ActionContext) -> str:
    return "archive-tui demo"


def _dataset_words(verb: str, context: ActionContext) -> list[str]:
    first, source = context.first, context.source
    assert first is not None and first.dataset is not None and source is not None and source.storage is not None
    version = ["--version", first.version] if first.version else []
    return ["archive-tui", "dataset", verb, source.storage.name, first.dataset, *version]


def _join(*words: str) -> str:
    return shlex.join(words)


_NEEDS_OTHER_SIDE = (
    "Copy goes from a folder to a storage (publish) or from a dataset to a folder (fetch): "
    "open one in the other pane, Tab goes there."
)

REGISTRY.register(
    Action("help", "Help: these keys", ("question_mark", "f1", "1"), HELP, label="help"),
    Action("work.view", "View the first bytes", ("f3", "3"), WORK, available=picks_object, label="view",
           why_not="View shows one object: put the cursor on a file."),
    Action("work.inspect", "Inspect: size, evidence", ("f4", "4", "i"), WORK),
    Action("work.copy", "Copy: publish or fetch", ("f5", "5"), WORK, copy_command, can_copy, "copy",
           _NEEDS_OTHER_SIDE),
    Action("work.verify", "Verify: hash all again", ("f6", "6"), WORK, verify_command, can_verify,
           "verify", "Verify needs a folder with a manifest, or a dataset: v shows the datasets of a storage."),
    Action("work.publish", "Publish a dataset version", ("P", "f9", "9"), WORK, publish_command, can_publish, "publish",
           "Publishing needs a local folder here and a storage in the other pane: Tab goes there, g opens one."),
    Action("work.audit", "Audit: watch it verify", ("A",), WORK, verify_command, can_verify, "audit",
           "An audit needs a folder with a manifest, or a dataset: v shows the datasets of a storage."),
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

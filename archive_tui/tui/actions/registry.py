"""The one registry of actions: it feeds the key line, the palette, the help, the keys and "copy as command".

A screen names the groups that are its own and has a method `do_<id>` for each of their actions, with `_` for `.`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archive_tui.tui.rows.selection import Selected

if TYPE_CHECKING:
    from archive_tui.archives.locations import Location
    from archive_tui.archives.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class ActionContext:
    """Where the user stands: the location of the active pane, that of the other one, the view (`objects`, `datasets`,
    `manifest`, …) and what is picked: the marked rows if `is_marked`, else the one under the cursor. Screens without
    panes leave it as it is and put what is theirs into `subject`. `target_view` is the view of the other pane,
    `under_other` what is under its cursor. `vault` is the one that the manifest in the active
    pane was used with last."""

    source: Location | None = None
    target: Location | None = None
    view: str = ""
    picked: Sequence[Selected] = ()
    subject: object = None
    is_marked: bool = False
    vault: Vault | None = None
    target_view: str = ""
    under_other: Selected | None = None

    @property
    def first(self) -> Selected | None:
        return self.picked[0] if self.picked else None


def always(context: ActionContext) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Action:
    """`keys` are Textual's key names, the first one is shown; `group` tells which screens have it. `command` returns
    the equivalent command line (None: there is none now). `why_not` is said when it is not `available`. `label` is the
    word in the key line; empty: not there. `views`, where there are any, are those in which it is in the key line."""

    id: str
    title: str
    keys: tuple[str, ...]
    group: str
    command: Callable[[ActionContext], str | None] | None = None
    available: Callable[[ActionContext], bool] = always
    label: str = ""
    why_not: str = ""
    views: frozenset[str] = frozenset()

    def is_in_key_line(self, view: str) -> bool:
        return bool(self.label) and (not self.views or view in self.views)

    def command_line(self, context: ActionContext) -> str | None:
        """The equivalent command, None when there is none or the action is not available here."""
        return self.command(context) if self.command is not None and self.available(context) else None

    @property
    def method_name(self) -> str:
        return "do_" + self.id.replace(".", "_").replace("-", "_")


class ActionRegistry:
    """Actions by id, in the order of registration."""

    def __init__(self) -> None:
        self._actions: dict[str, Action] = {}

    def register(self, *actions: Action) -> None:
        """Raises: ValueError when an id is taken by another action."""
        for action in actions:
            known = self._actions.setdefault(action.id, action)
            if known is not action:
                raise ValueError(f"action registered twice: {action.id}")

    def __iter__(self) -> Iterator[Action]:
        return iter(self._actions.values())

    def __getitem__(self, action_id: str) -> Action:
        return self._actions[action_id]

    def in_groups(self, groups: Iterable[str]) -> list[Action]:
        """The actions of those groups, in the order of the groups."""
        return [action for group in groups for action in self if action.group == group]


REGISTRY = ActionRegistry()

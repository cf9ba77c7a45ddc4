"""The registry, the keys and the command lines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archive_tui.objects.memory import MemoryStore
from archive_tui.tui.actions.browse_actions import BROWSE_GROUPS
from archive_tui.tui.actions.keymap import PRESETS, Keymap
from archive_tui.tui.actions.registry import REGISTRY, Action, ActionContext, ActionRegistry
from archive_tui.tui.rows.selection import Selected
from archive_tui.tui.screens.browse.browse_screen import BrowseScreen
from tests.tui.places import FakeLocation, FakeStorage

BROWSE_ACTIONS = REGISTRY.in_groups(BROWSE_GROUPS)
FOLDER = FakeLocation(MemoryStore(), "home/x/my data/", None, Path("/home/x/my data"))
STORAGE = FakeLocation(MemoryStore(), "", FakeStorage("lab-s3"))


@pytest.mark.parametrize("action", BROWSE_ACTIONS, ids=lambda action: action.id)
def test_the_browse_screen_does_each_of_its_actions(action: Action) -> None:
    assert callable(getattr(BrowseScreen, action.method_name))


@pytest.mark.parametrize("preset", PRESETS)
def test_no_key_of_the_browse_screen_does_two_things(preset: str) -> None:
    keymap = Keymap(preset)
    own = [key for action in BROWSE_ACTIONS for key in PRESETS[preset].get(action.id, ())]
    others = [key for action in BROWSE_ACTIONS if action.id not in PRESETS[preset] for key in action.keys]

    assert len(own) == len(set(own))
    assert len(others) == len(set(others))
    for action in BROWSE_ACTIONS:
        reachable = [key for key in keymap.keys_of(action) if keymap.find(key, BROWSE_ACTIONS) is action]
        assert reachable or not action.keys, action.id


@pytest.mark.parametrize("preset", PRESETS)
def test_every_function_or_control_key_has_a_plain_twin(preset: str) -> None:
    keymap = Keymap(preset)
    for action in BROWSE_ACTIONS:
        keys = keymap.keys_of(action)
        plain = [key for key in keys if not re.fullmatch(r"ctrl\+.|f\d+", key) and key not in ("space", "tab")]
        assert plain or not keys or action.id in ("pane.other",), action.id


def test_a_second_action_of_the_same_id_is_refused() -> None:
    registry = ActionRegistry()
    registry.register(Action("x", "X", (), "g"))

    with pytest.raises(ValueError, match="twice"):
        registry.register(Action("x", "Y", (), "g"))


def command_of(action_id: str, context: ActionContext) -> str | None:
    return REGISTRY[action_id].command_line(context)


def test_publishing_as_a_command_quotes_what_a_shell_would_split() -> None:
    context = ActionContext(FOLDER, STORAGE, "objects", (Selected("station 7/", "home/x/my data/station 7", True),))  # type: ignore[arg-type]

    expected = "archive-tui dataset publish lab-s3 'station 7' --source '/home/x/my data/station 7'"
    assert command_of("work.publish", context) == expected
    expected = "archive-tui copy '/home/x/my data/station 7' lab-s3: --on-conflict ask"
    assert command_of("work.copy", context) == expected


def test_fetching_as_a_command_names_the_version() -> None:
    picked = (Selected("winds 2.0.1", "winds.2.0.1.zip", False, 10, "winds", "2.0.1"),)
    context = ActionContext(STORAGE, FOLDER, "datasets", picked)  # type: ignore[arg-type]

    assert (
        command_of("work.copy", context)
        == "archive-tui dataset fetch lab-s3 winds --version 2.0.1 --to '/home/x/my data'"
    )
    assert command_of("work.verify", context) == "archive-tui dataset verify lab-s3 winds --version 2.0.1"
    assert command_of("pane.refresh", context) == "archive-tui ls lab-s3"


def test_what_is_not_possible_has_no_command_and_says_why() -> None:
    context = ActionContext(FOLDER, FOLDER, "objects", ())  # type: ignore[arg-type]

    assert command_of("work.copy", context) is None
    assert not REGISTRY["work.copy"].available(context)
    assert "Tab" in REGISTRY["work.copy"].why_not


def test_labels_of_keys_are_what_stands_on_them() -> None:
    keymap = Keymap()

    assert [keymap.key_label(key) for key in ("f5", "ctrl+p", "question_mark", "P", "pagedown", "space")] == [
        "F5", "^P", "?", "P", "PgDn", "Space",
    ]  # fmt: skip
    assert Keymap("no such preset").preset == "mc"
    assert Keymap(ascii_only=True).key_label("up").isascii()

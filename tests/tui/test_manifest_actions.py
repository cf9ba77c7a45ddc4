"""When manifests and the vault can be worked on, what is meant by a key, and which command line does the same."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from archive_tui.archives.vault.vault import Vault
from archive_tui.jobs.kinds.manifest_creation import ListedPart
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.objects.memory import MemoryStore
from archive_tui.tui.actions.keymap import PRESETS, Keymap
from archive_tui.tui.actions.manifest_actions import (
    can_copy_lines,
    can_fetch_lines,
    can_list,
    fetch_folder,
    in_manifest,
    in_vault,
    is_archiving,
    listed_part,
    vault_of,
)
from archive_tui.tui.actions.registry import REGISTRY, ActionContext
from archive_tui.tui.manifest_routes import _contents
from archive_tui.tui.rows.selection import Selected
from archive_tui.tui.screens.manifest.create_panel import find_name_fault, propose_free_name
from tests.tui.places import FakeLocation, FakeStorage

OWN = Vault(MemoryStore(), storage=FakeStorage("own"))  # type: ignore[arg-type]
FOLDER = FakeLocation(MemoryStore(), "home/x/", None, Path("/home/x"))
STORAGE = FakeLocation(MemoryStore(), "", FakeStorage("lab-s3"), None, ("objects", "vault"))
DOCUMENT = FakeLocation(
    MemoryStore(),
    "home/x/",
    views=("manifest",),
    document=Path("/home/x/my list.sha256"),
    vault=OWN,  # type: ignore[arg-type]
)
LINE = ManifestLine(7, "a", "0" * 64, 3)
PICKED = (Selected("a", "home/x/a", False, 3, line=LINE, position=6, digest="0" * 64),)


def at(source: FakeLocation, target: FakeLocation, view: str = "", *, marked: bool = False) -> ActionContext:
    picked = PICKED if source is DOCUMENT or view == "vault" else ()
    shown = view or source.views[0]
    return ActionContext(source, target, shown, picked, is_marked=marked)  # type: ignore[arg-type]


def command_of(action_id: str, context: ActionContext) -> str | None:
    return REGISTRY[action_id].command_line(context)


def test_the_direction_decides_between_archiving_and_fetching() -> None:
    assert is_archiving(at(DOCUMENT, STORAGE)) and can_copy_lines(at(DOCUMENT, STORAGE))
    assert not is_archiving(at(DOCUMENT, FOLDER)) and can_fetch_lines(at(DOCUMENT, FOLDER))
    assert can_fetch_lines(at(STORAGE, FOLDER, "vault")) and not can_fetch_lines(at(STORAGE, STORAGE, "vault"))
    assert not can_copy_lines(at(FOLDER, STORAGE)) and not can_copy_lines(at(STORAGE, FOLDER, "objects"))
    assert in_manifest(at(DOCUMENT, FOLDER)) and not in_manifest(at(FOLDER, FOLDER))
    assert in_vault(at(STORAGE, FOLDER, "vault")) and not in_vault(at(STORAGE, FOLDER, "objects"))
    assert fetch_folder(at(DOCUMENT, DOCUMENT)) == Path("/home/x")


def test_the_vault_is_that_of_the_pane_then_the_one_used_last_then_the_settings_one() -> None:
    used = Vault(MemoryStore(), storage=FakeStorage("used"))  # type: ignore[arg-type]
    beside = vault_of(at(DOCUMENT, STORAGE))
    assert beside is not None and beside.title == "lab-s3" and beside.prefix == "object/"
    assert vault_of(at(DOCUMENT, FOLDER)) is OWN
    assert vault_of(dataclasses.replace(at(DOCUMENT, FOLDER), vault=used)) is used
    again = vault_of(dataclasses.replace(at(DOCUMENT, STORAGE), vault=used))
    assert again is not None and again.title == "lab-s3"


def test_the_commands_of_a_whole_manifest() -> None:
    place = "cd /home/x && archive-tui manifest"
    name = "--manifest 'my list.sha256'"
    assert command_of("work.verify", at(DOCUMENT, FOLDER)) == f"{place} --check {name}"
    assert command_of("work.copy", at(DOCUMENT, STORAGE)) == f"{place} --archive {name} --storage lab-s3"
    whole = "--manifest '/home/x/my list.sha256'"
    assert command_of("vault.ask", at(DOCUMENT, STORAGE)) == f"archive-tui manifest --vault {whole} --storage lab-s3"
    fetch = f"archive-tui manifest --fetch {whole} --storage own --root /home/x"
    assert command_of("work.copy", at(DOCUMENT, FOLDER)) == command_of("vault.fetch", at(DOCUMENT, FOLDER)) == fetch


@pytest.mark.parametrize("action_id", ["work.verify", "work.copy", "vault.ask", "vault.archive", "vault.fetch"])
def test_some_lines_have_no_command(action_id: str) -> None:
    for target in (STORAGE, FOLDER):
        assert command_of(action_id, at(DOCUMENT, target, marked=True)) is None


def test_contents_of_a_vault_have_no_command() -> None:
    for action_id in ("work.verify", "work.copy", "vault.verify"):
        assert command_of(action_id, at(STORAGE, FOLDER, "vault")) is None


def test_listing_takes_what_is_picked_and_on_the_way_up_the_folder_itself() -> None:
    picked = (Selected("b c/", "home/x/b c", True), Selected("-x", "home/x/-x", False, 1))
    context = dataclasses.replace(at(FOLDER, STORAGE), picked=picked)
    assert listed_part(context) == ListedPart(Path("/home/x"), ("-x",), ("b c",))
    assert command_of("manifest.create", context) == (
        "cd /home/x && archive-tui manifest --create --dir 'b c' --recursive --manifest x.sha256 --format quoted -- -x"
    )
    assert "--dir . --recursive" in (command_of("manifest.create", at(FOLDER, STORAGE)) or "")
    assert can_list(context) and not can_list(at(FOLDER, STORAGE, "datasets")) and not can_list(at(STORAGE, FOLDER))


@pytest.mark.parametrize("preset", PRESETS)
def test_the_keys_are_free_in_every_preset(preset: str) -> None:
    keymap, browse = Keymap(preset), list(REGISTRY)
    assert keymap.find("M", browse) is REGISTRY["manifest.create"]
    assert keymap.find("V", browse) is REGISTRY["vault.ask"]


def test_what_cannot_be_done_says_what_is_needed() -> None:
    for action_id in ("vault.ask", "vault.archive", "vault.fetch", "vault.verify", "manifest.create"):
        action = REGISTRY[action_id]
        context = at(STORAGE, STORAGE, "objects")
        assert not action.available(context) and len(action.why_not) > 40, action_id


def test_names_of_contents_lose_their_folders_and_never_meet() -> None:
    one, two, three = (f"{number}" * 64 for number in (1, 2, 3))
    picked = [Selected(digest, "k", False, 1, digest=digest) for digest in (one, two, three)]
    picked.append(Selected("foreign", "object/foreign"))
    lines = _contents(picked, {one: "../../etc/passwd", two: "x/passwd", three: "a/.."})
    assert [(line.name, line.digest) for line in lines] == [("passwd", one), (two, two), (three, three)]


@pytest.mark.parametrize(
    ("name", "fault"),
    [("", "Type a name."), ("..", "Type a name."), ("a/b", "without /"), ("a\0", "without /"), ("é" * 128, "too long")],
)
def test_names_that_cannot_be_given(name: str, fault: str, tmp_path: Path) -> None:
    assert fault in find_name_fault(name, ListedPart(tmp_path))


def test_a_broken_link_has_its_name_already(tmp_path: Path) -> None:
    (tmp_path / "link.sha256").symlink_to(tmp_path / "nowhere")
    part = ListedPart(tmp_path, ("link",))
    assert "exists" in find_name_fault("link.sha256", part)
    from archive_tui.manifests.checksum_lines.line import Dialect

    assert propose_free_name(part, Dialect.QUOTED) == "link-2.sha256"
    assert propose_free_name(part, Dialect.JSON) == "link.manifest.json"

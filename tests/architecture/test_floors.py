"""Imports go down only. The floors stand in pyproject.toml, where the import linter reads them as well."""

from __future__ import annotations

import re
import tomllib
from functools import cache

from tests.architecture.sources import ROOT, imported_names, load_modules, top_level_imports

SDKS = ("boto3", "botocore", "azure", "obstore")


def _contracts() -> list[dict[str, object]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]  # type: ignore[no-any-return]


@cache
def floor_rooms() -> list[list[str]]:
    layers = next(contract["layers"] for contract in _contracts() if contract["type"] == "layers")
    assert isinstance(layers, list)
    return [[part.strip() for part in re.split("[|:]", layer)] for layer in layers]


def _is_below(name: str, parent: str) -> bool:
    return name == parent or name.startswith(parent + ".")


def _place(name: str) -> tuple[int, str] | None:
    """The number of the floor (0 at the top) and the room on it."""
    for number, rooms in enumerate(floor_rooms()):
        for room in rooms:
            if _is_below(name, room):
                return number, room
    return None


def test_imports_go_down_only() -> None:
    wrong = []
    for module in load_modules():
        here = _place(module.name)
        assert here is not None or module.name == "archive_tui", f"{module.name} stands on no floor of pyproject.toml"
        for name, line in imported_names(module.tree):
            there = _place(name)
            if here is not None and there not in (None, here) and there[0] <= here[0]:
                wrong.append(f"{module.relative}:{line} imports {name}, which lies beside or above it")
    assert wrong == []


def test_sdks_are_imported_in_objects_only_and_on_first_use() -> None:
    for module in load_modules():
        at_once = set(top_level_imports(module.tree))
        for name, line in imported_names(module.tree):
            if any(_is_below(name, sdk) for sdk in SDKS):
                assert _is_below(module.name, "archive_tui.objects"), f"{module.relative}:{line} imports {name}"
                assert (name, line) not in at_once, f"{module.relative}:{line} imports {name} at once"


def test_textual_and_click_stay_in_their_faces() -> None:
    faces = {"textual": "archive_tui.tui", "click": "archive_tui.cli"}
    for module in load_modules():
        for name, line in imported_names(module.tree):
            face = faces.get(name.split(".")[0])
            assert face is None or _is_below(module.name, face), f"{module.relative}:{line} imports {name}"


def test_the_floors_name_what_exists() -> None:
    names = {module.name for module in load_modules()}
    for rooms in floor_rooms():
        for room in rooms:
            assert any(_is_below(name, room) for name in names), f"{room} does not exist"


def test_archives_of_different_kinds_do_not_import_each_other() -> None:
    inside = [module.name.split(".") for module in load_modules() if _is_below(module.name, "archive_tui.archives")]
    kinds = {parts[2] for parts in inside if len(parts) > 3}
    assert "datasets" in kinds
    for module in load_modules():
        parts = module.name.split(".")
        if len(parts) < 4 or parts[1] != "archives":
            continue
        for name, line in imported_names(module.tree):
            other = name.split(".")
            if len(other) > 2 and other[:2] == parts[:2] and other[2] in kinds:
                assert other[2] == parts[2], f"{module.relative}:{line} imports {name}"

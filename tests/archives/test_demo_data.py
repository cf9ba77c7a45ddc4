"""The playground: the same bytes everywhere, and a change that shows every kind of difference."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from archive_tui.archives.demo_data import change_playground, prepare_playground, station_files
from archive_tui.errors import TargetExists


def test_the_sample_data_are_the_same_everywhere() -> None:
    digest = hashlib.sha256()
    total = 0
    for path, content in station_files():
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
        total += len(content)
    assert digest.hexdigest() == "c87de038c0de6cde153167452505375558328cfa278f9a27c6ee63498f3306ef"
    assert 500_000 < total < 5_000_000


def test_a_change_adds_corrects_and_removes(tmp_path: Path) -> None:
    playground = prepare_playground(tmp_path)
    before = {
        str(p.relative_to(playground.source)): p.read_bytes() for p in playground.source.rglob("*") if p.is_file()
    }
    change_playground(playground)
    after = {str(p.relative_to(playground.source)): p.read_bytes() for p in playground.source.rglob("*") if p.is_file()}
    assert set(after) - set(before) == {"sensors/2026-01.csv"}
    assert set(before) - set(after) == {"notes/draft.txt"}
    assert [name for name in after if name in before and after[name] != before[name]] == ["sensors/2025-10.csv"]


def test_a_playground_replaces_an_earlier_one_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(TargetExists):
        prepare_playground(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    playground = prepare_playground(tmp_path / "new")
    change_playground(playground)
    prepare_playground(tmp_path / "new")
    assert (playground.source / "notes" / "draft.txt").is_file()

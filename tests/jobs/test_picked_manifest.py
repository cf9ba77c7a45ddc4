"""Which lines of which manifest, as the parameters of a job hold them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.jobs.manifests.picked_manifest import (
    PickedManifest,
    decode_positions,
    encode_positions,
    picked_from,
    read_stamp,
)
from archive_tui.manifests.checksum_lines.line import Dialect


@given(st.sets(st.integers(0, 2**32 - 1)))
def test_positions_come_back(positions: set[int]) -> None:
    assert list(decode_positions(encode_positions(sorted(positions)))) == sorted(positions)


def test_many_positions_are_written_in_little_room() -> None:
    assert len(encode_positions(range(1_000_000))) < 10_000
    assert len(encode_positions(range(5, 3_000_000, 3))) < 10_000


@pytest.mark.parametrize("text", ["", "%%%", "abc", "AAAA", "eJxLBgAAZABk"])
def test_what_is_no_list_of_positions_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        decode_positions(text)


def test_everything_comes_back_through_json(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"list \xff")
    path.write_bytes(b"")
    for picked in (
        PickedManifest(path).fixed(),
        PickedManifest(path, (1, 5, 6), (7, 8), tmp_path / "base", Dialect.BSD).fixed(),
    ):
        again = picked_from(json.loads(json.dumps(picked.as_parameters())))
        positions = None if again.positions is None else tuple(again.positions)
        assert (again.path, positions, again.stamp, again.root, again.dialect) == (
            picked.path, picked.positions, picked.stamp, picked.root, picked.dialect,
        )  # fmt: skip


def test_a_job_is_about_the_file_as_it_is_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("list").write_text("")
    fixed = PickedManifest(Path("list")).fixed()
    assert (fixed.path, fixed.root, fixed.stamp) == (tmp_path / "list", tmp_path, read_stamp(tmp_path / "list"))
    assert PickedManifest(Path("none")).fixed().stamp is None

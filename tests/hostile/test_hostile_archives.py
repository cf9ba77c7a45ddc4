"""Every class of hostile archive is refused with its own code, and nothing is written outside the stage."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_tui.errors import HostileArchive
from archive_tui.objects.memory import MemoryStore
from archive_tui.operations.unpacking.archive import unpack_archive
from archive_tui.operations.unpacking.structure import read_archive_structure
from tests.hostile.hostile_archives import GENERATORS, refusal_of
from tests.hostile.zip_builder import Lying, build

_FOUND_WHILE_READING = ("archive_local_header", "archive_descriptor", "archive_gap__", "archive_unicode_path__in")


def _store(archive: bytes) -> MemoryStore:
    store = MemoryStore()
    store.put("a.zip", [archive])
    return store


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_is_refused_with_its_code(name: str, tmp_path: Path) -> None:
    stage = tmp_path / "deep" / "stage"
    stage.mkdir(parents=True)
    store = _store(GENERATORS[name]())
    with pytest.raises(HostileArchive) as caught:
        unpack_archive(store, "a.zip", stage)
    assert caught.value.code == refusal_of(name)
    assert caught.value.hint
    assert "\x1b" not in str(caught.value) and "\u202e" not in str(caught.value)
    assert [path for path in tmp_path.rglob("*") if stage not in path.parents] == [stage.parent, stage]


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_is_refused_from_its_structure(name: str) -> None:
    """Only what stands beside the content may wait until the content is read."""
    store = _store(GENERATORS[name]())
    if name.startswith(_FOUND_WHILE_READING) and name != "archive_gap__large":
        read_archive_structure(store, "a.zip")
        return
    with pytest.raises(HostileArchive) as caught:
        read_archive_structure(store, "a.zip")
    assert caught.value.code == refusal_of(name)


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_verification_refuses_it_as_well(name: str) -> None:
    with pytest.raises(HostileArchive) as caught:
        unpack_archive(_store(GENERATORS[name]()), "a.zip", None)
    assert caught.value.code == refusal_of(name)


def test_the_honest_archive_of_the_builder_is_accepted(tmp_path: Path) -> None:
    """Else the refusals above would prove nothing."""
    folder = Lying(name=b"sub/", content=b"", method=0, attributes=0o040755 << 16 | 0x10)
    archive = build(Lying(), folder, Lying(name=b"sub/b", method=0), Lying(name="ü".encode(), flags=0x808))
    unpacked = unpack_archive(_store(archive), "a.zip", tmp_path)
    assert [entry.path for entry in unpacked.inventory] == ["a.txt", "sub/b", "ü"]
    assert not unpacked.damaged
    assert (tmp_path / "sub" / "b").read_bytes() == Lying().content


@pytest.mark.parametrize(
    ("member", "word"),
    [
        (Lying(crc=5), "checksum"),
        (Lying(size=7), "longer"),
        (Lying(size=300), "instead of 300"),
        (Lying(body=b"\xff\xff\xff\xff", content=b"x"), "inflated"),
        (Lying(body=Lying().packed() + b"more"), "bytes follow"),
        (Lying(body=Lying().packed()[:-3]), "cut short"),
        (Lying(method=0, crc=5), "checksum"),
    ],
)
def test_content_that_lies_is_a_finding_and_the_rest_goes_on(member: Lying, word: str, tmp_path: Path) -> None:
    unpacked = unpack_archive(_store(build(member, Lying(name=b"good"))), "a.zip", tmp_path)
    assert [(finding.path, word in finding.detail) for finding in unpacked.damaged] == [("a.txt", True)]
    assert [entry.path for entry in unpacked.inventory] == ["good"]
    assert [path.name for path in tmp_path.iterdir()] == ["good"]


def test_large_content_that_lies_is_cut_and_not_kept(tmp_path: Path) -> None:
    bomb = Lying(name=b"bomb", content=bytes(64 << 20), size=9 << 20, crc=0)
    broken = Lying(name=b"broken", content=bytes(range(256)) * (40 << 10), method=0, crc=5)
    short = Lying(name=b"short", content=bytes(range(256)) * (36 << 10), size=10 << 20)
    unpacked = unpack_archive(_store(build(bomb, broken, short, Lying(name=b"good"))), "a.zip", tmp_path)
    assert [finding.path for finding in unpacked.damaged] == ["bomb", "broken", "short"]
    assert "longer" in unpacked.damaged[0].detail
    assert [path.name for path in tmp_path.iterdir()] == ["good"]

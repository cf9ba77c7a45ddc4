"""Archives that are refused stand in tests/hostile."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_tui.errors import HostileArchive, IntegrityError
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectReader
from archive_tui.operations.unpacking import manifest_member
from archive_tui.operations.unpacking.manifest_member import read_manifest_member
from archive_tui.operations.unpacking.structure import read_archive_structure
from tests.hostile.zip_builder import Lying, build
from tests.operations.packed_trees import VARIED_TREE, make_manifest, pack_tree, store_archive, write_tree


class CountingStore(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.reads: list[int | None] = []

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        self.reads.append(length)
        return super().open(key, offset, length)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tree(tmp_path_factory.mktemp("source") / "varied", VARIED_TREE)


def test_members_come_in_the_order_of_their_bytes(source: Path) -> None:
    archive = pack_tree(source)
    structure = read_archive_structure(store_archive(archive), "a.zip")
    assert [member.path for member in structure.members] == [*sorted(VARIED_TREE), "manifest.json"]
    assert [member.size for member in structure.members[:-1]] == [
        len(VARIED_TREE[path]) for path in sorted(VARIED_TREE)
    ]
    assert structure.size == len(archive)
    assert structure.content_bytes == sum(member.size for member in structure.members)
    ends = [structure.record_end(index) for index in range(len(structure.members))]
    assert ends == [*(member.header_offset for member in structure.members[1:]), structure.directory_offset]


def test_the_directory_may_be_longer_than_the_tail(tmp_path: Path) -> None:
    names = [f"{'long name ' * 15}{number}" for number in range(2000)]
    archive = build(*(Lying(name=name.encode(), method=0, content=b"") for name in names))
    store = CountingStore()
    store.put("a.zip", [archive])
    assert [member.path for member in read_archive_structure(store, "a.zip").members] == names
    assert len(store.reads) == 2


def test_the_manifest_costs_two_or_three_ranged_reads(source: Path, tmp_path: Path) -> None:
    store = CountingStore()
    store.put("a.zip", [pack_tree(source)])
    manifest = read_manifest_member(store, "a.zip")
    assert manifest.startswith(b"[[")
    assert len(store.reads) == 2
    assert None not in store.reads and sum(length or 0 for length in store.reads) < 200_000


def test_an_archive_without_manifest() -> None:
    with pytest.raises(HostileArchive) as caught:
        read_manifest_member(store_archive(build(Lying(), Lying(name=b"sub/manifest.json"))), "a.zip")
    assert caught.value.code == "archive-no-manifest"


def test_a_manifest_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest_member, "LARGEST_MANIFEST", 10)
    with pytest.raises(HostileArchive) as caught:
        read_manifest_member(store_archive(build(Lying(name=b"manifest.json"))), "a.zip")
    assert caught.value.code == "archive-manifest-size"


@pytest.mark.parametrize("lie", [{"crc": 1}, {"size": 30}, {"body": b"\xff\xff\xff"}])
def test_a_damaged_manifest(lie: dict[str, int]) -> None:
    with pytest.raises(IntegrityError) as caught:
        read_manifest_member(store_archive(build(Lying(name=b"manifest.json", **lie))), "a.zip")
    assert caught.value.code == "archive-damaged"


def test_the_manifest_is_what_its_maker_returned(source: Path) -> None:
    seen: list[bytes] = []
    archive = pack_tree(source, make_manifest=lambda inventory: seen.append(make_manifest(inventory)) or seen[0])
    assert read_manifest_member(store_archive(archive), "a.zip") == seen[0]

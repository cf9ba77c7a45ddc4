"""Unpacking from every point that is written down gives what unpacking from the beginning gives."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.datasets.archive_reading import StoredArchive, look_at_archive, read_archive
from archive_tui.archives.datasets.catalog import DatasetVersion
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.integrity.sealed_document import open_sealed
from archive_tui.objects.memory import MemoryStore
from archive_tui.operations.packing.deflate_blocks import BLOCK_SIZE, STREAM_END, block_ends, deflate_block
from archive_tui.operations.unpacking.archive import unpack_archive
from archive_tui.operations.unpacking.continuation import ArchiveJournal
from archive_tui.operations.unpacking.stage_proof import clear_stage, prove_stage
from archive_tui.progress import Event, Notice, ignore, never
from tests.jobs.kinds.job_work import MemoryJournal
from tests.operations.packed_trees import pack_tree, read_tree, write_tree

MIB = 1 << 20
KEY = "d.0.0.1.zip"
POINT = "archive point"


class EveryPoint(MemoryJournal):
    def __init__(self) -> None:
        super().__init__()
        self.points: list[bytes] = []

    def save(self, name: str, content: bytes | None, *, durable: bool = False) -> None:
        super().save(name, content)
        if content is not None:
            self.points.append(content)


def make_text(size: int, seed: int = 1) -> bytes:
    source = random.Random(seed)
    words = [b"%d;" % source.getrandbits(20) for _ in range(5000)]
    return b"".join(source.choices(words, k=size // 5))[:size].ljust(size, b"\n")


CONTENTS = {
    "a/small.txt": make_text(1000),
    "b/large text": make_text(8 * MIB + 77, 2),
    "c/large random": random.Random(3).randbytes(5 * MIB + 1),
    "d/zeros": bytes(10 * MIB),
    "e/exact": make_text(8 * MIB, 4),
    "f/small": b"x" * 100_000,
    "g/empty": b"",
}


def make_manifest(contents: dict[str, bytes]) -> bytes:
    files = [{"file": path, "sha256": sha256_of_bytes(data), "size": len(data)} for path, data in contents.items()]
    return json.dumps({"datetime": "2024-01-01T00:00:00", "files": files}).encode()


def store_archive(content: bytes) -> StoredArchive:
    store = MemoryStore()
    store.put(KEY, [content], len(content))
    version = DatasetVersion("d", "0.0.1", KEY, len(content))
    return look_at_archive(store, version, store.info(KEY), stop=never)


def begin(archive: StoredArchive, journal: MemoryJournal, every: int = 1) -> ArchiveJournal:
    manifest = archive.manifest
    return ArchiveJournal(
        journal, "unpack", "stamp", archive.structure, manifest.inventory, archive.manifest_content, every=every
    )


@pytest.fixture(name="archive", scope="module", params=[-1, 0, 1])
def pack_contents(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StoredArchive:
    root = write_tree(tmp_path_factory.mktemp("packed"), CONTENTS)
    return store_archive(
        pack_tree(root, make_manifest=lambda _: make_manifest(CONTENTS), compression_level=request.param)
    )


def unpack(archive: StoredArchive, into: Path | None, kept: ArchiveJournal | None) -> Any:
    return unpack_archive(archive.store, KEY, into, structure=archive.structure, journal=kept)


def test_from_every_point(archive: StoredArchive) -> None:
    whole = unpack(archive, None, None)
    journal = EveryPoint()
    assert unpack(archive, None, begin(archive, journal)) == whole
    assert len({len(point) for point in journal.points}) > 1, "between members, and within them"
    places = []
    for point in journal.points[::2]:
        kept = begin(archive, MemoryJournal(saved={POINT: point}))
        taken = kept.load()
        assert taken is not None
        places.append(taken.position(archive.structure))
        assert unpack(archive, None, kept) == whole
    assert places == sorted(places)
    within = [json.loads(point[64:])["index"] for point in journal.points if b"inside" in point]
    assert len(set(within)) >= 3, "in every large member that is more than a block of the reader"


def test_into_a_stage(archive: StoredArchive, tmp_path: Path) -> None:
    journal = EveryPoint()
    complete = tmp_path / "complete"
    complete.mkdir()
    unpack(archive, complete, begin(archive, journal))
    for number, point in enumerate(journal.points[:: max(1, len(journal.points) // 8)]):
        stage = tmp_path / str(number)
        write_tree(stage, read_tree(complete))
        kept = begin(archive, MemoryJournal(saved={POINT: point}))
        assert kept.load() is not None
        assert prove_stage(stage, archive.structure, kept, report=ignore, stop=never)
        assert read_tree(stage).keys() < read_tree(complete).keys() or kept.point.index == len(CONTENTS)  # type: ignore[union-attr]
        unpack(archive, stage, kept)
        assert read_tree(stage) == read_tree(complete)
        clear_stage(stage)
        assert list(stage.iterdir()) == []


def test_a_point_of_another_archive_does_not_count(archive: StoredArchive) -> None:
    journal = EveryPoint()
    unpack(archive, None, begin(archive, journal))
    other = dict(CONTENTS, more=b"1")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for path, data in other.items():
            packed.writestr(path, data)
        packed.writestr("manifest.json", make_manifest(other))
    kept = begin(store_archive(buffer.getvalue()), MemoryJournal(saved={POINT: journal.points[-1]}))
    assert kept.load() is None


def test_no_point_lies_behind_a_member_that_is_not_what_the_manifest_says() -> None:
    listed = dict(CONTENTS, **{"c/large random": b"other"})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("manifest.json", make_manifest(listed))
        for path, data in CONTENTS.items():
            packed.writestr(path, data)
    archive, journal = store_archive(buffer.getvalue()), EveryPoint()
    wrong = next(i for i, member in enumerate(archive.structure.members) if member.path == "c/large random")
    unpack(archive, None, begin(archive, journal))
    indices = [open_sealed(point)["index"] for point in journal.points]  # type: ignore[index]
    assert indices
    assert max(indices) <= wrong
    marks = {mark.item: mark.is_good for mark in journal.of("unpack")}
    assert [path for path, is_good in marks.items() if not is_good] == ["c/large random"]


def make_zip_with_flushes(data: bytes) -> bytes:
    """One member as a program packs it that flushes after each mebibyte and still refers to what is before it."""
    stream = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = b"".join(
        stream.compress(data[start : start + MIB]) + stream.flush(zlib.Z_SYNC_FLUSH)
        for start in range(0, len(data), MIB)
    )
    packed += stream.flush()
    manifest = make_manifest({"data": data})
    records, central = b"", b""
    for name, method, body, content in ((b"data", 8, packed, data), (b"manifest.json", 0, manifest, manifest)):
        sizes = (zlib.crc32(content), len(body), len(content))
        offset = len(records)
        records += struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, method, 0, 33, *sizes, len(name), 0) + name + body
        central += struct.pack("<4s4B4H3L5H2L", b"PK\1\2", 20, 3, 20, 0, 0, method, 0, 33, *sizes, len(name), 0, 0, 0, 0, 0, offset) + name  # fmt: skip  # noqa: E501
    return records + central + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 2, 2, len(central), len(records), 0)


def test_a_place_that_looks_like_the_end_of_a_block_and_is_none() -> None:
    archive = store_archive(make_zip_with_flushes(make_text(3 * MIB, 7) * 4))
    journal = EveryPoint()
    whole = unpack(archive, None, begin(archive, journal))
    events: list[Event] = []
    kept = begin(archive, MemoryJournal(saved={POINT: journal.points[-1]}))
    assert kept.load() is not None
    reading = read_archive(archive, None, kept, report=events.append, stop=never)
    assert (reading.findings, reading.unpacked, reading.notes) == ((), whole, ())
    assert any(isinstance(event, Notice) and "read from its beginning" in event.text for event in events)


@pytest.mark.parametrize("level", [-1, 1, 9])
@pytest.mark.parametrize("kind", ["text", "random", "zeros"])
def test_the_ends_of_blocks_are_found(kind: str, level: int) -> None:
    make = {"text": make_text, "random": lambda size, seed: random.Random(seed).randbytes(size)}
    blocks = [make.get(kind, lambda size, seed: bytes(size))(BLOCK_SIZE, seed) for seed in range(3)]
    packed, ends = b"", []
    for block in blocks:
        packed += deflate_block(block, level)
        ends.append(len(packed))
    assert set(ends) <= set(block_ends(packed + STREAM_END))


def test_nothing_is_an_end_in_a_few_bytes() -> None:
    assert list(block_ends(b"")) == []
    assert list(block_ends(b"\x00\x00\xff")) == []
    assert list(block_ends(b"\x00\x10\x00\xef\xff" + bytes(15))) == []

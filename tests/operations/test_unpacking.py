from __future__ import annotations

import gc
import hashlib
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive_tui.errors import (
    HostileArchive,
    IntegrityError,
    ObjectNotFound,
    OperationStopped,
    StorageError,
    StorageFull,
)
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectReader
from archive_tui.operations import zip_format
from archive_tui.operations.unpacking import stage_folder
from archive_tui.operations.unpacking.archive import unpack_archive
from archive_tui.operations.unpacking.structure import read_archive_structure
from archive_tui.progress import BytesDone, Ended, Event, ItemDone, ItemFailed, Planned
from tests.operations.packed_trees import (
    MIB,
    VARIED_TREE,
    pack_tree,
    read_tree,
    repeatable_bytes,
    store_archive,
    text_bytes,
    write_tree,
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    root = write_tree(tmp_path_factory.mktemp("source") / "varied", VARIED_TREE)
    (root / "one").chmod(0o755)
    return pack_tree(root)


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    folder = tmp_path / "stage"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_round_trip(archive: bytes, stage: Path, threads: int) -> None:
    unpacked = unpack_archive(store_archive(archive), "a.zip", stage, threads=threads)
    found = read_tree(stage)
    assert found.pop("manifest.json") == unpacked.manifest
    assert found == VARIED_TREE
    assert unpacked.damaged == ()
    assert (unpacked.archive_digest, unpacked.archive_size) == (hashlib.sha256(archive).hexdigest(), len(archive))
    assert {entry.path: (entry.size, entry.digest) for entry in unpacked.inventory} == {
        path: (len(content), hashlib.sha256(content).hexdigest()) for path, content in VARIED_TREE.items()
    }
    assert unpacked.manifest is not None and len(json.loads(unpacked.manifest)) == len(VARIED_TREE)


def test_verification_finds_the_same_and_writes_nothing(
    archive: bytes, stage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_archive(archive)
    monkeypatch.chdir(stage)
    verified = unpack_archive(store, "a.zip", None)
    assert not list(stage.iterdir())
    assert verified == unpack_archive(store, "a.zip", stage)


_PATHS = st.lists(st.text("abcäß日 .-_", min_size=1, max_size=6), min_size=1, max_size=3).map("/".join)
_CONTENTS = st.one_of(
    st.binary(max_size=300),
    st.tuples(st.binary(max_size=20), st.integers(0, 200_000)).map(lambda pair: (pair[0] * 10_000)[: pair[1]]),
    st.integers(0, 100_000).map(repeatable_bytes),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=st.dictionaries(_PATHS, _CONTENTS, max_size=6), level=st.sampled_from([-1, 0, 1, 9]))
def test_any_tree_comes_back(tmp_path: Path, tree: dict[str, bytes], level: int) -> None:
    from archive_tui.names.member_paths import find_clashes, find_path_fault

    tree = {path: content for path, content in tree.items() if find_path_fault(path) is None}
    if find_clashes(tree):
        return
    for name in ("source", "target"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    archive = pack_tree(write_tree(tmp_path / "source", tree), compression_level=level)
    (tmp_path / "target").mkdir()
    unpacked = unpack_archive(store_archive(archive), "a.zip", tmp_path / "target")
    found = read_tree(tmp_path / "target")
    del found["manifest.json"]
    assert found == tree and not unpacked.damaged
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert {name: opened.read(name) for name in tree} == tree


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, MIB - 1, MIB, MIB + 1, 4 * MIB, 4 * MIB + 1, 8 * MIB, 10 * MIB])
@pytest.mark.parametrize("level", [-1, 0, 6])
def test_sizes_at_every_edge(tmp_path: Path, stage: Path, size: int, level: int) -> None:
    tree = {"zeros": bytes(size), "text": text_bytes(size), "noise": repeatable_bytes(size)}
    archive = pack_tree(write_tree(tmp_path / "source", tree), compression_level=level)
    assert not unpack_archive(store_archive(archive), "a.zip", stage).damaged
    assert {path: content for path, content in read_tree(stage).items() if path != "manifest.json"} == tree


def test_archives_of_shutil_are_read(tmp_path: Path, stage: Path) -> None:
    """The original wrote them: entries for folders, times and modes of the files, the manifest anywhere."""
    source = write_tree(tmp_path / "source", {**VARIED_TREE, "manifest.json": b"{}"})
    (source / "empty folder" / "inner").mkdir(parents=True)
    (source / "one").chmod(0o755)
    made = Path(shutil.make_archive(str(tmp_path / "made"), "zip", source))
    unpacked = unpack_archive(store_archive(made.read_bytes()), "a.zip", stage)
    assert not unpacked.damaged and unpacked.manifest == b"{}"
    assert read_tree(stage) == read_tree(source)
    assert (stage / "empty folder" / "inner").is_dir()
    assert "empty folder" not in unpacked.inventory


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("comment", [b"", b"a remark"])
def test_archives_of_zipfile_are_read(stage: Path, method: int, comment: bytes) -> None:
    """Also streamed ones, whose headers leave the sizes to data descriptors, and forced zip64 fields."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.written = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.written += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", method) as made:  # type: ignore[type-var]
        made.comment = comment
        made.writestr("ä.txt", text_bytes(10_000))
        for name, wide in (("narrow", False), ("wide", True)):
            with made.open(name, "w", force_zip64=wide) as member:
                member.write(repeatable_bytes(9 * MIB, name))
    unpacked = unpack_archive(store_archive(pipe.written), "a.zip", stage)
    assert not unpacked.damaged
    assert read_tree(stage) == {
        "ä.txt": text_bytes(10_000),
        "narrow": repeatable_bytes(9 * MIB, "narrow"),
        "wide": repeatable_bytes(9 * MIB, "wide"),
    }


def test_zip64_is_read_back(tmp_path: Path, stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as lowered:
        lowered.setattr(zip_format, "ZIP64_LIMIT", 100_000)
        lowered.setattr(zip_format, "ZIP64_COUNT", 10)
        archive = pack_tree(write_tree(tmp_path / "source", VARIED_TREE))
    assert not unpack_archive(store_archive(archive), "a.zip", stage).damaged
    assert {path: content for path, content in read_tree(stage).items() if path != "manifest.json"} == VARIED_TREE


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_modes_obey_the_umask(archive: bytes, stage: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        unpack_archive(store_archive(archive), "a.zip", stage)
    finally:
        os.umask(before)
    assert (stage / "one").stat().st_mode & 0o777 == 0o755 & ~umask
    assert (stage / "empty").stat().st_mode & 0o777 == 0o644 & ~umask
    assert (stage / "streamed.bin").stat().st_mode & 0o777 == 0o644 & ~umask


def test_events_tell_absolute_totals(archive: bytes) -> None:
    events: list[Event] = []
    unpack_archive(store_archive(archive), "a.zip", None, report=events.append)
    assert events[0] == Planned("verify", len(VARIED_TREE), len(archive))
    assert events[-1] == Ended("verify", True)
    assert [event.total for event in events if isinstance(event, BytesDone)][-1] == len(archive)
    done = [event.items_total for event in events if isinstance(event, ItemDone)]
    assert done == list(range(1, len(VARIED_TREE) + 1))


def test_stop_is_obeyed(archive: bytes, stage: Path) -> None:
    stop = threading.Event()
    events: list[Event] = []

    def report(event: Event) -> None:
        events.append(event)
        if isinstance(event, BytesDone):
            stop.set()

    with pytest.raises(OperationStopped):
        unpack_archive(store_archive(archive), "a.zip", stage, report=report, stop=stop)
    assert events[-1] == Ended("unpack", False)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("archive-tui-")]


def test_an_absent_archive(stage: Path) -> None:
    with pytest.raises(ObjectNotFound):
        unpack_archive(MemoryStore(), "a.zip", stage)


# -- damage ------------------------------------------------------------------------------------------------------


def _small_archive(tmp_path: Path) -> bytes:
    tree = {"a.csv": text_bytes(5000), "b.bin": repeatable_bytes(3000), "sub/c": b"", "x": b"x"}
    return pack_tree(write_tree(tmp_path / "small", tree))


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    """Refused, found damaged, or harmless for the content; then the digest of the archive still tells."""
    archive = _small_archive(tmp_path)
    sound = unpack_archive(store_archive(archive), "a.zip", None)
    for position in range(0, len(archive), 3):
        flipped = bytearray(archive)
        flipped[position] ^= 1 << position % 8
        try:
            found = unpack_archive(store_archive(bytes(flipped)), "a.zip", None)
        except IntegrityError:
            continue
        assert found.archive_digest != sound.archive_digest
        assert found.damaged or (found.inventory == sound.inventory and found.manifest == sound.manifest)


def test_flipped_bits_in_large_members_are_findings(archive: bytes, stage: Path) -> None:
    structure = read_archive_structure(store_archive(archive), "a.zip")
    for member in structure.members:
        if member.size < 100_000:
            continue
        flipped = bytearray(archive)
        flipped[member.header_offset + len(member.raw_name) + 30 + member.compressed_size // 2] ^= 16
        events: list[Event] = []
        found = unpack_archive(store_archive(bytes(flipped)), "a.zip", stage, report=events.append)
        assert [finding.path for finding in found.damaged] == [member.path]
        assert [event.item for event in events if isinstance(event, ItemFailed)] == [member.path]
        assert member.path not in found.inventory and not (stage / member.path).exists()
        assert len(found.inventory) == len(VARIED_TREE) - 1
        shutil.rmtree(stage)
        stage.mkdir()


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    archive = _small_archive(tmp_path)
    for length in range(0, len(archive), 7):
        with pytest.raises(HostileArchive):
            unpack_archive(store_archive(archive[:length]), "a.zip", None)


class _ShortStore(MemoryStore):
    """Says one size and gives fewer bytes, when asked for the whole."""

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        reader = super().open(key, offset, length)
        return reader if length is not None else io.BytesIO(reader.read()[:-5000])


def test_an_object_that_ends_early_is_an_error(archive: bytes, stage: Path) -> None:
    store = _ShortStore()
    store.put("a.zip", [archive])
    with pytest.raises(IntegrityError) as caught:
        unpack_archive(store, "a.zip", stage)
    assert caught.value.code == "archive-truncated"


def test_an_object_that_is_replaced_after_its_structure_was_read(tmp_path: Path) -> None:
    tree = {"a": b"1" * 50, "b": b"2" * 50}
    first = pack_tree(write_tree(tmp_path / "t", tree), make_manifest=lambda _: b"{}")
    second = pack_tree(write_tree(tmp_path / "t", tree | {"c": b""}), make_manifest=lambda _: b"{}")
    structure = read_archive_structure(store_archive(first), "a.zip")
    with pytest.raises(IntegrityError):
        unpack_archive(store_archive(second), "a.zip", None, structure=structure)
    longer = store_archive(first + b"more")
    with pytest.raises(IntegrityError) as caught:
        unpack_archive(longer, "a.zip", None, structure=structure)
    assert caught.value.code == "archive-changed"


# -- the stage ---------------------------------------------------------------------------------------------------


def test_a_symlink_in_the_stage_is_not_followed(archive: bytes, stage: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (stage / "many").symlink_to(outside)
    with pytest.raises(StorageError):
        unpack_archive(store_archive(archive), "a.zip", stage)
    assert not list(outside.iterdir())


@pytest.mark.parametrize("name", ["text.csv", "streamed.csv"])
def test_nothing_is_replaced(archive: bytes, stage: Path, name: str) -> None:
    (stage / name).write_bytes(b"mine")
    with pytest.raises(HostileArchive) as caught:
        unpack_archive(store_archive(archive), "a.zip", stage)
    assert caught.value.code == "archive-name-clash"
    assert (stage / name).read_bytes() == b"mine"


@pytest.mark.parametrize(("error", "kind"), [(28, StorageFull), (122, StorageFull), (5, StorageError)])
def test_a_full_or_broken_disk_is_said(
    archive: bytes, stage: Path, monkeypatch: pytest.MonkeyPatch, error: int, kind: type[StorageError]
) -> None:
    for fail_at in (1, 5, 200, 310):
        calls = iter(range(1, 100_000))
        write = os.write

        def failing(fd: int, data: bytes) -> int:
            if next(calls) == fail_at:  # noqa: B023
                raise OSError(error, os.strerror(error))
            return write(fd, data)  # noqa: B023

        with monkeypatch.context() as patched, pytest.raises(kind) as caught:
            patched.setattr(stage_folder.os, "write", failing)
            unpack_archive(store_archive(archive), "a.zip", stage)
        assert caught.value.key in VARIED_TREE and caught.value.hint
        shutil.rmtree(stage)
        stage.mkdir()


def test_no_descriptor_is_left_open(archive: bytes, stage: Path) -> None:
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    unpack_archive(store_archive(archive), "a.zip", stage)
    with pytest.raises(HostileArchive):
        unpack_archive(store_archive(archive), "a.zip", stage)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_many_folders_need_few_descriptors(tmp_path: Path, stage: Path) -> None:
    archive = pack_tree(write_tree(tmp_path / "source", {f"d{n}/e/f": b"x" for n in range(300)}))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    in_use = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (in_use + 50, hard))
    try:
        unpack_archive(store_archive(archive), "a.zip", stage)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(read_tree(stage)) == 301


_MEMORY_PROBE = """
import io, os, resource, sys
from pathlib import Path
from archive_tui.objects.object_store import ObjectInfo
from archive_tui.operations.unpacking.archive import unpack_archive

class OneFile:
    def info(self, key):
        return ObjectInfo(key, os.path.getsize(key))
    def open(self, key, offset=0, length=None):
        file = open(key, "rb", buffering=0)
        file.seek(offset)
        return file if length is None else io.BytesIO(file.read(length))

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = unpack_archive(OneFile(), sys.argv[1], None, threads=4)
assert not found.damaged
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_the_archive(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "source", {f"noise{n}": repeatable_bytes(3 * MIB, str(n)) for n in range(20)})
    (root / "text").write_bytes(text_bytes(48 * MIB))
    with (root / "sparse").open("wb") as sparse:
        sparse.truncate(400 * MIB)
    (tmp_path / "a.zip").write_bytes(pack_tree(root))
    used = int(subprocess.check_output([sys.executable, "-c", _MEMORY_PROBE, tmp_path / "a.zip"], text=True))
    assert used < 40 * 1024  # KiB

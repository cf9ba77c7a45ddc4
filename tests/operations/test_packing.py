from __future__ import annotations

import gc
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from archive_tui.errors import (
    ConfigurationError,
    InvalidName,
    OperationStopped,
    SourceChanged,
    SourceError,
    SourceUnreadable,
)
from archive_tui.integrity.inventory import Inventory
from archive_tui.objects.folder.store import FolderStore
from archive_tui.operations import zip_format
from archive_tui.operations.packing import members as member_packing
from archive_tui.operations.packing.archive import WINDOW_BYTES, pack_archive
from archive_tui.operations.packing.members import WHOLE_LIMIT
from archive_tui.operations.scanning.scan import SourceFile, SourceScan, scan_source
from archive_tui.operations.unpacking.archive import unpack_archive
from archive_tui.progress import BytesDone, Ended, Event, ItemDone, Planned
from tests.operations.packed_trees import (
    MIB,
    VARIED_TREE,
    make_manifest,
    pack_tree,
    read_tree,
    repeatable_bytes,
    text_bytes,
    write_tree,
)


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_tree(tmp_path_factory.mktemp("source") / "varied", VARIED_TREE)
    (root / "one").chmod(0o755)
    return root


@pytest.fixture(scope="module")
def archive(varied: Path) -> bytes:
    return pack_tree(varied)


def packing_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("archive-tui-pack")]


@pytest.mark.parametrize("level", [-1, 0, 1, 6, 9])
def test_zipfile_reads_it_back(varied: Path, level: int) -> None:
    with zipfile.ZipFile(io.BytesIO(pack_tree(varied, compression_level=level))) as opened:
        assert opened.testzip() is None
        found = {name: opened.read(name) for name in opened.namelist()}
    assert found.pop("manifest.json")
    assert found == VARIED_TREE


@pytest.fixture
def unzip() -> Callable[[Path], None]:
    """Info-ZIP's test of a whole archive."""
    program = shutil.which("unzip")
    if program is None:
        pytest.skip("apt-get install unzip")

    def test(archive: Path) -> None:
        subprocess.run([program, "-tqq", archive], check=True)

    return test


def test_unzip_accepts_it(varied: Path, tmp_path: Path, unzip: Callable[[Path], None]) -> None:
    target = tmp_path / "a.zip"
    for level in (-1, 0, 5):
        target.write_bytes(pack_tree(varied, compression_level=level))
        unzip(target)


def test_members_are_sorted_and_the_manifest_is_last(archive: bytes) -> None:
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    assert names == [*sorted(VARIED_TREE), "manifest.json"]


def test_times_and_modes_are_fixed(archive: bytes) -> None:
    members = zipfile.ZipFile(io.BytesIO(archive)).infolist()
    assert {member.date_time for member in members} == {(1980, 1, 1, 0, 0, 0)}
    assert {member.create_system for member in members} == {3}
    assert {oct(member.external_attr >> 16) for member in members if member.filename != "one"} == {"0o100644"}
    assert [oct(member.external_attr >> 16) for member in members if member.filename == "one"] == ["0o100755"]


def test_what_does_not_shrink_is_stored(archive: bytes) -> None:
    members = {member.filename: member for member in zipfile.ZipFile(io.BytesIO(archive)).infolist()}
    assert members["noise.bin"].compress_type == zipfile.ZIP_STORED
    assert members["empty"].compress_type == zipfile.ZIP_STORED
    assert members["text.csv"].compress_type == zipfile.ZIP_DEFLATED
    assert members["streamed.bin"].compress_size < members["streamed.bin"].file_size * 1.001
    assert members["streamed-mixed"].compress_size < 4 * MIB


def test_sizes_of_small_members_stand_in_their_headers(archive: bytes) -> None:
    for member in zipfile.ZipFile(io.BytesIO(archive)).infolist():
        assert bool(member.flag_bits & 8) == (member.file_size > WHOLE_LIMIT)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_bytes_do_not_depend_on_threads(varied: Path, archive: bytes, threads: int) -> None:
    assert pack_tree(varied, threads=threads) == archive


def test_bytes_do_not_depend_on_times_umask_and_order(tmp_path: Path, archive: bytes) -> None:
    before = os.umask(0o077)
    try:
        twin = write_tree(tmp_path / "twin", dict(reversed(VARIED_TREE.items())))
    finally:
        os.umask(before)
    (twin / "one").chmod(0o700)
    os.utime(twin / "text.csv", (1, 1))
    assert pack_tree(twin) == archive


def test_bytes_do_not_depend_on_the_locale(varied: Path, archive: bytes) -> None:
    code = (
        "import sys, hashlib; from pathlib import Path; from tests.operations.packed_trees import pack_tree;"
        "print(hashlib.sha256(pack_tree(Path(sys.argv[1]))).hexdigest())"
    )
    for name in ("C", "POSIX", "C.UTF-8"):
        environment = os.environ | {"LC_ALL": name, "TZ": "Asia/Tokyo"}
        found = subprocess.check_output([sys.executable, "-c", code, varied], env=environment, text=True)
        assert found.strip() == hashlib.sha256(archive).hexdigest()


def test_bytes_do_not_depend_on_the_process(varied: Path) -> None:
    """The one-shot function of the deflate library failed this in about one process of thirty."""
    code = (
        "import hashlib; from archive_tui.operations.packing.deflate_blocks import deflate_whole;"
        "line = b'00000 station-0,0.0\\n00001 station-1,31.1\\n00002 station-2,62.2\\n';"
        "print([hashlib.sha256(deflate_whole(line[:n], -1) or b'').hexdigest() for n in range(60)])"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(20)]
    assert len({process.communicate()[0] for process in running}) == 1


def test_every_file_stands_in_the_inventory(varied: Path) -> None:
    seen: list[Inventory] = []
    pack_tree(varied, make_manifest=lambda inventory: seen.append(inventory) or b"{}")
    (inventory,) = seen
    assert {entry.path: (entry.size, entry.digest) for entry in inventory} == {
        path: (len(content), hashlib.sha256(content).hexdigest()) for path, content in VARIED_TREE.items()
    }


def test_events_tell_absolute_totals(varied: Path) -> None:
    events: list[Event] = []
    pack_tree(varied, report=events.append)
    total = sum(map(len, VARIED_TREE.values()))
    assert events[0] == Planned("pack", len(VARIED_TREE), total)
    assert events[-1] == Ended("pack", True)
    totals = [event.total for event in events if isinstance(event, BytesDone)]
    assert totals == sorted(totals) and totals[-1] == total
    done = [(event.item, event.items_total) for event in events if isinstance(event, ItemDone)]
    assert done == [(path, number) for number, path in enumerate(sorted(VARIED_TREE), 1)]


def test_an_empty_source_packs_the_manifest_alone(tmp_path: Path) -> None:
    archive = pack_tree(write_tree(tmp_path / "empty", {}))
    assert zipfile.ZipFile(io.BytesIO(archive)).namelist() == ["manifest.json"]


@pytest.mark.parametrize("level", [-2, 10, True, "6"])
def test_a_bad_level_is_refused_at_once(varied: Path, level: int) -> None:
    with pytest.raises(ConfigurationError):
        pack_archive(scan_source(varied), make_manifest=make_manifest, compression_level=level)


def test_the_manifest_s_name_is_reserved(tmp_path: Path) -> None:
    intruder = SourceFile("manifest.json", 1, 0, 0, 0, 0)
    scan = SourceScan(tmp_path, tmp_path, (intruder,))
    with pytest.raises(InvalidName):
        pack_archive(scan, make_manifest=make_manifest)


# -- the source changes ------------------------------------------------------------------------------------------


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def _shrink(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _rewrite(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _replace(path: Path) -> None:
    twin = path.with_name("twin")
    twin.write_bytes(path.read_bytes())
    os.utime(twin, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    twin.replace(path)


def _become_symlink(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def _become_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _become_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("size", [1000, 3 * MIB, 9 * MIB])
@pytest.mark.parametrize(
    "change", [_grow, _shrink, _rewrite, _replace, _become_symlink, _become_folder, _become_pipe, Path.unlink]
)
def test_a_file_that_changed_since_the_scan_is_named(
    tmp_path: Path, size: int, change: Callable[[Path], object]
) -> None:
    root = write_tree(tmp_path / "source", {"a": b"a", "sub/victim": repeatable_bytes(size), "z": b"z"})
    scan = scan_source(root)
    change(root / "sub" / "victim")
    with pytest.raises(SourceChanged) as caught:
        list(pack_archive(scan, make_manifest=make_manifest))
    assert caught.value.path == "sub/victim"
    assert not packing_threads()


@pytest.mark.parametrize("change", [_grow, _shrink, _rewrite, _replace, Path.unlink])
def test_a_file_that_changes_while_it_is_read_is_named(tmp_path: Path, change: Callable[[Path], object]) -> None:
    size = WINDOW_BYTES + 8 * MIB
    root = write_tree(tmp_path / "source", {"victim": bytes(size)})
    chunks = pack_archive(scan_source(root), make_manifest=make_manifest)
    next(chunks)
    change(root / "victim")
    with pytest.raises(SourceChanged) as caught:
        list(chunks)
    assert caught.value.path == "victim"


def test_a_parent_that_became_a_symlink_is_not_followed(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "source", {"sub/victim": b"inside"})
    scan = scan_source(root)
    (root / "sub").rename(tmp_path / "outside")
    (root / "sub").symlink_to(tmp_path / "outside")
    with pytest.raises(SourceError):
        list(pack_archive(scan, make_manifest=make_manifest))


def test_an_unreadable_file_is_named(varied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(fd: int, length: int, offset: int) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "pread", refuse)
    with pytest.raises(SourceUnreadable) as caught:
        pack_tree(varied)
    assert caught.value.path in VARIED_TREE


def test_short_reads_are_put_together(varied: Path, archive: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, length, offset: pread(fd, min(length, 70_000), offset))
    assert pack_tree(varied) == archive


def test_each_byte_of_the_source_is_read_once(varied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pread = os.pread
    reads: list[int] = []

    def counting(fd: int, length: int, offset: int) -> bytes:
        data = pread(fd, length, offset)
        reads.append(len(data))
        return data

    monkeypatch.setattr(os, "pread", counting)
    pack_tree(varied)
    assert sum(reads) == sum(map(len, VARIED_TREE.values()))


# -- stopping ----------------------------------------------------------------------------------------------------


def test_stop_is_obeyed_in_the_middle(varied: Path) -> None:
    stop = threading.Event()
    events: list[Event] = []
    chunks = pack_archive(scan_source(varied), make_manifest=make_manifest, stop=stop, report=events.append)
    next(chunks)
    stop.set()
    with pytest.raises(OperationStopped):
        list(chunks)
    assert events[-1] == Ended("pack", False)
    assert not packing_threads()


def test_an_abandoned_packing_leaves_no_thread_and_no_open_file(varied: Path) -> None:
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for taken in (1, 3, 20):
        chunks = pack_archive(scan_source(varied), make_manifest=make_manifest)
        for _ in range(taken):
            next(chunks)
        chunks.close()
        assert not packing_threads()
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_a_packing_that_never_began_has_no_thread(varied: Path) -> None:
    pack_archive(scan_source(varied), make_manifest=make_manifest)
    assert not packing_threads()


def test_what_the_manifest_maker_raises_ends_it(varied: Path) -> None:
    def refuse(inventory: Inventory) -> bytes:
        raise KeyError("identical")

    with pytest.raises(KeyError, match="identical"):
        pack_tree(varied, make_manifest=refuse)
    assert not packing_threads()


def test_a_consumer_that_fails_ends_it(varied: Path) -> None:
    def consume() -> None:
        for _ in pack_archive(scan_source(varied), make_manifest=make_manifest):
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        consume()
    gc.collect()
    assert not packing_threads()


def test_an_error_in_a_streamed_file_does_not_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_tree(tmp_path / "source", {"large": bytes(12 * MIB)})
    pread = os.pread

    def fail_late(fd: int, length: int, offset: int) -> bytes:
        if offset >= 3 * MIB:
            raise OSError(5, "Input/output error")
        return pread(fd, length, offset)

    monkeypatch.setattr(os, "pread", fail_late)
    with pytest.raises(SourceError, match="large"):
        pack_tree(root, threads=4)
    assert not packing_threads()


# -- large things ------------------------------------------------------------------------------------------------


def test_zip64_members_offsets_and_counts(varied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same code as for 4 GiB and 65,535 members, with the limits lowered."""
    monkeypatch.setattr(zip_format, "ZIP64_LIMIT", 100_000)
    monkeypatch.setattr(zip_format, "ZIP64_COUNT", 10)
    archive = pack_tree(varied)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist() if name != "manifest.json"} == VARIED_TREE


def test_unzip_accepts_zip64(
    varied: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unzip: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(zip_format, "ZIP64_LIMIT", 100_000)
    monkeypatch.setattr(zip_format, "ZIP64_COUNT", 10)
    (tmp_path / "a.zip").write_bytes(pack_tree(varied))
    unzip(tmp_path / "a.zip")


@pytest.mark.slow
def test_zip64_with_70_000_members(tmp_path: Path, unzip: Callable[[Path], None]) -> None:
    root = write_tree(tmp_path / "source", {f"d{n // 1000}/f{n}": b"%d" % n for n in range(70_000)})
    (tmp_path / "a.zip").write_bytes(pack_tree(root))
    with zipfile.ZipFile(tmp_path / "a.zip") as opened:
        assert len(opened.namelist()) == 70_001
        assert opened.read("d69/f69999") == b"69999"
    unzip(tmp_path / "a.zip")


@pytest.mark.slow
@pytest.mark.parametrize("level", [-1, 0])
def test_zip64_with_a_member_over_4_gib(tmp_path: Path, level: int, unzip: Callable[[Path], None]) -> None:
    root = tmp_path / "source"
    root.mkdir()
    size = (4 << 30) + 5 * MIB + 3
    with (root / "sparse").open("wb") as sparse:
        sparse.truncate(size)
        sparse.write(b"begin")
        sparse.seek(size - 3)
        sparse.write(b"end")
    (root / "zlast").write_bytes(b"after 4 GiB")
    chunks = pack_archive(scan_source(root), make_manifest=make_manifest, compression_level=level)
    with (tmp_path / "a.zip").open("wb") as target:
        target.writelines(chunks)
    with zipfile.ZipFile(tmp_path / "a.zip") as opened:
        assert opened.getinfo("sparse").file_size == size
        assert opened.read("zlast") == b"after 4 GiB"
    unzip(tmp_path / "a.zip")
    verified = unpack_archive(FolderStore(tmp_path), "a.zip", None)
    assert not verified.damaged
    assert verified.inventory["sparse"].size == size


_MEMORY_PROBE = """
import json, resource, sys
from pathlib import Path
from tests.operations.packed_trees import make_manifest
from archive_tui.operations.packing.archive import pack_archive
from archive_tui.operations.scanning.scan import SourceFile, SourceScan, scan_source
scan = scan_source(Path(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
size = sum(map(len, pack_archive(scan, make_manifest=make_manifest, threads=4)))
print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, size]))
"""


def test_memory_does_not_grow_with_the_source(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "source", {f"f{n}": b"" for n in range(3)} | {"text": text_bytes(32 * MIB)})
    with (root / "sparse").open("wb") as sparse:
        sparse.truncate(400 * MIB)
    for number in range(20):
        (root / f"noise{number}").write_bytes(repeatable_bytes(4 * MIB, str(number)))
    used = json.loads(subprocess.check_output([sys.executable, "-c", _MEMORY_PROBE, root], text=True))
    assert used[1] > 80 * MIB
    assert used[0] < 40 * 1024  # KiB


def test_batches_keep_order_and_limits(varied: Path) -> None:
    files = sorted(scan_source(varied).files, key=lambda file: file.path)
    batches = list(member_packing.split_into_batches(files))
    assert [file for batch in batches for file in batch] == files
    for batch in batches:
        assert len(batch) == 1 or sum(file.size for file in batch) <= member_packing.BATCH_BYTES
        assert len(batch) <= member_packing.BATCH_FILES


def test_the_source_is_left_as_it_is(varied: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in varied.rglob("*")}
    pack_tree(varied)
    assert {path: path.stat().st_mtime_ns for path in varied.rglob("*")} == before
    assert read_tree(varied) == VARIED_TREE

"""Results in the order of the paths, the window that bounds what is begun, and names as open(2) takes them."""

import errno
import gc
import hashlib
import os
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from archive_tui.errors import OperationStopped
from archive_tui.integrity import streams
from archive_tui.operations.hashing import batches as hash_batches
from archive_tui.operations.hashing import large_files
from archive_tui.operations.hashing import workers as hash_workers
from archive_tui.operations.hashing.files import hash_files


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def count_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture(autouse=True)
def nothing_is_left_open() -> Iterator[None]:
    gc.collect()  # what earlier tests have dropped is not to be closed in the middle of this one
    descriptors, threads = count_descriptors(), threading.active_count()
    yield
    assert count_descriptors() <= descriptors
    assert threading.active_count() <= threads


class Gate:
    """Large files wait in here until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened = threading.Event()
        real = streams.hash_descriptor

        def wait(*arguments: Any, **options: Any) -> tuple[str, int]:
            assert self.opened.wait(30)
            return real(*arguments, **options)

        monkeypatch.setattr(large_files, "hash_descriptor", wait)


def count_up(names: list[str], taken: list[int]) -> Iterator[str]:
    for number, name in enumerate(names):
        taken[:] = [number + 1]
        yield name


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_one_huge_file_holds_back_a_window_and_no_more(
    threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small").write_bytes(b"s")
    (tmp_path / "huge").write_bytes(b"h" * 300_000)
    monkeypatch.setattr(hash_workers, "WINDOW_FILES", 2000)
    monkeypatch.setattr(hash_workers, "PROCESSES_AFTER", 1000)
    gate = Gate(monkeypatch)
    taken: list[int] = []
    names = ["small"] * 10 + ["huge"] + ["small"] * 20_000
    found = hash_files(tmp_path, count_up(names, taken), threads=threads, in_order=True)
    results: list[str] = []
    seen = []

    def watch() -> None:
        before = -1
        while before != (taken or [0])[0]:  # until nothing is begun any more
            before = (taken or [0])[0]
            watcher_pause.wait(0.4)
        seen.append(before)
        gate.opened.set()

    watcher_pause = threading.Event()
    watcher = threading.Thread(target=watch)
    watcher.start()
    results.extend(item.path for item in found)
    watcher.join()
    assert results == names
    least = 11 if threads == 1 else 2000  # with one core, all of it is for the huge file
    assert least <= seen[0] <= 2000 + 256


def test_duplicates_errors_and_large_files_keep_their_places(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "large").write_bytes(b"l" * 400_000)
    (tmp_path / "larger").write_bytes(b"L" * 20_000_000)
    names = ["larger", "a", "absent", "large", "a", "larger", "a\0b", "\ud800", "a"] * 40
    found = list(hash_files(tmp_path, names, threads=3, in_order=True))
    assert [item.path for item in found] == names
    digests = {"a": digest_of(b"a"), "large": digest_of(b"l" * 400_000), "larger": digest_of(b"L" * 20_000_000)}
    assert [item.digest for item in found] == [digests.get(name) for name in names]
    numbers = {"absent": errno.ENOENT, "a\0b": errno.EINVAL, "\ud800": errno.EINVAL}
    assert [item.error.errno if item.error else None for item in found] == [numbers.get(name) for name in names]
    assert [item.size for item in found[:5]] == [20_000_000, 1, 0, 400_000, 1]


def test_names_no_text_can_hold_reach_the_other_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = [
        b"\xff\xfe",
        b"new\nline",
        b" lead",
        b"-dash",
        "\u00e9\u6f22".encode(),
        b"back\\slash",
        b"\xed\xa0\x80",
        b'"',
    ]
    for name in raw:
        (tmp_path / os.fsdecode(name)).write_bytes(name)
    monkeypatch.setattr(hash_workers, "PROCESSES_AFTER", 0)
    used: list[int] = []
    real = hash_workers.hash_small_files

    def only_bad(paths: Any, names: list[bytes], **options: Any) -> Any:
        used.append(len(names))
        return real(paths, names, **options)

    monkeypatch.setattr(hash_workers, "hash_small_files", only_bad)
    monkeypatch.setattr(hash_batches, "batch_sizes", lambda in_order: repeat(256))
    names = [os.fsdecode(name) for name in raw]
    found = list(hash_files(tmp_path, names, threads=2, follow_symlinks=True, in_order=True))
    assert [item.digest for item in found] == [digest_of(name) for name in raw]
    assert not used, "hashed here"


def test_absolute_names_and_folders_through_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x").write_bytes(b"x" * 300_000)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    names = ["../link/x", f"{tmp_path}/real/x", "../here/.././link//x", "x", "/dev/null", "../link"]
    found = list(hash_files(Path(), names, follow_symlinks=True, in_order=True))
    assert [item.size for item in found] == [300_000] * 3 + [0] * 3
    assert [item.error and (item.error.errno, item.error.strerror) for item in found] == [
        *[None] * 3,
        (errno.ENOENT, "No such file or directory"),
        None,
        (errno.EISDIR, "Is a directory"),
    ]


def test_without_a_root_absolute_names_are_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    names = [f"{tmp_path}/x", "x"]
    found = list(hash_files(tmp_path / "nowhere", names, follow_symlinks=True, in_order=True))
    assert [item.digest for item in found] == [digest_of(b"x"), None]
    assert found[1].error is not None
    assert found[1].error.errno == errno.ENOENT


def test_a_pipe_in_a_list_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (found,) = hash_files(tmp_path, ["pipe"], follow_symlinks=True)
    assert found.error is not None
    assert (found.error.errno, found.error.strerror) == (errno.EINVAL, "Not a regular file")


def test_the_result_of_a_huge_file_does_not_wait_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "first").write_bytes(b"f" * 300_000)
    (tmp_path / "second").write_bytes(b"s" * 300_000)
    opened = threading.Event()
    real = large_files.LargeFiles._hash

    def wait(self: Any, task: Any, path: str, *arguments: Any) -> Any:
        if path == "second":
            assert opened.wait(30)
        return real(self, task, path, *arguments)

    monkeypatch.setattr(large_files.LargeFiles, "_hash", wait)
    found = hash_files(tmp_path, ["first", "second"], threads=2, in_order=True)
    assert next(found).path == "first"
    opened.set()
    assert [item.path for item in found] == ["second"]


def test_a_large_file_that_vanishes_is_an_error_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"l" * 300_000)
    real = hash_workers.hash_small_files

    def remove(*arguments: Any, **options: Any) -> Any:
        answer = real(*arguments, **options)
        (tmp_path / "b").unlink(missing_ok=True)
        return answer

    monkeypatch.setattr(hash_workers, "hash_small_files", remove)
    found = list(hash_files(tmp_path, ["a", "b", "c"], in_order=True))
    assert [item.error and item.error.errno for item in found] == [None, errno.ENOENT, None]
    assert [item.size for item in found] == [300_000, 0, 300_000]


def test_a_stop_while_a_huge_file_holds_all_back(tmp_path: Path) -> None:
    (tmp_path / "huge").write_bytes(bytes(60 << 20))
    (tmp_path / "small").write_bytes(b"s")
    stop = threading.Event()

    def names() -> Iterator[str]:
        yield from ["huge"] + ["small"] * 5000
        stop.set()
        yield "small"

    with pytest.raises(OperationStopped):
        list(hash_files(tmp_path, names(), in_order=True, stop=stop, threads=2))


def test_an_unforeseen_failure_of_a_thread_is_raised_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large").write_bytes(b"l" * 300_000)

    def fail(*arguments: object, **options: object) -> None:
        raise MemoryError("no more")

    monkeypatch.setattr(large_files, "hash_descriptor", fail)
    with pytest.raises(MemoryError, match="no more"):
        list(hash_files(tmp_path, ["large"] * 10, in_order=True))


def test_memory_does_not_grow_with_the_number_of_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").write_bytes(b"x")
    monkeypatch.setattr(sys, "executable", "")  # what this process holds
    peaks = []
    for count in (2_000, 30_000):
        tracemalloc.start()
        for _ in hash_files(tmp_path, ("x" for _ in range(count)), in_order=True):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000

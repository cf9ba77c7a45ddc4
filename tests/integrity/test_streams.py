import errno
import hashlib
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.errors import OperationStopped
from archive_tui.integrity.digest import DIGEST_OF_NOTHING, sha256_of_bytes
from archive_tui.integrity.streams import (
    HashingStream,
    StreamReader,
    hash_descriptor,
    hash_small_files,
    hash_stream,
    read_bounded,
    read_chunks,
)


class StopAfter:
    """Says stop when it has been asked `times` times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_chunks_are_everything_in_order() -> None:
    content = os.urandom(100_000)
    chunks = list(read_chunks(io.BytesIO(content), block_size=7000))
    assert b"".join(chunks) == content
    assert max(map(len, chunks)) == 7000


def test_chunks_stop_within_one_block() -> None:
    chunks = read_chunks(io.BytesIO(b"x" * 100), block_size=10, stop=StopAfter(3))
    with pytest.raises(OperationStopped):
        list(chunks)


def test_what_a_reader_raises_passes_through() -> None:
    class Broken:
        def read(self, size: int = -1, /) -> bytes:
            raise OSError(errno.EIO, "broken")

    with pytest.raises(OSError, match="broken"):
        list(read_chunks(Broken()))


@given(st.lists(st.binary(max_size=50), max_size=10))
def test_streams_hash_what_passes(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)
    stream = HashingStream(chunks)
    assert (stream.digest, stream.size) == (DIGEST_OF_NOTHING, 0)
    assert b"".join(bytes(chunk) for chunk in stream) == whole
    assert (stream.digest, stream.size) == (sha256_of_bytes(whole), len(whole))
    counts: list[int] = []
    assert hash_stream(map(memoryview, chunks), done=counts.append) == (sha256_of_bytes(whole), len(whole))
    assert counts == [sum(map(len, chunks[: i + 1])) for i in range(len(chunks))]


@given(st.lists(st.binary(max_size=20), max_size=8), st.lists(st.integers(-1, 30), max_size=20))
def test_a_stream_reads_like_a_file(chunks: list[bytes], sizes: list[int]) -> None:
    whole = io.BytesIO(b"".join(chunks))
    reader = StreamReader(iter(chunks))
    for size in sizes:
        assert reader.read(size) == whole.read(size)
    assert reader.read() == whole.read()
    assert reader.read(1) == b""


@pytest.fixture(name="folder")
def open_folder(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize("size", [0, 1, 16383, 16384, 16385, 262_144, 1 << 20, (1 << 20) + 1, (8 << 20) + 5])
@pytest.mark.parametrize("read_ahead", [True, False])
def test_open_files_are_hashed_whole(size: int, read_ahead: bool, tmp_path: Path) -> None:
    content = os.urandom(min(size, 1 << 20)) * (size // (1 << 20) or 1)
    content += b"x" * (size - len(content))
    (tmp_path / "f").write_bytes(content)
    counts: list[int] = []
    threads = threading.active_count()
    with (tmp_path / "f").open("rb") as file:
        found = hash_descriptor(file.fileno(), done=counts.append, read_ahead=read_ahead)
    assert found == (hashlib.sha256(content).hexdigest(), size)
    assert counts == sorted(counts)
    assert not counts or counts[-1] == size
    assert threading.active_count() == threads


@pytest.mark.parametrize("read_ahead", [True, False])
def test_hashing_stops_within_a_block(read_ahead: bool, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(16 << 20))
    counts: list[int] = []
    threads = threading.active_count()
    with (tmp_path / "f").open("rb") as file, pytest.raises(OperationStopped):
        hash_descriptor(file.fileno(), done=counts.append, stop=StopAfter(3), read_ahead=read_ahead)
    assert len(counts) == 3
    assert threading.active_count() == threads


def test_a_read_error_in_the_thread_ahead_is_raised_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(bytes(9 << 20))
    calls = iter(range(100))
    real = os.readv

    def fail(descriptor: int, buffers: list[memoryview]) -> int:
        if next(calls) == 3:
            raise OSError(errno.EIO, "Input/output error")
        return real(descriptor, buffers)

    monkeypatch.setattr(os, "readv", fail)
    with (tmp_path / "f").open("rb") as file, pytest.raises(OSError, match="Input/output"):
        hash_descriptor(file.fileno())
    assert not [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


def test_a_given_buffer_is_enough(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc" * 1000)
    with (tmp_path / "f").open("rb") as file:
        assert hash_descriptor(file.fileno(), buffer=bytearray(7)) == (sha256_of_bytes(b"abc" * 1000), 3000)


def test_small_files_give_digests_or_errors(tmp_path: Path, folder: int) -> None:
    contents = {"empty": b"", "one": b"1", "page": b"p" * 4096, "full": b"f" * 16384, "middle": b"m" * 200_000}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "large").write_bytes(b"l" * 200_001)
    (tmp_path / "link").symlink_to("one")
    (tmp_path / "sub").mkdir()
    os.mkfifo(tmp_path / "pipe")
    names = [*contents, "large", "link", "sub", "pipe", "absent"]
    found = hash_small_files(folder, names, largest=200_000)
    assert found[:5] == [(len(content), sha256_of_bytes(content), 0) for content in contents.values()]
    assert found[5:] == [
        (200_001, None, 0),
        (0, None, errno.ELOOP),
        (0, None, errno.EISDIR),
        (0, None, errno.EINVAL),
        (0, None, errno.ENOENT),
    ]


def test_a_device_is_no_file() -> None:
    folder = os.open("/dev", os.O_RDONLY)
    try:
        assert hash_small_files(folder, ["zero", "null"], largest=10) == [(0, None, errno.EINVAL)] * 2
    finally:
        os.close(folder)


def test_small_files_stop(tmp_path: Path, folder: int) -> None:
    for number in range(40):
        (tmp_path / str(number)).write_bytes(b"x")
    found = hash_small_files(folder, [str(number) for number in range(40)], largest=10, stop=StopAfter(1))
    assert [answer is None for answer in found] == [False] * 16 + [True] * 24


def test_no_descriptor_is_left_open(tmp_path: Path, folder: int) -> None:
    (tmp_path / "a").write_bytes(b"x" * 20_000)
    before = len(list(Path("/proc/self/fd").iterdir()))
    hash_small_files(folder, ["a", "absent", "a"] * 10, largest=10)
    hash_small_files(folder, ["a", "absent", "a"] * 10, largest=100_000)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    ("size", "limit", "fits"), [(0, 0, True), (10, 10, True), (11, 10, False), (3 << 20, 4 << 20, True)]
)
def test_bounded_reads(size: int, limit: int, fits: bool, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * size)
    with (tmp_path / "f").open("rb") as file:
        assert read_bounded(file.fileno(), limit) == (b"x" * size if fits else None)

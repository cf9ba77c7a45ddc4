import errno
import hashlib
import io
import os
import threading
from collections.abc import Callable
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


@pytest.mark.parametrize(
    "size", [0, 1, 16383, 16384, 16385, 262_144, 1 << 20, (1 << 20) + 1, (16 << 20) + 5, 18 << 20, 20 << 20]
)
@pytest.mark.parametrize("read_ahead", [True, False, lambda: True, lambda: False], ids=["yes", "no", "free", "busy"])
def test_open_files_are_hashed_whole(size: int, read_ahead: bool | Callable[[], bool], tmp_path: Path) -> None:
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
    (tmp_path / "f").write_bytes(bytes(24 << 20))
    counts: list[int] = []
    threads = threading.active_count()
    with (tmp_path / "f").open("rb") as file, pytest.raises(OperationStopped):
        hash_descriptor(file.fileno(), done=counts.append, stop=StopAfter(3), read_ahead=read_ahead)
    assert len(counts) == 3
    assert threading.active_count() == threads


@pytest.mark.parametrize(("size", "asked_at"), [(1 << 20, []), (17 << 20, [4 << 20]), (40 << 20, [4 << 20])])
def test_whether_a_core_is_free_is_asked_once_and_only_for_large_files(
    size: int, asked_at: list[int], tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(bytes(size))
    counts: list[int] = []
    asked: list[int] = []

    def is_free() -> bool:
        asked.append(counts[-1])
        return True

    with (tmp_path / "f").open("rb") as file:
        assert hash_descriptor(file.fileno(), done=counts.append, read_ahead=is_free)[1] == size
    assert asked == asked_at


@pytest.mark.parametrize("failing_at", [0, 2 << 20, 4 << 20, 6 << 20])
def test_a_read_error_in_either_thread_is_raised_here(
    failing_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "f").write_bytes(bytes(17 << 20))
    real = os.preadv

    def fail(descriptor: int, buffers: list[memoryview], offset: int) -> int:
        if offset == failing_at:
            raise OSError(errno.EIO, "Input/output error")
        return real(descriptor, buffers, offset)

    monkeypatch.setattr(os, "preadv", fail)
    counts: list[int] = []
    with (tmp_path / "f").open("rb") as file, pytest.raises(OSError, match="Input/output"):
        hash_descriptor(file.fileno(), done=counts.append)
    assert max(counts, default=0) <= failing_at
    assert not [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


def test_what_progress_raises_ends_both_threads(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(24 << 20))

    def refuse(count: int) -> None:
        if count > 6 << 20:
            raise KeyboardInterrupt

    with (tmp_path / "f").open("rb") as file, pytest.raises(KeyboardInterrupt):
        hash_descriptor(file.fileno(), done=refuse)
    assert not [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


def test_short_reads_are_not_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = os.urandom(1 << 20) * 17
    (tmp_path / "f").write_bytes(content)
    real = os.preadv
    monkeypatch.setattr(os, "preadv", lambda file, buffers, at: real(file, [buffers[0][:300_001]], at))
    with (tmp_path / "f").open("rb") as file:
        os.lseek(file.fileno(), 5, os.SEEK_SET)
        assert hash_descriptor(file.fileno()) == (sha256_of_bytes(content[5:]), len(content) - 5)


@pytest.mark.parametrize("change", [-(9 << 20), 9 << 20])
def test_a_file_that_changes_its_length_is_hashed_as_far_as_it_goes(change: int, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * (24 << 20))
    sizes = iter([24 << 20])

    def cut(count: int) -> None:
        if next(sizes, None) is not None:
            os.truncate(tmp_path / "f", (24 << 20) + change)

    with (tmp_path / "f").open("rb") as file:
        digest, size = hash_descriptor(file.fileno(), done=cut)
    now = (tmp_path / "f").read_bytes()
    assert (digest, size) == (sha256_of_bytes(now), len(now))


def test_a_given_buffer_is_enough(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc" * 1000)
    with (tmp_path / "f").open("rb") as file:
        assert hash_descriptor(file.fileno(), buffer=bytearray(7)) == (sha256_of_bytes(b"abc" * 1000), 3000)


@pytest.mark.parametrize(
    ("size", "limit", "fits"), [(0, 0, True), (10, 10, True), (11, 10, False), (3 << 20, 4 << 20, True)]
)
def test_bounded_reads(size: int, limit: int, fits: bool, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * size)
    with (tmp_path / "f").open("rb") as file:
        assert read_bounded(file.fileno(), limit) == (b"x" * size if fits else None)

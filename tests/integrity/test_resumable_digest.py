from __future__ import annotations

import ctypes
import hashlib
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.integrity import resumable_digest
from archive_tui.integrity.resumable_digest import ResumableSha256, new_resumable_sha256, restore_sha256


def make() -> ResumableSha256:
    digest = new_resumable_sha256()
    assert digest is not None, "libcrypto is part of every system that this is tested on"
    return digest


@pytest.fixture(name="forgotten")
def forget_the_library() -> Iterator[None]:
    resumable_digest._find_library.cache_clear()
    yield
    resumable_digest._find_library.cache_clear()


@given(st.lists(st.binary(max_size=200), max_size=8), st.integers(0, 8))
def test_it_gives_the_digests_of_hashlib_wherever_it_is_written_down(pieces: list[bytes], cut: int) -> None:
    first = make()
    for piece in pieces[:cut]:
        first.update(piece)
    second = restore_sha256(first.save())
    assert second is not None
    for piece in pieces[cut:]:
        second.update(memoryview(bytearray(piece)))
    content = b"".join(pieces)
    assert second.hexdigest() == hashlib.sha256(content).hexdigest()
    assert second.size == len(content)
    assert first.hexdigest() == hashlib.sha256(b"".join(pieces[:cut])).hexdigest()


def test_states_after_equal_bytes_are_equal() -> None:
    one, other = make(), make()
    one.update(bytes(1000))
    one.update(b"x" * 77)
    other.update(bytes(1000) + b"x" * 77)
    assert one.save() == other.save()
    other.update(b"y")
    assert one.save() != other.save()


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: memoryview(data)[3:]])
def test_every_kind_of_chunk(kind: type) -> None:
    digest = make()
    digest.update(kind(b"abcdef"))
    assert digest.digest() == hashlib.sha256(bytes(kind(b"abcdef"))).digest()


def test_a_state_with_impossible_lengths_is_none() -> None:
    digest = make()
    digest.update(b"x" * 70)
    state = digest.save()
    assert restore_sha256(state) is not None
    for bad in (
        b"",
        state[:39],
        state[:-1],
        state + b"x",
        bytes(32) + b"\xff" * 8,
        bytes(32) + b"\xff" * 8 + bytes(63),
    ):
        assert restore_sha256(bad) is None


def test_it_refuses_what_is_no_buffer() -> None:
    with pytest.raises(TypeError):
        make().update("text")  # type: ignore[arg-type]


def test_other_threads_run_meanwhile() -> None:
    digest, begun, ended = make(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        digest.update(bytes(64 << 20))
        ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    seen = 0
    while not ended.is_set():
        seen += 1
    thread.join()
    assert seen > 100


@pytest.mark.usefixtures("forgotten")
def test_without_a_library_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> ctypes.CDLL:
        raise OSError(name)

    monkeypatch.setattr(resumable_digest.ctypes, "CDLL", refuse)
    assert new_resumable_sha256() is None
    assert restore_sha256(bytes(40)) is None


@pytest.mark.usefixtures("forgotten")
def test_a_library_that_computes_something_else_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumable_digest.hashlib, "sha256", hashlib.sha224)
    assert new_resumable_sha256() is None

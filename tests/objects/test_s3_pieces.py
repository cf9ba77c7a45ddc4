"""Cutting streams into parts."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.objects.s3.pieces import MIB, MOST_PARTS, PieceQueue, make_payload, part_size

TIB = 1 << 40


def test_parts_of_an_unknown_total_reach_5_tib() -> None:
    sizes = [part_size(number, None) for number in range(1, MOST_PARTS + 1)]
    assert sizes == sorted(sizes)
    assert sum(sizes) >= 5 * TIB
    assert max(sizes) <= 5 << 30
    assert min(sizes) == 16 * MIB


@pytest.mark.parametrize("total", [1, 65 * MIB, 100 << 30, 5 * TIB])
def test_parts_of_a_known_total_are_alike_and_few_enough(total: int) -> None:
    size = part_size(1, total)
    assert size == part_size(9_999, total) >= 16 * MIB
    assert -(-total // size) <= MOST_PARTS


@given(st.lists(st.integers(0, 700_000), max_size=8), st.lists(st.integers(1, 900_000), max_size=8))
def test_queue_gives_back_what_it_got(lengths: list[int], takes: list[int]) -> None:
    queue = PieceQueue()
    content = b""
    for index, length in enumerate(lengths):
        chunk = bytes([index]) * length
        content += chunk
        queue.add(chunk)
    assert queue.size == len(content)
    taken = b""
    for take in [*takes, len(content)]:
        part = b"".join(queue.take(take))
        assert len(part) == min(take, len(content) - len(taken))
        taken += part
    assert taken == content
    assert queue.size == 0


def test_payload_hashes_its_pieces() -> None:
    payload = make_payload((b"ab", memoryview(b"cd"), bytearray(b"e")))
    assert (payload.size, payload.digest) == (5, hashlib.sha256(b"abcde").hexdigest())

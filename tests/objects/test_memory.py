from __future__ import annotations

import pytest

from archive_tui.objects.memory import MemoryStore
from tests.conformance.object_store_suite import ObjectStoreSuite, put_bytes


class TestMemoryStore(ObjectStoreSuite):
    """In memory, nothing is saved by small steps: what is pulled is kept until the object is complete."""

    measures_memory = False
    large_size = 3 << 20
    memory_size = 32 << 20

    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


def test_two_stores_share_nothing() -> None:
    first, second = MemoryStore("first"), MemoryStore("second")
    put_bytes(first, "key")
    assert list(second.list()) == []
    assert first.identity != second.identity

"""What differs from store to store in the suite, and what its tests share."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

import pytest

from archive_tui.errors import (
    ObjectExists,
    ObjectNotFound,
)
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.object_store import ObjectStore
from tests.conformance.store_samples import (
    MIB,
    in_chunks,
    make_content,
    read_all,
)


class SuiteSettings:
    """The attributes and hooks that `ObjectStoreSuite` explains."""

    large_size: int = 20 * MIB
    many_keys: int = 1_050
    refused_keys: frozenset[str] = frozenset()
    memory_size: int = 96 * MIB
    memory_limit: int = 40 * MIB
    measures_memory: bool = True
    chunks_after_stop: int = 1
    racing_rounds: int = 3
    racing_writers: int = 8
    secrets: tuple[str, ...] = ()
    is_remote: bool = False
    continues_uploads: bool = False
    keeps_discarded: bool = False
    refuses_other_parts: bool = False

    def leftovers(self, store: ObjectStore) -> list[str]:
        return []

    def losing_replies(self, store: ObjectStore) -> AbstractContextManager[object]:
        raise NotImplementedError("a store behind a network must be tested with replies that are lost")

    def failing_commits(self, store: ObjectStore) -> AbstractContextManager[object]:
        if self.is_remote:
            raise NotImplementedError("a store behind a network must be tested with requests that fail")
        return nullcontext()

    def parts_at(self, store: ObjectStore, key: str) -> set[int]:
        if self.continues_uploads:
            raise NotImplementedError("a store that goes on with parts must show them")
        return set()

    def counting_parts(self, store: ObjectStore) -> AbstractContextManager[list[int]]:
        return nullcontext([])

    @pytest.fixture(autouse=True)
    def nothing_temporary_stays(self, store: ObjectStore) -> Iterator[None]:
        yield
        assert self.leftovers(store) == []

    def assert_nothing_visible(self, store: ObjectStore, key: str) -> None:
        with pytest.raises(ObjectNotFound):
            store.info(key)
        with pytest.raises(ObjectNotFound):
            read_all(store, key)
        assert list(store.list()) == []
        assert list(store.list(recursive=False)) == []
        assert self.leftovers(store) == []

    def _race(self, store: ObjectStore, key: str, writers: int, size: int, if_match: str | None) -> None:
        contents = [make_content(size, seed) for seed in range(writers)]
        barrier = threading.Barrier(writers)

        def slow_source(number: int) -> Iterator[Chunk]:
            for chunk in in_chunks(contents[number], max(1000, size // 10)):
                yield chunk
                time.sleep(0.002)  # so that all have begun before the first one ends

        def write(number: int) -> str:
            barrier.wait(30)
            try:
                store.put(key, slow_source(number), size, if_match=if_match)
            except ObjectExists:
                return "lost"
            return "won"

        with ThreadPoolExecutor(writers) as pool:
            outcomes = list(pool.map(write, range(writers)))
        assert outcomes.count("won") == 1, outcomes
        assert read_all(store, key) == contents[outcomes.index("won")]

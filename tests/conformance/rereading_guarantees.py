"""A source that can be read again, with its digest and size: sent as it is read, and read again when that fails."""

from __future__ import annotations

import hashlib
import threading
import tracemalloc

import pytest

from archive_tui.errors import HashError, ObjectExists, OperationStopped, SourceChanged, StorageError
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.objects.object_store import ObjectStore
from tests.conformance.store_samples import (
    MIB,
    RereadableSource,
    SourceBrokeError,
    SourceTornAway,
    TrackedChunk,
    digest_of,
    fingerprint,
    make_content,
    put_bytes,
    read_all,
)
from tests.conformance.suite_settings import SuiteSettings


class RereadingGuarantees(SuiteSettings):
    def _content(self, large: bool) -> bytes:
        return make_content(self.large_size + 12_345 if large else 70_000)

    @pytest.mark.parametrize("size", [0, 1, 70_000, 3 * MIB + 17])
    def test_source_of_known_digest_is_stored_as_it_is(self, store: ObjectStore, size: int) -> None:
        content = make_content(size)
        result = store.put("a/b", RereadableSource(content), size, digest=digest_of(content))
        assert (result.info.size, result.info.digest) == (size, digest_of(content))
        assert (result.evidence.digest, result.evidence.size) == (digest_of(content), size)
        assert fingerprint(read_all(store, "a/b")) == fingerprint(content)

    def test_large_source_of_known_digest_is_stored_as_it_is(self, store: ObjectStore) -> None:
        content = self._content(large=True)
        counts: list[int] = []
        source = RereadableSource(content, 700_001)
        result = store.put("a/b", source, len(content), digest=digest_of(content), sent=counts.append)
        assert result.evidence.level in (EvidenceLevel.ATTESTED, EvidenceLevel.READ)
        assert (result.info.size, result.info.digest) == (len(content), digest_of(content))
        assert source.readings == 1
        assert counts == sorted(counts)
        assert counts[-1] == len(content)
        assert fingerprint(read_all(store, "a/b")) == fingerprint(content)
        info = store.info("a/b")
        assert info.digest in (None, digest_of(content))
        assert (info.size, info.version) == (len(content), result.info.version)

    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    @pytest.mark.parametrize("fault", ["digest", "shorter", "longer", "last byte"])
    def test_source_that_is_not_what_was_promised_is_never_visible(
        self, store: ObjectStore, large: bool, fault: str
    ) -> None:
        content = self._content(large)
        given = {"shorter": content[:-1], "longer": content + b"x", "last byte": content[:-1] + b"?"}.get(
            fault, content
        )
        digest = digest_of(b"other" if fault == "digest" else content)
        with pytest.raises((HashError, SourceChanged)):
            store.put("a/b", RereadableSource(given), len(content), digest=digest)
        self.assert_nothing_visible(store, "a/b")

    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    @pytest.mark.parametrize("error", [SourceBrokeError, SourceTornAway, PermissionError, ConnectionResetError])
    def test_what_a_rereadable_source_raises_passes_unchanged(
        self, store: ObjectStore, error: type[BaseException], large: bool
    ) -> None:
        content = self._content(large)
        source = RereadableSource(content, error=error("the disk went away"), after=len(content) // 2)
        with pytest.raises(error, match="the disk went away") as caught:
            store.put("a/b", source, len(content), digest=digest_of(content))
        assert type(caught.value) is error
        assert source.readings == 1
        self.assert_nothing_visible(store, "a/b")

    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    def test_stop_in_the_middle_of_a_rereadable_source(self, store: ObjectStore, large: bool) -> None:
        stop = threading.Event()
        content = self._content(large)
        source = RereadableSource(content, at=(len(content) // 2, stop.set))
        with pytest.raises(OperationStopped):
            store.put("a/b", source, len(content), digest=digest_of(content), stop=stop)
        assert source.given <= len(content) // 2 + (1 + self.chunks_after_stop) * source.chunk_size
        self.assert_nothing_visible(store, "a/b")

    def test_rereadable_source_never_replaces(self, store: ObjectStore) -> None:
        put_bytes(store, "a/b", b"first")
        for large in (False, True):
            content = self._content(large)
            with pytest.raises(ObjectExists):
                store.put("a/b", RereadableSource(content), len(content), digest=digest_of(content))
        assert read_all(store, "a/b") == b"first"

    def test_failed_overwrite_by_a_rereadable_source_keeps_the_old(self, store: ObjectStore) -> None:
        put_bytes(store, "a/b", b"old content")
        content = self._content(large=True)
        wrong = RereadableSource(content[:-1] + b"?")
        with pytest.raises(HashError):
            store.put("a/b", wrong, len(content), digest=digest_of(content), overwrite=True)
        assert read_all(store, "a/b") == b"old content"
        store.put("a/b", RereadableSource(content), len(content), digest=digest_of(content), overwrite=True)
        assert fingerprint(read_all(store, "a/b")) == fingerprint(content)

    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    def test_reply_lost_after_the_commit_is_our_own_write_of_a_rereadable_source(
        self, store: ObjectStore, large: bool
    ) -> None:
        if not self.is_remote:
            return  # a call within the machine has no reply that could be lost
        content = self._content(large)
        with self.losing_replies(store):
            result = store.put("a/b", RereadableSource(content), len(content), digest=digest_of(content))
        assert result.info.digest == digest_of(content)
        assert fingerprint(read_all(store, "a/b")) == fingerprint(content)

    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    def test_commit_that_fails_before_the_server_acts_is_repeated_with_the_right_bytes(
        self, store: ObjectStore, large: bool
    ) -> None:
        content = self._content(large)
        with self.failing_commits(store):
            result = store.put("a/b", RereadableSource(content), len(content), digest=digest_of(content))
        assert result.info.digest == digest_of(content)
        assert fingerprint(read_all(store, "a/b")) == fingerprint(content)

    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    def test_source_whose_second_reading_differs_is_never_stored_wrong(self, store: ObjectStore, large: bool) -> None:
        content = self._content(large)
        source = RereadableSource(content, again=content[:-1] + b"?")
        try:
            with self.failing_commits(store):
                store.put("a/b", source, len(content), digest=digest_of(content))
        except (HashError, StorageError):
            assert source.readings > 1
            self.assert_nothing_visible(store, "a/b")
        else:
            assert source.readings == 1  # the store had kept what it needed to repeat
            assert fingerprint(read_all(store, "a/b")) == fingerprint(content)

    def test_memory_does_not_grow_with_a_rereadable_object(self, store: ObjectStore) -> None:
        count = self.memory_size // MIB
        source = RereadableSource(make_content(MIB), MIB, repeat=count, tracked=True)
        whole = hashlib.sha256()
        for chunk in source:
            whole.update(chunk)
        del chunk
        TrackedChunk.most_alive = TrackedChunk.alive
        tracemalloc.start()
        try:
            store.put("big", source, count * MIB, digest=whole.hexdigest())
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert store.info("big").size == count * MIB
        if self.measures_memory:
            assert peak < self.memory_limit
        assert TrackedChunk.most_alive * MIB <= self.memory_limit

"""A put stores all of what it was given, proves it, or leaves nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from archive_tui.errors import (
    HashError,
    ObjectNotFound,
    OperationStopped,
    SourceChanged,
)
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.object_store import ObjectInfo, ObjectStore
from tests.conformance.store_samples import (
    MIB,
    SourceBrokeError,
    SourceTornAway,
    digest_of,
    fingerprint,
    in_chunks,
    listed_keys,
    make_content,
    put_bytes,
    read_all,
)
from tests.conformance.suite_settings import SuiteSettings


class PutGuarantees(SuiteSettings):
    # ---- what was put is there

    @pytest.mark.parametrize("size", [0, 1, 1000, MIB - 1, MIB, MIB + 1, 3 * MIB + 17])
    @pytest.mark.parametrize("size_known", [True, False])
    def test_what_was_put_is_read_back_equal(self, store: ObjectStore, size: int, size_known: bool) -> None:
        content = make_content(size)
        result = store.put("a/object.bin", in_chunks(content), size if size_known else None)
        assert result.info.key == "a/object.bin"
        assert result.info.size == size
        assert result.info.digest == digest_of(content)
        assert fingerprint(read_all(store, "a/object.bin")) == fingerprint(content)
        assert store.info("a/object.bin").size == size
        assert [(entry.key, entry.size) for entry in store.list() if isinstance(entry, ObjectInfo)] == [
            ("a/object.bin", size)
        ]

    @pytest.mark.parametrize("size_known", [True, False])
    def test_large_object_is_read_back_equal(self, store: ObjectStore, size_known: bool) -> None:
        content = make_content(self.large_size + 12_345)
        digest = digest_of(content)
        size = len(content) if size_known else None
        result = store.put("large.bin", in_chunks(content, 700_001), size, digest=digest)
        assert (result.info.size, result.info.digest) == (len(content), digest)
        assert result.evidence.digest == digest
        assert digest_of(read_all(store, "large.bin")) == digest
        middle = self.large_size // 2
        assert fingerprint(read_all(store, "large.bin", middle, 2 * MIB)) == fingerprint(content[middle:][: 2 * MIB])

    def test_chunks_of_any_kind_and_length(self, store: ObjectStore) -> None:
        head, tail = make_content(5), make_content(2 * MIB + 3, 2)
        store.put("kinds", [head, b"", bytearray(tail), memoryview(b""), memoryview(b"end")], digest=None)
        assert fingerprint(read_all(store, "kinds")) == fingerprint(head + tail + b"end")

    def test_one_chunk_larger_than_a_part(self, store: ObjectStore) -> None:
        content = make_content(self.large_size + 1)
        store.put("single", [content], len(content), digest=digest_of(content))
        assert digest_of(read_all(store, "single")) == digest_of(content)

    def test_expected_digest_in_capitals(self, store: ObjectStore) -> None:
        store.put("key", [b"content"], 7, digest=digest_of(b"content").upper())
        assert read_all(store, "key") == b"content"

    @pytest.mark.parametrize("size", [0, 70_000])
    def test_put_returns_digest_and_evidence(self, store: ObjectStore, size: int) -> None:
        content = make_content(size)
        before = time.time() - 5
        result = store.put("proof", in_chunks(content), size)
        assert result.info.digest == digest_of(content)
        evidence = result.evidence
        assert evidence.level in (EvidenceLevel.ATTESTED, EvidenceLevel.READ)
        assert (evidence.store, evidence.key) == (store.identity, "proof")
        assert (evidence.digest, evidence.size) == (digest_of(content), size)
        assert evidence.version == result.info.version == store.info("proof").version
        assert before <= evidence.checked_at <= time.time() + 5
        assert evidence.method

    def test_large_put_returns_evidence(self, store: ObjectStore) -> None:
        content = make_content(self.large_size)
        evidence = store.put("proof", in_chunks(content, MIB)).evidence
        assert evidence.level in (EvidenceLevel.ATTESTED, EvidenceLevel.READ)
        assert (evidence.digest, evidence.size) == (digest_of(content), len(content))

    def test_info_tells_size_version_and_time(self, store: ObjectStore) -> None:
        put_bytes(store, "key", b"12345")
        info = store.info("key")
        assert (info.key, info.size) == ("key", 5)
        assert info.modified is None or abs(info.modified - time.time()) < 3600
        assert info.digest in (None, digest_of(b"12345"))
        assert info.digest is not None or not info.attested

    # ---- all or nothing

    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    def test_short_source_leaves_nothing(self, store: ObjectStore, large: bool) -> None:
        content = make_content(self.large_size if large else 1000)
        with pytest.raises(SourceChanged):
            store.put("a/b", in_chunks(content), len(content) + 1)
        self.assert_nothing_visible(store, "a/b")

    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    def test_long_source_leaves_nothing(self, store: ObjectStore, large: bool) -> None:
        content = make_content(self.large_size if large else 1000)
        with pytest.raises(SourceChanged):
            store.put("a/b", in_chunks(content), len(content) - 1)
        self.assert_nothing_visible(store, "a/b")

    def test_source_of_nothing_that_promised_something(self, store: ObjectStore) -> None:
        with pytest.raises(SourceChanged):
            store.put("a/b", [], 1)
        self.assert_nothing_visible(store, "a/b")
        with pytest.raises(SourceChanged):
            store.put("a/b", [b"x"], 0)
        self.assert_nothing_visible(store, "a/b")

    @pytest.mark.parametrize("error", [SourceBrokeError, SourceTornAway])
    @pytest.mark.parametrize("when", ["first", "small", "large"])
    def test_failing_source_leaves_nothing(self, store: ObjectStore, when: str, error: type[BaseException]) -> None:
        length = {"first": 0, "small": 1000, "large": self.large_size}[when]

        def failing() -> Iterator[Chunk]:
            yield from in_chunks(make_content(length))
            raise error("the disk went away")

        with pytest.raises(error, match="the disk went away"):
            store.put("a/b", failing(), None)
        self.assert_nothing_visible(store, "a/b")
        with pytest.raises(error):
            store.put("a/b", failing(), length + 10)
        self.assert_nothing_visible(store, "a/b")

    @pytest.mark.parametrize("size_known", [True, False])
    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    def test_wrong_digest_is_never_visible(self, store: ObjectStore, large: bool, size_known: bool) -> None:
        content = make_content(self.large_size if large else 1000)
        with pytest.raises(HashError):
            store.put("a/b", in_chunks(content), len(content) if size_known else None, digest=digest_of(b"other"))
        self.assert_nothing_visible(store, "a/b")

    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    def test_nothing_is_visible_before_the_end(self, store: ObjectStore, large: bool) -> None:
        content = make_content(self.large_size if large else 1000)
        seen: list[list[str]] = []

        def watching() -> Iterator[Chunk]:
            yield from in_chunks(content)
            seen.append(listed_keys(store))
            with pytest.raises(ObjectNotFound):
                store.info("a/b")

        store.put("a/b", watching(), None)
        assert seen == [[]]
        assert listed_keys(store) == ["a/b"]

    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    def test_stop_is_obeyed_within_a_chunk(self, store: ObjectStore, large: bool) -> None:
        stop = threading.Event()
        pulled_after_stop = 0

        def endless() -> Iterator[Chunk]:
            nonlocal pulled_after_stop
            sent = 0
            while True:
                if stop.is_set():
                    pulled_after_stop += 1
                yield bytes(100_000)
                sent += 100_000
                if sent >= (self.large_size if large else 300_000):
                    stop.set()

        with pytest.raises(OperationStopped):
            store.put("a/b", endless(), None, stop=stop)
        assert pulled_after_stop <= self.chunks_after_stop
        self.assert_nothing_visible(store, "a/b")

    def test_stop_before_the_start(self, store: ObjectStore) -> None:
        stop = threading.Event()
        stop.set()
        with pytest.raises(OperationStopped):
            store.put("a/b", [b"content"], 7, stop=stop)
        self.assert_nothing_visible(store, "a/b")

    @pytest.mark.parametrize("fault", ["short", "long", "failing", "digest", "stopped"])
    def test_failed_overwrite_keeps_the_old(self, store: ObjectStore, fault: str) -> None:
        put_bytes(store, "key", b"old content")
        version = store.info("key").version
        stop = threading.Event()

        def source() -> Iterator[Chunk]:
            yield b"new"
            if fault == "failing":
                raise SourceBrokeError
            if fault == "stopped":
                stop.set()
            yield b"new"

        size = {"short": 7, "long": 5}.get(fault)
        digest = digest_of(b"other") if fault == "digest" else None
        with pytest.raises((SourceChanged, SourceBrokeError, HashError, OperationStopped)):
            store.put("key", source(), size, overwrite=True, digest=digest, stop=stop)
        assert read_all(store, "key") == b"old content"
        assert store.info("key").version == version

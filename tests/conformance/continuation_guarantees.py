"""A put that was ended before its end is continued by the next one, and never by another source."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from archive_tui.errors import HashError, ObjectExists, OperationStopped, SourceChanged, StorageUnavailable
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.object_store import ObjectStore, PutResult
from archive_tui.objects.unfinished import UnfinishedUpload, is_same_upload
from tests.conformance.kept_tokens import KeptTokens
from tests.conformance.store_samples import (
    SourceTornAway,
    digest_of,
    fingerprint,
    in_chunks,
    make_content,
    put_bytes,
    read_all,
)
from tests.conformance.suite_settings import SuiteSettings

_ENDS: dict[str, type[BaseException]] = {
    "stopped": OperationStopped,
    "unavailable": StorageUnavailable,
    "torn away": SourceTornAway,
}


class ContinuationGuarantees(SuiteSettings):
    def put_part_of(
        self, store: ObjectStore, content: bytes, end: type[BaseException] = OperationStopped, **promise: Any
    ) -> set[int]:
        """Puts most of the content, and ends so when a part of it has arrived; returns the parts that are there."""
        stop = threading.Event()
        length = self.large_size * 9 // 10

        def source() -> Iterator[Chunk]:
            yield from in_chunks(content[:length], 700_001)
            if self.continues_uploads:
                _wait_until(lambda: bool(self.parts_at(store, "large.bin")))
            if end is OperationStopped:
                stop.set()
            else:
                raise end("ended by the test")
            yield content[length:]

        with pytest.raises(end):
            store.put("large.bin", source(), stop=stop, **promise)
        return self.parts_at(store, "large.bin")

    def put_again(self, store: ObjectStore, content: bytes, present: set[int], **promise: Any) -> PutResult:
        """Puts all of it: what is present must not be sent again."""
        counts: list[int] = []
        with self.counting_parts(store) as sent:
            result = store.put("large.bin", in_chunks(content, 600_007), sent=counts.append, **promise)
        if self.continues_uploads:
            assert present
            assert not present & set(sent)
        assert max(counts) == counts[-1] == len(content)
        self.assert_is(store, content, result)
        return result

    def assert_is(self, store: ObjectStore, content: bytes, result: PutResult) -> None:
        assert fingerprint(read_all(store, "large.bin")) == fingerprint(content)
        assert (result.info.digest, result.info.size) == (digest_of(content), len(content))
        assert result.evidence.level in (EvidenceLevel.ATTESTED, EvidenceLevel.READ)
        assert result.info.version == store.info("large.bin").version

    def remember(self, store: ObjectStore) -> KeptTokens:
        tokens = KeptTokens()
        store.unfinished = tokens
        return tokens

    # ---- the same source

    @pytest.mark.parametrize("promised", [True, False], ids=["promised", "unknown"])
    @pytest.mark.parametrize("end", _ENDS)
    def test_a_put_goes_on_with_the_parts_of_an_earlier_one(self, store: ObjectStore, end: str, promised: bool) -> None:
        tokens = self.remember(store)
        content = make_content(self.large_size)
        promise: dict[str, Any] = {"digest": digest_of(content), "size": len(content)} if promised else {}
        present = self.put_part_of(store, content, _ENDS[end], **promise)
        assert [entry for entry in store.list("large") if entry.key == "large.bin"] == []
        assert bool(tokens.by_place) == self.continues_uploads
        self.put_again(store, content, present, **promise)
        assert tokens.by_place == {}

    def test_a_put_is_ended_twice(self, store: ObjectStore) -> None:
        tokens = self.remember(store)
        content = make_content(self.large_size)
        first = self.put_part_of(store, content)
        second = self.put_part_of(store, content)
        assert first <= second
        self.put_again(store, content, second)
        assert tokens.by_place == {}

    def test_a_put_that_is_not_ended_leaves_no_token(self, store: ObjectStore) -> None:
        tokens = self.remember(store)
        content = make_content(self.large_size)
        self.assert_is(store, content, store.put("large.bin", in_chunks(content)))
        put_bytes(store, "small")
        assert tokens.by_place == {}
        assert tokens.kept == tokens.forgotten == (1 if self.continues_uploads else 0)

    # ---- another source

    @pytest.mark.parametrize("promised", [True, False], ids=["promised", "unknown"])
    @pytest.mark.parametrize("changed", ["all", "end", "longer", "shorter"])
    def test_a_put_of_another_source_is_whole(self, store: ObjectStore, changed: str, promised: bool) -> None:
        tokens = self.remember(store)
        old = make_content(self.large_size)
        other = make_content(self.large_size, 2)
        half = self.large_size // 2
        new = {
            "all": other,
            "end": old[:half] + other[half:],
            "longer": old + other[: self.large_size // 3],
            "shorter": old[: self.large_size * 7 // 10],
        }[changed]
        self.put_part_of(store, old, **({"digest": digest_of(old), "size": len(old)} if promised else {}))
        result = self.put_stubbornly(store, new, **({"digest": digest_of(new), "size": len(new)} if promised else {}))
        self.assert_is(store, new, result)
        assert tokens.by_place == {}

    def put_stubbornly(self, store: ObjectStore, content: bytes, **promise: Any) -> PutResult:
        """A careless server may lose one more try over parts that do not fit; that one leaves nothing behind."""
        try:
            return store.put("large.bin", in_chunks(content, 600_007), **promise)
        except StorageUnavailable:
            if not self.refuses_other_parts:
                raise
            assert self.parts_at(store, "large.bin") == set()
            return store.put("large.bin", in_chunks(content, 600_007), **promise)

    def test_a_put_of_another_small_source_is_whole(self, store: ObjectStore) -> None:
        self.remember(store)
        self.put_part_of(store, make_content(self.large_size))
        store.put("large.bin", [b"small"], overwrite=True)
        assert read_all(store, "large.bin") == b"small"
        for upload in store.list_unfinished():
            store.discard_unfinished(upload)

    def test_a_source_that_lies_leaves_no_parts(self, store: ObjectStore) -> None:
        tokens = self.remember(store)
        content = make_content(self.large_size)
        for promise in ({"digest": digest_of(b"other")}, {"size": len(content) + 1}):
            with pytest.raises((HashError, SourceChanged)):
                store.put("large.bin", in_chunks(content), **promise)
            assert tokens.by_place == {}
            self.assert_nothing_visible(store, "large.bin")

    def test_a_rival_keeps_what_is_his(self, store: ObjectStore) -> None:
        tokens = self.remember(store)
        content = make_content(self.large_size)
        self.put_part_of(store, content)
        store.unfinished = None
        # Azurite takes blocks that nobody has committed for an object, and does not create one in their place.
        store.put("large.bin", [b"of the rival"], overwrite=True)
        store.unfinished = tokens
        with pytest.raises(ObjectExists):
            store.put("large.bin", in_chunks(content))
        assert read_all(store, "large.bin") == b"of the rival"
        assert tokens.by_place == {}

    def test_two_puts_of_one_process_do_not_share_parts(self, store: ObjectStore) -> None:
        """The second one runs while the first waits in the middle of its source; it may win, but never mix."""
        tokens = self.remember(store)
        content, other = make_content(self.large_size), make_content(self.large_size, 2)
        results: list[PutResult] = []

        def source() -> Iterator[Chunk]:
            yield from in_chunks(content[:-1], 700_001)
            results.append(store.put("large.bin", in_chunks(other), overwrite=True))
            yield content[-1:]

        try:
            results.append(store.put("large.bin", source(), overwrite=True))
        except ObjectExists:
            assert self.keeps_discarded  # where the commit of one drops the parts of all others
        winner = content if len(results) == 2 else other
        self.assert_is(store, winner, results[-1])
        assert tokens.by_place == {}

    # ---- what lies around

    def test_unfinished_uploads_are_listed_and_discarded(self, store: ObjectStore) -> None:
        tokens = self.remember(store)
        assert list(store.list_unfinished()) == []
        self.put_part_of(store, make_content(self.large_size))
        listed = list(store.list_unfinished())
        assert [upload.key for upload in listed] == ["large.bin"] * self.continues_uploads
        assert list(store.list_unfinished("lar")) == listed
        assert list(store.list_unfinished("other")) == []
        for (_, key), token in tokens.by_place.items():
            assert is_same_upload(token, listed[0].token)
            assert not is_same_upload("else", listed[0].token)
            store.discard_unfinished(UnfinishedUpload(key, token))
            store.discard_unfinished(UnfinishedUpload(key, token))
        assert list(store.list_unfinished()) == (listed if self.keeps_discarded else [])

    def test_discarding_touches_no_object(self, store: ObjectStore) -> None:
        put_bytes(store, "large.bin", b"an object")
        for token in ("", " ", "nonsense", 'nonsense {"upload":"nonsense"}'):
            store.discard_unfinished(UnfinishedUpload("large.bin", token))
        assert read_all(store, "large.bin") == b"an object"

    def test_a_token_that_is_none_is_no_harm(self, store: ObjectStore) -> None:
        tokens = self.remember(store)
        content = make_content(self.large_size)
        for token in ("", "nonsense", "a {}", 'a {"upload":"a"}', "a [1]", "0" * 16 + " " + "1" * 16):
            tokens.by_place[store.identity, "large.bin"] = token
            self.assert_is(store, content, store.put("large.bin", in_chunks(content), overwrite=True))
        tokens.by_place.clear()


def _wait_until(is_so: Any) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline, "no part has arrived"
        time.sleep(0.02)

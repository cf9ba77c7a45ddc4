"""Nothing is replaced unless asked, and then all of it; of racing writers one wins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from archive_tui.errors import (
    ObjectExists,
    ObjectNotFound,
)
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.object_store import ObjectStore, Support
from tests.conformance.store_samples import (
    digest_of,
    in_chunks,
    listed_keys,
    make_content,
    put_bytes,
    read_all,
)
from tests.conformance.suite_settings import SuiteSettings


class ReplacementGuarantees(SuiteSettings):
    # ---- create only

    def test_existing_object_is_never_replaced(self, store: ObjectStore) -> None:
        put_bytes(store, "key", b"first")
        for content in (b"second", b"first", b""):
            with pytest.raises(ObjectExists) as caught:
                put_bytes(store, "key", content)
            assert caught.value.key == "key"
        assert read_all(store, "key") == b"first"
        assert listed_keys(store) == ["key"]

    def test_large_put_never_replaces(self, store: ObjectStore) -> None:
        put_bytes(store, "key", b"first")
        content = make_content(self.large_size)
        for size in (len(content), None):
            with pytest.raises(ObjectExists):
                store.put("key", in_chunks(content), size)
        assert read_all(store, "key") == b"first"

    def test_object_that_appears_during_a_put_is_not_replaced(self, store: ObjectStore) -> None:
        def overtaken() -> Iterator[Chunk]:
            yield b"slow "
            put_bytes(store, "key", b"quick")
            yield b"writer"

        with pytest.raises(ObjectExists):
            store.put("key", overtaken())
        assert read_all(store, "key") == b"quick"

    @pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
    def test_one_of_racing_writers_wins(self, store: ObjectStore, large: bool) -> None:
        if store.probe().create_only is not Support.YES:
            assert store.traits.create_only is Support.NO
            assert store.traits.remarks
            return
        size = self.large_size if large else 3000
        writers = 3 if large else self.racing_writers
        for round_number in range(1 if large else self.racing_rounds):
            self._race(store, f"race/{round_number}", writers, size, if_match=None)

    def test_deleted_key_can_be_put_again(self, store: ObjectStore) -> None:
        put_bytes(store, "key", b"first")
        store.delete("key")
        put_bytes(store, "key", b"second")
        assert read_all(store, "key") == b"second"

    def test_lost_reply_is_recognised_as_our_own_write(self, store: ObjectStore) -> None:
        if not self.is_remote:
            return  # a call within the machine has no reply that could be lost
        for key, content in (("small", b"content"), ("large", make_content(self.large_size))):
            with self.losing_replies(store):
                result = store.put(key, in_chunks(content), len(content))
            assert result.info.digest == digest_of(content)
            assert read_all(store, key) == content

    def test_lost_reply_of_an_identical_rival_is_a_conflict(self, store: ObjectStore) -> None:
        put_bytes(store, "key", b"same bytes")
        with pytest.raises(ObjectExists):
            put_bytes(store, "key", b"same bytes")

    # ---- replacing

    def test_overwrite_replaces(self, store: ObjectStore) -> None:
        put_bytes(store, "key", b"a rather long first content")
        result = store.put("key", [b"second"], 6, overwrite=True)
        assert result.info.size == 6
        assert read_all(store, "key") == b"second"
        assert listed_keys(store) == ["key"]

    def test_overwrite_of_nothing_creates(self, store: ObjectStore) -> None:
        store.put("key", [b"content"], 7, overwrite=True)
        assert read_all(store, "key") == b"content"

    def test_large_overwrite_replaces(self, store: ObjectStore) -> None:
        put_bytes(store, "key")
        content = make_content(self.large_size)
        store.put("key", in_chunks(content), overwrite=True)
        assert digest_of(read_all(store, "key")) == digest_of(content)

    def test_version_changes_with_the_content(self, store: ObjectStore) -> None:
        versions = {put_bytes(store, "key", b"aaa").info.version}
        for content in (b"bbb", b"ccc", b"dddd"):
            versions.add(store.put("key", [content], overwrite=True).info.version)
        assert len(versions) == 4 or versions == {None}

    def test_if_match_replaces_only_that_version(self, store: ObjectStore) -> None:
        first = put_bytes(store, "key", b"first").info.version
        assert first is not None
        second = store.put("key", [b"second"], 6, if_match=first).info.version
        assert read_all(store, "key") == b"second"
        with pytest.raises(ObjectExists):
            store.put("key", [b"third"], 5, if_match=first)
        assert read_all(store, "key") == b"second"
        assert store.info("key").version == second != first

    def test_if_match_of_an_absent_key_creates_nothing(self, store: ObjectStore) -> None:
        version = put_bytes(store, "key").info.version
        store.delete("key")
        with pytest.raises((ObjectExists, ObjectNotFound)):
            store.put("key", [b"content"], 7, if_match=version)
        self.assert_nothing_visible(store, "key")

    def test_one_of_racing_replacements_wins(self, store: ObjectStore) -> None:
        version = put_bytes(store, "key", b"old").info.version
        if store.probe().conditional_replace is not Support.YES:
            assert store.traits.conditional_replace is Support.NO
            return
        self._race(store, "key", 4, 3000, if_match=version)

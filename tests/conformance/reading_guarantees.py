"""Ranges, absent keys, copies."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from archive_tui.errors import (
    ObjectExists,
    ObjectNotFound,
    StorageError,
)
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.streams import BLOCK_SIZE, read_chunks
from archive_tui.objects.object_store import ObjectStore
from tests.conformance.store_samples import (
    MIB,
    digest_of,
    fingerprint,
    in_chunks,
    listed_keys,
    make_content,
    put_bytes,
    read_all,
)
from tests.conformance.suite_settings import SuiteSettings


class RangeGuarantees(SuiteSettings):
    """What holds for reading wherever it is that objects come from; a store that cannot be written to runs these."""

    @pytest.mark.parametrize(
        ("offset", "length"),
        [
            (0, None), (0, 0), (0, 1), (1, 1), (5, None), (0, MIB), (MIB - 1, 2), (MIB, None), (MIB + 7, 9_999),
            (2 * MIB + 99, 1), (2 * MIB + 99, 50), (2 * MIB + 100, None), (2 * MIB + 100, 5), (9 * MIB, None),
            (9 * MIB, 3), (7, 0), (0, 99 * MIB),
        ],
    )  # fmt: skip
    def test_range_is_that_part_of_the_content(self, store: ObjectStore, offset: int, length: int | None) -> None:
        content = make_content(2 * MIB + 100)
        put_bytes(store, "key", content)
        end = None if length is None else offset + length
        assert fingerprint(read_all(store, "key", offset, length)) == fingerprint(content[offset:end])

    def test_range_of_zero_bytes(self, store: ObjectStore) -> None:
        put_bytes(store, "empty", b"")
        for offset, length in ((0, None), (0, 5), (3, None), (3, 3)):
            assert read_all(store, "empty", offset, length) == b""

    def test_reader_returns_at_most_what_was_asked(self, store: ObjectStore) -> None:
        content = make_content(MIB + 1)
        put_bytes(store, "key", content)
        found = bytearray()
        with store.open("key", 3) as reader:
            while piece := reader.read(70_001):
                assert len(piece) <= 70_001
                found += piece
            assert reader.read(10) == b""
            assert reader.read() == b""
        assert fingerprint(found) == fingerprint(content[3:])
        with store.open("key", 0, 1000) as reader:
            everything = b"".join(read_chunks(reader, block_size=BLOCK_SIZE))
        assert everything == content[:1000]

    def test_reader_may_be_closed_early_and_twice(self, store: ObjectStore) -> None:
        put_bytes(store, "key", make_content(self.large_size))
        reader = store.open("key")
        assert reader.read(10)
        reader.close()
        reader.close()
        assert store.info("key").size == self.large_size

    def test_object_replaced_while_it_is_read_is_never_mixed(self, store: ObjectStore) -> None:
        old, new = make_content(self.large_size, 1), make_content(self.large_size, 2)
        put_bytes(store, "key", old)
        with store.open("key") as reader:
            head = reader.read(1000)
            assert head == old[: len(head)]
            store.put("key", in_chunks(new), len(new), overwrite=True)
            try:
                rest = b"".join(read_chunks(reader))
            except StorageError as error:
                assert error.code == "object-changed"
            else:
                assert digest_of(head + rest) == digest_of(old)


class ReadingGuarantees(RangeGuarantees):
    # ---- absent keys

    @pytest.mark.parametrize(
        "act",
        [
            lambda store: store.open("absent/key").read(1),
            lambda store: store.open("absent/key", 5, 5).read(1),
            lambda store: store.info("absent/key"),
            lambda store: store.info("prese"),
            lambda store: store.info("present/below"),
            lambda store: store.info("folder"),
            lambda store: store.open("folder").read(1),
            lambda store: store.copy("absent/key", "target"),
        ],
        ids=["open", "range", "info", "part of a name", "below an object", "folder", "open folder", "copy"],
    )
    def test_absent_key_is_object_not_found(self, store: ObjectStore, act: Callable[[ObjectStore], object]) -> None:
        put_bytes(store, "present")
        put_bytes(store, "folder/object")
        with pytest.raises(ObjectNotFound) as caught:
            act(store)
        assert caught.value.key
        assert caught.value.store == store.label
        assert sorted(listed_keys(store)) == ["folder/object", "present"]

    def test_deleting_an_absent_key_is_no_error(self, store: ObjectStore) -> None:
        put_bytes(store, "folder/key")
        for key in ("absent", "absent/deeper", "folder", "folder/key/below", "fold"):
            store.delete(key)
        assert listed_keys(store) == ["folder/key"]
        store.delete("folder/key")
        store.delete("folder/key")
        assert list(store.list()) == []

    # ---- copying

    @pytest.mark.parametrize("size", [0, 1, MIB + 1])
    def test_copy_is_equal_and_proven(self, store: ObjectStore, size: int) -> None:
        content = make_content(size)
        put_bytes(store, "source", content)
        result = store.copy("source", "deep/target")
        assert (result.info.key, result.info.size) == ("deep/target", size)
        assert result.info.digest == result.evidence.digest == digest_of(content)
        assert result.evidence.level in (EvidenceLevel.ATTESTED, EvidenceLevel.READ)
        assert fingerprint(read_all(store, "deep/target")) == fingerprint(content)
        assert fingerprint(read_all(store, "source")) == fingerprint(content)

    def test_copy_never_replaces(self, store: ObjectStore) -> None:
        put_bytes(store, "source", b"source")
        put_bytes(store, "target", b"target")
        for target in ("target", "source"):
            with pytest.raises(ObjectExists):
                store.copy("source", target)
        assert read_all(store, "target") == b"target"
        assert read_all(store, "source") == b"source"

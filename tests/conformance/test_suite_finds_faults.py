"""The suite is worth something only if it fails: each store here breaks a promise, and the named test must find it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from _pytest.outcomes import Failed

from archive_tui.errors import ArchiveError, ObjectNotFound, StorageUnavailable
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.streams import Chunk
from archive_tui.names import object_keys
from archive_tui.objects import memory
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import Listed, ObjectInfo, ObjectReader, Prefix, PutResult
from tests.conformance.object_store_suite import MIB, ObjectStoreSuite


class SmallSuite(ObjectStoreSuite):
    large_size = 2 * MIB
    memory_size = 50 * MIB
    measures_memory = False


class Overwriting(MemoryStore):
    def put(self, key: str, chunks: Iterable[Chunk], size: int | None = None, **options: Any) -> PutResult:
        return super().put(key, chunks, size, **{**options, "overwrite": True})


class LookingFirst(MemoryStore):
    """Asks whether the key is free, and then writes whatever has happened meanwhile."""

    def put(self, key: str, chunks: Iterable[Chunk], size: int | None = None, **options: Any) -> PutResult:
        with self._lock:
            self._check_may_write(
                key, overwrite=options.pop("overwrite", False), if_match=options.pop("if_match", None)
            )
        return super().put(key, chunks, size, overwrite=True, **options)


class Trusting(MemoryStore):
    def put(self, key: str, chunks: Iterable[Chunk], size: int | None = None, **options: Any) -> PutResult:
        return super().put(key, chunks, None, **{**options, "digest": None})


class Partial(MemoryStore):
    """Shows what has come so far when the source breaks off."""

    def put(self, key: str, chunks: Iterable[Chunk], size: int | None = None, **options: Any) -> PutResult:
        arrived: list[bytes] = []
        try:
            return super().put(key, (arrived.append(bytes(chunk)) or chunk for chunk in chunks), size, **options)  # type: ignore[func-returns-value]
        except BaseException:
            super().put(key, arrived, overwrite=True)
            raise


class Greedy(MemoryStore):
    def put(self, key: str, chunks: Iterable[Chunk], size: int | None = None, **options: Any) -> PutResult:
        return super().put(key, list(chunks), size, **options)


class DeafToStop(MemoryStore):
    def put(self, key: str, chunks: Iterable[Chunk], size: int | None = None, **options: Any) -> PutResult:
        stop = options["stop"]
        return super().put(key, itertools.islice(chunks, 1000), size, **{**options, "stop": type(stop)()})


class Boasting(MemoryStore):
    def put(self, key: str, chunks: Iterable[Chunk], size: int | None = None, **options: Any) -> PutResult:
        result = super().put(key, chunks, size, **options)
        return replace(result, evidence=replace(result.evidence, level=EvidenceLevel.COPIED))


class OnePage(MemoryStore):
    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        return itertools.islice(super().list(prefix, recursive=recursive), 1000)


class HidingEmpty(MemoryStore):
    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        entries = super().list(prefix, recursive=recursive)
        return (entry for entry in entries if isinstance(entry, Prefix) or entry.size)


class FolderPrefix(MemoryStore):
    """Takes `d` for `d/`."""

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        return super().list(f"{prefix.rstrip('/')}/" if prefix else "", recursive=recursive)


class EagerList(MemoryStore):
    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        return list(super().list(prefix, recursive=recursive))  # type: ignore[return-value]


class WholeRange(MemoryStore):
    """Answers a range with everything, as some servers do."""

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        return super().open(key)


class StrictDelete(MemoryStore):
    def delete(self, key: str) -> None:
        self.info(key)
        super().delete(key)


class VagueAbsence(MemoryStore):
    def info(self, key: str) -> ObjectInfo:
        try:
            return super().info(key)
        except ObjectNotFound as error:
            raise ArchiveError("something went wrong") from error


class Careless(MemoryStore):
    def put(self, key: str, chunks: Iterable[Chunk], size: int | None = None, **options: Any) -> PutResult:
        return super().put(key.strip("/").replace("//", "/"), chunks, size, **options)


class EarlyLastByte(MemoryStore):
    """Shows the object before the source has proven to be what was promised."""

    def put(self, key: str, chunks: Iterable[Chunk], size: int | None = None, **options: Any) -> PutResult:
        if iter(chunks) is chunks or options.get("digest") is None:
            return super().put(key, chunks, size, **options)
        super().put(key, chunks, **{**options, "digest": None})
        return super().put(key, chunks, size, **{**options, "overwrite": True})


class WrappingErrors(MemoryStore):
    """Takes what the source raises for an error of its own."""

    def put(self, key: str, chunks: Iterable[Chunk], size: int | None = None, **options: Any) -> PutResult:
        try:
            return super().put(key, chunks, size, **options)
        except OSError as error:
            if isinstance(error, ArchiveError):
                raise
            raise StorageUnavailable("the connection is gone") from error


class Stuttering(MemoryStore):
    """Reads a source twice and stores both."""

    def put(self, key: str, chunks: Iterable[Chunk], size: int | None = None, **options: Any) -> PutResult:
        if options.get("digest") is None:
            return super().put(key, chunks, size, **options)
        return super().put(key, itertools.chain(chunks, chunks), **{**options, "digest": None})


class Gathering(MemoryStore):
    """Holds a source that it could have read again."""

    def put(self, key: str, chunks: Iterable[Chunk], size: int | None = None, **options: Any) -> PutResult:
        return super().put(key, list(chunks), size, **options)


BROKEN: list[tuple[type[MemoryStore], str, dict[str, Any]]] = [
    (Overwriting, "test_existing_object_is_never_replaced", {}),
    (LookingFirst, "test_object_that_appears_during_a_put_is_not_replaced", {}),
    (LookingFirst, "test_one_of_racing_replacements_wins", {}),
    (LookingFirst, "test_one_of_racing_writers_wins", {"large": False}),
    (Trusting, "test_short_source_leaves_nothing", {"large": False}),
    (Trusting, "test_long_source_leaves_nothing", {"large": True}),
    (Trusting, "test_wrong_digest_is_never_visible", {"large": False, "size_known": True}),
    (Partial, "test_short_source_leaves_nothing", {"large": False}),
    (Partial, "test_failed_overwrite_keeps_the_old", {"fault": "failing"}),
    (Partial, "test_stop_is_obeyed_within_a_chunk", {"large": False}),
    (Greedy, "test_memory_does_not_grow_with_the_object", {}),
    (DeafToStop, "test_stop_is_obeyed_within_a_chunk", {"large": False}),
    (Trusting, "test_source_that_is_not_what_was_promised_is_never_visible", {"large": True, "fault": "last byte"}),
    (Trusting, "test_source_that_is_not_what_was_promised_is_never_visible", {"large": False, "fault": "shorter"}),
    (EarlyLastByte, "test_source_that_is_not_what_was_promised_is_never_visible", {"large": True, "fault": "digest"}),
    (EarlyLastByte, "test_large_source_of_known_digest_is_stored_as_it_is", {}),
    (Overwriting, "test_rereadable_source_never_replaces", {}),
    (Partial, "test_what_a_rereadable_source_raises_passes_unchanged", {"error": PermissionError, "large": True}),
    (WrappingErrors, "test_what_a_rereadable_source_raises_passes_unchanged", {"error": OSError, "large": False}),
    (DeafToStop, "test_stop_in_the_middle_of_a_rereadable_source", {"large": True}),
    (Trusting, "test_failed_overwrite_by_a_rereadable_source_keeps_the_old", {}),
    (Stuttering, "test_source_of_known_digest_is_stored_as_it_is", {"size": 70_000}),
    (Gathering, "test_memory_does_not_grow_with_a_rereadable_object", {}),
    (Boasting, "test_put_returns_digest_and_evidence", {"size": 5}),
    (OnePage, "test_listing_is_complete_beyond_a_page", {}),
    (HidingEmpty, "test_listing_shows_objects_of_zero_bytes", {}),
    (HidingEmpty, "test_listing_is_complete_beyond_a_page", {}),
    (FolderPrefix, "test_prefix_is_a_plain_string", {}),
    (EagerList, "test_listing_is_lazy", {}),
    (WholeRange, "test_range_is_that_part_of_the_content", {"offset": 5, "length": None}),
    (StrictDelete, "test_deleting_an_absent_key_is_no_error", {}),
    (VagueAbsence, "test_absent_key_is_object_not_found", {"act": lambda store: store.info("absent")}),
    (Careless, "test_illegal_key_is_refused_before_anything_is_sent", {"key": "a/"}),
]


@pytest.mark.parametrize(
    ("broken", "name", "arguments"), BROKEN, ids=[f"{store.__name__} {name}" for store, name, _ in BROKEN]
)
def test_broken_store_is_found(broken: type[MemoryStore], name: str, arguments: dict[str, Any]) -> None:
    test: Callable[..., None] = getattr(SmallSuite(), name)
    test(MemoryStore(), **arguments) if broken not in (Greedy, Gathering) else None
    with pytest.raises((AssertionError, Failed, ArchiveError)):
        test(broken(), **arguments)


def test_store_that_takes_any_key_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "check_key", lambda key: key)
    for key in ("../climb", "a//b", f"{object_keys.TEMPORARY_PREFIX}x{object_keys.TEMPORARY_SUFFIX}"):
        with pytest.raises((AssertionError, Failed)):
            SmallSuite().test_illegal_key_is_refused_before_anything_is_sent(MemoryStore(), key)

"""The card of a storage: what it claims must have been seen, and nothing may be left behind."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import pytest

from archive_tui.errors import AccessDenied, OperationStopped, StorageError, StorageUnavailable
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectReader, PutResult, Support, Traits
from archive_tui.operations.storage_test import STEPS, Outcome, StorageCard, test_storage
from archive_tui.progress import Ended, Event, ItemFailed, Planned


def keys_in(store: MemoryStore) -> list[str]:
    return [listed.key for listed in store.list("")]


def outcomes_of(card: StorageCard) -> dict[str, str]:
    return {row.name: str(row.outcome) for row in card.rows}


def test_a_good_store_proves_every_step_and_is_left_empty() -> None:
    store = MemoryStore()
    card = test_storage(store)
    assert [row.name for row in card.rows] == list(STEPS)
    needed = {name: outcome for name, outcome in outcomes_of(card).items() if name != "attests SHA-256"}
    assert set(needed.values()) == {"proven"}
    assert card.is_usable
    assert "safe" in card.conclusion
    assert keys_in(store) == []


def test_objects_that_are_there_stay_as_they_are() -> None:
    store = MemoryStore()
    store.put("precious", [b"content"], 7)
    test_storage(store)
    assert keys_in(store) == ["precious"]


class Overwriting(MemoryStore):
    """Replaces silently, and does not know it."""

    def put(self, key: str, *arguments: Any, **options: Any) -> PutResult:
        return super().put(key, *arguments, **{**options, "overwrite": True})


class Honest(Overwriting):
    """Replaces silently, and says so."""

    @property
    def traits(self) -> Traits:
        return dataclasses.replace(super().traits, create_only=Support.NO)


class Unwritable(MemoryStore):
    def put(self, key: str, *arguments: Any, **options: Any) -> PutResult:
        raise AccessDenied("May not write here.", hint="Ask for write access.", key=key, store=self.label)


class Flipping(MemoryStore):
    """Returns another first byte than it was given."""

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        with super().open(key, offset, length) as reader:
            content = bytearray(reader.read())
        content[0] ^= 1
        other = MemoryStore()
        other.put("flipped", [bytes(content)])
        return other.open("flipped")


class Undeletable(MemoryStore):
    def delete(self, key: str) -> None:
        return


class Attesting(MemoryStore):
    def put(self, key: str, *arguments: Any, **options: Any) -> PutResult:
        result = super().put(key, *arguments, **options)
        evidence = dataclasses.replace(result.evidence, level=EvidenceLevel.ATTESTED)
        return dataclasses.replace(result, evidence=evidence)


class Unreachable(MemoryStore):
    def list(self, prefix: str = "", *, recursive: bool = True) -> Any:
        raise StorageUnavailable("No connection.", store=self.label)


def test_a_store_that_overwrites_unknowingly_is_found_out() -> None:
    store = Overwriting()
    card = test_storage(store)
    assert card.outcome("never overwrites") is Outcome.FAILED
    assert "race" in card.conclusion
    assert keys_in(store) == []


def test_a_store_that_says_it_overwrites_is_refused_that_row_and_usable() -> None:
    card = test_storage(Honest())
    assert card.outcome("never overwrites") is Outcome.REFUSED
    assert card.is_usable
    assert "race" in card.conclusion


def test_without_the_right_to_write_the_rest_is_unknown_not_proven() -> None:
    card = test_storage(Unwritable())
    assert card.outcome("writes") is Outcome.FAILED
    assert card.outcome("reads back equal") is Outcome.UNKNOWN
    assert card.outcome("deletes") is Outcome.UNKNOWN
    assert not card.is_usable
    assert "Ask for write access." in next(row.detail for row in card.rows if row.name == "writes")


class ReadOnly(MemoryStore):
    """A store whose nature is to take nothing, as a datasafe behind an address."""

    def put(self, key: str, chunks: Any, size: int | None = None, **options: Any) -> PutResult:
        raise StorageError("Nothing can be put here: it", hint="Deposit it.", code="unsupported")


def test_a_store_that_takes_nothing_by_its_nature_is_usable_and_no_place_to_publish_in() -> None:
    card = test_storage(ReadOnly())
    assert card.outcome("writes") is Outcome.REFUSED
    assert card.is_read_only and card.is_usable
    assert "not published here" in card.conclusion
    assert not test_storage(Unwritable()).is_read_only


def test_flipped_bytes_are_found_and_the_object_is_removed() -> None:
    store = Flipping()
    card = test_storage(store)
    assert card.outcome("reads back equal") is Outcome.FAILED
    assert card.outcome("reads ranges") is Outcome.FAILED
    assert not card.is_usable
    assert keys_in(store) == []


def test_a_delete_that_does_nothing_is_found() -> None:
    card = test_storage(Undeletable())
    assert card.outcome("deletes") is Outcome.FAILED
    assert not card.is_usable


def test_an_attesting_store_needs_no_reading_to_be_audited() -> None:
    card = test_storage(Attesting())
    assert card.outcome("attests SHA-256") is Outcome.PROVEN
    assert "without reading" in card.conclusion


def test_an_unreachable_store_is_a_card_not_an_error() -> None:
    card = test_storage(Unreachable())
    assert card.outcome("reaches") is Outcome.FAILED
    assert not card.is_usable


@pytest.mark.parametrize("after", range(len(STEPS)))
def test_stopped_at_any_step_it_leaves_nothing(after: int) -> None:
    store = MemoryStore()
    stop = threading.Event()
    events: list[Event] = []

    def report(event: Event) -> None:
        events.append(event)
        if len([e for e in events if not isinstance(e, Planned)]) == after:
            stop.set()

    if after == 0:
        stop.set()
    with pytest.raises(OperationStopped):
        test_storage(store, report=report, stop=stop)
    assert keys_in(store) == []
    assert events[-1] == Ended("test", False)


def test_progress_counts_the_steps_and_names_failures() -> None:
    events: list[Event] = []
    test_storage(Unwritable(), report=events.append)
    assert events[0] == Planned("test", items=len(STEPS))
    assert events[-1] == Ended("test", True)
    failed = [event for event in events if isinstance(event, ItemFailed)]
    assert [event.item for event in failed] == ["writes"]

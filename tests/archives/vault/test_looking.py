"""What a look at one object may say, on every store: to exist is not to have the right bytes."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from archive_tui.archives.vault.looking import judge, look_at
from archive_tui.archives.vault.outcomes import Outcome
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import OperationStopped, StorageError, StorageUnavailable
from archive_tui.integrity.digest import DIGEST_OF_NOTHING
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectInfo, ObjectReader
from archive_tui.objects.wrappers.faulty_store import Fault, FaultKind, FaultyStore
from archive_tui.objects.wrappers.store_wrappers import RecordingStore
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from tests.archives.vault.conftest import (
    ATTESTING,
    AZURITE,
    FOLDER,
    MEMORY,
    MOTO,
    RCLONE,
    SEAWEEDFS,
    VaultPlace,
    digest_of,
)

CONTENT = b"twelve bytes"
DIGEST = digest_of(CONTENT)
OTHER = digest_of(b"other bytes")

WORD_OF = {
    MEMORY: EvidenceLevel.ATTESTED,
    FOLDER: EvidenceLevel.LISTED,
    MOTO: EvidenceLevel.RECORDED,
    SEAWEEDFS: EvidenceLevel.ATTESTED,
    RCLONE: EvidenceLevel.RECORDED,
    AZURITE: EvidenceLevel.RECORDED,
}
"""What each store says by itself of an object that this program has put."""


def put(place: VaultPlace, content: bytes = CONTENT) -> Evidence:
    digest = digest_of(content)
    return place.store.put(place.vault.key(digest), [content], digest=digest).evidence


def known(level: EvidenceLevel, version: str | None, digest: str | None = DIGEST) -> Evidence:
    return Evidence("store", "key", level, digest, 12, 1_700_000_000.0, "Found out earlier.", version)


def info(**values: object) -> ObjectInfo:
    return replace(ObjectInfo("key", 12, None, "v1"), **values)  # type: ignore[arg-type]


def test_absent_is_absent(place: VaultPlace) -> None:
    look = look_at(place.vault, DIGEST)
    assert (look.outcome, look.evidence, look.size, look.key) == (Outcome.ABSENT, None, None, place.vault.key(DIGEST))
    assert look_at(place.vault, DIGEST, read=True).outcome is Outcome.ABSENT


def test_held_is_as_sure_as_the_word_of_the_store(place: VaultPlace) -> None:
    put(place)
    look = look_at(place.vault, DIGEST)
    assert (look.outcome, look.size) == (Outcome.HELD, len(CONTENT))
    assert look.evidence is not None
    assert look.evidence.level is WORD_OF[place.kind]
    assert look.evidence.digest == (None if place.kind == FOLDER else DIGEST)
    assert abs(look.evidence.checked_at - time.time()) < 60


def test_reading_settles_it(place: VaultPlace) -> None:
    put(place)
    look = look_at(place.vault, DIGEST, read=True)
    assert look.evidence is not None
    assert (look.outcome, look.evidence.level, look.evidence.digest) == (Outcome.HELD, EvidenceLevel.READ, DIGEST)
    assert look.evidence.version == place.store.info(look.key).version


def test_reading_finds_other_bytes(place: VaultPlace) -> None:
    put(place)
    found = place.spoil(DIGEST)
    look = look_at(place.vault, DIGEST, read=True)
    assert look.evidence is not None
    assert (look.outcome, look.found, look.evidence.level) == (Outcome.DAMAGED, found, EvidenceLevel.DAMAGED)


def test_other_bytes_are_never_held_for_sure(place: VaultPlace) -> None:
    """Whoever has nothing but a file or a careless server learns no more than that something lies there."""
    put(place)
    place.spoil(DIGEST)
    look = look_at(place.vault, DIGEST)
    if look.outcome is Outcome.DAMAGED:
        assert look.found == OTHER
    else:
        assert place.kind not in ATTESTING
        assert look.evidence is not None
        assert (look.outcome, look.evidence.level, look.evidence.digest) == (Outcome.HELD, EvidenceLevel.LISTED, None)


def test_what_was_proven_at_the_put_holds_while_nothing_is_written(place: VaultPlace) -> None:
    evidence = put(place)
    look = look_at(place.vault, DIGEST, known=evidence)
    assert look.evidence is not None
    assert look.evidence.level is (EvidenceLevel.UNCHANGED if place.kind == FOLDER else WORD_OF[place.kind])
    place.spoil(DIGEST)
    look = look_at(place.vault, DIGEST, known=evidence)
    assert look.outcome is Outcome.DAMAGED or (
        look.evidence is not None and look.evidence.level is EvidenceLevel.LISTED
    )


def test_damage_that_was_read_is_not_cleared_by_the_word_of_the_server(place: VaultPlace) -> None:
    put(place)
    found = place.spoil(DIGEST)
    damage = look_at(place.vault, DIGEST, read=True).evidence
    assert damage is not None
    look = look_at(place.vault, DIGEST, known=damage)
    assert (look.outcome, look.found) == (Outcome.DAMAGED, found)
    place.overwrite(place.vault.key(DIGEST), CONTENT)
    repaired = look_at(place.vault, DIGEST, known=damage)
    assert repaired.outcome is Outcome.HELD
    assert look_at(place.vault, DIGEST, known=damage, read=True).outcome is Outcome.HELD


@pytest.mark.parametrize(
    ("described", "before", "outcome", "level", "found"),
    [
        (info(digest=DIGEST, attested=True), None, Outcome.HELD, EvidenceLevel.ATTESTED, None),
        (info(digest=OTHER, attested=True), None, Outcome.DAMAGED, EvidenceLevel.DAMAGED, OTHER),
        (info(digest=DIGEST), None, Outcome.HELD, EvidenceLevel.RECORDED, None),
        (info(digest=OTHER), None, Outcome.DAMAGED, EvidenceLevel.DAMAGED, OTHER),
        (info(), None, Outcome.HELD, EvidenceLevel.LISTED, None),
        (info(size=0), None, Outcome.DAMAGED, EvidenceLevel.DAMAGED, DIGEST_OF_NOTHING),
        (info(size=-1), None, Outcome.HELD, EvidenceLevel.LISTED, None),
        (info(), known(EvidenceLevel.READ, "v1"), Outcome.HELD, EvidenceLevel.UNCHANGED, None),
        (info(), known(EvidenceLevel.ATTESTED, "v1"), Outcome.HELD, EvidenceLevel.UNCHANGED, None),
        (info(), known(EvidenceLevel.RESTORED, "v1"), Outcome.HELD, EvidenceLevel.UNCHANGED, None),
        (info(), known(EvidenceLevel.READ, "v1", OTHER), Outcome.DAMAGED, EvidenceLevel.DAMAGED, OTHER),
        (info(), known(EvidenceLevel.DAMAGED, "v1", OTHER), Outcome.DAMAGED, EvidenceLevel.DAMAGED, OTHER),
        (info(), known(EvidenceLevel.DAMAGED, "v1", None), Outcome.DAMAGED, EvidenceLevel.DAMAGED, None),
        (info(), known(EvidenceLevel.DAMAGED, "v0", OTHER), Outcome.HELD, EvidenceLevel.LISTED, None),
        (info(digest=DIGEST), known(EvidenceLevel.DAMAGED, "v1", OTHER), Outcome.DAMAGED, EvidenceLevel.DAMAGED, OTHER),
        (info(), known(EvidenceLevel.READ, "v0"), Outcome.HELD, EvidenceLevel.LISTED, None),
        (info(size=13), known(EvidenceLevel.READ, "v0"), Outcome.DAMAGED, EvidenceLevel.DAMAGED, None),
        (info(size=13, digest=DIGEST), known(EvidenceLevel.READ, "v0"), Outcome.DAMAGED, EvidenceLevel.DAMAGED, None),
        (info(size=0), known(EvidenceLevel.READ, "v0"), Outcome.DAMAGED, EvidenceLevel.DAMAGED, DIGEST_OF_NOTHING),
        (info(size=13), known(EvidenceLevel.READ, "v0", OTHER), Outcome.HELD, EvidenceLevel.LISTED, None),
        (info(size=13), known(EvidenceLevel.LISTED, "v0", None), Outcome.HELD, EvidenceLevel.LISTED, None),
        (info(size=-1), known(EvidenceLevel.READ, "v0"), Outcome.HELD, EvidenceLevel.LISTED, None),
        (info(), known(EvidenceLevel.COPIED, "v1"), Outcome.HELD, EvidenceLevel.LISTED, None),
        (info(), known(EvidenceLevel.RECORDED, "v1"), Outcome.HELD, EvidenceLevel.LISTED, None),
        (info(), known(EvidenceLevel.LISTED, "v1", None), Outcome.HELD, EvidenceLevel.LISTED, None),
        (info(version=None), known(EvidenceLevel.READ, None), Outcome.HELD, EvidenceLevel.LISTED, None),
    ],
)
def test_every_word_has_its_worth(
    described: ObjectInfo, before: Evidence | None, outcome: Outcome, level: EvidenceLevel, found: str | None
) -> None:
    look = judge("store", described, DIGEST, before)
    assert look.evidence is not None
    assert (look.outcome, look.evidence.level, look.found) == (outcome, level, found)


def test_an_earlier_reading_is_told_with_its_date() -> None:
    look = judge("store", info(), DIGEST, known(EvidenceLevel.READ, "v1"))
    assert look.evidence is not None
    assert (
        look.evidence.method == "The same version as on 2023-11-14 22:13 UTC, when it was read; nothing was read now."
    )
    again = judge("store", info(), DIGEST, look.evidence)
    assert again.evidence is not None
    assert (again.evidence.level, again.evidence.method) == (EvidenceLevel.UNCHANGED, look.evidence.method)


def test_the_empty_content_is_a_content(place: VaultPlace) -> None:
    put(place, b"")
    assert look_at(place.vault, DIGEST_OF_NOTHING).outcome is Outcome.HELD
    assert look_at(place.vault, DIGEST_OF_NOTHING, read=True).outcome is Outcome.HELD


def filled_memory() -> MemoryStore:
    store = MemoryStore()
    store.put(Vault(store).key(DIGEST), [CONTENT])
    return store


def test_one_question_is_enough() -> None:
    store = RecordingStore(filled_memory())
    look_at(Vault(store), DIGEST)
    assert [call.operation for call in store.calls] == ["info"]


class ReplacedWhileRead(WrappedStore):
    """Somebody puts the object anew whenever it is read."""

    def __init__(self, inner: MemoryStore, times: int) -> None:
        super().__init__(inner)
        self.times = times

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        reader = self.inner.open(key, offset, length)
        if self.times > 0:
            self.times -= 1
            self.inner.put(key, [b"new"], overwrite=True)
        return reader


def test_an_object_that_is_replaced_while_it_is_read_is_read_again() -> None:
    look = look_at(Vault(ReplacedWhileRead(filled_memory(), times=1)), DIGEST, read=True)
    assert (look.outcome, look.found) == (Outcome.DAMAGED, digest_of(b"new"))
    with pytest.raises(StorageError) as caught:
        look_at(Vault(ReplacedWhileRead(filled_memory(), times=99)), DIGEST, read=True)
    assert caught.value.code == "object-changed"


def test_a_look_that_fails_is_no_look() -> None:
    with pytest.raises(StorageUnavailable):
        look_at(Vault(FaultyStore(filled_memory(), Fault("info"))), DIGEST)
    reset = Fault("open", FaultKind.RESET, position=3)
    with pytest.raises(StorageUnavailable):
        look_at(Vault(FaultyStore(filled_memory(), reset)), DIGEST, read=True)
    stop = threading.Event()
    stop.set()
    with pytest.raises(OperationStopped):
        look_at(Vault(filled_memory()), DIGEST, read=True, stop=stop)


def test_a_flipped_bit_on_the_way_is_damage_with_its_digest() -> None:
    flipped = bytes([CONTENT[0] ^ 1]) + CONTENT[1:]
    vault = Vault(FaultyStore(filled_memory(), Fault("open", FaultKind.FLIPPED)))
    assert look_at(vault, DIGEST, read=True).found == digest_of(flipped)

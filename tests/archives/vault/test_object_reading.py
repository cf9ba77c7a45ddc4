"""Reading a large object in several runs of one job: it goes on at the next piece, and believes nothing else."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable

import pytest

from archive_tui.archives.vault.asking import ask_vault
from archive_tui.archives.vault.outcomes import LineResult, Outcome
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import StorageUnavailable
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.operations import object_reading
from archive_tui.operations.object_reading import NOTE
from tests.archives.vault.conftest import AZURITE, FOLDER, MEMORY, MOTO, SEAWEEDFS, VaultPlace, digest_of, manifest_of
from tests.archives.vault.fetch_program import WatchedStore
from tests.archives.vault.test_fetching_continued import Interruption, put_all, unavailable
from tests.jobs.kinds.job_work import MemoryJournal

MIB = 1 << 20

in_memory = pytest.mark.parametrize("place", [MEMORY], indirect=True)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_reading, "PIECE", 2 * MIB)


def read(content: bytes, vault: Vault, journal: MemoryJournal) -> LineResult:
    lines = manifest_of([ManifestLine(1, "large", digest_of(content))])
    (result,) = ask_vault(lines, vault, read=True, journal=journal)
    assert isinstance(result, LineResult)
    return result


def interrupt(place: VaultPlace, content: bytes, journal: MemoryJournal, after: int) -> None:
    put_all(place.vault, {"large": content})
    broken = place.with_store(lambda inner: WatchedStore(inner, Interruption(after, unavailable)))
    with pytest.raises(StorageUnavailable):
        read(content, broken, journal)


def read_counted(place: VaultPlace, content: bytes, journal: MemoryJournal) -> tuple[LineResult, int]:
    store = WatchedStore(place.store)
    return read(content, Vault(store), journal), sum(store.read_bytes.values())


@pytest.mark.parametrize("place", [MEMORY, FOLDER, MOTO, SEAWEEDFS, AZURITE], indirect=True)
def test_reading_goes_on_at_the_next_piece(place: VaultPlace) -> None:
    content, journal = os.urandom(9 * MIB + 5), MemoryJournal()
    interrupt(place, content, journal, 5 * MIB)
    result, count = read_counted(place, content, journal)
    assert (result.outcome, result.size) == (Outcome.HELD, len(content))
    assert len(content) - 5 * MIB <= count <= len(content) - 4 * MIB
    assert result.evidence is not None and result.evidence.level is EvidenceLevel.READ
    assert result.evidence.version == place.store.info(result.key).version
    assert journal.load(NOTE) is None
    assert read_counted(place, content, journal)[1] == 0


@pytest.mark.parametrize("place", [MEMORY, FOLDER, SEAWEEDFS], indirect=True)
def test_another_version_is_read_from_the_beginning(place: VaultPlace) -> None:
    content, journal = os.urandom(9 * MIB), MemoryJournal()
    interrupt(place, content, journal, 5 * MIB)
    other = bytes([content[0] ^ 1]) + content[1:]
    found = place.spoil(digest_of(content), other)
    result, count = read_counted(place, content, journal)
    assert (result.outcome, result.found, count) == (Outcome.DAMAGED, found, len(other))


def alter(change: Callable[[list[object]], object]) -> Callable[[MemoryJournal], None]:
    def apply(journal: MemoryJournal) -> None:
        note = json.loads(journal.saved[NOTE])
        change(next(iter(note.values())))
        journal.saved[NOTE] = json.dumps(note).encode()

    return apply


def spoil_state(piece: list[object]) -> None:
    state = bytearray(base64.b64decode(str(piece[2])))
    state[20] ^= 1
    piece[2] = base64.b64encode(state).decode()


def forget_the_format(journal: MemoryJournal) -> None:
    journal.saved[NOTE] = b'{"a": 5}'


@in_memory
@pytest.mark.parametrize(
    "spoil",
    [
        alter(spoil_state),
        alter(lambda piece: piece.__setitem__(1, 100 * MIB)),
        alter(lambda piece: piece.__setitem__(1, -5)),
        alter(lambda piece: piece.__setitem__(2, "%%%")),
        alter(lambda piece: piece.__setitem__(2, "abc")),
        alter(lambda piece: piece.pop()),
        forget_the_format,
    ],
)
def test_a_note_that_cannot_be_right_is_not_used(place: VaultPlace, spoil: Callable[[MemoryJournal], None]) -> None:
    content, journal = os.urandom(9 * MIB), MemoryJournal()
    interrupt(place, content, journal, 5 * MIB)
    spoil(journal)
    assert read_counted(place, content, journal)[0].outcome is Outcome.HELD


@in_memory
def test_a_digest_that_was_gone_on_with_is_computed_anew_before_damage_is_told(place: VaultPlace) -> None:
    content, journal = os.urandom(9 * MIB), MemoryJournal()
    interrupt(place, content, journal, 5 * MIB)
    alter(lambda piece: piece.__setitem__(1, 3 * MIB))(journal)  # a state that is right, of another place
    result, count = read_counted(place, content, journal)
    assert result.outcome is Outcome.HELD and count == 6 * MIB + 9 * MIB
    assert journal.load(NOTE) is None


@in_memory
def test_without_the_library_large_objects_begin_anew(place: VaultPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_reading, "new_resumable_sha256", lambda: None)
    monkeypatch.setattr(object_reading, "restore_sha256", lambda state: None)
    content, journal = os.urandom(9 * MIB), MemoryJournal()
    interrupt(place, content, journal, 5 * MIB)
    assert journal.load(NOTE) is None
    result, count = read_counted(place, content, journal)
    assert result.outcome is Outcome.HELD and count == len(content)

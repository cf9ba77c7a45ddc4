"""Asking a vault about the lines of a manifest: in order, in parallel, with as few requests as can be."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from archive_tui.archives.vault import line_windows, presence
from archive_tui.archives.vault.asking import PHASE, ask_vault
from archive_tui.archives.vault.outcomes import LineNews, LineResult, Outcome, Tally
from archive_tui.archives.vault.vault import Vault, open_vault
from archive_tui.errors import (
    AccessDenied,
    HashError,
    ObjectNotFound,
    OperationStopped,
    StorageError,
    StorageUnavailable,
)
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.manifests.checksum_lines.line import BadLine, ManifestLine
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectInfo, ObjectStore, Support, Traits
from archive_tui.objects.wrappers.faulty_store import Fault, FaultyStore
from archive_tui.objects.wrappers.store_wrappers import RecordingStore
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from archive_tui.progress import Ended, Event, ItemDone, ItemFailed, Planned
from archive_tui.settings import load_settings
from archive_tui.state.database import StateDatabase
from archive_tui.state.evidence_table import EvidenceTable
from tests.archives.vault.conftest import (
    AZURITE,
    FOLDER,
    MOTO,
    RCLONE,
    SEAWEEDFS,
    VaultPlace,
    digest_of,
    make_vault_place,
    manifest_of,
)
from tests.archives.vault.test_looking import WORD_OF
from tests.servers.faulty_proxy import FaultyProxy
from tests.servers.s3_server import S3Server


class Distant(WrappedStore):
    """A store in memory as a server shows it: listings know no digests, and nobody knows yet what it promises."""

    def __init__(self, inner: ObjectStore) -> None:
        super().__init__(inner)
        self.was_probed = False

    @property
    def traits(self) -> Traits:
        return Traits(attests_digest=Support.YES) if self.was_probed else Traits()

    def probe(self) -> Traits:
        self.was_probed = True
        return self.traits

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[ObjectInfo]:  # type: ignore[override]
        for entry in self.inner.list(prefix, recursive=recursive):
            assert isinstance(entry, ObjectInfo)
            yield ObjectInfo(entry.key, entry.size, entry.modified, entry.version)


def contents(count: int, word: str = "content") -> list[bytes]:
    return [f"{word} {number}".encode() for number in range(count)]


def fill(vault: Vault, *held: bytes) -> None:
    for content in held:
        vault.store.put(vault.key(digest_of(content)), [content])


def lines_of(*listed: bytes) -> list[ManifestLine]:
    return [ManifestLine(number, f"file-{number}", digest_of(content)) for number, content in enumerate(listed, 1)]


def outcomes(news: Iterator[LineNews]) -> list[Outcome | str]:
    return [each.outcome if isinstance(each, LineResult) else each.reason for each in news]


@dataclass
class KeptEvidence:
    """Evidence in memory, with the calls that asked for it."""

    by_key: dict[str, Evidence] = field(default_factory=dict)
    recorded: list[list[Evidence]] = field(default_factory=list)

    def lookup(self, store_identity: str, keys: object) -> dict[str, Evidence]:
        assert isinstance(keys, set)
        return {key: self.by_key[key] for key in keys if key in self.by_key}

    def record_many(self, findings: object) -> bool:
        self.recorded.append(list(findings))  # type: ignore[call-overload]
        self.by_key |= {evidence.key: evidence for evidence in self.recorded[-1]}
        return True


def test_each_line_gets_its_answer_in_order(place: VaultPlace) -> None:
    held, lacking, spoilt = contents(2, "held"), contents(2, "lacking"), b"spoilt"
    fill(place.vault, *held, spoilt)
    found = place.spoil(digest_of(spoilt))
    listed = [lacking[0], held[0], spoilt, held[1], lacking[1], held[0]]
    bad = BadLine(7, "no checksum line")
    results = list(ask_vault(manifest_of([*lines_of(*listed), bad]), place.vault, read=True))
    assert outcomes(iter(results)) == [
        Outcome.ABSENT, Outcome.HELD, Outcome.DAMAGED, Outcome.HELD, Outcome.ABSENT, Outcome.HELD, bad.reason,
    ]  # fmt: skip
    assert [each.line.number for each in results if isinstance(each, LineResult)] == [1, 2, 3, 4, 5, 6]
    absent, _, damaged = results[:3]
    assert isinstance(absent, LineResult) and isinstance(damaged, LineResult)
    assert isinstance(absent.error, ObjectNotFound) and "file-1" in str(absent.error)
    assert isinstance(damaged.error, HashError) and damaged.found == found
    assert digest_of(spoilt) in str(damaged.error) and found in str(damaged.error)


def test_each_answer_says_which_evidence(place: VaultPlace) -> None:
    held = contents(30)
    fill(place.vault, *held)
    tally = Tally()
    for news in ask_vault(manifest_of(lines_of(*held)), place.vault):
        tally.add(news)
    assert tally.outcomes == {Outcome.HELD: 30}
    assert tally.evidence == {WORD_OF[place.kind].name.lower(): 30}
    again = Tally()
    for news in ask_vault(manifest_of(lines_of(*held)), place.vault, read=True):
        again.add(news)
    assert again.evidence == {"read": 30}


def test_a_content_is_asked_for_once_however_many_names_it_has() -> None:
    store = RecordingStore(Distant(MemoryStore()))
    vault = Vault(store)
    fill(vault, b"held")
    store.calls.clear()
    listed = [b"held", b"lacking"] * 8
    assert outcomes(ask_vault(manifest_of(lines_of(*listed)), vault)) == [Outcome.HELD, Outcome.ABSENT] * 8
    assert store.count("info") == 2


def test_a_small_vault_is_listed_once_and_absent_contents_cost_nothing() -> None:
    store = RecordingStore(Distant(MemoryStore()))
    vault = Vault(store)
    held = contents(40, "held")
    fill(vault, *held, *contents(300, "of somebody else"))
    store.calls.clear()
    listed = [*contents(500, "lacking"), *held]
    found = Counter(outcomes(ask_vault(manifest_of(lines_of(*listed)), vault)))
    assert found == {Outcome.ABSENT: 500, Outcome.HELD: 40}
    asked = Counter(call.operation for call in store.calls)
    assert asked["list"] == 2  # once for a first entry only: is there such a place at all?
    assert 40 <= asked["info"] <= 41  # the listing is remembered by slots; two keys may share one


def test_what_the_listing_says_is_not_asked_again() -> None:
    store = RecordingStore(MemoryStore())  # its listings know digests, as those of Azure do
    vault = Vault(store)
    held = contents(40)
    fill(vault, *held)
    store.calls.clear()
    assert set(outcomes(ask_vault(manifest_of(lines_of(*held)), vault))) == {Outcome.HELD}
    assert Counter(call.operation for call in store.calls) == {"list": 1}


class CountedListing(Distant):
    """Counts the entries that are taken from its listings."""

    entries = 0

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[ObjectInfo]:  # type: ignore[override]
        for entry in super().list(prefix, recursive=recursive):
            self.entries += 1
            yield entry


def test_a_large_vault_is_never_listed_whole_for_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "LEAST_KEYS", 50)
    store = CountedListing(MemoryStore())
    vault = Vault(store)
    fill(vault, *contents(2_000, "of somebody else"), b"held")
    assert outcomes(ask_vault(manifest_of(lines_of(b"held")), vault)) == [Outcome.HELD]
    assert store.entries == 1
    store.entries = 0
    listed = [b"held", *contents(29, "lacking")]
    assert Counter(outcomes(ask_vault(manifest_of(lines_of(*listed)), vault))) == {Outcome.HELD: 1, Outcome.ABSENT: 29}
    assert 50 < store.entries <= 30 * presence.KEYS_PER_QUESTION + 1


def test_a_folder_is_not_listed(tmp_path: Path) -> None:
    store = RecordingStore(FolderStore(tmp_path / "vault"))
    list(ask_vault(manifest_of(lines_of(*contents(100))), Vault(store)))
    assert Counter(call.operation for call in store.calls) == {"info": 100}


@pytest.mark.parametrize("error", [AccessDenied("you may not list"), StorageError("cut", code="listing-cut")])
def test_a_vault_that_cannot_be_listed_is_asked_line_by_line(error: StorageError) -> None:
    store = FaultyStore(Distant(MemoryStore()), Fault("list", error=error))
    vault = Vault(store)
    fill(vault, b"held")
    listed = [b"held", *contents(30)]
    assert Counter(outcomes(ask_vault(manifest_of(lines_of(*listed)), vault))) == {Outcome.HELD: 1, Outcome.ABSENT: 30}


class ReadOnly(Distant):
    def probe(self) -> Traits:
        raise AccessDenied("you may not write")


def test_without_the_right_to_write_the_vault_can_be_asked() -> None:
    vault = Vault(ReadOnly(MemoryStore()))
    fill(vault, b"held")
    assert outcomes(ask_vault(manifest_of(lines_of(b"held", b"lacking")), vault)) == [Outcome.HELD, Outcome.ABSENT]


def test_a_server_is_probed_before_its_word_is_weighed() -> None:
    store = Distant(MemoryStore())
    list(ask_vault(manifest_of(lines_of(b"held")), Vault(store)))
    assert store.was_probed


@pytest.mark.parametrize("error", [StorageUnavailable("gone"), AccessDenied("expired", code="expired-credentials")])
def test_a_store_that_refuses_everybody_ends_the_run_after_the_lines_before(error: StorageError) -> None:
    store = MemoryStore()
    listed = contents(10)
    fill(Vault(store), *listed)
    vault = Vault(FaultyStore(store, Fault("info", call=5, error=error)))
    seen = []
    with pytest.raises(type(error)):
        for news in ask_vault(manifest_of(lines_of(*listed)), vault, threads=1):
            seen.append(news)
    assert outcomes(iter(seen)) == [Outcome.HELD] * 4


def test_an_error_of_one_object_is_the_result_of_its_lines() -> None:
    store = MemoryStore()
    fill(Vault(store), *contents(3))
    vault = Vault(FaultyStore(store, Fault("info", call=2, error=StorageError("a bad sector"))))
    news = list(ask_vault(manifest_of(lines_of(*contents(3))), vault, threads=1))
    assert outcomes(iter(news)) == [Outcome.HELD, Outcome.FAILED, Outcome.HELD]
    assert isinstance(news[1], LineResult) and str(news[1].error) == "a bad sector"


def test_a_file_of_a_folder_that_may_not_be_read_concerns_its_lines_only(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "vault")
    fill(Vault(store), *contents(3))
    denied = Fault("open", call=2, error=AccessDenied("mode 000"))
    news = ask_vault(manifest_of(lines_of(*contents(3))), Vault(FaultyStore(store, denied)), read=True, threads=1)
    assert outcomes(news) == [Outcome.HELD, Outcome.FAILED, Outcome.HELD]


def test_a_stop_ends_between_lines_and_keeps_the_evidence() -> None:
    vault, kept, stop = Vault(MemoryStore()), KeptEvidence(), threading.Event()
    listed = contents(200)
    fill(vault, *listed)
    seen = 0
    with pytest.raises(OperationStopped):
        for _ in ask_vault(manifest_of(lines_of(*listed)), vault, evidence_table=kept, stop=stop, threads=2):
            seen += 1
            if seen == 50:
                stop.set()
    assert 50 <= seen < 200
    assert len(kept.by_key) >= seen


def test_whoever_stops_listening_leaves_no_thread_behind() -> None:
    vault = Vault(MemoryStore())
    news = ask_vault(manifest_of(lines_of(*contents(100))), vault)
    next(news)
    news.close()  # type: ignore[attr-defined]
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("parallel")] == []


def test_progress_tells_the_lines_and_the_damage() -> None:
    vault = Vault(MemoryStore())
    fill(vault, b"held", b"spoilt")
    vault.store.put(vault.key(digest_of(b"spoilt")), [b"x"], overwrite=True)
    events: list[Event] = []
    listed = [b"held", b"spoilt", b"lacking"]
    list(ask_vault(manifest_of([*lines_of(*listed), BadLine(4, "junk")]), vault, report=events.append))
    assert events[0] == Planned(PHASE, 4)
    assert [(each.item, each.items_total) for each in events if isinstance(each, ItemFailed)] == [("file-2", 2)]
    assert max(each.items_total for each in events if isinstance(each, ItemDone)) == 4
    assert events[-1] == Ended(PHASE, finished=True)


def test_what_is_proven_is_recorded_and_used_again(tmp_path: Path) -> None:
    database = StateDatabase(tmp_path / "state.sqlite")
    table = EvidenceTable(database)
    vault = Vault(FolderStore(tmp_path / "vault"))
    held = contents(5)
    fill(vault, *held)

    def levels(*, read: bool = False) -> set[EvidenceLevel]:
        news = ask_vault(manifest_of(lines_of(*held)), vault, evidence_table=table, read=read)
        return {each.evidence.level for each in news if isinstance(each, LineResult) and each.evidence is not None}

    assert levels() == {EvidenceLevel.LISTED}
    assert levels(read=True) == {EvidenceLevel.READ}
    assert levels() == {EvidenceLevel.UNCHANGED}
    kept = table.lookup(vault.store.identity, [vault.key(digest_of(content)) for content in held])
    assert {evidence.level for evidence in kept.values()} == {EvidenceLevel.READ}
    database.close()


def test_a_weaker_word_does_not_replace_what_was_read() -> None:
    store = MemoryStore()
    vault, kept = Vault(store), KeptEvidence()
    fill(vault, b"held")
    key = vault.key(digest_of(b"held"))
    read = Evidence(
        store.identity, key, EvidenceLevel.READ, digest_of(b"held"), 4, 1.0, "Read.", store.info(key).version
    )
    kept.by_key[key] = read
    list(ask_vault(manifest_of(lines_of(b"held")), vault, evidence_table=kept))
    assert kept.by_key[key] is read
    store.put(key, [b"new"], overwrite=True)
    list(ask_vault(manifest_of(lines_of(b"held")), vault, evidence_table=kept))
    assert kept.by_key[key].level is EvidenceLevel.DAMAGED


def test_lines_are_taken_a_window_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory does not grow with the manifest: lines are not read far ahead of the results."""
    monkeypatch.setattr(line_windows, "WINDOW", 10)
    taken = 0

    class Endless:
        def lines(self) -> Iterator[ManifestLine]:
            nonlocal taken
            for number, content in enumerate(contents(1000), 1):
                taken += 1
                yield ManifestLine(number, f"file-{number}", digest_of(content))

        def count_lines(self) -> int:
            return 1000

    for number, _ in enumerate(ask_vault(Endless(), Vault(MemoryStore())), 1):
        assert taken <= number + 20
    assert taken == 1000


def requests_for(proxy: FaultyProxy, vault: Vault, lines: list[ManifestLine]) -> Counter[str]:
    vault.store.probe()
    proxy.requests.clear()
    list(ask_vault(manifest_of(lines), vault))
    return Counter(request.split(" ")[0] for request in proxy.requests)


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_thousands_of_lines_against_a_server(
    count: int, seaweedfs_server: S3Server, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A request for each content that is there, and a page of a listing for a thousand; nothing for what is not."""
    with FaultyProxy(seaweedfs_server.endpoint_url) as proxy:
        place = make_vault_place(SEAWEEDFS, tmp_path, request, sent_to=proxy.url)
        held = contents(count // 10, str(count))
        fill(place.vault, *held)
        listed = [*contents(count - len(held), "lacking"), *held]
        found = Counter(outcomes(ask_vault(manifest_of(lines_of(*listed)), place.vault)))
        assert found == {Outcome.HELD: len(held), Outcome.ABSENT: count - len(held)}
        sent = requests_for(proxy, place.vault, lines_of(*listed))
        assert sent["GET"] <= 1 + len(held) // 1000
        assert len(held) <= sent["HEAD"] <= len(held) * 1.01 + 2
        assert set(sent) == {"GET", "HEAD"}
        place.store.close()


def test_a_server_that_goes_away_in_the_middle(
    seaweedfs_server: S3Server, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archive_tui.objects.s3 import connection

    monkeypatch.setattr(connection, "LONGEST_PAUSE", 0.02)
    with FaultyProxy(seaweedfs_server.endpoint_url) as proxy:
        place = make_vault_place(SEAWEEDFS, tmp_path, request, sent_to=proxy.url)
        held = contents(60, "away")
        fill(place.vault, *held)
        seen = []
        with (
            proxy.fault("answer", lambda line: line.startswith("HEAD"), times=0, status=503) as fault,
            pytest.raises(StorageUnavailable) as caught,
        ):
            for news in ask_vault(manifest_of(lines_of(*held)), place.vault, threads=2):
                seen.append(news)
                if len(seen) == 20:
                    fault.times = 10_000
        assert 20 <= len(seen) < 60
        assert caught.value.hint
        assert set(outcomes(iter(seen))) == {Outcome.HELD}
        place.store.close()


@pytest.mark.parametrize("kind", [MOTO, SEAWEEDFS, RCLONE, AZURITE])
def test_a_vault_whose_bucket_does_not_exist_is_no_empty_vault(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    keys = make_vault_place(kind, tmp_path, request).settings
    keys["container" if kind == AZURITE else "bucket"] = "there-is-no-such-place"
    text = "".join(f"{key} = {value}\n" for key, value in {"local_path": ".", **keys}.items())
    (tmp_path / "settings.ini").write_text(f"[lab]\n{text}")
    vault = open_vault(load_settings(tmp_path / "settings.ini"), "lab")
    for count in (1, 100):
        with pytest.raises(StorageError) as caught:
            list(ask_vault(manifest_of(lines_of(*contents(count))), vault))
        assert "there-is-no-such-place" in str(caught.value)
    vault.store.close()


@pytest.mark.parametrize("place", [FOLDER], indirect=True)
def test_an_empty_manifest_is_no_news(place: VaultPlace) -> None:
    assert list(ask_vault(manifest_of([]), place.vault)) == []

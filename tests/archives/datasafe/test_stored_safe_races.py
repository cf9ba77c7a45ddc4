"""Many processes at one datasafe: each gets a number of its own, one deposit wins, each update is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.archives.datasafe.safe import Safe
from archive_tui.errors import ArchiveError, ExistingFileError, LoiNotFoundError, MissingContentError
from archive_tui.integrity.report import Verdict
from tests.archives.datasafe.safe_places import (
    PARENT,
    PREFIX,
    QUICK,
    SafePlace,
    deposited,
    held_files,
    make_safe_place,
    pack_dataset,
)
from tests.archives.datasafe.safe_processes import Processes, Work, running_processes
from tests.archives.faults.places import CREATE_ONLY

RESERVATIONS = 64
RACERS = [5, pytest.param(24, marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    with running_processes() as running:
        yield running


@pytest.fixture(params=CREATE_ONLY)
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SafePlace:
    return make_safe_place(request.param, tmp_path / "place", request, monkeypatch)


def work(place: SafePlace, act: str, loi: str, *, archive: str = "", times: int = 1) -> Work:
    return Work(str(place.place.settings), PREFIX, act, loi, archive, times)


@pytest.mark.parametrize("racers", [8, pytest.param(64, marks=pytest.mark.slow)])
def test_racing_reservations_get_different_lois(place: SafePlace, processes: Processes, racers: int) -> None:
    each = RESERVATIONS // racers
    ended = processes.run(*[work(place, "reserve", PARENT, times=each)] * racers)
    lois = [loi for end in ended for loi in end.answers]
    assert sorted(lois) == sorted(f"{PARENT}/{number}" for number in range(1, RESERVATIONS + 1))
    with place.open() as safe:
        assert len(list(safe.entries())) == RESERVATIONS


def test_racing_issuers_never_share_a_place(place: SafePlace, processes: Processes) -> None:
    kinds = [PARENT.replace("1001", str(issuer)) for issuer in range(1, 7)]
    ended = processes.run(*(work(place, "reserve", kind, times=2) for kind in kinds))
    assert [end.answers for end in ended] == [[f"{kind}/1", f"{kind}/2"] for kind in kinds]
    with place.open() as safe:
        for kind in kinds:
            safe.deposit(f"{kind}/1", [pack_dataset(f"{kind}/1", {"a": kind.encode()})])
        assert [held_files(safe, f"{kind}/1") for kind in kinds] == [{"a": kind.encode()} for kind in kinds]
        assert len(list(safe.entries())) == 2 * len(kinds)


def write_archives(place: SafePlace, loi: str, count: int) -> list[str]:
    paths = []
    for number in range(count):
        path = place.place.folder / f"{number}.zip"
        path.write_bytes(pack_dataset(loi, {"a": str(number).encode(), "b": bytes(50_000)}))
        paths.append(str(path))
    return paths


@pytest.mark.parametrize("racers", RACERS)
def test_of_racing_deposits_exactly_one_wins(place: SafePlace, processes: Processes, racers: int) -> None:
    with place.open() as safe:
        loi = safe.reserve(PARENT)
        archives = write_archives(place, loi, racers)
        ended = processes.run(*(work(place, "deposit", loi, archive=path) for path in archives))
        answers = [end.answers[0] for end in ended]
        winners = [number for number, answer in enumerate(answers) if answer != ExistingFileError.code]
        assert len(winners) == 1, answers
        assert held_files(safe, loi)["a"] == str(winners[0]).encode()
        assert safe.look(loi).digest == answers[winners[0]]
        assert safe.verify(loi).verdict is Verdict.VERIFIED
    assert place.temporary_entries() == []


@pytest.mark.parametrize("racers", RACERS)
def test_of_racing_updates_each_is_kept(place: SafePlace, processes: Processes, racers: int) -> None:
    with deposited(place, {"a": b"first"}) as (safe, loi):
        first = safe.look(loi).digest
        archives = write_archives(place, loi, racers)
        ended = processes.run(*(work(place, "update", loi, archive=path) for path in archives))
        digests = [first, *(end.answers[0] for end in ended)]
        old = safe.describe(loi).old_versions
        assert sorted([safe.look(loi).digest, *(each.digest for each in old)], key=str) == sorted(digests, key=str)
        assert old[0].digest == first
        texts = [held_files(safe, loi, each.number)["a"] for each in old] + [held_files(safe, loi)["a"]]
        assert sorted(texts) == sorted([b"first", *(str(number).encode() for number in range(racers))])
        assert safe.verify(loi).verdict is Verdict.VERIFIED
    assert place.temporary_entries() == []


@pytest.mark.parametrize("kind", QUICK)
def test_whoever_reads_while_it_is_updated_gets_one_version_whole(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_safe_place(kind, tmp_path / "place", request, monkeypatch)
    with deposited(place, dataset(0)) as (safe, loi):
        reader = threading.Thread(target=update_often, args=(safe, loi))
        reader.start()
        whole = 0
        while reader.is_alive():
            whole += read_whole(safe, loi)
        reader.join()
        assert whole and held_files(safe, loi) == dataset(30)


def dataset(number: int) -> dict[str, bytes]:
    """All of them have files of the same names and sizes: a mixture would look like one of them."""
    return {f"{name}.dat": f"{number:04}".encode() * 10_000 for name in "abcdef"}


def update_often(safe: Safe, loi: str) -> None:
    for number in range(1, 31):
        safe.update(loi, [pack_dataset(loi, dataset(number))])


def read_whole(safe: Safe, loi: str) -> bool:
    """False for one of our errors; fails for anything that is no version."""
    try:
        assert safe.look(loi).files == 7
        files = held_files(safe, loi)
    except (LoiNotFoundError, MissingContentError):
        raise AssertionError("it was there all the time") from None
    except ArchiveError:
        return False
    assert files in [dataset(number) for number in range(31)]
    return True

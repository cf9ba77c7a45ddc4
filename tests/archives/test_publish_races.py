"""Many publishers of one version at once: one wins, the others are told so, and what lies there is the winner's."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive_tui.archives.datasets.catalog import find_version, list_versions, read_version_manifest
from archive_tui.archives.datasets.fetching import fetch_dataset
from archive_tui.archives.datasets.publishing import PublishReceipt, PublishRequest, plan_publish, publish
from archive_tui.errors import ObjectExists
from archive_tui.objects.object_store import ObjectStore
from tests.archives.faults.commands import publish_words, start_program, wait_for
from tests.archives.faults.places import (
    CREATE_ONLY,
    FOLDER,
    Place,
    check_only_whole_versions,
    make_place,
    tree_of,
    write_source,
)

NAME = "race"
SIZE = 20_000

many = pytest.mark.slow
THREADS = [8, pytest.param(64, marks=many)]
PROCESSES = [6, pytest.param(16, marks=many), pytest.param(64, marks=many)]


def write_sources(folder: Path, count: int) -> list[Path]:
    return [write_source(folder / f"source-{number}", number, size=SIZE) for number in range(count)]


def race_in_threads(store: ObjectStore, sources: list[Path], on_conflict: str) -> list[PublishReceipt | ObjectExists]:
    """Plans everything first, so that all believe the same number to be free; returns what each publisher got."""
    plans = [plan_publish(store, PublishRequest(NAME, source, on_conflict=on_conflict)) for source in sources]
    assert {plan.version for plan in plans} == {"0.0.1"}
    start = threading.Barrier(len(plans))

    def run(number: int) -> PublishReceipt | ObjectExists:
        start.wait(60)
        try:
            return publish(store, plans[number])
        except ObjectExists as error:
            return error

    with ThreadPoolExecutor(len(plans)) as pool:
        return list(pool.map(run, range(len(plans))))


def check_winner(place: Place, source: Path, digest: str | None, into: Path) -> None:
    """Fails unless the only version is the winner's, whole, with its own manifest beside it."""
    with place.open_store() as store:
        assert check_only_whole_versions(store, NAME) == ["0.0.1"]
        version = find_version(store, NAME)
        manifest = read_version_manifest(store, version)
        assert version.manifest_key is not None
        assert manifest.archive is not None and manifest.archive.digest == digest
        assert tree_of(fetch_dataset(store, NAME, into=into).folder) == tree_of(source)
    assert place.temporary_entries() == []


@pytest.mark.parametrize("publishers", THREADS)
@pytest.mark.parametrize("kind", CREATE_ONLY)
def test_one_of_many_threads_wins(kind: str, publishers: int, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    place = make_place(kind, tmp_path / "place", request)
    sources = write_sources(tmp_path, publishers)
    with place.open_store() as store:
        outcomes = race_in_threads(store, sources, "fail")
    winners = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, PublishReceipt)]
    assert len(winners) == 1
    losers = [outcome for outcome in outcomes if isinstance(outcome, ObjectExists)]
    assert all("never overwritten" in error.hint and "0.0.1" in error.message for error in losers)
    won = outcomes[winners[0]]
    assert isinstance(won, PublishReceipt)
    check_winner(place, sources[winners[0]], won.archive_digest, tmp_path / "there")


@pytest.mark.parametrize("publishers", THREADS)
@pytest.mark.parametrize("kind", CREATE_ONLY)
def test_each_of_many_threads_gets_its_own_number(
    kind: str, publishers: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = make_place(kind, tmp_path / "place", request)
    sources = write_sources(tmp_path, publishers)
    with place.open_store() as store:
        outcomes = race_in_threads(store, sources, "next")
        check_numbers(store, [outcome.version for outcome in outcomes if isinstance(outcome, PublishReceipt)], sources)
    assert place.temporary_entries() == []


def check_numbers(store: ObjectStore, versions: list[str], sources: list[Path]) -> None:
    """Fails unless every publisher has a number of its own, without gaps, and its own content lies there."""
    numbers = [f"0.0.{number}" for number in range(1, len(sources) + 1)]
    assert sorted(versions) == sorted(numbers)
    assert check_only_whole_versions(store, NAME) == numbers
    stored = {version.version: version for version in list_versions(store, NAME)}
    for version, source in zip(versions, sources, strict=True):
        inventory = read_version_manifest(store, stored[version]).inventory
        assert {entry.path: entry.digest for entry in inventory} == tree_of(source)


@pytest.mark.parametrize("publishers", PROCESSES)
@pytest.mark.parametrize("kind", CREATE_ONLY)
def test_one_of_many_processes_wins(kind: str, publishers: int, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    place = make_place(kind, tmp_path / "place", request)
    sources = write_sources(tmp_path, publishers)
    processes = [start_program(place.folder, *publish_words(NAME, source, "--version", "0.0.1")) for source in sources]
    ends = [wait_for(process) for process in processes]
    winners = [number for number, end in enumerate(ends) if end.status == 0]
    assert len(winners) == 1, [end.err for end in ends]
    for number, end in enumerate(ends):
        if number not in winners:
            assert end.status == 1, end.err
            assert end.document["error"]["code"] == "object-exists"
    check_winner(place, sources[winners[0]], ends[winners[0]].document["archive_digest"], tmp_path / "there")


@pytest.mark.parametrize("publishers", PROCESSES)
@pytest.mark.parametrize("kind", CREATE_ONLY)
def test_each_of_many_processes_gets_its_own_number(
    kind: str, publishers: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if publishers == 64 and kind != FOLDER:
        publishers = 32  # each loser sends its archive again: the work grows with the square
    place = make_place(kind, tmp_path / "place", request)
    sources = write_sources(tmp_path, publishers)
    words = ("--on-conflict", "next")
    processes = [start_program(place.folder, *publish_words(NAME, source, *words)) for source in sources]
    ends = [wait_for(process) for process in processes]
    assert [end.status for end in ends] == [0] * publishers, [end.err for end in ends]
    with place.open_store() as store:
        check_numbers(store, [end.document["version"] for end in ends], sources)


def test_publishers_of_the_same_content_have_one_version(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    place = make_place(FOLDER, tmp_path / "place", request)
    sources = [write_source(tmp_path / f"source-{number}", "same", size=SIZE) for number in range(8)]
    with place.open_store() as store:
        outcomes = race_in_threads(store, sources, "next")
        assert check_only_whole_versions(store, NAME) == ["0.0.1"]
    found = sorted(outcome.outcome for outcome in outcomes if isinstance(outcome, PublishReceipt))
    assert found == ["identical"] * 7 + ["published"]

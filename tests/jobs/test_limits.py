"""What the settings allow all jobs together."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.storages import open_storage
from archive_tui.conflicts import ConflictRule
from archive_tui.errors import ConfigurationError
from archive_tui.jobs.limits import JobLimits, StorageLimits
from archive_tui.jobs.places import Place, folder_place, storage_place
from archive_tui.jobs.request import JobPolicy
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.wrappers.throttled_store import ThrottledStore
from archive_tui.settings import Settings, load_settings
from tests.conformance.store_samples import put_bytes, read_all

SECTION = "[{0}]\nstorage_client = archive_tui.core.LocalStorageClient\nstorage_area = {1}/{0}\nlocal_path = .\n{2}"


def settings(folder: Path, program: str = "", lab: str = "", other: str = "") -> Settings:
    path = folder / "settings.ini"
    path.write_text(
        SECTION.format("lab", folder, lab) + SECTION.format("other", folder, other) + f"[archive-tui]\n{program}"
    )
    return load_settings(path)


def place(name: str, of: Settings) -> Place:
    return storage_place(open_storage(of, name), of)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", sleep)
    return now


def test_what_is_left_out(tmp_path: Path) -> None:
    limits = JobLimits.load(settings(tmp_path))
    assert (limits.jobs_at_once, limits.bandwidth, limits.retries) == (2, None, 5)
    assert limits.by_storage["lab"] == StorageLimits()
    assert JobLimits.load(Settings(None, {})).jobs_at_once == 2
    assert limits.make_policy() == JobPolicy(ConflictRule.ASK, 5)


def test_what_is_given(tmp_path: Path) -> None:
    program = "jobs_at_once = 7\nbandwidth_limit = 20 MB/s\nretries = 0\n"
    loaded = settings(tmp_path, program, "bandwidth_limit = 500 kB/s\njobs_at_once = 1\n")
    assert loaded.remarks == ()
    limits = JobLimits.load(loaded)
    assert (limits.jobs_at_once, limits.bandwidth, limits.retries) == (7, 20_000_000, 0)
    assert limits.by_storage["lab"] == StorageLimits(500_000, 1)
    assert limits.make_policy(ConflictRule.KEEP) == JobPolicy(ConflictRule.KEEP, 0)


@pytest.mark.parametrize(
    ("program", "lab", "message"),
    [
        ("jobs_at_once = 0", "", "[archive-tui] jobs_at_once is no number from 1 to 64: 0"),
        ("jobs_at_once = two", "", "[archive-tui] jobs_at_once is no number from 1 to 64: two"),
        ("jobs_at_once = ²", "", "[archive-tui] jobs_at_once is no number from 1 to 64: ²"),
        ("retries = -1", "", "[archive-tui] retries is no number from 0 to 1000: -1"),
        ("retries = 99999999999999999999", "", "retries is no number"),
        ("bandwidth_limit = fast", "", "[archive-tui] bandwidth_limit is no rate: fast"),
        ("bandwidth_limit = 0", "", "bandwidth_limit is no rate: 0"),
        ("", "bandwidth_limit = 20 apples\n", "[lab] bandwidth_limit is no rate: 20 apples"),
        ("", "jobs_at_once = 1.5\n", "[lab] jobs_at_once is no number"),
    ],
)
def test_what_cannot_be_used(program: str, lab: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        JobLimits.load(settings(tmp_path, program, lab))
    assert message in str(caught.value)
    assert caught.value.code == "limit-form"


def test_a_misspelt_limit_of_a_storage_is_found(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="bandwith_limit"):
        open_storage(settings(tmp_path, lab="bandwith_limit = 1 MB/s\n"), "lab")
    assert open_storage(settings(tmp_path, lab="bandwidth_limit = 1 MB/s\n"), "lab").name == "lab"


def test_all_jobs_share_the_limit_of_a_storage(tmp_path: Path, clock: list[float]) -> None:
    loaded = settings(tmp_path, lab="bandwidth_limit = 1000\n")
    limits = JobLimits.load(loaded)
    for number in range(3):
        put_bytes(limits.open_place(place("lab", loaded), JobPolicy()).store, f"{number}", bytes(1000))
    assert clock[0] == pytest.approx(1003)
    put_bytes(limits.open_place(place("other", loaded), JobPolicy()).store, "key", bytes(5000))
    assert clock[0] == pytest.approx(1003)


def test_the_limit_of_the_program_holds_for_all_storages_together(tmp_path: Path, clock: list[float]) -> None:
    loaded = settings(tmp_path, "bandwidth_limit = 1000\n")
    limits = JobLimits.load(loaded)
    for name in ("lab", "other"):
        put_bytes(limits.open_place(place(name, loaded), JobPolicy()).store, "key", bytes(1000))
    assert clock[0] == pytest.approx(1002)
    put_bytes(limits.open_place(folder_place(tmp_path / "mine"), JobPolicy()).store, "key", bytes(5000))
    assert clock[0] == pytest.approx(1002)


def test_the_limit_of_a_job_holds_for_all_its_places_together_each_way(tmp_path: Path, clock: list[float]) -> None:
    loaded = settings(tmp_path)
    open_place = JobLimits.load(loaded).for_job(JobPolicy(bandwidth=1000))
    for name in ("lab", "other"):
        put_bytes(open_place(place(name, loaded)).store, "key", bytes(1000))
    assert clock[0] == pytest.approx(1002)
    put_bytes(open_place(folder_place(tmp_path / "mine")).store, "key", bytes(1000))
    assert clock[0] == pytest.approx(1003)
    read_all(open_place(place("lab", loaded)).store, "key")
    assert clock[0] == pytest.approx(1004)
    put_bytes(JobLimits.load(loaded).for_job(JobPolicy())(place("lab", loaded)).store, "other", bytes(9000))
    assert clock[0] == pytest.approx(1004)


def test_without_limits_the_store_is_the_store(tmp_path: Path) -> None:
    loaded = settings(tmp_path, lab="bandwidth_limit = 1 MB/s\n")
    limits = JobLimits.load(loaded)
    assert isinstance(limits.open_place(place("other", loaded), JobPolicy()).store, FolderStore)
    opened = limits.open_place(place("lab", loaded), JobPolicy())
    assert isinstance(opened.store, ThrottledStore)
    assert (opened.name, opened.storage is not None) == ("lab", True)


def parameters(*places: Any) -> dict[str, Any]:
    return {"names": ["storage", "identity"], **{f"place{number}": each for number, each in enumerate(places)}}


def test_room_for_jobs_at_once(tmp_path: Path) -> None:
    loaded = settings(tmp_path, "jobs_at_once = 3\n", "jobs_at_once = 1\n", "jobs_at_once = 2\n")
    limits = JobLimits.load(loaded)
    lab, other, folder = place("lab", loaded), place("other", loaded), folder_place(tmp_path)
    assert limits.has_room(parameters(lab, other), [])
    assert not limits.has_room(parameters(lab), [parameters(folder, lab)])
    assert limits.has_room(parameters(other), [parameters(folder, lab)])
    assert limits.has_room(parameters(other, other), [parameters(other)])
    assert not limits.has_room(parameters(other, folder), [parameters(other), parameters(lab, other)])
    assert limits.has_room(parameters(folder), [parameters(folder), parameters(folder)])
    assert not limits.has_room(parameters(folder), [parameters(folder)] * 3)
    assert limits.has_room({"target": {"place": dict(other), "path": "x"}}, [parameters(lab)])
    assert not limits.has_room({"target": {"place": dict(lab), "path": "x"}}, [parameters(lab)])


def test_whoever_has_no_settings_decides_himself_how_many() -> None:
    assert JobLimits().has_room({}, [{}] * 1000)

"""Datasafes as jobs open them: in a storage, in a folder, behind an address, each under the limits of the job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.datasafe.opening import open_folder_safe
from archive_tui.archives.storages import open_storage
from archive_tui.continuation import no_journal
from archive_tui.integrity.report import Verdict
from archive_tui.integrity.streams import read_chunks
from archive_tui.jobs.kind import JobWork
from archive_tui.jobs.limits import JobLimits
from archive_tui.jobs.places import Place
from archive_tui.jobs.request import JobPolicy
from archive_tui.jobs.safe_places import address_safe_place, folder_safe_place, open_job_safe, storage_safe_place
from archive_tui.objects.wrappers import throttled_store
from archive_tui.progress import ignore, never
from archive_tui.settings import load_settings
from tests.archives.datasafe.served_datasafe import PARENT, make_served, pack_dataset

SIZE = 100_000


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many bytes have waited for their turn, each way; nobody waits in fact."""
    counts: Counter[str] = Counter()

    def count(paces: Sequence[Any], size: int, stop: object) -> None:
        counts["in" if paces[0] is limits["job"].incoming else "out"] += size

    limits: dict[str, Any] = {}

    class Watched(throttled_store.Bandwidth):
        def __init__(self, rate: float) -> None:
            super().__init__(rate)
            limits["job"] = self

    monkeypatch.setattr(throttled_store, "_wait_for", count)
    monkeypatch.setattr("archive_tui.jobs.limits.Bandwidth", Watched)
    return counts


@pytest.fixture(params=["folder", "storage", "address"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "address":
        with make_served(tmp_path).running() as served:
            yield address_safe_place(served.url, None)
        return
    root = tmp_path / "root"
    root.mkdir()
    if request.param == "folder":
        yield folder_safe_place(root)
        return
    path = tmp_path / "settings.ini"
    path.write_text(
        f"[lab]\nstorage_client = archive_tui.core.LocalStorageClient\nstorage_area = {root}\nlocal_path = .\n"
        "datasafe = /\n"
    )
    settings = load_settings(path)
    yield storage_safe_place(open_storage(settings, "lab"), settings)


def make_work(place: Place, bandwidth: int | None) -> JobWork:
    policy = JobPolicy(bandwidth=bandwidth)
    opener = JobLimits().for_job(policy)
    return JobWork(1, {"place": place}, policy, ignore, never, no_journal, lambda *ignored: None, opener)  # type: ignore[arg-type, return-value]


def test_the_bandwidth_of_a_job_holds_wherever_the_datasafe_lies(place: Place, passed: Counter[str]) -> None:
    with open_job_safe(make_work(place, 1 << 20)) as safe:
        loi = safe.reserve(PARENT)
        packed = pack_dataset(loi, {"data": b"x" * SIZE})
        safe.deposit(loi, [packed])
        assert len(packed) <= passed["out"] < 2 * len(packed)
        assert not passed["in"]
        archive = safe.archive(loi)
        with archive.store.open(archive.key) as reader:
            assert sum(map(len, read_chunks(reader))) == archive.size
        assert passed["in"] == archive.size
        assert safe.verify(loi).verdict is Verdict.VERIFIED
        assert 2 * archive.size <= passed["in"] < 4 * archive.size, "the structure is read before the files"


def test_without_a_limit_nobody_waits(place: Place, passed: Counter[str]) -> None:
    with open_job_safe(make_work(place, None)) as safe:
        loi = safe.reserve(PARENT)
        safe.deposit(loi, [pack_dataset(loi, {"data": b"x"})])
        assert safe.verify(loi).verdict is Verdict.VERIFIED
    assert not passed


def test_a_token_file_is_written_down_so_that_it_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert address_safe_place("http://x/", Path("token"))["token_file"] == str(tmp_path / "token")


def test_a_folder_that_is_no_datasafe_is_none_for_a_job_either(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="no datasafe in this folder"),
        open_job_safe(make_work(folder_safe_place(tmp_path / "nowhere"), 1000)),
    ):
        pass
    assert open_folder_safe(tmp_path).label

"""The kinds of jobs that copy and delete, as an engine runs them: from parameters that went through JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archive_tui.archives.storages import open_storage
from archive_tui.conflicts import ConflictRule
from archive_tui.errors import ConfigurationError, StorageError
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.jobs.kinds.copying import copy_job
from archive_tui.jobs.kinds.deleting import delete_job
from archive_tui.jobs.places import Place, folder_place, storage_place
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.objects.memory import MemoryStore
from archive_tui.operations.copying import CopyReceipt
from archive_tui.operations.deleting import DeleteReceipt
from archive_tui.settings import load_settings
from tests.conformance.store_samples import listed_keys, put_bytes
from tests.jobs.kinds.job_work import MemoryJournal, run_job, store_place

SECTION = "[lab]\nstorage_client = archive_tui.core.LocalStorageClient\nstorage_area = {0}/area\nlocal_path = .\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data" / "sub").mkdir(parents=True)
    (tmp_path / "data" / "a.txt").write_text("alpha")
    (tmp_path / "data" / "sub" / "b.txt").write_text("beta")
    (tmp_path / "settings.ini").write_text(SECTION.format(tmp_path))
    return tmp_path


@pytest.fixture
def lab(folder: Path) -> Place:
    settings = load_settings(folder / "settings.ini")
    return storage_place(open_storage(settings, "lab"), settings)


def words(request: JobRequest) -> tuple[str, str, str, str]:
    """Without the settings file, which the command names at its end."""
    command = request.command.partition(" --settings ")[0]
    return request.title, request.source, request.destination, command


def test_the_words_of_a_copy(lab: Place) -> None:
    data = folder_place(Path("/data set"))
    assert words(copy_job(data, ["a.txt"], lab, into="in")) == (
        "copy a.txt to lab:in/",
        "/data set/a.txt",
        "lab:in/",
        "archive-tui copy '/data set/a.txt' lab:in/ --on-conflict ask",
    )
    keep = JobPolicy(ConflictRule.KEEP)
    several = copy_job(lab, ["x", "d/"], data, base="deep/", policy=keep)
    assert words(several) == (
        "copy 2 items to /data set/",
        "lab:deep/",
        "/data set/",
        "archive-tui copy lab:deep/x lab:deep/d '/data set/'",
    )
    whole = copy_job(lab, [""], lab, base="deep/", into="other/", policy=keep)
    assert words(whole) == (
        "copy lab:deep/ to lab:other/",
        "lab:deep/",
        "lab:other/",
        "archive-tui copy lab:deep/ lab:other/",
    )


def test_names_that_are_no_text_pass_through_json_and_shells() -> None:
    request = copy_job(folder_place(Path("/data")), ["\udcff\n'x"], folder_place(Path("/other")))
    assert json.loads(json.dumps(dict(request.parameters)))["names"] == ["\udcff\n'x"]
    assert request.command.isprintable()


def test_a_command_that_nobody_would_read_is_left_out(lab: Place) -> None:
    assert copy_job(lab, [str(number) for number in range(1000)], lab, into="x").command == ""


@pytest.mark.parametrize(("names", "base", "code"), [([], "", "selection-empty"), (["x"], "d", "selection-form")])
def test_what_is_chosen_is_checked(names: list[str], base: str, code: str, lab: Place) -> None:
    with pytest.raises(ConfigurationError) as caught:
        copy_job(lab, names, lab, base=base, into="x")
    assert caught.value.code == code
    with pytest.raises(ConfigurationError):
        delete_job(lab, names, base=base)


def test_a_copy_ends_verified_with_a_receipt_and_evidence(folder: Path, lab: Place) -> None:
    class Keeper:
        def __init__(self) -> None:
            self.kept: list[Evidence] = []

        def lookup(self, store_identity: str, keys: object, /) -> dict[str, Evidence]:
            return {}

        def record_many(self, findings: object, /) -> bool:
            self.kept += findings  # type: ignore[operator]
            return True

    keeper = Keeper()
    request = copy_job(folder_place(folder / "data"), [""], lab, into="in/")
    result = run_job(request, evidence=keeper)
    assert result.state is JobState.VERIFIED
    assert isinstance(result.value, CopyReceipt)
    assert result.message == "Verified: 2 objects copied, 9 B"
    assert (folder / "area" / "in" / "sub" / "b.txt").read_text() == "beta"
    assert (folder / "area" / "in" / "a.txt").stat().st_mode & 0o222 == 0
    assert {(each.key, each.level) for each in keeper.kept} == {
        ("in/a.txt", EvidenceLevel.READ),
        ("in/sub/b.txt", EvidenceLevel.READ),
    }
    back = run_job(copy_job(lab, ["in/"], folder_place(folder / "back")), evidence=keeper)
    assert back.state is JobState.VERIFIED
    assert (folder / "back" / "in" / "a.txt").stat().st_mode & 0o200
    assert len(keeper.kept) == 2  # nothing of a folder that is nobody's archive


@pytest.mark.parametrize(
    ("rule", "state"),
    [
        (ConflictRule.KEEP, JobState.FINDINGS),
        (ConflictRule.KEEP_BOTH, JobState.VERIFIED),
        (ConflictRule.REPLACE, JobState.VERIFIED),
        (ConflictRule.ASK, JobState.UNDECIDED),
    ],
)
def test_how_it_ends_where_another_content_lies(rule: ConflictRule, state: JobState, folder: Path, lab: Place) -> None:
    put_bytes(run_place(folder), "a.txt", b"another")
    request = copy_job(folder_place(folder / "data"), ["a.txt"], lab)
    result = run_job(request, resolve=lambda conflict: rule)
    assert result.state is state
    assert bool(result.findings) is (state is JobState.FINDINGS)


def run_place(folder: Path):  # type: ignore[no-untyped-def]
    return open_storage(load_settings(folder / "settings.ini"), "lab").store


def test_links_of_a_folder_are_not_followed_whatever_the_place_says(folder: Path, lab: Place) -> None:
    (folder / "data" / "out").symlink_to("/etc")
    result = run_job(copy_job(folder_place(folder / "data"), ["out/", "out/hostname"], lab))
    assert result.state is JobState.FINDINGS
    assert not list((folder / "area").rglob("*"))


def test_a_deletion_and_its_continuation() -> None:
    store = MemoryStore()
    for key in ("d/x", "d/y", "other"):
        put_bytes(store, key, b"x")
    request = delete_job(store_place("lab", store), ["d/"], confirmed=2)
    assert words(request) == ("delete d/", "lab:d/", "", "archive-tui delete lab:d")
    journal = MemoryJournal()
    result = run_job(request, {"lab": store}, journal=journal)
    assert (result.state, result.message) == (JobState.FINISHED, "Deleted: 2 objects, 2 B")
    assert isinstance(result.value, DeleteReceipt)
    assert listed_keys(store) == ["other"]
    assert run_job(request, {"lab": store}, journal=journal).state is JobState.FINISHED
    put_bytes(store, "winds.1.0.0.zip", b"published")
    with pytest.raises(StorageError):
        run_job(delete_job(store_place("lab", store), [""]), {"lab": store})
    assert len(listed_keys(store)) == 2


def test_a_deletion_with_findings() -> None:
    store = MemoryStore()
    result = run_job(delete_job(store_place("lab", store), ["absent/"]), {"lab": store})
    assert result.state is JobState.FINDINGS

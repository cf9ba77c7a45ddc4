"""The kinds of jobs that move, rename and put into the trash: from parameters that went through JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_tui.conflicts import ConflictRule
from archive_tui.errors import ConfigurationError
from archive_tui.jobs.kinds.deleting import delete_job
from archive_tui.jobs.kinds.moving import move_job
from archive_tui.jobs.kinds.renaming import rename_job
from archive_tui.jobs.places import folder_place
from archive_tui.jobs.receipts.results import decode_result, encode_result
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.objects.memory import MemoryStore
from archive_tui.operations.moving import MoveReceipt
from archive_tui.operations.renaming import RenameReceipt
from tests.conformance.store_samples import listed_keys, put_bytes
from tests.jobs.kinds.job_work import MemoryJournal, run_job, store_place


def words(request: JobRequest) -> tuple[str, str, str, str]:
    return request.title, request.source, request.destination, request.command


def test_the_words_of_a_move() -> None:
    lab = store_place("lab", MemoryStore())
    assert words(move_job(folder_place(Path("/data set")), ["a.txt"], lab, into="in")) == (
        "move a.txt to lab:in/",
        "/data set/a.txt",
        "lab:in/",
        "archive-tui move '/data set/a.txt' lab:in/ --on-conflict ask",
    )
    keep = JobPolicy(ConflictRule.KEEP)
    assert move_job(lab, ["x", "d/"], lab, base="b/", into="c", policy=keep).command == (
        "archive-tui move lab:b/x lab:b/d lab:c/"
    )


def test_the_words_of_a_renaming_and_of_the_trash() -> None:
    lab = store_place("lab", MemoryStore())
    assert words(rename_job(lab, [("d/", "e/")], base="b/")) == (
        "rename d/ to e/",
        "lab:b/d/",
        "lab:b/e/",
        "archive-tui rename lab:b/d e",
    )
    assert words(rename_job(lab, [("a", "b"), ("b", "a")])) == ("rename 2 items", "lab:", "lab:", "")
    assert rename_job(lab, [("a", "-x")]).command == ""
    trashed = delete_job(folder_place(Path("/data")), ["x"], to_trash=True)
    assert (trashed.title, trashed.command) == ("delete x to the trash", "archive-tui delete /data/x --trash")


@pytest.mark.parametrize(
    "renames", [[], [("a", "x"), ("b", "x")], [("a", "x"), ("a", "y")], [("a", "")], [("a/", "x/"), ("b", "x")]]
)
def test_renamings_that_cannot_be_are_refused(renames: list[tuple[str, str]]) -> None:
    with pytest.raises(ConfigurationError):
        rename_job(store_place("lab", MemoryStore()), renames)


@pytest.mark.parametrize(
    ("rule", "state"),
    [
        (ConflictRule.KEEP, JobState.FINDINGS),
        (ConflictRule.KEEP_BOTH, JobState.VERIFIED),
        (ConflictRule.REPLACE, JobState.VERIFIED),
        (ConflictRule.ASK, JobState.UNDECIDED),
    ],
)
def test_how_a_move_ends(rule: ConflictRule, state: JobState) -> None:
    source, target = MemoryStore("source"), MemoryStore("target")
    for key in ("a", "b"):
        put_bytes(source, key, key.encode())
    put_bytes(target, "a", b"another")
    request = move_job(store_place("one", source), ["a", "b"], store_place("two", target))
    stores = {"one": source, "two": target}
    result = run_job(request, stores, resolve=lambda conflict: rule)
    assert result.state is state
    assert isinstance(result.value, MoveReceipt)
    assert decode_result(encode_result(result.value)) == result.value
    assert listed_keys(source) == ([] if state is JobState.VERIFIED else ["a"])


def test_a_move_between_folders_claims_nothing_that_it_has_not_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("x")
    result = run_job(move_job(folder_place(tmp_path / "a"), ["x"], folder_place(tmp_path / "b")))
    assert (result.state, (tmp_path / "b/x").read_text()) == (JobState.FINISHED, "x")


def test_a_renaming_and_its_continuation() -> None:
    store, journal = MemoryStore(), MemoryJournal()
    for key in ("a", "b"):
        put_bytes(store, key, key.encode())
    request = rename_job(store_place("lab", store), [("a", "b"), ("b", "a")])
    for _ in range(2):
        result = run_job(request, {"lab": store}, journal=journal)
        assert result.state is JobState.FINISHED
        assert isinstance(result.value, RenameReceipt)
        with store.open("a") as reader:
            assert reader.read() == b"b"
    assert decode_result(encode_result(result.value)) == result.value


def test_the_trash_of_a_store_that_has_none() -> None:
    store = MemoryStore()
    put_bytes(store, "a", b"a")
    with pytest.raises(ConfigurationError):
        run_job(delete_job(store_place("lab", store), ["a"], to_trash=True), {"lab": store})
    assert listed_keys(store) == ["a"]


def test_jobs_of_older_releases_did_not_ask_for_the_trash() -> None:
    store = MemoryStore()
    put_bytes(store, "a", b"a")
    request = delete_job(store_place("lab", store), ["a"])
    parameters = {name: value for name, value in request.parameters.items() if name != "to_trash"}
    old = JobRequest("delete", "", "", "", "", parameters)
    assert run_job(old, {"lab": store}).state is JobState.FINISHED

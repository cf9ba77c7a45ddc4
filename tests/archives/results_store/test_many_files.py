"""Several files checked in and out: repeats find what is there, by whatever digest the manifest has."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from archive_tui.archives.results_store.checking_in_many import check_in
from archive_tui.archives.results_store.checking_out_many import CheckOutReport, check_out_many
from archive_tui.archives.results_store.opening import create_results_folder
from archive_tui.archives.results_store.results_store import ResultsStore
from archive_tui.conflicts import ConflictRule
from archive_tui.integrity.report import FindingKind
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.job import JobSnapshot
from archive_tui.jobs.kinds.results_check_outs import check_out_job
from archive_tui.jobs.request import JobPolicy
from archive_tui.jobs.results_places import folder_results_place
from archive_tui.jobs.states import JobState
from archive_tui.progress import BytesDone, Event

SECONDS = 60


@pytest.fixture
def results(tmp_path: Path) -> ResultsStore:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name * 1000)
    made = create_results_folder(tmp_path / "store", "n")
    assert check_in(made, "e", "p", [tmp_path / "a", tmp_path / "b"]).sentence.startswith(
        "Verified: 2 files checked in"
    )
    return made


def forget_sha256(results: ResultsStore, tmp_path: Path) -> None:
    """What the original writes."""
    path = tmp_path / "store" / ".manifest" / "manifest.yaml"
    document = yaml.safe_load(path.read_text())
    for record in document["events"]["e"]["p"].values():
        del record["sha256"], record["size"]
    path.write_text(yaml.dump(document))


@pytest.mark.parametrize("has_sha256", [True, False])
def test_doing_it_again_changes_nothing(results: ResultsStore, tmp_path: Path, has_sha256: bool) -> None:
    if not has_sha256:
        forget_sha256(results, tmp_path)
    events: list[Event] = []
    again = check_in(results, "e", "p", [tmp_path / "a", tmp_path / "b"], report=events.append)
    assert (again.same, again.receipts, again.findings) == (2, (), ())
    assert max(event.total for event in events if isinstance(event, BytesDone)) == 2000
    entries = list(results.entries())
    first = check_out_many(results, entries, tmp_path / "out")
    assert (len(first.receipts), first.same, first.bytes) == (2, 0, 2000)
    second = check_out_many(results, entries, tmp_path / "out")
    assert (len(second.receipts), second.same, second.findings) == (0, 2, ())


def test_another_file_is_left_or_replaced_and_the_rest_goes_on(results: ResultsStore, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("somebody's own")
    entries = list(results.entries())
    report = check_out_many(results, entries, tmp_path / "out")
    assert [(finding.kind, finding.path) for finding in report.findings] == [(FindingKind.CHANGED, "e/p/a")]
    assert (tmp_path / "out" / "b").read_text() == "b" * 1000
    assert (tmp_path / "out" / "a").read_text() == "somebody's own"
    assert not check_out_many(results, entries, tmp_path / "out", overwrite=True).findings
    assert (tmp_path / "out" / "a").read_text() == "a" * 1000


def test_files_of_several_productions_keep_them_apart(results: ResultsStore, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("another")
    check_in(results, "e", "q", [tmp_path / "a"])
    check_out_many(results, list(results.entries()), tmp_path / "out")
    found = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert found == ["e/p/a", "e/p/b", "e/q/a"]


def test_what_is_no_file_is_said(results: ResultsStore, tmp_path: Path) -> None:
    done = check_in(results, "e", "p", [tmp_path / "store", tmp_path / "none"])
    assert [finding.detail.partition(":")[0] for finding in done.findings] == ["Not a plain file", "No such file"]


def run(engine: JobEngine, *arguments: object, policy: JobPolicy | None = None) -> JobSnapshot:
    number = engine.submit(check_out_job(*arguments, policy=policy))  # type: ignore[arg-type]
    assert engine.wait([number], SECONDS)
    job = engine.get(number)
    assert job is not None
    return job


def test_the_job_of_a_whole_production(results: ResultsStore, tmp_path: Path) -> None:
    place, out = folder_results_place(tmp_path / "store"), tmp_path / "out"
    engine = JobEngine()
    try:
        job = run(engine, place, [("e", "p", "")], out)
        assert job.state is JobState.VERIFIED and isinstance(job.result, CheckOutReport)
        assert (out / "a").read_text() == "a" * 1000
        (out / "a").write_text("changed")
        assert run(engine, place, [("e", "p", "a")], out).state is JobState.FINDINGS
        job = run(engine, place, [("e", "p", "a")], out, policy=JobPolicy(ConflictRule.REPLACE))
        assert job.state is JobState.VERIFIED and "--overwrite" in job.command
        assert run(engine, place, [("e", "p", "none")], out).state is JobState.FAILED
    finally:
        engine.close()

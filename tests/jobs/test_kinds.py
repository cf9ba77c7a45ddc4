"""What a job does, keeps and says at its end, on stores in memory."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from archive_tui.archives.datasets.planning import DatasetDetails, PublishPlan, PublishRequest, plan_publish
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.inventory import Difference
from archive_tui.jobs.engine import JobEngine
from archive_tui.jobs.job import JobSnapshot, JobSpec, JobState
from archive_tui.jobs.kinds import compare_job, fetch_job, publish_job, verify_folder_job, verify_version_job
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.scanning.scan import scan_source

SECONDS = 30.0


@dataclass
class Named:
    name: str
    store: ObjectStore


class Kept(list[Evidence]):
    def record(self, evidence: Evidence) -> bool:
        self.append(evidence)
        return True


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "set one"
    folder.mkdir()
    (folder / "a.txt").write_text("alpha")
    (folder / "b.txt").write_text("beta!")
    return folder


@pytest.fixture
def lab() -> Named:
    return Named("lab", MemoryStore())


def run(job: JobSpec, *, stopped_by: Callable[[JobEngine, int], None] | None = None) -> JobSnapshot:
    engine = JobEngine(workers=1)
    job_id = engine.submit(job)
    if stopped_by is not None:
        stopped_by(engine, job_id)
    assert engine.wait([job_id], SECONDS)
    engine.close()
    snapshot = engine.get(job_id)
    assert snapshot is not None
    return snapshot


def plan_of(lab: Named, source: Path, version: str = "patch") -> PublishPlan:
    return plan_publish(lab.store, PublishRequest("set", source, version, DatasetDetails(title="It's a set")))


def test_a_publish_is_verified_when_its_evidence_says_so(lab: Named, source: Path) -> None:
    kept = Kept()
    ended = run(publish_job(lab, plan_of(lab, source), kept))
    assert (ended.state, ended.message) == (JobState.VERIFIED, "Published set 0.0.1.")
    assert [evidence.key for evidence in kept] == ["set.0.0.1.zip"]
    assert ended.result.version == "0.0.1"
    assert {phase.phase for phase in ended.phases} >= {"pack", "upload"}


def test_a_store_that_compares_nothing_gives_copied_not_verified(
    lab: Named, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    put = MemoryStore.put

    def put_without_proof(store: MemoryStore, *args: object, **options: object) -> object:
        result = put(store, *args, **options)  # type: ignore[arg-type]
        return dataclasses.replace(result, evidence=dataclasses.replace(result.evidence, level=EvidenceLevel.COPIED))

    monkeypatch.setattr(MemoryStore, "put", put_without_proof)
    ended = run(publish_job(lab, plan_of(lab, source), Kept()))
    assert ended.state is JobState.COPIED
    assert "not verified" in ended.message


def test_publishing_the_same_again_claims_nothing(lab: Named, source: Path) -> None:
    run(publish_job(lab, plan_of(lab, source), Kept()))
    kept = Kept()
    ended = run(publish_job(lab, plan_of(lab, source), kept))
    assert (ended.state, kept) == (JobState.FINISHED, [])
    assert "holds exactly this content" in ended.message


def test_a_taken_number_fails_with_a_hint(lab: Named, source: Path) -> None:
    plan = plan_of(lab, source)
    lab.store.put("set.0.0.1.zip", [b"other"])
    ended = run(publish_job(lab, plan, Kept()))
    assert (ended.state, ended.code) == (JobState.FAILED, "object-exists")
    assert "never overwritten" in ended.hint


def test_fetch_and_verify_are_verified_and_recorded(lab: Named, source: Path, tmp_path: Path) -> None:
    run(publish_job(lab, plan_of(lab, source), Kept()))
    kept = Kept()
    fetched = run(fetch_job(lab, "set", "0.0.1", tmp_path, kept))
    assert fetched.state is JobState.VERIFIED
    assert (tmp_path / "set.0.0.1" / "a.txt").read_text() == "alpha"
    checked = run(verify_version_job(lab, "set", "0.0.1", kept))
    assert (checked.state, checked.message) == (JobState.VERIFIED, "Verified: 2 of 2 files, all bytes")
    assert [evidence.level for evidence in kept] == [EvidenceLevel.RESTORED] * 2
    assert run(verify_folder_job(tmp_path / "set.0.0.1")).state is JobState.VERIFIED


def test_findings_are_findings_and_not_a_failure(lab: Named, source: Path, tmp_path: Path) -> None:
    run(publish_job(lab, plan_of(lab, source), Kept()))
    run(fetch_job(lab, "set", "0.0.1", tmp_path, Kept()))
    (tmp_path / "set.0.0.1" / "a.txt").write_text("alphA")
    ended = run(verify_folder_job(tmp_path / "set.0.0.1"))
    assert ended.state is JobState.FINDINGS
    assert [(finding.kind, finding.path) for finding in ended.findings] == [("changed", "a.txt")]
    again = run(fetch_job(lab, "set", "0.0.1", tmp_path, Kept()))
    assert again.state is JobState.FINDINGS and "Was there already" in again.message


def test_a_stopped_verification_says_that_nothing_is_claimed(lab: Named, source: Path) -> None:
    run(publish_job(lab, plan_of(lab, source), Kept()))
    kept = Kept()
    job = verify_version_job(lab, "set", "0.0.1", kept)
    stop = _Set()
    result = job.run(lambda event: None, stop)
    assert result.state is JobState.CANCELLED
    assert "nothing is claimed for the rest" in result.message
    assert kept == []


class _Set:
    def is_set(self) -> bool:
        return True


def test_comparing_settles_what_sizes_cannot(lab: Named, source: Path) -> None:
    run(publish_job(lab, plan_of(lab, source), Kept()))
    (source / "a.txt").write_text("ALPHA")
    plan = plan_publish(lab.store, PublishRequest("set", source), scan=scan_source(source))
    assert plan.difference is not None and len(plan.difference.unknown) == 2
    ended = run(compare_job(plan))
    assert isinstance(ended.result, Difference)
    assert ended.state is JobState.FINISHED
    assert [entry.path for entry in ended.result.changed] == ["a.txt"]
    assert [entry.path for entry in ended.result.same] == ["b.txt"]


def test_command_lines_can_be_pasted_and_name_the_number_that_was_shown(lab: Named, source: Path) -> None:
    words = shlex.split(publish_job(lab, plan_of(lab, source, "minor"), Kept()).command)
    assert words[:5] == ["archive-tui", "dataset", "publish", "lab", "set"]
    assert words[words.index("--version") + 1] == "0.1.0"
    assert words[words.index("--source") + 1] == str(source)
    assert words[words.index("--title") + 1] == "It's a set"
    overwriting = fetch_job(lab, "set", "0.1.0", source, Kept(), overwrite=True)
    assert shlex.split(overwriting.command)[-1] == "--overwrite"


def test_command_lines_are_understood_by_the_program(lab: Named, source: Path) -> None:
    import click

    from archive_tui.cli.dataset_fetch import fetch as fetch_command
    from archive_tui.cli.dataset_publish import publish as publish_command
    from archive_tui.cli.verify import verify as verify_command

    jobs = (
        (publish_command, publish_job(lab, plan_of(lab, source), Kept()), 3),
        (fetch_command, fetch_job(lab, "set", "0.0.1", source, Kept(), overwrite=True), 3),
        (verify_command, verify_folder_job(source), 2),
    )
    for command, job, skipped in jobs:
        assert isinstance(command, click.Command)
        command.make_context("test", shlex.split(job.command)[skipped:])

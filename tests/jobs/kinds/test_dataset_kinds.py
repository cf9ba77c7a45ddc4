"""What the jobs over datasets do, keep and say at their end, and what a second run of them does."""

from __future__ import annotations

import dataclasses
import os
import shlex
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from archive_tui.archives.datasets.catalog import find_version
from archive_tui.archives.datasets.planning import DatasetDetails, PublishPlan, PublishRequest, plan_publish
from archive_tui.archives.datasets.publishing import publish
from archive_tui.conflicts import Conflict, ConflictRule
from archive_tui.errors import StorageUnavailable
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.inventory import Difference
from archive_tui.jobs.kinds.comparing import compare_job
from archive_tui.jobs.kinds.fetching import fetch_job
from archive_tui.jobs.kinds.publishing import publish_job
from archive_tui.jobs.kinds.verifying import verify_folder_job, verify_version_job
from archive_tui.jobs.places import Place, folder_place
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.objects.memory import MemoryStore
from archive_tui.operations.scanning.scan import scan_source
from tests.jobs.kinds.job_work import Ended, MemoryJournal, run_to_end, store_place

NAME = "set"


class Kept(list[Evidence]):
    def record(self, evidence: Evidence) -> bool:
        self.append(evidence)
        return True


class _Set:
    def is_set(self) -> bool:
        return True


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "set one"
    folder.mkdir()
    (folder / "a.txt").write_text("alpha")
    (folder / "b.txt").write_text("beta!")
    return folder


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def lab(store: MemoryStore) -> Place:
    return store_place("lab", store)


def plan_of(store: MemoryStore, source: Path, version: str = "patch", **options: object) -> PublishPlan:
    request = PublishRequest(NAME, source, version, DatasetDetails(title="It's a set"))
    return plan_publish(store, dataclasses.replace(request, **options))  # type: ignore[arg-type]


def run(request: JobRequest, store: MemoryStore, **options: object) -> Ended:
    return run_to_end(request, {"lab": store}, **options)


def test_a_publish_is_verified_when_its_evidence_says_so(store: MemoryStore, lab: Place, source: Path) -> None:
    kept, journal = Kept(), MemoryJournal()
    ended = run(publish_job(lab, plan_of(store, source)), store, evidence=kept, journal=journal)
    assert (ended.state, ended.message) == (JobState.VERIFIED, "Published set 0.0.1.")
    assert [evidence.key for evidence in kept] == ["set.0.0.1.zip"]
    assert {phase.phase for phase in ended.phases} >= {"pack", "upload"}
    marks = journal.of("publish")
    assert [(mark.item, mark.size, mark.evidence) for mark in marks] == [("a.txt", 5, "read"), ("b.txt", 5, "read")]


def test_a_store_that_compares_nothing_gives_copied_not_verified(
    store: MemoryStore, lab: Place, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = MemoryStore.put

    def put_without_proof(store: MemoryStore, *args: object, **options: object) -> object:
        result = put(store, *args, **options)  # type: ignore[arg-type]
        return dataclasses.replace(result, evidence=dataclasses.replace(result.evidence, level=EvidenceLevel.COPIED))

    monkeypatch.setattr(MemoryStore, "put", put_without_proof)
    ended = run(publish_job(lab, plan_of(store, source)), store)
    assert ended.state is JobState.COPIED
    assert "not verified" in ended.message


def test_publishing_the_same_again_claims_nothing(store: MemoryStore, lab: Place, source: Path) -> None:
    run(publish_job(lab, plan_of(store, source)), store)
    kept = Kept()
    ended = run(publish_job(lab, plan_of(store, source)), store, evidence=kept)
    assert (ended.state, kept) == (JobState.FINISHED, [])
    assert "holds exactly this content" in ended.message


def test_every_run_of_a_job_makes_the_same_bytes(store: MemoryStore, lab: Place, source: Path) -> None:
    request, journal, other = publish_job(lab, plan_of(store, source)), MemoryJournal(), MemoryStore()
    first = run(request, store, journal=journal)
    other.identity = store.identity
    time.sleep(1.1)
    os.utime(source / "a.txt", (1, 1))
    second = run(request, other, journal=journal)
    assert first.result.archive_digest == second.result.archive_digest
    assert first.result.manifest_digest == second.result.manifest_digest


def test_a_job_killed_after_its_version_was_visible_says_published_and_completes_it(
    store: MemoryStore, lab: Place, source: Path
) -> None:
    request, journal = publish_job(lab, plan_of(store, source)), MemoryJournal()
    first = run(request, store, journal=journal)
    store.delete("set.0.0.1.manifest.json")
    kept = Kept()
    again = run(request, store, journal=journal, evidence=kept)
    assert (again.state, again.result.outcome) == (JobState.VERIFIED, "published")
    assert again.result.archive_digest == first.result.archive_digest
    assert again.result.manifest_digest == first.result.manifest_digest
    assert find_version(store, NAME).manifest_key is not None
    assert [evidence.level for evidence in kept] == [EvidenceLevel.RESTORED]
    with_manifest = run(request, store, journal=journal)
    assert (with_manifest.state, with_manifest.result.manifest_digest) == (again.state, again.result.manifest_digest)


def test_a_manifest_that_a_killed_publish_of_somebody_has_not_written_is_written(
    store: MemoryStore, lab: Place, source: Path
) -> None:
    run(publish_job(lab, plan_of(store, source)), store)
    store.delete("set.0.0.1.manifest.json")
    ended = run(publish_job(lab, plan_of(store, source)), store)
    assert (ended.state, ended.result.outcome) == (JobState.VERIFIED, "identical")
    assert find_version(store, NAME).manifest_key is not None
    assert "missing manifest beside it was written" in ended.message


def test_details_are_those_of_the_plan_whoever_publishes_meanwhile(
    store: MemoryStore, lab: Place, source: Path, tmp_path: Path
) -> None:
    request = publish_job(lab, plan_of(store, source, "1.0.0"))
    other = tmp_path / "other"
    other.mkdir()
    (other / "c.txt").write_text("gamma")
    theirs = PublishRequest(NAME, other, "0.5.0", DatasetDetails(title="Theirs", license="CC0"))
    run(publish_job(lab, plan_publish(store, theirs)), store)
    assert run(request, store).result.version == "1.0.0"
    stored = store.open("set.1.0.0.manifest.json").read()
    assert b"It's a set" in stored and b"CC0" not in stored


def test_a_taken_number_fails_asks_or_takes_the_next_by_the_rule(store: MemoryStore, lab: Place, source: Path) -> None:
    plan = plan_of(store, source)
    store.put("set.0.0.1.zip", [b"other"])

    def policy(rule: ConflictRule) -> JobPolicy:
        return JobPolicy(rule)

    kept = run(publish_job(lab, plan, policy=policy(ConflictRule.KEEP)), store)
    assert (kept.state, kept.code) == (JobState.FAILED, "object-exists")
    assert "never overwritten" in kept.hint
    asked: list[Conflict] = []

    def ask(conflict: Conflict) -> ConflictRule:
        asked.append(conflict)
        return ConflictRule.ASK

    waiting = run(publish_job(lab, plan), store, resolve=ask)
    assert (waiting.state, [conflict.item for conflict in asked]) == (JobState.UNDECIDED, ["set 0.0.1"])
    assert asked[0].choices == (ConflictRule.KEEP, ConflictRule.KEEP_BOTH)
    left = run(publish_job(lab, plan), store, resolve=lambda conflict: ConflictRule.KEEP)
    assert left.state is JobState.FAILED
    both = run(publish_job(lab, plan), store, resolve=lambda conflict: ConflictRule.KEEP_BOTH)
    assert (both.state, both.result.version) == (JobState.VERIFIED, "0.0.2")
    next_one = run(publish_job(lab, plan, policy=policy(ConflictRule.KEEP_BOTH)), store)
    assert next_one.result.version in ("0.0.2", "0.0.3")


def test_a_version_of_a_killed_job_is_its_own_though_the_source_has_changed_since(
    store: MemoryStore, lab: Place, source: Path
) -> None:
    request, journal = publish_job(lab, plan_of(store, source)), MemoryJournal()
    first = run(request, store, journal=journal)
    store.delete("set.0.0.1.manifest.json")
    (source / "c.txt").write_text("later")
    again = run(request, store, journal=journal)
    assert (again.state, again.result.outcome, again.result.files) == (JobState.VERIFIED, "published", 2)
    assert "of the source as it was then" in again.message
    assert again.result.manifest_digest == first.result.manifest_digest


def test_a_version_that_somebody_else_published_in_the_same_second_is_not_taken_for_own(
    store: MemoryStore, lab: Place, source: Path, tmp_path: Path
) -> None:
    plan, journal, failing = plan_of(store, source), MemoryJournal(), MemoryStore()
    request = publish_job(lab, plan, policy=JobPolicy(ConflictRule.KEEP))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(failing, "put", _refuse_at_the_end)
        assert run(request, failing, journal=journal).code == "storage-unavailable"
    created = datetime.fromtimestamp(int(journal.saved["created"]), UTC)
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.txt").write_text("theirs")
    publish(store, plan_of(store, other), created=created)
    again = run(request, store, journal=journal)
    assert (again.state, again.code) == (JobState.FAILED, "object-exists")


def _refuse_at_the_end(key: str, chunks: Iterable[bytes], **options: object) -> None:
    for _ in chunks:
        pass
    raise StorageUnavailable("It is gone.", key=key, store="memory")


def test_a_job_killed_after_it_took_the_next_number_finds_that_again(
    store: MemoryStore, lab: Place, source: Path
) -> None:
    plan = plan_of(store, source, allow_identical=True)
    store.put("set.0.0.1.zip", [b"other"])
    request, journal = publish_job(lab, plan, policy=JobPolicy(ConflictRule.KEEP_BOTH)), MemoryJournal()
    first = run(request, store, journal=journal)
    store.delete("set.0.0.2.manifest.json")
    again = run(request, store, journal=journal)
    assert [ended.result.version for ended in (first, again)] == ["0.0.2", "0.0.2"]
    assert (again.state, again.result.outcome) == (JobState.VERIFIED, "published")
    assert again.result.manifest_digest == first.result.manifest_digest
    assert "set.0.0.3.zip" not in {info.key for info in store.list("")}


def test_files_of_a_version_that_was_there_are_not_called_published(
    store: MemoryStore, lab: Place, source: Path
) -> None:
    run(publish_job(lab, plan_of(store, source)), store)
    journal = MemoryJournal()
    run(publish_job(lab, plan_of(store, source)), store, journal=journal)
    assert [(mark.outcome, mark.evidence) for mark in journal.of("publish")] == [("identical", "")] * 2


def test_only_chosen_entries_are_published_in_every_run(store: MemoryStore, lab: Place, source: Path) -> None:
    request = publish_job(lab, plan_of(store, source, chosen=("b.txt",)))
    assert request.command == ""  # no command line says the same
    journal = MemoryJournal()
    assert run(request, store, journal=journal).state is JobState.VERIFIED
    assert [mark.item for mark in journal.of("publish")] == ["b.txt"]


def test_names_that_are_no_text_survive(store: MemoryStore, lab: Place, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"set-\xff")
    folder.mkdir()
    (folder / "a.txt").write_text("alpha")
    request = publish_job(lab, plan_publish(store, PublishRequest(NAME, folder)))
    assert run(request, store).state is JobState.VERIFIED


def test_fetch_and_verify_are_verified_and_recorded(
    store: MemoryStore, lab: Place, source: Path, tmp_path: Path
) -> None:
    run(publish_job(lab, plan_of(store, source)), store)
    kept, journal = Kept(), MemoryJournal()
    fetched = run(fetch_job(lab, NAME, "0.0.1", tmp_path), store, evidence=kept, journal=journal)
    assert fetched.state is JobState.VERIFIED
    assert (tmp_path / "set.0.0.1" / "a.txt").read_text() == "alpha"
    assert [(mark.item, mark.outcome, mark.evidence) for mark in journal.of("fetch")] == [
        ("a.txt", "same", "restored"), ("b.txt", "same", "restored")
    ]  # fmt: skip
    checked = run(verify_version_job(lab, NAME, "0.0.1"), store, evidence=kept)
    assert (checked.state, checked.message) == (JobState.VERIFIED, "Verified: 2 of 2 files, all bytes")
    assert [evidence.level for evidence in kept] == [EvidenceLevel.RESTORED] * 2
    assert run(verify_folder_job(tmp_path / "set.0.0.1"), store).state is JobState.VERIFIED


def test_findings_are_findings_and_not_a_failure(store: MemoryStore, lab: Place, source: Path, tmp_path: Path) -> None:
    run(publish_job(lab, plan_of(store, source)), store)
    run(fetch_job(lab, NAME, "0.0.1", tmp_path), store)
    (tmp_path / "set.0.0.1" / "a.txt").write_text("alphA")
    ended = run(verify_folder_job(tmp_path / "set.0.0.1"), store)
    assert ended.state is JobState.FINDINGS
    assert [(finding.kind, finding.path) for finding in ended.findings] == [("changed", "a.txt")]
    journal = MemoryJournal()
    again = run(fetch_job(lab, NAME, "0.0.1", tmp_path, rule=ConflictRule.KEEP), store, journal=journal)
    marks = {mark.item: (mark.outcome, mark.is_good, mark.evidence) for mark in journal.of("fetch")}
    assert marks == {"a.txt": ("changed", False, "read"), "b.txt": ("same", True, "read")}
    assert again.state is JobState.FINDINGS and "Was there already" in again.message


def test_a_stopped_verification_says_that_nothing_is_claimed(store: MemoryStore, lab: Place, source: Path) -> None:
    run(publish_job(lab, plan_of(store, source)), store)
    kept = Kept()
    ended = run(verify_version_job(lab, NAME, "0.0.1"), store, stop=_Set(), evidence=kept)
    assert ended.state is JobState.CANCELLED
    assert "nothing is claimed for the rest" in ended.message
    assert kept == []


def test_a_fetch_that_somebody_has_to_decide_leaves_the_folder_alone(
    store: MemoryStore, lab: Place, source: Path, tmp_path: Path
) -> None:
    run(publish_job(lab, plan_of(store, source)), store)
    (tmp_path / "set.0.0.1").mkdir()
    (tmp_path / "set.0.0.1" / "mine.txt").write_text("mine")
    waiting = run(fetch_job(lab, NAME, "0.0.1", tmp_path), store, resolve=lambda conflict: ConflictRule.ASK)
    assert waiting.state is JobState.UNDECIDED
    assert [path.name for path in (tmp_path / "set.0.0.1").iterdir()] == ["mine.txt"]
    decided = run(fetch_job(lab, NAME, "0.0.1", tmp_path), store, resolve=lambda conflict: ConflictRule.REPLACE)
    assert decided.state is JobState.VERIFIED
    assert (tmp_path / "set.0.0.1" / "a.txt").read_text() == "alpha"


def test_a_comparison_that_nobody_waits_for_says_so(store: MemoryStore, source: Path) -> None:
    ended = run(compare_job(plan_of(store, source)), store)
    assert (ended.state, ended.code) == (JobState.FAILED, "job-without-asker")


def test_comparing_settles_what_sizes_cannot(store: MemoryStore, lab: Place, source: Path) -> None:
    run(publish_job(lab, plan_of(store, source)), store)
    (source / "a.txt").write_text("ALPHA")
    plan = plan_publish(store, PublishRequest(NAME, source), scan=scan_source(source))
    assert plan.difference is not None and len(plan.difference.unknown) == 2
    ended = run(compare_job(plan), store, live={"plan": plan})
    assert isinstance(ended.result, Difference)
    assert ended.state is JobState.FINISHED
    assert [entry.path for entry in ended.result.changed] == ["a.txt"]
    assert [entry.path for entry in ended.result.same] == ["b.txt"]


def test_parameters_of_another_release_are_refused_with_a_hint(store: MemoryStore, lab: Place, source: Path) -> None:
    for request in (
        publish_job(lab, plan_of(store, source)), fetch_job(lab, NAME, "0.0.1", source),
        verify_version_job(lab, NAME, "0.0.1"), verify_folder_job(source),
    ):  # fmt: skip
        for name in request.parameters:
            older = {key: value for key, value in request.parameters.items() if key != name}
            ended = run(dataclasses.replace(request, parameters=older), store)
            assert (ended.state, ended.code) == (JobState.FAILED, "job-too-old"), (request.kind, name)


def test_command_lines_can_be_pasted_and_name_the_number_that_was_shown(
    store: MemoryStore, lab: Place, source: Path
) -> None:
    words = shlex.split(publish_job(lab, plan_of(store, source, "minor")).command)
    assert words[:5] == ["archive-tui", "dataset", "publish", "lab", "set"]
    assert words[words.index("--version") + 1] == "0.1.0"
    assert words[words.index("--source") + 1] == str(source)
    assert words[words.index("--title") + 1] == "It's a set"
    overwriting = fetch_job(lab, NAME, "0.1.0", source, rule=ConflictRule.REPLACE)
    assert shlex.split(overwriting.command)[-1] == "--overwrite"
    assert fetch_job(folder_place(source), NAME, "0.1.0", source).command == ""


def test_command_lines_are_understood_by_the_program(store: MemoryStore, lab: Place, source: Path) -> None:
    from archive_tui.cli.dataset_fetch import fetch as fetch_command
    from archive_tui.cli.dataset_publish import publish as publish_command
    from archive_tui.cli.verify import verify as verify_command

    jobs = (
        (publish_command, publish_job(lab, plan_of(store, source)), 3),
        (fetch_command, fetch_job(lab, NAME, "0.0.1", source, rule=ConflictRule.REPLACE), 3),
        (verify_command, verify_folder_job(source), 2),
    )
    for command, request, skipped in jobs:
        assert isinstance(command, click.Command)
        command.make_context("test", shlex.split(request.command)[skipped:])

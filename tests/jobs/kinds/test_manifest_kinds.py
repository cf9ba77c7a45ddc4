"""Jobs over manifests and vaults: what they do, tell, keep and say, and that they never say more than was proven."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.vault.outcomes import LineNews, LineResult, Outcome, Tally
from archive_tui.archives.vault.vault import Vault
from archive_tui.archives.vault.views.manifest_states import DiskState, ManifestStates, VaultState
from archive_tui.errors import OperationStopped, StorageUnavailable
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.jobs.kinds.manifest_checks import check_manifest_job
from archive_tui.jobs.kinds.manifest_creation import (
    Amount,
    ListedPart,
    create_manifest_job,
    measure_part,
    propose_manifest_name,
)
from archive_tui.jobs.kinds.vault_contents import fetch_contents_job, verify_vault_job
from archive_tui.jobs.kinds.vault_lines import archive_manifest_job, ask_vault_job, fetch_manifest_job
from archive_tui.jobs.manifests import manifest_ends
from archive_tui.jobs.manifests.manifest_ends import VaultReport, judge_archive, judge_ask, judge_contents, judge_fetch
from archive_tui.jobs.manifests.manifest_runs import VaultRun
from archive_tui.jobs.manifests.picked_manifest import PickedManifest, read_stamp
from archive_tui.jobs.places import Place, folder_place
from archive_tui.jobs.request import JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.manifests.checksum_lines.line import WRITTEN_DIALECTS, BadLine, Dialect, ManifestLine
from archive_tui.manifests.checksum_lines.reading import open_manifest
from archive_tui.names.content_address import VAULT_PREFIX
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.wrappers.faulty_store import Fault, FaultyStore
from archive_tui.progress import Event, ItemDone, ItemFailed, Notice, Planned
from tests.jobs.kinds.job_work import Ended, MemoryJournal, run_job, run_to_end, store_place

FILES = {"a.txt": b"alpha", "b.txt": b"beta", "c.txt": b"alpha", "sub/d e.txt": b"delta"}


class Book(list[Evidence]):
    """Quacks like an EvidenceTable."""

    def lookup(self, store_identity: str, keys: Iterable[str]) -> dict[str, Evidence]:
        wanted = set(keys)
        return {evidence.key: evidence for evidence in self if evidence.key in wanted}

    def record_many(self, findings: Iterable[Evidence]) -> bool:
        self.extend(findings)
        return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


@pytest.fixture
def document(folder: Path) -> Path:
    return write_manifest(folder / "all.sha256", FILES)


@pytest.fixture
def vault() -> Vault:
    return Vault(MemoryStore())


def run(
    request: JobRequest,
    vault: Vault | None = None,
    keeper: Book | None = None,
    states: ManifestStates | None = None,
    **options: Any,
) -> Ended:
    stores = {"lab": vault.store} if vault is not None else {}
    live = {"states": states} if states is not None else {}
    return run_to_end(request, stores, evidence=keeper, live=live, **options)


def at(vault: Vault) -> tuple[Place, str]:
    """The place and the prefix of the vault, as the builders take them."""
    return store_place("lab", vault.store), vault.prefix


def write_manifest(path: Path, files: dict[str, bytes], more: str = "") -> Path:
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items()]
    path.write_text("".join(lines) + more)
    return path


def digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def disk_states(states: ManifestStates, count: int = 4) -> list[int]:
    return [states.disk.get(position) for position in range(count)]


def vault_states(states: ManifestStates, count: int = 4) -> list[int]:
    return [states.vault.get(position) for position in range(count)]


# Creating


def test_a_manifest_is_created_of_files_and_folders_and_claims_nothing(folder: Path) -> None:
    part = ListedPart(folder, ("a.txt",), ("sub",))
    ended = run(create_manifest_job(part, "new.sha256", Dialect.SHA256SUM))
    assert (ended.state, ended.message) == (JobState.FINISHED, "Listed 2 files, 10 B, in new.sha256")
    assert (folder / "new.sha256").read_text() == f"{digest(b'alpha')}  a.txt\n{digest(b'delta')}  sub/d e.txt\n"
    assert {phase.phase for phase in ended.phases} >= {"scan", "hash"}


@pytest.mark.parametrize("dialect", WRITTEN_DIALECTS)
def test_what_a_job_lists_is_what_its_command_lists(folder: Path, dialect: Dialect) -> None:
    for part in (ListedPart(folder), ListedPart(folder, ("a.txt", "c.txt"), ("sub",))):
        job = create_manifest_job(part, "new", dialect)
        run(job)
        by_job = (folder / "new").read_bytes()
        (folder / "new").unlink()
        assert run_command(job) == 0
        by_command = (folder / "new").read_bytes()
        (folder / "new").unlink()
        if dialect is Dialect.JSON:  # which says when it was created
            by_job, by_command = (data[data.index(b'"files"') :] for data in (by_job, by_command))
        assert by_job == by_command and by_job.count(digest(b"delta").encode()) == 1


def test_an_existing_name_is_refused_and_left(folder: Path) -> None:
    ended = run(create_manifest_job(ListedPart(folder, ("a.txt",)), "b.txt", Dialect.QUOTED))
    assert ended.state is JobState.FAILED and "exists already" in ended.message
    assert (folder / "b.txt").read_bytes() == b"beta"


def test_a_file_that_vanishes_before_the_job_runs_leaves_no_manifest(folder: Path) -> None:
    job = create_manifest_job(ListedPart(folder, ("a.txt", "b.txt")), "new", Dialect.QUOTED)
    (folder / "b.txt").unlink()
    ended = run(job)
    assert ended.state is JobState.FAILED and "b.txt" in ended.message
    assert not (folder / "new").exists()


def test_what_would_be_listed_is_measured_with_growing_figures(folder: Path) -> None:
    told: list[Amount] = []
    amount = measure_part(ListedPart(folder, ("a.txt",), ("sub",)), told.append)
    assert amount == Amount(2, 10, is_complete=True)
    assert told and not any(each.is_complete for each in told)
    assert measure_part(ListedPart(folder), told.append).files == 4


def test_the_name_proposed_says_what_is_listed(folder: Path) -> None:
    assert propose_manifest_name(ListedPart(folder, (), ("sub",)), Dialect.QUOTED) == "sub.sha256"
    assert propose_manifest_name(ListedPart(folder, ("a.txt", "b.txt")), Dialect.JSON) == "data.manifest.json"
    assert propose_manifest_name(ListedPart(folder), Dialect.BSD) == "data.sha256"


# Checking


def test_a_check_is_verified_when_every_file_was_read_and_right(document: Path) -> None:
    states = ManifestStates()
    ended = run(check_manifest_job(PickedManifest(document)), states=states)
    assert (ended.state, ended.message) == (JobState.VERIFIED, "Verified: 4 of 4 files, all bytes")
    assert disk_states(states) == [DiskState.SAME] * 4
    assert ended.phases[-1].items_done == ended.phases[-1].items_total == 4


def test_a_check_finds_changed_missing_and_unreadable_files_line_by_line(document: Path, folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"ALPHA")
    (folder / "b.txt").unlink()
    (folder / "c.txt").unlink()
    (folder / "c.txt").mkdir()
    states = ManifestStates()
    ended = run(check_manifest_job(PickedManifest(document)), states=states)
    assert ended.state is JobState.FINDINGS
    assert ended.message.startswith("Findings: 1 changed, 1 missing") and "1 unreadable" in ended.message
    found = {finding.path: (finding.kind.value, finding.expected, finding.found) for finding in ended.findings}
    assert found["a.txt"] == ("changed", digest(b"alpha"), digest(b"ALPHA"))
    assert found["b.txt"] == ("missing", digest(b"beta"), None)
    assert disk_states(states) == [DiskState.CHANGED, DiskState.MISSING, DiskState.UNREADABLE, DiskState.SAME]
    assert sorted((item.item, item.reason.partition(":")[0], item.items_total) for item in ended.failed_items) == [
        ("a.txt", "changed", 1), ("b.txt", "missing", 2), ("c.txt", "unreadable", 3),
    ]  # fmt: skip


def test_a_line_that_is_none_is_a_finding_and_the_files_are_still_counted(folder: Path) -> None:
    document = write_manifest(folder / "all.sha256", FILES, more="junk\n")
    ended = run(check_manifest_job(PickedManifest(document)))
    assert ended.state is JobState.FINDINGS
    assert ended.message == "Findings: 0 changed, 0 missing, 1 line not understood; 4 of 4 files right"
    assert [finding.path for finding in ended.findings] == ["line 5"]


def test_a_manifest_without_a_good_line_fails(folder: Path) -> None:
    (folder / "junk").write_text("junk\nmore junk\n")
    ended = run(check_manifest_job(PickedManifest(folder / "junk")))
    assert ended.state is JobState.FAILED and "No properly formatted checksum line" in ended.message


def test_only_the_picked_lines_are_checked_and_their_states_told(document: Path, folder: Path) -> None:
    (folder / "a.txt").unlink()
    states = ManifestStates()
    job = check_manifest_job(PickedManifest(document, (1, 3), read_stamp(document)))
    ended = run(job, states=states)
    assert (ended.state, ended.message) == (JobState.VERIFIED, "Verified: 2 of 2 files, all bytes")
    assert disk_states(states) == [DiskState.UNKNOWN, DiskState.SAME, DiskState.UNKNOWN, DiskState.SAME]
    assert job.command == "" and "2 lines" in job.title


def test_picked_lines_of_a_manifest_that_was_edited_are_not_taken_for_others(document: Path) -> None:
    picked = PickedManifest(document, (0,), read_stamp(document))
    document.write_text("# a new first line\n" + document.read_text())
    ended = run(check_manifest_job(picked))
    assert ended.state is JobState.FAILED and "changed since it was opened" in ended.message


def test_more_findings_than_are_kept_are_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest_ends, "MOST_FINDINGS", 3)
    document = write_manifest(folder / "many", {f"gone-{number}": b"x" for number in range(5)})
    ended = run(check_manifest_job(PickedManifest(document)))
    assert len(ended.findings) == 3
    assert "5 missing; 0 of 5 files right" in ended.message
    assert "first 3 of 5 findings" in ended.hint


def test_a_line_named_dash_is_a_file_and_the_terminal_is_not_read(folder: Path) -> None:
    document = write_manifest(folder / "dash", {"-": b"x", "a.txt": b"alpha"})
    ended = run(check_manifest_job(PickedManifest(document)))
    assert [(finding.path, finding.kind.value) for finding in ended.findings] == [("-", "missing")]
    (folder / "-").write_bytes(b"x")
    assert run(check_manifest_job(PickedManifest(document))).state is JobState.VERIFIED


def test_lines_are_picked_across_the_batches_of_a_long_manifest(folder: Path) -> None:
    document = folder / "long"
    document.write_text("".join(f"{number:064x}  name-{number}\n" for number in range(50_000)))
    positions = (0, 1, 4096, 20_000, 49_999)
    with PickedManifest(document, positions).open() as manifest:
        picked = [line.name for line in manifest.lines() if isinstance(line, ManifestLine)]
        again = [line.number for batch in manifest.batches() for line in batch]
    assert picked == [f"name-{position}" for position in positions]
    assert again == [position + 1 for position in positions] and manifest.count_lines() == 5
    with PickedManifest(document, ()).open() as manifest:
        assert list(manifest.lines()) == []


def test_a_stopped_check_claims_nothing_for_the_rest(document: Path) -> None:
    ended = run(check_manifest_job(PickedManifest(document)), stop=_Set())
    assert isinstance(ended.error, OperationStopped)
    assert "nothing is claimed for the rest" in ended.message


# Asking, archiving, fetching


def test_asking_an_empty_vault_finds_nothing_and_is_no_fault(document: Path, vault: Vault) -> None:
    states, book = ManifestStates(), Book()
    ended = run(ask_vault_job(PickedManifest(document), *at(vault)), vault, book, states)
    assert ended.state is JobState.FINISHED
    assert ended.message == f"0 of 4 lines in {vault.title}; 4 not"
    assert [finding.detail for finding in ended.findings] == ["not in the vault"] * 4
    assert vault_states(states) == [VaultState.ABSENT] * 4 and states.is_about_vault(vault.store.identity, "object/")


def test_archive_then_ask_then_fetch(document: Path, folder: Path, vault: Vault, tmp_path: Path) -> None:
    states, book = ManifestStates(), Book()
    picked = PickedManifest(document)
    archived = run(archive_manifest_job(picked, *at(vault)), vault, book, states)
    assert archived.state is JobState.VERIFIED
    assert archived.message.startswith("Uploaded 3 files (14 B) to the vault")
    assert "1 was there already" in archived.message and archived.message.endswith("4 read and verified")
    assert disk_states(states)[0] == DiskState.SAME and vault_states(states)[0] == EvidenceLevel.READ
    assert {evidence.level for evidence in book} == {EvidenceLevel.READ}

    asked = run(ask_vault_job(picked, *at(vault)), vault, book)
    assert asked.state is JobState.VERIFIED and "4 of 4 lines in memory" in asked.message

    target = tmp_path / "back"
    target.mkdir()
    fetched = run(fetch_manifest_job(picked, *at(vault), target), vault, book)
    assert fetched.state is JobState.VERIFIED and "each hashed and right" in fetched.message
    assert {name: (target / name).read_bytes() for name in FILES} == FILES


def test_archiving_a_changed_or_missing_file_is_a_finding_with_both_digests(
    document: Path, folder: Path, vault: Vault
) -> None:
    (folder / "a.txt").write_bytes(b"ALPHA")
    (folder / "b.txt").unlink()
    ended = run(archive_manifest_job(PickedManifest(document), *at(vault)), vault, Book())
    assert ended.state is JobState.FINDINGS
    assert "1 changed since they were listed, not uploaded" in ended.message and "1 missing here" in ended.message
    found = {finding.path: finding for finding in ended.findings}
    assert (found["a.txt"].expected, found["a.txt"].found) == (digest(b"alpha"), digest(b"ALPHA"))


def test_fetching_leaves_other_files_or_overwrites_them_as_asked(
    document: Path, folder: Path, vault: Vault, tmp_path: Path
) -> None:
    run(archive_manifest_job(PickedManifest(document), *at(vault)), vault, Book())
    target = tmp_path / "back"
    target.mkdir()
    (target / "a.txt").write_bytes(b"mine")
    kept = run(fetch_manifest_job(PickedManifest(document), *at(vault), target), vault)
    assert kept.state is JobState.FINDINGS and "1 kept, being different" in kept.message
    assert (target / "a.txt").read_bytes() == b"mine"
    replaced = run(fetch_manifest_job(PickedManifest(document), *at(vault), target, overwrite=True), vault)
    assert replaced.state is JobState.VERIFIED and (target / "a.txt").read_bytes() == b"alpha"


def test_a_manifest_that_leads_out_of_the_folder_writes_nothing_there(vault: Vault, tmp_path: Path) -> None:
    vault.store.put(vault.key(digest(b"x")), [b"x"])
    (tmp_path / "in").mkdir()
    document = write_manifest(tmp_path / "in" / "evil", {"../out": b"x", f"{tmp_path}/absolute": b"x"})
    ended = run(fetch_manifest_job(PickedManifest(document), *at(vault), tmp_path / "in"), vault)
    assert ended.state is JobState.FINDINGS and "2 with a name that cannot be written" in ended.message
    assert not (tmp_path / "out").exists() and not (tmp_path / "absolute").exists()


def test_a_damaged_content_is_named_when_a_vault_is_verified(document: Path, vault: Vault) -> None:
    book = Book()
    run(archive_manifest_job(PickedManifest(document), *at(vault)), vault, book)
    clean = run(verify_vault_job(*at(vault), None), vault, book)
    assert (clean.state, clean.message.partition(" of the")[0]) == (JobState.VERIFIED, "Verified: 3 of 3 contents")
    key = vault.key(digest(b"beta"))
    vault.store.delete(key)
    vault.store.put(key, [b"betA"])
    contents = [ManifestLine(1, "beta", digest(b"beta"), 4), ManifestLine(2, "alpha", digest(b"alpha"), 5)]
    found = run(verify_vault_job(*at(vault), contents), vault, book)
    assert found.state is JobState.FINDINGS and "1 of 2 contents right; 1 DAMAGED" in found.message
    assert found.findings[0].found == digest(b"betA")
    assert book[-1].level in (EvidenceLevel.DAMAGED, EvidenceLevel.READ)
    assert EvidenceLevel.DAMAGED in {evidence.level for evidence in book}
    assert found.phases[-1].bytes_total == 9 and found.phases[-1].bytes_done == 9


def test_a_content_is_fetched_under_a_name_and_never_over_another(vault: Vault, tmp_path: Path) -> None:
    vault.store.put(vault.key(digest(b"x")), [b"x"])
    lines = [ManifestLine(1, "known.txt", digest(b"x"), 1)]
    job = fetch_contents_job(*at(vault), lines, tmp_path)
    assert run(job, vault).state is JobState.VERIFIED and (tmp_path / "known.txt").read_bytes() == b"x"
    (tmp_path / "known.txt").write_bytes(b"other")
    assert run(job, vault).state is JobState.FINDINGS and (tmp_path / "known.txt").read_bytes() == b"other"


def test_a_vault_that_cannot_be_reached_fails_the_job_and_says_how_far_it_came(document: Path) -> None:
    down = StorageUnavailable("No answer from lab.", hint="Is the network up?")
    at_once = Vault(FaultyStore(MemoryStore(), Fault("info", call=0, error=down)))
    ended = run(ask_vault_job(PickedManifest(document), *at(at_once)), at_once)
    assert (ended.state, ended.message, ended.hint) == (JobState.FAILED, "No answer from lab.", "Is the network up?")


def test_an_error_after_some_lines_is_raised_and_the_log_says_how_far_it_came() -> None:
    line = ManifestLine(1, "a", "0" * 64)
    told: list[int] = []
    events: list[Event] = []

    def news(report: object) -> Iterator[LineResult]:
        yield LineResult(line, Outcome.ABSENT)
        raise StorageUnavailable("The line is dead.", hint="Try again.")

    work = VaultRun("ask", "m", "lab", judge_ask, tell=lambda index, news: told.append(index))
    with pytest.raises(StorageUnavailable, match=r"The line is dead\."):
        work.run(612, news, events.append)
    assert told == [0]
    notices = [event.text for event in events if isinstance(event, Notice)]
    assert notices == ["It broke off after 1 of 612 lines; the next run goes on from there"]


def test_the_events_of_a_run_count_each_line_once(document: Path, folder: Path, vault: Vault) -> None:
    (folder / "a.txt").unlink()
    events: list[Event] = []
    run_job(archive_manifest_job(PickedManifest(document), *at(vault)), {"lab": vault.store}, report=events.append)
    items = [event for event in events if isinstance(event, ItemDone | ItemFailed) and event.phase == "archive"]
    assert max(event.items_total for event in items) == 4
    assert [event.item for event in items if isinstance(event, ItemFailed)] == ["a.txt"]
    assert Planned("archive", 4) in events


# What is said


def tally_of(outcome: Outcome, *levels: EvidenceLevel | None) -> Tally:
    tally = Tally()
    for number, level in enumerate(levels):
        proof = Evidence("s", "k", level, None, 1, 0.0, "") if level is not None else None
        tally.add(LineResult(ManifestLine(number, "n", "0" * 64), outcome, "k", proof, 1))
    return tally


@pytest.mark.parametrize("level", list(EvidenceLevel))
def test_no_job_is_verified_by_less_than_an_attestation(level: EvidenceLevel) -> None:
    proves = level >= EvidenceLevel.ATTESTED
    mixed = tally_of(Outcome.HELD, EvidenceLevel.READ, level)
    assert (judge_ask(mixed, "lab")[0] is JobState.VERIFIED) is proves
    uploaded = tally_of(Outcome.UPLOADED, EvidenceLevel.ATTESTED, level)
    assert judge_archive(uploaded, "lab")[0] is (JobState.VERIFIED if proves else JobState.COPIED)
    reads = level in (EvidenceLevel.READ, EvidenceLevel.RESTORED)
    assert (judge_contents(mixed, "lab")[0] is JobState.VERIFIED) is reads


def test_what_was_there_already_was_not_copied() -> None:
    state, sentence = judge_archive(tally_of(Outcome.ALREADY_THERE, EvidenceLevel.RECORDED), "lab")
    assert state is JobState.FINISHED
    assert sentence == "Nothing was missing in the vault of lab: 1 only recorded by who wrote them"


def test_nothing_is_verified_where_nothing_was_looked_at() -> None:
    assert judge_ask(Tally(), "lab")[0] is JobState.FINISHED
    assert judge_archive(Tally(), "lab")[0] is JobState.FINISHED
    assert judge_fetch(Tally(), "here")[0] is JobState.FINISHED
    assert judge_contents(Tally(), "lab")[0] is JobState.FINISHED
    assert judge_ask(tally_of(Outcome.HELD, None), "lab")[0] is JobState.FINISHED


def test_a_line_that_was_not_understood_keeps_a_run_from_being_clean() -> None:
    for judge in (judge_ask, judge_archive, judge_fetch):
        tally = tally_of(Outcome.FETCHED if judge is judge_fetch else Outcome.ALREADY_THERE, EvidenceLevel.READ)
        tally.add(BadLine(2, "no digest"))
        state, sentence = judge(tally, "lab")
        assert state is JobState.FINDINGS and "1 line could not be understood" in sentence


# Command lines


def test_commands_are_understood_by_the_program_and_missing_for_a_part(
    document: Path, folder: Path, tmp_path: Path
) -> None:
    place: Place = {"storage": "lab s3", "settings": None, "identity": "x"}
    whole, part = PickedManifest(document), PickedManifest(document, (0,))
    elsewhere = PickedManifest(document, base=tmp_path, dialect=Dialect.SHA256SUM)
    target = {"place": None, "prefix": "p/", "path": "s3://bucket/p q", "settings": None}
    jobs = [
        check_manifest_job(whole),
        check_manifest_job(elsewhere),
        ask_vault_job(whole, place, VAULT_PREFIX),
        ask_vault_job(elsewhere, place, VAULT_PREFIX, read=True),
        archive_manifest_job(whole, place, VAULT_PREFIX),
        archive_manifest_job(elsewhere, place, VAULT_PREFIX, target=target, upload_all=True),
        fetch_manifest_job(whole, place, VAULT_PREFIX, tmp_path, overwrite=True),
        create_manifest_job(ListedPart(folder, ("a.txt", "-x")), "new", Dialect.BSD),
        create_manifest_job(ListedPart(folder, (), ("sub",), is_recursive=False), "new", Dialect.BSD),
    ]
    for job in jobs:
        parse_command(job)
    picked = ask_vault_job(part, place, VAULT_PREFIX), archive_manifest_job(part, place, VAULT_PREFIX)
    assert [job.command for job in picked] == ["", ""]
    assert ask_vault_job(whole, folder_place(tmp_path), VAULT_PREFIX).command == ""
    assert verify_vault_job(place, VAULT_PREFIX, None).command == ""


def test_hostile_names_make_commands_that_a_shell_reads_back_and_a_screen_can_show(tmp_path: Path) -> None:
    name = os.fsdecode(b"new\nline\x1b[31m \xff'q\"")
    command = check_manifest_job(PickedManifest(tmp_path / name)).command
    assert command.isprintable() and command.encode()
    echo = command.partition(" && ")[2].replace("archive-tui", "printf '%s\\0'", 1)
    words = subprocess.run(["bash", "-c", echo], check=True, capture_output=True).stdout.split(b"\0")
    assert os.fsencode(name) in words


def parse_command(job: JobRequest) -> None:
    import click

    from archive_tui.cli.manifest import manifest

    words = shlex.split(job.command.partition(" && ")[2] or job.command)
    assert words[:2] == ["archive-tui", "manifest"]
    assert isinstance(manifest, click.Command)
    manifest.make_context("test", words[2:])


def run_command(job: JobRequest) -> int:
    import sys

    place, _, line = job.command.partition(" && ")
    folder = shlex.split(place)[1]
    words = [sys.executable, "-m", *shlex.split(line.replace("archive-tui", "archive_tui", 1))]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.run(words, cwd=folder, env=environment, check=False, capture_output=True).returncode


def test_the_value_of_a_vault_job_tells_what_was_counted(document: Path, vault: Vault) -> None:
    ended = run(ask_vault_job(PickedManifest(document), *at(vault)), vault)
    assert isinstance(ended.result, VaultReport)
    assert ended.result.tally.lines == 4 and ended.result.complete


class _Set:
    def is_set(self) -> bool:
        return True


# Live news, open manifests, and a kill at the last moment


def test_the_news_of_each_line_are_told_in_order_bad_ones_as_well(document: Path, folder: Path, vault: Vault) -> None:
    document = write_manifest(folder / "some", FILES, more="junk\n")
    for job in (
        ask_vault_job(PickedManifest(document), *at(vault)),
        archive_manifest_job(PickedManifest(document), *at(vault)),
        fetch_manifest_job(PickedManifest(document), *at(vault), folder),
    ):
        told: list[LineNews] = []
        run_job(job, {"lab": vault.store}, live={"tell": told.append})
        assert [news.line.number if isinstance(news, LineResult) else news.number for news in told] == [1, 2, 3, 4, 5]


def test_an_open_manifest_of_the_submitter_is_used_and_stays_open(document: Path, vault: Vault) -> None:
    with open_manifest(document, root=document.parent) as manifest:
        job = ask_vault_job(PickedManifest(document), *at(vault))
        document.unlink()
        ended = run_to_end(job, {"lab": vault.store}, live={"manifest": manifest})
        assert ended.message.startswith("0 of 4 lines") and manifest.count_lines() == 4


def test_an_archive_below_a_path_goes_to_the_place_that_was_named(
    document: Path, folder: Path, vault: Vault, tmp_path: Path
) -> None:
    target = {"place": folder_place(tmp_path / "target"), "prefix": "p/", "path": "other:p", "settings": None}
    job = archive_manifest_job(PickedManifest(document), *at(vault), target=target)
    ended = run(job, vault)
    assert ended.state is JobState.VERIFIED and job.destination == "other:p"
    assert (tmp_path / "target" / "p" / "sub" / "d e.txt").read_bytes() == b"delta"


def test_a_list_that_was_made_right_before_a_kill_is_recognised(folder: Path) -> None:
    job, journal = create_manifest_job(ListedPart(folder), "new", Dialect.SHA256SUM), MemoryJournal()
    assert run(job, journal=journal).state is JobState.FINISHED
    before = (folder / "new").read_bytes()
    (folder / "new").rename(folder.parent / "aside")
    names = create_manifest_job(ListedPart(folder, ("a.txt", "b.txt")), "new", Dialect.SHA256SUM)
    some = MemoryJournal()
    assert run(names, journal=some).state is JobState.FINISHED
    again = run(names, journal=some)
    assert (again.state, again.message) == (JobState.FINISHED, "Listed 2 files, 9 B, in new")
    # Of somebody else's, or of other contents, it is not claimed.
    assert run(names, journal=MemoryJournal()).code == "target-exists"
    (folder / "a.txt").write_bytes(b"other")
    assert run(names, journal=some).code == "target-exists"
    assert before and (folder.parent / "aside").read_bytes() == before

"""The dataset commands on a local folder: what is printed, what is left, which status."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.state.database import open_state_database
from archive_tui.state.evidence_table import EvidenceTable
from tests.cli.conftest import Run


def archived(workplace: Path) -> list[str]:
    area = workplace / "archive"
    return sorted(str(path.relative_to(area)) for path in area.rglob("*") if path.is_file()) if area.exists() else []


def damage(archive: Path, at: int = 60) -> None:
    archive.chmod(0o644)
    content = bytearray(archive.read_bytes())
    content[at] ^= 0xFF
    archive.write_bytes(content)


def test_publish_prints_a_receipt_and_the_command_that_fetches(run: Run, workplace: Path) -> None:
    call = run("dataset", "publish", "lab", "winds")
    assert call.status == 0, call.err
    assert call.out.startswith("Published winds 0.0.1: 2 files, 10 KB in ")
    assert "archive-tui dataset fetch lab winds --version 0.0.1" in call.out
    assert archived(workplace) == ["winds.0.0.1.manifest.json", "winds.0.0.1.zip"]


def test_publish_as_json_is_one_document_even_with_progress(run: Run) -> None:
    call = run("dataset", "publish", "lab", "winds", "--json")
    assert call.document["outcome"] == "published"
    assert call.document["key"] == "winds.0.0.1.zip"
    assert len(call.document["archive_digest"]) == 64
    assert "pack: 2 files" in call.err


def test_quiet_writes_nothing_to_standard_error(run: Run) -> None:
    assert run("dataset", "publish", "lab", "winds", "--quiet").err == ""


def test_options_mean_the_same_before_and_after_the_command(run: Run) -> None:
    assert run("--json", "--quiet", "dataset", "publish", "lab", "winds").document["version"] == "0.0.1"


@pytest.mark.parametrize(
    ("wanted", "version"), [("patch", "0.0.2"), ("minor", "0.1.0"), ("major", "1.0.0"), ("7.8.9", "7.8.9")]
)
def test_the_number_is_chosen(run: Run, workplace: Path, wanted: str, version: str) -> None:
    run("dataset", "publish", "lab", "winds")
    (workplace / "work" / "winds" / "more.txt").write_text("more")
    assert run("dataset", "publish", "lab", "winds", "--version", wanted, "--json").document["version"] == version


def test_dry_run_shows_the_plan_and_writes_nothing(run: Run, workplace: Path) -> None:
    run("dataset", "publish", "lab", "winds")
    before = archived(workplace)
    (workplace / "work" / "winds" / "new.txt").write_text("new")
    (workplace / "work" / "winds" / "table.csv").write_text("other length")
    call = run("dataset", "publish", "lab", "winds", "--dry-run")
    assert call.status == 0
    for part in ("winds.0.0.2.zip", "3 files", "1 added, 1 changed, 0 removed", "+ new.txt", "* table.csv", "Dry run"):
        assert part in call.out
    assert archived(workplace) == before


def test_dry_run_on_an_archive_that_does_not_exist_makes_none(run: Run, workplace: Path) -> None:
    assert run("dataset", "publish", "lab", "winds", "--dry-run", "--json").document["latest"] is None
    assert not (workplace / "archive").exists() or archived(workplace) == []


def test_details_go_into_the_manifest(run: Run) -> None:
    words = ["--title", "Winds", "--license", "CC0-1.0", "--creator", "A", "--creator", "B", "--keyword", "k"]
    run("dataset", "publish", "lab", "winds", *words)
    document = run("dataset", "publish", "lab", "winds", "--dry-run", "--json").document
    assert document["dataset"] == {"title": "Winds", "license": "CC0-1.0", "creators": ["A", "B"], "keywords": ["k"]}


def test_publishing_the_same_again_is_no_error_and_no_version(run: Run, workplace: Path) -> None:
    run("dataset", "publish", "lab", "winds")
    call = run("dataset", "publish", "lab", "winds")
    assert call.status == 0
    assert "Already identical" in call.out
    assert archived(workplace) == ["winds.0.0.1.manifest.json", "winds.0.0.1.zip"]


def test_a_number_that_exists_with_other_content_is_refused(run: Run, workplace: Path) -> None:
    run("dataset", "publish", "lab", "winds")
    stored = (workplace / "archive" / "winds.0.0.1.zip").read_bytes()
    (workplace / "work" / "winds" / "more.txt").write_text("more")
    call = run("dataset", "publish", "lab", "winds", "--version", "0.0.1")
    assert call.status == 1
    assert "exists" in call.err and "hint: " in call.err
    assert (workplace / "archive" / "winds.0.0.1.zip").read_bytes() == stored


def test_a_lower_number_is_allowed_and_said(run: Run) -> None:
    run("dataset", "publish", "lab", "winds", "--version", "2.0.0")
    call = run("dataset", "publish", "lab", "winds", "--version", "1.0.0", "--allow-identical")
    assert call.status == 0
    assert "note: 1.0.0 is lower than the latest version 2.0.0" in call.err


def test_source_can_be_named(run: Run, workplace: Path) -> None:
    call = run("dataset", "publish", "lab", "only/table.csv", "--source", "work/winds/table.csv", "--json")
    assert (call.document["key"], call.document["files"]) == ("only/table.csv.0.0.1.zip", 1)


def test_compression_level_zero_stores(run: Run, workplace: Path) -> None:
    (workplace / "work" / "winds" / "text.txt").write_text("the same line\n" * 10_000)
    run("dataset", "publish", "lab", "winds", "--compression-level", "0")
    assert (workplace / "archive" / "winds.0.0.1.zip").stat().st_size > 140_000


def test_a_symbolic_link_is_left_out_and_said(run: Run, workplace: Path) -> None:
    (workplace / "work" / "winds" / "link").symlink_to("table.csv")
    call = run("dataset", "publish", "lab", "winds")
    assert call.status == 0
    assert "note: " in call.err and "link" in call.err
    assert "2 files" in call.out


def test_versions_and_datasets_are_listed(run: Run, workplace: Path) -> None:
    run("dataset", "publish", "lab", "winds")
    run("dataset", "publish", "lab", "winds", "--version", "0.0.10", "--allow-identical")
    run("dataset", "publish", "lab", "sub/other", "--source", "work/winds")
    call = run("dataset", "versions", "lab")
    assert [line.split()[0] for line in call.out.splitlines()] == ["name", "sub/other", "winds"]
    assert [one["version"] for one in run("dataset", "versions", "lab", "winds", "--json").document["versions"]] == [
        "0.0.1",
        "0.0.10",
    ]
    assert run("dataset", "versions", "lab", "--json").document["datasets"][1]["latest"] == "0.0.10"


def test_an_empty_storage_has_no_datasets_and_that_is_no_failure(run: Run) -> None:
    call = run("dataset", "versions", "lab")
    assert (call.status, call.out) == (0, "")
    assert run("dataset", "versions", "lab", "--json").document == {"storage": "lab", "datasets": []}


def test_diff_names_what_changed(run: Run, workplace: Path) -> None:
    run("dataset", "publish", "lab", "winds")
    source = workplace / "work" / "winds"
    (source / "table.csv").write_text("hour,speed\n1,9.9\n")
    (source / "added.txt").write_text("added")
    (source / "raw" / "log.dat").unlink()
    run("dataset", "publish", "lab", "winds")
    call = run("dataset", "diff", "lab", "winds", "0.0.1", "latest")
    assert [line.split()[0] for line in call.out.splitlines()[:-1]] == ["+", "*", "-"]
    assert call.out.splitlines()[-1] == "winds 0.0.1 → latest: 1 added, 1 changed, 1 removed, 0 files the same"
    document = run("dataset", "diff", "lab", "winds", "0.0.1", "0.0.2", "--json").document
    assert [entry["path"] for entry in document["changed"]] == ["table.csv"]


def test_fetch_makes_the_folder_and_a_second_fetch_verifies_it(run: Run, workplace: Path) -> None:
    run("dataset", "publish", "lab", "winds")
    call = run("dataset", "fetch", "lab", "winds", "--to", "there")
    assert call.status == 0
    assert call.out.splitlines()[-1] == "Verified: 2 of 2 files, all bytes"
    folder = workplace / "there" / "winds.0.0.1"
    assert (folder / "raw" / "log.dat").read_bytes() == bytes(range(256)) * 40
    again = run("dataset", "fetch", "lab", "winds", "--to", "there", "--json")
    assert again.document["already_there"] is True


def test_fetch_goes_to_the_local_path_unless_told_otherwise(run: Run, workplace: Path) -> None:
    run("dataset", "publish", "lab", "winds")
    assert run("dataset", "fetch", "lab", "winds").status == 0
    assert (workplace / "work" / "winds.0.0.1" / "table.csv").is_file()


def test_a_changed_folder_is_left_alone_reported_and_replaced_on_demand(run: Run, workplace: Path) -> None:
    run("dataset", "publish", "lab", "winds")
    run("dataset", "fetch", "lab", "winds", "--to", "there")
    mine = workplace / "there" / "winds.0.0.1" / "table.csv"
    mine.write_text("mine")
    call = run("dataset", "fetch", "lab", "winds", "--to", "there")
    assert call.status == 1
    assert "Findings: 1 changed" in call.out
    assert mine.read_text() == "mine"
    assert run("dataset", "fetch", "lab", "winds", "--to", "there", "--overwrite").status == 0
    assert mine.read_text() == "hour,speed\n1,3.5\n"


def test_verify_reads_the_archive_records_evidence_and_leaves_no_files(run: Run, workplace: Path) -> None:
    run("dataset", "publish", "lab", "winds")
    before = sorted(str(path) for path in workplace.rglob("*"))
    call = run("dataset", "verify", "lab", "winds")
    assert call.status == 0
    assert call.out.splitlines()[0] == "Verified: 2 of 2 files, all bytes"
    assert sorted(str(path) for path in workplace.rglob("*")) == before
    database = open_state_database()
    known = EvidenceTable(database).lookup(f"file://{workplace}/archive", ["winds.0.0.1.zip"])
    database.close()
    assert known["winds.0.0.1.zip"].level is EvidenceLevel.RESTORED


def test_a_flipped_bit_is_found_and_recorded(run: Run, workplace: Path) -> None:
    run("dataset", "publish", "lab", "winds")
    damage(workplace / "archive" / "winds.0.0.1.zip")
    call = run("dataset", "verify", "lab", "winds", "--json")
    assert call.status == 1 == call.document["status"]
    assert call.document["verdict"] == "findings"
    assert call.document["evidence"]["level"] == "damaged"


def test_a_damaged_archive_is_not_fetched(run: Run, workplace: Path) -> None:
    run("dataset", "publish", "lab", "winds")
    damage(workplace / "archive" / "winds.0.0.1.zip")
    call = run("dataset", "fetch", "lab", "winds", "--to", "there")
    assert call.status == 1
    assert call.err.splitlines()[-2].startswith("archive-tui: ")
    assert not (workplace / "there" / "winds.0.0.1").exists()
    assert not list((workplace / "there").iterdir())


@pytest.mark.parametrize("length", [0, 10, 200])
def test_a_truncated_archive_is_a_finding(run: Run, workplace: Path, length: int) -> None:
    run("dataset", "publish", "lab", "winds")
    archive = workplace / "archive" / "winds.0.0.1.zip"
    archive.chmod(0o644)
    os.truncate(archive, length)
    call = run("dataset", "verify", "lab", "winds")
    assert call.status == 1
    assert call.out.startswith("✗ changed")


def test_a_folder_is_verified_with_one_line_for_each_finding(run: Run, workplace: Path) -> None:
    run("dataset", "publish", "lab", "winds")
    run("dataset", "fetch", "lab", "winds", "--to", "there")
    folder = workplace / "there" / "winds.0.0.1"
    assert run("verify", str(folder)).status == 0
    (folder / "table.csv").write_text("hour,speed\n1,9.9\n")
    (folder / "raw" / "log.dat").unlink()
    (folder / "extra\x1b[31m.txt").write_text("extra")
    call = run("verify", str(folder))
    assert call.status == 1
    assert "Findings: 1 changed, 1 missing, 1 extra of 2" in call.out
    assert {line.split()[1] for line in call.out.splitlines()[:3]} == {"changed", "missing", "extra"}


def test_a_level_in_the_settings_is_used_and_checked(run: Run, workplace: Path) -> None:
    with (workplace / "settings.ini").open("a") as settings:
        settings.write("compression_level = 77\n")
    call = run("dataset", "publish", "lab", "winds")
    assert call.status == 2
    assert "compression_level" in call.err
    assert archived(workplace) == []

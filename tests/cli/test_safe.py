"""`archive-tui safe`: a measurement from its reservation to its retrieval, typed by somebody who makes mistakes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run

KIND = "42.1001/ds/exp/sa/42/cwepr"
LOI = f"{KIND}/1"
ROOT = ("--root", "safe")
DATA = b"3340.1 0.02\n3340.2 0.05\n"


@pytest.fixture
def measured(workplace: Path) -> Path:
    folder = workplace / "measured"
    (folder / "raw").mkdir(parents=True)
    (folder / "sample.dat").write_bytes(DATA)
    (folder / "raw" / "manifest.json").write_text("{}")
    (folder / "sample.info").write_text("cwEPR Info file - v. 0.1.4 (2020-01-21)\n")
    return folder


@pytest.fixture
def deposited(run: Run, measured: Path) -> Path:
    assert run("safe", "new", KIND, *ROOT).out == f"{LOI}\n"
    call = run("safe", "put", LOI, "measured", *ROOT)
    assert call.status == 0, call.err
    return measured


def test_numbers_follow_each_other(run: Run) -> None:
    assert [run("safe", "new", KIND, *ROOT).out for _ in range(3)] == [f"{KIND}/{number}\n" for number in (1, 2, 3)]
    assert run("safe", "new", f"{KIND}/17", *ROOT).out == f"{KIND}/4\n"
    assert run("safe", "new", f"{KIND}/", *ROOT).out == f"{KIND}/5\n"
    assert run("safe", "new", KIND, *ROOT, "--json").document["loi"] == f"{KIND}/6"


@pytest.mark.parametrize(
    ("loi", "message"),
    [
        ("42.1001/rec/42", "LOI is not a datasafe LOI."),
        ("42.1001/ds/calc/geo/1", "Loi ist not a valid experiment LOI."),
        (f"{KIND}/../../x", "String is not a valid LOI."),
        ("foo", "String is not a valid LOI."),
    ],
)
def test_what_is_no_loi_is_refused(run: Run, workplace: Path, loi: str, message: str) -> None:
    call = run("safe", "new", loi, *ROOT)
    assert call.status == 2
    assert message in call.err
    assert run("safe", "put", loi.replace("geo/1", "x/1"), "work/winds", *ROOT).status == 2


def test_a_deposit_says_what_lies_there(run: Run, measured: Path) -> None:
    run("safe", "new", KIND, *ROOT)
    call = run("safe", "put", LOI, "measured", *ROOT)
    assert call.status == 0
    assert call.out.startswith(f"Deposited: {LOI}, 4 files, ")
    assert "sha256 " in call.out and "evidence" in call.out


def test_a_deposit_as_a_document(run: Run, measured: Path) -> None:
    run("safe", "new", KIND, *ROOT)
    document = run("safe", "put", LOI, "measured", *ROOT, "--json").document
    assert (document["loi"], document["files"], document["old_version"], document["status"]) == (LOI, 4, None, 0)
    assert len(document["archive"]["sha256"]) == 64


def test_a_second_deposit_is_refused(run: Run, deposited: Path) -> None:
    call = run("safe", "put", LOI, "measured", *ROOT)
    assert call.status == 1
    assert "Directory not empty." in call.err and "safe update" in call.err


def test_nobody_deposits_where_nothing_is_reserved(run: Run, measured: Path) -> None:
    run("safe", "new", KIND, *ROOT)
    call = run("safe", "put", f"{KIND}/2", "measured", *ROOT)
    assert call.status == 1
    assert "LOI does not exist." in call.err


def test_a_manifest_that_lies_is_refused_and_leaves_nothing(run: Run, deposited: Path, workplace: Path) -> None:
    run("safe", "new", KIND, *ROOT)
    lying = workplace / "safe" / "exp" / "sa" / "42" / "cwepr" / "1" / "MANIFEST.yaml"
    (deposited / "MANIFEST.yaml").write_bytes(lying.read_bytes().replace(b"/cwepr/1", b"/cwepr/2"))
    (deposited / "sample.dat").write_text("another content")
    assert run("safe", "put", f"{KIND}/2", "measured", *ROOT).status == 1
    assert list((workplace / "safe" / "exp" / "sa" / "42" / "cwepr" / "2").iterdir()) == []


def test_listing_and_showing(run: Run, deposited: Path) -> None:
    run("safe", "new", KIND, *ROOT)
    table = run("safe", "ls", *ROOT).out.splitlines()
    assert [line.split()[:2] for line in table[1:]] == [[LOI, "deposited"], [f"{KIND}/2", "reserved"]]
    documents = run("safe", "ls", LOI, *ROOT, "--json").document["datasets"]
    assert [(one["loi"], one["state"], one["files"]) for one in documents] == [(LOI, "deposited", 4)]
    shown = run("safe", "show", LOI, *ROOT).out
    assert "deposited" in shown and "raw/manifest.json" in shown and "cwEPR Info file 0.1.4" in shown
    document = run("safe", "show", LOI, *ROOT, "--json").document
    assert {one["path"] for one in document["files_listed"]} == {
        "MANIFEST.yaml",
        "raw/manifest.json",
        "sample.dat",
        "sample.info",
    }
    assert run("safe", "show", f"{KIND}/9", *ROOT).status == 1


def test_it_comes_back_as_it_was(run: Run, deposited: Path, workplace: Path) -> None:
    call = run("safe", "get", LOI, *ROOT, "--to", "there")
    assert call.status == 0, call.err
    folder = workplace / "there" / "exp-sa-42-cwepr-1"
    assert (folder / "sample.dat").read_bytes() == DATA
    assert (folder / "raw" / "manifest.json").read_text() == "{}"
    again = run("safe", "get", LOI, *ROOT, "--to", "there")
    assert again.status == 0 and again.out.startswith("Already there")
    (folder / "sample.dat").write_text("changed")
    assert run("safe", "get", LOI, *ROOT, "--to", "there").status == 1
    assert run("safe", "get", LOI, *ROOT, "--to", "there", "--overwrite").status == 0
    assert (folder / "sample.dat").read_bytes() == DATA


def test_an_update_keeps_what_it_replaces(run: Run, deposited: Path, workplace: Path) -> None:
    (deposited / "sample.dat").write_text("better")
    document = run("safe", "update", LOI, "measured", *ROOT, "--json").document
    assert document["old_version"] == 1
    assert run("safe", "get", LOI, *ROOT, "--to", "new").status == 0
    assert run("safe", "get", LOI, *ROOT, "--to", "old", "--old", "1").status == 0
    assert (workplace / "new" / "exp-sa-42-cwepr-1" / "sample.dat").read_text() == "better"
    assert (workplace / "old" / "exp-sa-42-cwepr-1.old-1" / "sample.dat").read_bytes() == DATA
    assert run("safe", "get", LOI, *ROOT, "--to", "none", "--old", "7").status == 1


def test_nothing_deposited_is_no_update_and_no_data(run: Run, measured: Path) -> None:
    run("safe", "new", KIND, *ROOT)
    assert "Directory empty" in run("safe", "update", LOI, "measured", *ROOT).err
    assert "LOI does not have content." in run("safe", "get", LOI, *ROOT).err


def test_verifying_one_some_and_all(run: Run, deposited: Path, workplace: Path) -> None:
    run("safe", "new", KIND, *ROOT)
    run("safe", "put", f"{KIND}/2", "measured", *ROOT)
    run("safe", "new", KIND, *ROOT)
    call = run("safe", "verify", LOI, *ROOT)
    assert call.status == 0 and "Verified: 4 of 4 files, all bytes" in call.out
    whole = run("safe", "verify", "--all", *ROOT)
    assert whole.status == 0 and "Verified: 8 of 8 files, all bytes" in whole.out
    damaged = workplace / "safe" / "exp" / "sa" / "42" / "cwepr" / "2" / "sample.dat"
    damaged.chmod(0o644)
    damaged.write_bytes(DATA.replace(b"5", b"6"))
    found = run("safe", "verify", "--all", KIND, *ROOT)
    assert found.status == 1
    assert f"{KIND}/2/sample.dat" in found.out and "Findings: 1 changed" in found.out
    assert run("safe", "verify", *ROOT).status == 2
    assert run("safe", "verify", f"{KIND}/3", *ROOT).status != 0


def test_one_datasafe_at_a_time(run: Run) -> None:
    assert run("safe", "ls", "--root", "safe", "--storage", "lab").status == 2
    assert run("safe", "ls", "--root", "safe", "--token-file", "x").status == 2
    assert run("safe", "ls").status == 2
    assert run("safe", "ls", "--storage", "lab").status == 2  # it has no datasafe by the settings


def test_a_datasafe_in_a_storage(run: Run, measured: Path, workplace: Path) -> None:
    settings = workplace / "settings.ini"
    settings.write_text(settings.read_text() + "datasafe = measurements\n\n[archive-tui]\ndatasafe = lab\n")
    assert run("safe", "new", KIND).out == f"{LOI}\n"
    assert run("safe", "put", LOI, "measured").status == 0
    assert (workplace / "archive" / "measurements" / "exp" / "sa" / "42" / "cwepr" / "1" / "sample.dat").is_file()
    assert run("safe", "get", LOI, "--storage", "lab", "--to", "there").status == 0
    assert run("safe", "verify", "--all").status == 0


def test_only_some_files_of_a_folder(run: Run, measured: Path, workplace: Path) -> None:
    run("safe", "new", KIND, *ROOT)
    assert run("safe", "put", LOI, "measured", "--file", "sample.dat", "--file", "sample.info", *ROOT).status == 0
    document = run("safe", "show", LOI, *ROOT, "--json").document
    assert [one["path"] for one in document["files_listed"]] == ["MANIFEST.yaml", "sample.dat", "sample.info"]
    assert not (measured / "MANIFEST.yaml").exists()


def test_jobs_in_the_background(run: Run, measured: Path) -> None:
    run("safe", "new", KIND, *ROOT)
    assert run("safe", "put", LOI, "measured", *ROOT, "--background", "--wait").status == 0
    assert run("safe", "get", LOI, *ROOT, "--to", "there", "--background", "--wait").status == 0
    assert run("safe", "verify", "--all", *ROOT, "--background", "--wait").status == 0
    listed = run("jobs", "list").out
    assert f"deposit {LOI}" in listed and f"retrieve {LOI}" in listed
    receipt = run("jobs", "receipt", "1").out
    assert LOI in receipt and "sample.dat" in receipt
    assert f"archive-tui safe put {LOI}" in receipt


def test_an_existing_folder_is_adopted_as_it_lies(run: Run, deposited: Path, workplace: Path) -> None:
    dataset = workplace / "safe" / "exp" / "sa" / "42" / "cwepr" / "1"
    damaged = dataset.with_name("2")
    shutil.copytree(dataset, damaged, ignore=shutil.ignore_patterns(".dataset-record"))
    (dataset / ".dataset-record").unlink()
    (workplace / "safe" / ".datasafe.json").unlink()
    (damaged / "sample.dat").chmod(0o644)
    (damaged / "sample.dat").write_text("something else")
    before = {path: path.stat().st_mtime_ns for path in dataset.rglob("*") if path.is_file()}
    dry = run("safe", "adopt", "safe", "--dry-run")
    assert dry.status == 1 and "Would adopt 1 dataset of issuer 1001" in dry.out
    assert not (dataset / ".dataset-record").exists()
    call = run("safe", "adopt", "safe")
    assert call.status == 1
    assert "exp/sa/42/cwepr/2/sample.dat" in call.out and "Adopted 1 dataset of issuer 1001" in call.out
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not (damaged / ".dataset-record").exists()
    assert run("safe", "verify", LOI, *ROOT).status == 0
    assert run("safe", "adopt", "safe", "--json").document["already"] == 1
    assert run("safe", "adopt", "safe", "--issuer", "7").status == 2
    assert run("safe", "adopt", "nowhere").status == 2


def test_a_token_that_travels_in_the_open_is_said(run: Run, workplace: Path) -> None:
    (workplace / "token").write_text("not-a-real-token")
    (workplace / "token").chmod(0o600)
    words = ("safe", "ls", "--token-file", "token", "--url")
    assert "unencrypted" in run(*words, "http://192.0.2.1:1/").err
    assert "unencrypted" not in run(*words, "http://127.0.0.1:1/").err

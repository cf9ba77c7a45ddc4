"""Every bad input ends with a sentence, a hint, the right status, and nothing half-done."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Call, Run
from tests.servers.required_servers import skip_missing_server

CLOSED_PORT = "http://127.0.0.1:9"


def refused(call: Call, status: int, *parts: str) -> None:
    """Checks the form of an error: one sentence, a hint, no traceback, nothing on standard output."""
    assert call.status == status, call.err
    lines = [line for line in call.err.splitlines() if not line.startswith("note: ")]
    assert lines[-2].startswith("archive-tui: "), call.err
    assert lines[-1].startswith("hint: "), call.err
    assert "Traceback" not in call.err
    for part in parts:
        assert part in call.err


def test_settings_that_are_named_but_missing(run: Run) -> None:
    refused(run("--settings", "nowhere.ini", "storage", "list"), 2, "nowhere.ini")


def test_settings_named_by_the_environment_but_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVE_TUI_SETTINGS", "/nowhere/settings.ini")
    refused(run("storage", "list"), 2, "/nowhere/settings.ini", "ARCHIVE_TUI_SETTINGS")


def run_without_privileges(workplace: Path, *words: str) -> Call:
    """Runs the program in a process to which permission bits mean something, even when root runs the tests."""
    command = [sys.executable, "-m", "archive_tui", *words]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            skip_missing_server("setpriv", "apt-get install util-linux")
        command = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", *command]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.run(
        command, cwd=workplace, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return Call(process.returncode, process.stdout, process.stderr)


def test_settings_that_may_not_be_read(workplace: Path) -> None:
    (workplace / "settings.ini").chmod(0)
    refused(run_without_privileges(workplace, "storage", "list"), 2, "settings.ini", "Permission denied")


def test_settings_that_are_no_ini_file(run: Run, workplace: Path) -> None:
    (workplace / "settings.ini").write_text("aws_secret_access_key = not-a-real-secret\n")
    call = run("storage", "list")
    refused(call, 2, "settings.ini")
    assert "not-a-real-secret" not in call.err


def test_settings_that_are_no_text(run: Run, workplace: Path) -> None:
    (workplace / "settings.ini").write_bytes(b"\xff\xfe\x00[lab]")
    refused(run("storage", "list"), 2, "UTF-8")


def test_a_misspelt_key(run: Run, workplace: Path) -> None:
    with (workplace / "settings.ini").open("a") as settings:
        settings.write("storage_aera = elsewhere\n")
    refused(run("ls", "lab"), 2, "storage_aera", "Did you mean 'storage_area'?")


def test_a_misspelt_storage(run: Run) -> None:
    refused(run("dataset", "versions", "lba"), 2, "lba", "Did you mean 'lab'?")


@pytest.mark.parametrize(
    ("dotted_path", "part"),
    [
        ("archive_tui.core.NoSuchClient", "NoSuchClient"),
        ("no_such_package.Client", "no_such_package"),
        ("nodots", "nodots"),
        ("pathlib.Path", "storage client class"),
    ],
)
def test_a_class_that_cannot_be_used(run: Run, workplace: Path, dotted_path: str, part: str) -> None:
    (workplace / "settings.ini").write_text(f"[lab]\nstorage_client = {dotted_path}\nlocal_path = work\n")
    refused(run("ls", "lab"), 2, part)


def test_a_section_without_a_class(run: Run, workplace: Path) -> None:
    (workplace / "settings.ini").write_text("[lab]\nlocal_path = work\n")
    refused(run("ls", "lab"), 2, "storage_client")


def _use_s3(workplace: Path, **keys: str) -> None:
    values = {
        "storage_client": "archive_tui.core.AwsStorageClient",
        "local_path": "work",
        "bucket": "lab",
        "aws_access_key_id": "key",
        "aws_secret_access_key": "not-a-real-secret",
        **keys,
    }
    (workplace / "settings.ini").write_text("[lab]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()))


def test_no_network(run: Run, workplace: Path) -> None:
    _use_s3(workplace, endpoint_url=CLOSED_PORT)
    call = run("dataset", "publish", "lab", "winds")
    refused(call, 1, "cannot be reached")
    assert "not-a-real-secret" not in call.err


def test_a_verification_without_network_is_inconclusive(run: Run, workplace: Path) -> None:
    _use_s3(workplace, endpoint_url=CLOSED_PORT)
    assert run("dataset", "verify", "lab", "winds").status == 3


def test_no_such_dataset_and_version(run: Run) -> None:
    run("dataset", "publish", "lab", "winds")
    refused(run("dataset", "fetch", "lab", "wind"), 1, "wind", "Did you mean 'winds'?")
    refused(run("dataset", "fetch", "lab", "winds", "--version", "9.9.9"), 1, "9.9.9", "0.0.1")
    refused(run("dataset", "diff", "lab", "winds", "0.0.1", "0.0.2"), 1, "0.0.2")


@pytest.mark.parametrize("name", ["../x", "/abs", "a//b", "naïve", "a\nb", "", ".", "a/./b"])
def test_names_that_cannot_be_published(run: Run, workplace: Path, name: str) -> None:
    call = run("dataset", "publish", "lab", name, "--source", "work/winds")
    refused(call, 2)
    assert not (workplace / "archive").exists() or not any((workplace / "archive").rglob("*.zip"))


@pytest.mark.parametrize("version", ["1", "1.2", "01.0.0", "v1.0.0", "huge", "1.0.0\n"])
def test_versions_that_are_none(run: Run, workplace: Path, version: str) -> None:
    refused(run("dataset", "publish", "lab", "winds", "--version", version), 2)


def test_a_source_that_does_not_exist(run: Run) -> None:
    refused(run("dataset", "publish", "lab", "winds", "--source", "nowhere"), 1, "nowhere")
    refused(run("dataset", "publish", "lab", "unknown"), 1, "unknown")


def test_an_empty_folder(run: Run, workplace: Path) -> None:
    (workplace / "empty").mkdir()
    refused(run("dataset", "publish", "lab", "winds", "--source", "empty"), 1)


def test_a_foreign_manifest_is_refused_not_clobbered(run: Run, workplace: Path) -> None:
    foreign = workplace / "work" / "winds" / "manifest.json"
    foreign.write_text('{"mine": true}')
    refused(run("dataset", "publish", "lab", "winds"), 1, "manifest.json")
    assert foreign.read_text() == '{"mine": true}'
    call = run("dataset", "publish", "lab", "winds", "--dry-run")
    assert call.status == 1
    assert "refused: " in call.out


def test_an_unreadable_file_is_refused(workplace: Path) -> None:
    (workplace / "work" / "winds" / "table.csv").chmod(0)
    refused(run_without_privileges(workplace, "dataset", "publish", "lab", "winds"), 1, "table.csv")
    assert not list(workplace.rglob("*.zip"))


def test_a_folder_with_an_unreadable_file_is_inconclusive(run: Run, workplace: Path) -> None:
    run("dataset", "publish", "lab", "winds")
    run("dataset", "fetch", "lab", "winds", "--to", "there")
    (workplace / "there" / "winds.0.0.1" / "table.csv").chmod(0)
    call = run_without_privileges(workplace, "verify", "there/winds.0.0.1")
    assert call.status == 3
    assert "Inconclusive: 1 file could not be read" in call.out


def test_an_archive_folder_that_may_not_be_written(workplace: Path) -> None:
    (workplace / "archive").mkdir(mode=0o555)
    refused(run_without_privileges(workplace, "dataset", "publish", "lab", "winds"), 1)
    assert run_without_privileges(workplace, "storage", "test", "lab").status == 1


def test_links_that_leave_the_source_are_never_followed(run: Run, workplace: Path) -> None:
    (workplace / "secret.txt").write_text("secret")
    (workplace / "work" / "winds" / "link.txt").symlink_to(workplace / "secret.txt")
    call = run("dataset", "publish", "lab", "winds", "--follow-symlinks", "--dry-run", "--json")
    assert "link.txt" in str(call.document["remarks"] + call.document["refusals"])
    assert call.document["files"] == 2


@pytest.mark.parametrize("folder", ["nowhere", "work/winds", "settings.ini"])
def test_verify_needs_a_folder_with_a_manifest(run: Run, folder: str) -> None:
    refused(run("verify", folder), 1)


def test_a_manifest_that_is_no_json(run: Run, workplace: Path) -> None:
    (workplace / "work" / "winds" / "manifest.json").write_text("{")
    refused(run("verify", "work/winds"), 1, "manifest")


def test_a_file_in_the_way_of_a_fetch(run: Run, workplace: Path) -> None:
    run("dataset", "publish", "lab", "winds")
    (workplace / "there").mkdir()
    (workplace / "there" / "winds.0.0.1").write_text("mine")
    refused(run("dataset", "fetch", "lab", "winds", "--to", "there", "--overwrite"), 1, "in the way")
    assert (workplace / "there" / "winds.0.0.1").read_text() == "mine"


@pytest.mark.parametrize(
    "words",
    [
        ["dataset"],
        ["dataset", "publsh"],
        ["dataset", "publish"],
        ["dataset", "publish", "lab", "winds", "--nonsense"],
        ["dataset", "publish", "lab", "winds", "--compression-level", "10"],
        ["dataset", "publish", "lab", "winds", "--on-conflict", "overwrite"],
        ["dataset", "diff", "lab", "winds", "0.0.1"],
        ["verify"],
        ["ls"],
        ["storage", "test"],
        ["one", "two", "three"],
        ["--nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_status_two_with_the_way_to_help(run: Run, words: list[str]) -> None:
    call = run(*words)
    refused(call, 2, "--help")
    assert call.out == ""


def test_errors_are_documents_on_demand(run: Run) -> None:
    document = run("dataset", "fetch", "lab", "winds", "--json").document
    assert document["status"] == 1
    assert document["error"]["code"] == "dataset-not-found"
    assert document["error"]["hint"]
    assert run("dataset", "publish", "--json").document["error"]["code"] == "usage"


def test_what_comes_from_outside_is_escaped_in_errors(run: Run) -> None:
    call = run("dataset", "fetch", "lab", "win\x1b[31mds")
    assert "\x1b" not in call.err


def test_an_unexpected_failure_is_a_sentence_and_a_file(
    run: Run, monkeypatch: pytest.MonkeyPatch, isolated_home: Path
) -> None:
    def fail(*words: object, **options: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr("archive_tui.jobs.kinds.verifying.verify_folder", fail)
    call = run("verify", ".")
    assert call.status == 70
    assert "KeyError" in call.err and "Traceback" not in call.err
    saved = list((isolated_home / ".local" / "state" / "archive-tui" / "tracebacks").iterdir())
    assert "surprise" in saved[0].read_text()


def test_a_failure_of_the_system_is_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*words: object, **options: object) -> None:
        raise OSError(24, "Too many open files", "somewhere")

    monkeypatch.setattr("archive_tui.jobs.kinds.verifying.verify_folder", fail)
    call = run("verify", ".")
    assert (call.status, call.err) == (1, "archive-tui: Too many open files: somewhere\n")

"""The whole way of a dataset by commands alone, on every kind of storage; and what each says when it is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.servers.azurite import AzuriteServer
from tests.servers.s3_server import S3Server

KINDS = ["folder", "moto_server", "seaweedfs_server", "rclone_server", "azurite_server"]
S3 = ["moto_server", "seaweedfs_server", "rclone_server"]


def settings_of(kind: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """The keys of a section for a fresh, empty place on that server."""
    if kind == "folder":
        return {"storage_client": "archive_tui.core.LocalStorageClient", "storage_area": "archive"}
    server: Any = request.getfixturevalue(kind)
    if isinstance(server, AzuriteServer):
        container = server.new_container()
        return {
            "storage_client": "archive_tui.core.AzureStorageClient",
            "conn_str": server.conn_str,
            "container": container,
        }
    assert isinstance(server, S3Server)
    return {
        "storage_client": "archive_tui.core.AwsStorageClient",
        "bucket": server.new_bucket(),
        **server.settings(),
    }


def write_settings(workplace: Path, keys: dict[str, str]) -> None:
    lines = "".join(f"{key} = {value}\n" for key, value in {"local_path": "work", **keys}.items())
    (workplace / "settings.ini").write_text(f"[lab]\n{lines}")


def tree_of(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("kind", KINDS)
def test_publish_verify_change_publish_fetch_verify(
    kind: str, run: Run, workplace: Path, request: pytest.FixtureRequest
) -> None:
    write_settings(workplace, settings_of(kind, request))
    source = workplace / "work" / "winds"
    assert run("dataset", "publish", "lab", "winds").status == 0
    assert run("dataset", "verify", "lab", "winds").status == 0
    (source / "new.txt").write_text("new")
    assert run("dataset", "publish", "lab", "winds", "--version", "minor").status == 0
    listed = run("dataset", "versions", "lab", "winds", "--json").document["versions"]
    assert [version["version"] for version in listed] == ["0.0.1", "0.1.0"]
    added = run("dataset", "diff", "lab", "winds", "0.0.1", "0.1.0", "--json").document["added"]
    assert [entry["path"] for entry in added] == ["new.txt"]
    call = run("dataset", "fetch", "lab", "winds", "--to", "there")
    assert call.status == 0, call.err
    assert tree_of(workplace / "there" / "winds.0.1.0") == tree_of(source)
    assert run("verify", "there/winds.0.1.0").status == 0
    assert "winds.0.1.0.zip" in run("ls", "lab").out


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_is_never_published_twice(
    kind: str, run: Run, workplace: Path, request: pytest.FixtureRequest
) -> None:
    write_settings(workplace, settings_of(kind, request))
    run("dataset", "publish", "lab", "winds")
    first = run("dataset", "verify", "lab", "winds", "--json").document["evidence"]["digest"]
    (workplace / "work" / "winds" / "table.csv").write_text("other")
    call = run("dataset", "publish", "lab", "winds", "--version", "0.0.1")
    assert call.status == 1
    assert "exists" in call.err
    assert run("dataset", "verify", "lab", "winds", "--json").document["evidence"]["digest"] == first


@pytest.mark.parametrize("kind", KINDS)
def test_the_card_of_a_storage(kind: str, run: Run, workplace: Path, request: pytest.FixtureRequest) -> None:
    write_settings(workplace, settings_of(kind, request))
    call = run("storage", "test", "lab", "--json")
    assert call.status == 0, call.out
    outcomes = {row["name"]: row["outcome"] for row in call.document["rows"]}
    assert outcomes["never overwrites"] == ("refused" if kind == "rclone_server" else "proven")
    assert run("ls", "lab").out == run("ls", "lab", "-r").out == ""


def test_a_server_that_overwrites_is_warned_of_before_anything_is_published(
    run: Run, workplace: Path, request: pytest.FixtureRequest
) -> None:
    write_settings(workplace, settings_of("rclone_server", request))
    call = run("dataset", "publish", "lab", "winds", "--dry-run")
    assert "race between two people is not excluded" in call.err
    assert "race between two people" in run("storage", "test", "lab").out


def test_wrong_credentials_are_said_without_showing_them(
    run: Run, workplace: Path, request: pytest.FixtureRequest
) -> None:
    wrong = {"aws_access_key_id": "WRONGKEYID", "aws_secret_access_key": "not-the-secret"}
    write_settings(workplace, {**settings_of("seaweedfs_server", request), **wrong})
    for words in (["dataset", "publish", "lab", "winds"], ["dataset", "versions", "lab"], ["ls", "lab"]):
        call = run(*words)
        assert call.status == 1
        assert "hint: " in call.err
        assert "not-the-secret" not in call.err
    assert run("dataset", "verify", "lab", "winds").status == 3


def test_wrong_credentials_for_azure(run: Run, workplace: Path, request: pytest.FixtureRequest) -> None:
    keys = settings_of("azurite_server", request)
    start, _, rest = keys["conn_str"].partition("AccountKey=")
    wrong = f"{start}AccountKey=bm90LXRoZS1rZXk=;{rest.partition(';')[2]}"
    write_settings(workplace, {**keys, "conn_str": wrong})
    call = run("dataset", "publish", "lab", "winds")
    assert call.status == 1
    assert "hint: " in call.err
    assert "bm90LXRoZS1rZXk" not in call.err


@pytest.mark.parametrize("kind", S3)
def test_no_such_bucket(kind: str, run: Run, workplace: Path, request: pytest.FixtureRequest) -> None:
    write_settings(workplace, {**settings_of(kind, request), "bucket": "there-is-no-such-bucket"})
    call = run("dataset", "publish", "lab", "winds")
    assert call.status == 1
    assert "there-is-no-such-bucket" in call.err


def test_no_such_container(run: Run, workplace: Path, request: pytest.FixtureRequest) -> None:
    write_settings(workplace, {**settings_of("azurite_server", request), "container": "no-such-container"})
    call = run("dataset", "publish", "lab", "winds")
    assert call.status == 1
    assert "no-such-container" in call.err

"""Documents of workspaces: what is taken, what is refused in which words, and what nobody gets to see."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archive_tui.brokers import (
    InvalidBrokerConfiguration,
    ValidationWarning,
    describe_workspace,
    load_workspace,
    validate_workspace,
)

HOST = {"type": "host", "host_path": "/srv/files"}


@pytest.mark.parametrize("version", ["1.0", "6", "7", None])
def test_each_version_is_taken(version: str | None) -> None:
    document: dict[str, Any] = {"broker": HOST} if version is None else {"version": version, "broker": HOST}
    workspace = load_workspace(document)
    assert (workspace.version, workspace.broker.broker_type) == (version or "7", "host")
    assert workspace.broker.volume is not None and workspace.broker.volume.remote_path == "/srv/files"
    assert validate_workspace(document) == []


@pytest.mark.parametrize(
    ("document", "name", "description"),
    [
        ({"version": "8", "broker": HOST}, "INVALID_VERSION", "8 is an unsupported version number"),
        ({"broker": HOST, "more": 1}, "INVALID_CONFIGURATION", "Nobody reads this key: more"),
        ({}, "INVALID_CONFIGURATION", 'A workspace requires "broker" with a "type"'),
        ({"broker": []}, "INVALID_CONFIGURATION", 'A workspace requires "broker" with a "type"'),
        ({"broker": {"type": "zzz"}}, "INVALID_BROKER", "'zzz' is an invalid broker type"),
        ({"broker": {"type": "host"}}, "", 'Host broker requires "host_path" to be populated'),
        ({"broker": {"type": "host", "host_path": " "}}, "", 'Host broker requires "host_path" to be populated'),
        ({"broker": {"type": "nfs"}}, "", 'NFS broker requires "nfs_path" to be populated'),
        ({"broker": {"type": "nfs", "nfs_path": "/no/host"}}, "", '"nfs_path" has to be written as host:/path'),
        ({"broker": {"type": "s3"}}, "", 'S3 broker requires "bucket_name" to be populated'),
        ({"broker": {"type": "azure"}}, "", 'Azure broker requires "container" to be populated'),
        (
            {"broker": {"type": "azure", "container": "c"}},
            "",
            'Azure broker requires "conn_str" or "account_url" to be populated',
        ),
        (
            {"broker": {"type": "s3", "bucket_name": "b", "credentials": {"secret_access_key": "s"}}},
            "",
            '"credentials" requires "access_key_id" to be populated',
        ),
        (
            {"broker": {"type": "s3", "bucket_name": "b", "credentials": {"access_key_id": "k"}}},
            "",
            '"credentials" requires "secret_access_key" to be populated',
        ),
        ({"broker": {"type": "s3", "bucket_name": "b", "region_name": 5}}, "", '"region_name" has to be a text'),
        ({"broker": {"type": "azure", "container": "c", "conn_str": 7}}, "", '"conn_str" has to be a text'),
        (
            {"broker": {"type": "azure", "container": "c", "conn_str": " "}},
            "",
            'Azure broker requires "conn_str" or "account_url" to be populated',
        ),
        ({"broker": {"type": "s3", "bucket_name": "b", "credentials": "k"}}, "", '"credentials" has to be an object'),
    ],
)
def test_what_cannot_be_used_is_refused(document: dict[str, Any], name: str, description: str) -> None:
    for act in (load_workspace, validate_workspace):
        with pytest.raises(InvalidBrokerConfiguration) as caught:
            act(document)
        assert caught.value.name == (name or "INVALID_CONFIGURATION")
        assert caught.value.description == description


def test_a_bucket_that_cannot_be_reached_is_a_warning() -> None:
    keys = {"access_key_id": "k", "secret_access_key": "s"}
    broker = {"type": "s3", "bucket_name": "b", "credentials": keys, "endpoint_url": "http://127.0.0.1:9"}
    assert validate_workspace({"broker": broker}) == [
        ValidationWarning("bucket_access", "Unable to access bucket. Check the bucket name and credentials.")
    ]


def test_another_type_than_before_is_a_warning() -> None:
    before = {"broker": {"type": "nfs", "nfs_path": "a:/b"}}
    (warning,) = validate_workspace({"broker": HOST}, before)
    assert (warning.name, warning.description) == (
        "broker_type",
        "Changing the broker type may disrupt queued/running jobs.",
    )
    assert validate_workspace({"broker": HOST}, {"broker": HOST}) == []


def test_more_keys_of_a_broker_are_taken() -> None:
    assert load_workspace({"broker": {**HOST, "colour": "blue"}}).configuration["colour"] == "blue"


def test_nobody_sees_a_secret() -> None:
    shown = describe_workspace(
        {
            "version": "7",
            "broker": {
                "type": "s3",
                "bucket_name": "b",
                "credentials": {"access_key_id": "KEYID", "secret_access_key": "SECRET"},
                "conn_str": "AccountKey=SECRET",
            },
        }
    )
    assert shown["broker"]["credentials"] == {"access_key_id": "*" * 12, "secret_access_key": "*" * 12}
    assert shown["broker"]["conn_str"] == "*" * 12
    for address in ("https://user:SECRET@host/c", "https://host/c?sig=SECRET"):
        document = {"broker": {"type": "azure", "container": "c", "account_url": address}}
        assert "SECRET" not in str(describe_workspace(document))
        assert "host/c" in describe_workspace(document)["broker"]["account_url"]
        assert "SECRET" not in repr(load_workspace(document))
    assert (shown["broker"]["type"], shown["broker"]["bucket_name"]) == ("s3", "b")


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00", '"x"', "{" * 100_000])
def test_a_file_that_is_no_document(tmp_path: Path, text: str) -> None:
    path = tmp_path / "w.json"
    path.write_text(text)
    with pytest.raises(InvalidBrokerConfiguration):
        load_workspace(path)


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "w.json"
    path.write_text(json.dumps({"version": "7", "broker": HOST}))
    assert load_workspace(path).broker.broker_type == "host"
    with pytest.raises(ValueError, match="Cannot be read"):
        load_workspace(tmp_path / "none.json")

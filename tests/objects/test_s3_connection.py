"""One signed request: regions that turn out to be others, credentials that change, paths through proxies."""

from __future__ import annotations

from typing import Any

import pytest

from archive_tui.errors import ConfigurationError
from archive_tui.objects.s3.connection import Reply, S3Connection
from archive_tui.objects.s3.endpoint import S3Options
from archive_tui.objects.s3.fast_path import FastPath

KEYS = {"access_key_id": "dummy-key-id", "secret_access_key": "dummy-secret"}


def aws_connection(**options: Any) -> S3Connection:
    return S3Connection(S3Options("bucket", **KEYS, **options), "s3 bucket")


def test_region_is_found_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = aws_connection(region_name="us-east-1")
    asked: list[str] = []

    def exchange(*request: Any) -> Reply:
        asked.append(connection.url)
        if "eu-west-1" not in connection.url:
            return Reply(301, {"x-amz-bucket-region": "eu-west-1"}, b"<Error><Code>PermanentRedirect</Code></Error>")
        return Reply(200, {"content-length": "0"})

    monkeypatch.setattr(connection, "_exchange", exchange)
    assert connection.send("HEAD", "key").status == 200
    assert connection.send("HEAD", "key").status == 200
    assert connection.region == "eu-west-1"
    assert asked == [
        "https://bucket.s3.us-east-1.amazonaws.com",
        "https://bucket.s3.eu-west-1.amazonaws.com",
        "https://bucket.s3.eu-west-1.amazonaws.com",
    ]


def test_redirect_without_a_region_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = aws_connection()
    monkeypatch.setattr(connection, "_exchange", lambda *request: Reply(301, {}, b""))
    with pytest.raises(ConfigurationError) as caught:
        connection.send("GET")
    assert "region_name" in caught.value.hint


def test_region_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    assert aws_connection().url == "https://bucket.s3.ap-south-1.amazonaws.com"
    assert aws_connection(region_name="eu-north-1").url == "https://bucket.s3.eu-north-1.amazonaws.com"


def test_both_libraries_get_the_same_credentials() -> None:
    connection = aws_connection(session_token="dummy-token")
    given = FastPath(connection)._credentials()
    assert given == {
        "access_key_id": "dummy-key-id",
        "secret_access_key": "dummy-secret",
        "token": "dummy-token",
        "expires_at": None,
    }


def test_refreshable_credentials_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Frozen:
        access_key, secret_key, token = "a", "b", "c"

    class RefreshableCredentials:
        def get_frozen_credentials(self) -> Frozen:
            return Frozen()

    connection = aws_connection()
    monkeypatch.setattr(connection._prepared(), "credentials", RefreshableCredentials())
    assert FastPath(connection)._credentials()["expires_at"] is not None


def test_signature_covers_headers_and_payload() -> None:
    connection = aws_connection(session_token="dummy-token")
    url = f"{connection.url}/key?uploads="
    signed = connection._prepared().sign("PUT", url, {"If-None-Match": "*"}, "ab" * 32)
    assert signed["X-Amz-Content-SHA256"] == "ab" * 32
    assert signed["X-Amz-Security-Token"] == "dummy-token"
    assert "if-none-match" in signed["Authorization"]
    assert "dummy-secret" not in str(signed)

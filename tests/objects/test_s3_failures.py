"""Every kind of refusal and of broken connection has its error, and a hint."""

from __future__ import annotations

import socket

import botocore.exceptions
import pytest
import urllib3.exceptions

from archive_tui import errors
from archive_tui.objects.s3.failures import Refusal, Where, parse_refusal, refusal_error, translated

WHERE = Where("s3 bucket", "bucket", "a/key")


@pytest.mark.parametrize(
    ("status", "code", "kind", "word"),
    [
        (404, "NoSuchKey", errors.ObjectNotFound, "object-not-found"),
        (404, "", errors.ObjectNotFound, "object-not-found"),
        (404, "NoSuchBucket", errors.StorageError, "no-such-bucket"),
        (403, "AccessDenied", errors.AccessDenied, "access-denied"),
        (403, "", errors.AccessDenied, "access-denied"),
        (401, "Unauthorized", errors.AccessDenied, "access-denied"),
        (403, "InvalidAccessKeyId", errors.AccessDenied, "access-denied"),
        (403, "SignatureDoesNotMatch", errors.AccessDenied, "access-denied"),
        (400, "AuthorizationHeaderMalformed", errors.AccessDenied, "access-denied"),
        (400, "ExpiredToken", errors.AccessDenied, "expired-credentials"),
        (403, "RequestTimeTooSkewed", errors.AccessDenied, "clock"),
        (500, "InternalError", errors.StorageUnavailable, "storage-unavailable"),
        (502, "", errors.StorageUnavailable, "storage-unavailable"),
        (503, "SlowDown", errors.StorageUnavailable, "storage-unavailable"),
        (504, "", errors.StorageUnavailable, "storage-unavailable"),
        (429, "", errors.StorageUnavailable, "storage-unavailable"),
        (400, "RequestTimeout", errors.StorageUnavailable, "storage-unavailable"),
        (409, "ConditionalRequestConflict", errors.StorageUnavailable, "storage-unavailable"),
        (507, "", errors.StorageFull, "storage-full"),
        (403, "QuotaExceeded", errors.StorageFull, "storage-full"),
        (400, "KeyTooLongError", errors.InvalidName, "invalid-name"),
        (301, "PermanentRedirect", errors.ConfigurationError, "configuration"),
        (400, "InvalidRequest", errors.StorageError, "storage"),
        (501, "NotImplemented", errors.StorageError, "storage"),
    ],
)
def test_refusals(status: int, code: str, kind: type[errors.ArchiveError], word: str) -> None:
    error = refusal_error(Refusal(status, code, "because"), WHERE)
    assert type(error) is kind
    assert error.code == word
    assert error.hint or isinstance(error, errors.ObjectNotFound | errors.InvalidName)
    if isinstance(error, errors.StorageError) and code != "NoSuchBucket":
        assert (error.key, error.store) == ("a/key", "s3 bucket")


def _connection_error(kind: type[Exception]) -> Exception:
    pool = urllib3.HTTPConnectionPool("h")
    if kind is urllib3.exceptions.NameResolutionError:
        return urllib3.exceptions.NameResolutionError("h", pool, socket.gaierror())  # type: ignore[arg-type]
    if kind is urllib3.exceptions.NewConnectionError:
        return urllib3.exceptions.NewConnectionError(pool, "no")  # type: ignore[arg-type]
    if kind is urllib3.exceptions.ReadTimeoutError:
        return urllib3.exceptions.ReadTimeoutError(pool, "/", "slow")
    return kind("text")


@pytest.mark.parametrize(
    ("kind", "expected", "word"),
    [
        (urllib3.exceptions.ProtocolError, errors.StorageUnavailable, "storage-unavailable"),
        (urllib3.exceptions.NewConnectionError, errors.StorageUnavailable, "storage-unavailable"),
        (urllib3.exceptions.NameResolutionError, errors.StorageUnavailable, "storage-unavailable"),
        (urllib3.exceptions.ReadTimeoutError, errors.StorageUnavailable, "storage-unavailable"),
        (urllib3.exceptions.ConnectTimeoutError, errors.StorageUnavailable, "storage-unavailable"),
        (ConnectionResetError, errors.StorageUnavailable, "storage-unavailable"),
        (TimeoutError, errors.StorageUnavailable, "storage-unavailable"),
        (urllib3.exceptions.SSLError, errors.StorageError, "tls"),
    ],
)
def test_broken_connections(kind: type[Exception], expected: type[errors.ArchiveError], word: str) -> None:
    with pytest.raises(errors.ArchiveError) as caught, translated(WHERE):
        raise _connection_error(kind)
    assert type(caught.value) is expected
    assert (caught.value.code, caught.value.__cause__.__class__) == (word, kind)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("error", "expected", "word"),
    [
        (botocore.exceptions.ProfileNotFound(profile="lab"), errors.ConfigurationError, "configuration"),
        (botocore.exceptions.ConfigParseError(path="p"), errors.ConfigurationError, "configuration"),
        (botocore.exceptions.NoCredentialsError(), errors.AccessDenied, "no-credentials"),
        (
            botocore.exceptions.PartialCredentialsError(provider="env", cred_var="secret"),
            errors.AccessDenied,
            "no-credentials",
        ),
        (
            botocore.exceptions.CredentialRetrievalError(provider="sso", error_msg="expired"),
            errors.AccessDenied,
            "no-credentials",
        ),
        (botocore.exceptions.UnauthorizedSSOTokenError(), errors.AccessDenied, "no-credentials"),
    ],
)
def test_sessions_that_fail(error: Exception, expected: type[errors.ArchiveError], word: str) -> None:
    with pytest.raises(expected) as caught, translated(WHERE):
        raise error
    assert caught.value.code == word
    assert caught.value.__cause__ is error


def test_our_own_errors_pass_unchanged() -> None:
    for error in (errors.ObjectNotFound("gone"), errors.OperationStopped(), errors.SourceUnreadable("no")):
        with pytest.raises(type(error)) as caught, translated(WHERE):
            raise error
        assert caught.value is error


def test_strangers_errors_pass_unchanged() -> None:
    """What a source raises while it is sent is not ours to name."""
    with pytest.raises(ZeroDivisionError), translated(WHERE):
        raise ZeroDivisionError


def test_refusal_is_parsed() -> None:
    body = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>a &amp; b</Message></Error>"
    assert parse_refusal(503, body) == Refusal(503, "SlowDown", "a & b")
    assert parse_refusal(503, b"<html>\xff</html>") == Refusal(503)

"""Turns what servers and libraries say into the errors of this package: one table, one context manager."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from archive_tui.errors import (
    AccessDenied,
    ArchiveError,
    ConfigurationError,
    InvalidName,
    ObjectNotFound,
    StorageError,
    StorageFull,
    StorageUnavailable,
)

TEST_HINT = "Try: archive-tui storage test NAME"
_CREDENTIALS_HINT = "Check the access key, the secret and the permissions of this storage. " + TEST_HINT
_UNREACHABLE_HINT = "Check the network and endpoint_url, then repeat the command. " + TEST_HINT

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"})
_UNKNOWN_KEYS = frozenset({"InvalidAccessKeyId", "InvalidToken", "InvalidClientTokenId"})
_REJECTED_KEYS = _UNKNOWN_KEYS | {"SignatureDoesNotMatch", "AuthorizationHeaderMalformed"}
_FULL = frozenset(
    {"QuotaExceeded", "EntityTooLargeForQuota", "InsufficientStorage", "XMinioStorageFull", "StorageFull"}
)
DAMAGED_IN_TRANSIT = frozenset(
    {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"}
)
_BUSY = frozenset(
    {"SlowDown", "ServiceUnavailable", "RequestTimeout", "InternalError", "Throttling", "TooManyRequests"}
)
_BUSY_STATUS = frozenset({408, 429, 500, 502, 503, 504, 509})

TOO_LARGE = "request-too-large"

_CODE = re.compile(r"<Code>([^<]{1,200})</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{0,2000})</Message>")


@dataclass(frozen=True, slots=True)
class Where:
    """Of what an error speaks: the store's label, its bucket, and a key (may be empty)."""

    label: str
    bucket: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reply that is no success. `code` is S3's word, empty when there was no body (HEAD)."""

    status: int
    code: str = ""
    message: str = ""

    @property
    def is_busy(self) -> bool:
        """True for what may be cured by waiting."""
        return self.status in _BUSY_STATUS or self.code in _BUSY

    @property
    def is_conflict(self) -> bool:
        """True when another conditional write of this key was under way: nothing has been decided."""
        return self.status == 409 and self.code in ("ConditionalRequestConflict", "OperationAborted", "")

    @property
    def is_precondition(self) -> bool:
        return self.status == 412 or self.code == "PreconditionFailed"


def parse_refusal(status: int, body: bytes) -> Refusal:
    text = body[:65_536].decode("utf-8", "replace")
    code, message = _CODE.search(text), _MESSAGE.search(text)
    return Refusal(
        status, unescape(code.group(1)) if code else "", unescape(message.group(1)).strip() if message else ""
    )


def refusal_error(refusal: Refusal, where: Where) -> ArchiveError:
    """Returns the error that a refusal stands for."""
    place = {"key": where.key, "store": where.label}
    said = f"{refusal.status} {refusal.code}".strip()
    if refusal.code == "NoSuchBucket":
        return StorageError(
            f"The bucket does not exist: {where.bucket}",
            hint=f"Check `bucket` and endpoint_url of the storage. {TEST_HINT}",
            code="no-such-bucket",
            **place,
        )
    if refusal.status == 507 or refusal.code in _FULL:
        return StorageFull(
            f"The storage is full, says {where.label}: {said}", hint="Make room or raise the quota.", **place
        )
    if denied := _denied(refusal, where, said):
        return denied
    if refusal.is_busy or refusal.is_conflict:
        return StorageUnavailable(f"{where.label} is not able to answer now: {said}", hint=_UNREACHABLE_HINT, **place)
    if refusal.status == 404:
        return ObjectNotFound(f"Not in {where.label}: {where.key}", **place)
    if refusal.status == 413 or refusal.code == "EntityTooLarge":
        return StorageError(
            f"{where.label} does not take so much at once: {said}",
            hint="The server, or a proxy before it, has a limit for the size of a request: ask who runs it.",
            code=TOO_LARGE,
            **place,
        )
    if refusal.code == "KeyTooLongError":
        return InvalidName(f"{where.label} refuses the key as too long: {where.key[:200]}", name=where.key)
    if refusal.status in (301, 307):
        return ConfigurationError(f"The bucket {where.bucket} lies elsewhere: {said}", hint="Set region_name.")
    return StorageError(f"{where.label} refused: {said} {refusal.message}".rstrip(), hint=TEST_HINT, **place)


def _denied(refusal: Refusal, where: Where, said: str) -> AccessDenied | None:
    place = {"key": where.key, "store": where.label}
    if refusal.code in _EXPIRED:
        return AccessDenied(
            f"The credentials for {where.label} have expired: {said}",
            hint="Log in again (for example: aws sso login), then repeat the command.",
            code="expired-credentials",
            **place,
        )
    if refusal.code == "RequestTimeTooSkewed":
        return AccessDenied(
            f"The clock of this machine is wrong, says {where.label}: {said}",
            hint="Set the clock.",
            code="clock",
            **place,
        )
    if refusal.code in _UNKNOWN_KEYS:
        return AccessDenied(
            f"{where.label} does not know these credentials, or not any more: {said}",
            hint="They may have expired or been withdrawn: log in again or renew the access key. " + TEST_HINT,
            **place,
        )
    if refusal.status in (401, 403) or refusal.code in _REJECTED_KEYS:
        return AccessDenied(f"{where.label} denies access: {said}", hint=_CREDENTIALS_HINT, **place)
    return None


def no_credentials(where: Where) -> AccessDenied:
    return AccessDenied(
        f"No credentials for {where.label}.",
        hint="Set aws_access_key_id and aws_secret_access_key in the storage section, or profile_name, or log in.",
        code="no-credentials",
        store=where.label,
    )


@contextlib.contextmanager
def translated(where: Where) -> Iterator[None]:
    """Within it, errors of botocore, urllib3 and the socket come out as ours, `from` the cause, without secrets."""
    import botocore.exceptions
    import urllib3.exceptions

    try:
        yield
    except botocore.exceptions.BotoCoreError as error:
        raise _session_error(error, where) from error
    except (urllib3.exceptions.SSLError, urllib3.exceptions.LocationParseError) as error:
        raise StorageError(
            f"No trusted connection to {where.label}: {type(error).__name__}",
            hint="Check endpoint_url and the certificates (AWS_CA_BUNDLE names a bundle of your own).",
            code="tls",
            key=where.key,
            store=where.label,
        ) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        if isinstance(error, ArchiveError):
            raise
        raise unreachable(where, error) from error


def unreachable(where: Where, error: BaseException) -> StorageUnavailable:
    return StorageUnavailable(
        f"{where.label} cannot be reached: {type(error).__name__}",
        hint=_UNREACHABLE_HINT,
        key=where.key,
        store=where.label,
    )


def _session_error(error: Exception, where: Where) -> ArchiveError:
    import botocore.exceptions as sdk

    if isinstance(error, sdk.ProfileNotFound | sdk.ConfigParseError | sdk.ConfigNotFound):
        return ConfigurationError(
            f"The AWS configuration cannot be used for {where.label}: {error}",
            hint="Check profile_name in the storage section and the profiles in ~/.aws/config.",
        )
    return AccessDenied(
        f"The credentials for {where.label} could not be obtained: {type(error).__name__}",
        hint="Log in again (for example: aws sso login), or check the profile. " + TEST_HINT,
        code="no-credentials",
        store=where.label,
    )

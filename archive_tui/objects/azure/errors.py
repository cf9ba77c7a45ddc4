"""What Azure and its libraries say, in the errors of this program. No text with a signature in it passes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from archive_tui.errors import (
    AccessDenied,
    ArchiveError,
    ObjectExists,
    ObjectNotFound,
    StorageError,
    StorageFull,
    StorageUnavailable,
)

_SECRETS = re.compile(r"(?i)((?:sig|accountkey|sharedaccesssignature)=)[^&;\s'\"]+")
_CODE_IN_TEXT = re.compile(r"<Code>(\w+)</Code>")
_STATUS_IN_TEXT = re.compile(r"non-2xx status code: (\d{3})")

_CONTAINER_CODES = frozenset({"ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled"})
_CONFLICT_CODES = frozenset({"BlobAlreadyExists", "ConditionNotMet", "TargetConditionNotMet"})
_RETRYABLE = frozenset({408, 429, 500, 502, 503, 504})

RANGE_BEYOND_END = "range-beyond-end"

_FOREIGN_BLOCKS = "Another program has left unfinished blocks under this name; Azure drops them after a week."

_HINTS = {
    "BlobImmutableDueToPolicy": "A retention policy or a legal hold of the container protects it.",
    "SnapshotsPresent": "It has snapshots; remove them first if they are not needed.",
    "BlobArchived": "It lies in the archive tier; rehydrate it first, which takes hours.",
    "BlobBeingRehydrated": "It comes back from the archive tier; try again in some hours.",
    "LeaseIdMissing": "Somebody holds a lease on it; break the lease or wait.",
    "InvalidBlobOrBlock": _FOREIGN_BLOCKS,
    "BlockCountExceedsLimit": _FOREIGN_BLOCKS,
    "InvalidBlobType": "It was written as a page or append blob; remove it, or choose another name.",
}


@dataclass(frozen=True, slots=True)
class AzureAnswer:
    """`status` 0: there was no answer; `code` is Azure's word for the error, or empty."""

    status: int
    code: str
    text: str

    @property
    def is_conflict(self) -> bool:
        return (self.status in (409, 412) and self.code in _CONFLICT_CODES) or (self.status, self.code) == (412, "")


def redact_secrets(text: str) -> str:
    return _SECRETS.sub(r"\1…", text)


def read_answer(error: Exception) -> AzureAnswer | None:
    """Returns what an error of either library says; None: it is of neither."""
    from azure.core.exceptions import AzureError, HttpResponseError
    from obstore.exceptions import BaseError

    text = redact_secrets(str(error))
    if isinstance(error, HttpResponseError):
        code = getattr(error, "error_code", None)
        return AzureAnswer(error.status_code or 0, str(getattr(code, "value", code) or ""), _first_line(text))
    if isinstance(error, AzureError):
        return AzureAnswer(0, "", _first_line(text))
    if isinstance(error, (BaseError, FileNotFoundError)):
        status, code = _STATUS_IN_TEXT.search(text), _CODE_IN_TEXT.search(text)
        return AzureAnswer(int(status[1]) if status else 0, code[1] if code else "", _first_line(text))
    return None


@contextmanager
def translate_azure_errors(store: str, container: str, key: str = "") -> Iterator[None]:
    """Raises in place of a library's error the one of this program, from its cause unless that shows a secret."""
    try:
        yield
    except ArchiveError:
        raise
    except Exception as error:
        answer = read_answer(error)
        if answer is None:
            raise
        translated = _translate(answer, store, container, key)
        has_secret = redact_secrets(repr(error) + str(error)) != repr(error) + str(error)
        raise translated from (None if has_secret else error)


def _translate(answer: AzureAnswer, store: str, container: str, key: str) -> StorageError:
    what = f"{store}: {key}" if key else store
    if answer.code in _CONTAINER_CODES:
        hint = f"Create the container {container!r} in the portal, or correct the name in the settings."
        return StorageError(
            f"There is no such container: {container}", key=key, store=store, hint=hint, code="container-missing"
        )
    if answer.status == 404 and key:
        return ObjectNotFound(f"There is no such object: {what}", key=key, store=store)
    if answer.status == 416:
        return StorageError(f"The range lies beyond the end of {what}", key=key, store=store, code=RANGE_BEYOND_END)
    if answer.is_conflict:
        return ObjectExists(f"An object of that name exists, or has changed meanwhile: {what}", key=key, store=store)
    if answer.status in (401, 403) or _is_signing_error(answer):
        hint = "Check the key or signature in the settings, that it has not expired, and the clock of this computer."
        return AccessDenied(f"Azure refuses access to {what}: {_reason(answer)}", key=key, store=store, hint=hint)
    if answer.status == 507:
        return StorageFull(f"Azure has no room left for {what}", key=key, store=store)
    if answer.status == 0 or answer.status in _RETRYABLE:
        hint = "Check the network and the address in the settings, then try again."
        return StorageUnavailable(
            f"Azure cannot be reached for {what}: {_reason(answer)}", key=key, store=store, hint=hint
        )
    return StorageError(
        f"Azure refuses {what}: {_reason(answer)}", key=key, store=store, hint=_HINTS.get(answer.code, "")
    )


def _is_signing_error(answer: AzureAnswer) -> bool:
    return answer.status == 0 and ("padding" in answer.text or "base64" in answer.text.lower())


def _reason(answer: AzureAnswer) -> str:
    if answer.status:
        return f"{answer.status} {answer.code}".rstrip()
    return answer.text


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:300]

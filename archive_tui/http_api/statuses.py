"""Which status and text a request is answered with when the datasafe refuses it. This is the one table."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

from archive_tui import errors
from archive_tui.errors import ArchiveError, IntegrityError

MOST_FINDINGS = 100

READING, RESERVING, WRITING = "reading", "reserving", "writing"

UNAUTHORISED = "The token is wrong, or there is none."
TOO_LARGE = "The dataset is larger than is taken here."

REFUSED = ("dataset-refused", "manifest-of-another")
"""Codes of datasets that are whole archives, and do not fit their manifest."""

STATUS_OF_ERROR: dict[type[ArchiveError], HTTPStatus] = {
    errors.ArchiveError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.InvalidName: HTTPStatus.BAD_REQUEST,
    errors.InvalidLoiError: HTTPStatus.NOT_FOUND,
    errors.MissingLoiError: HTTPStatus.NOT_FOUND,
    errors.MissingContentError: HTTPStatus.BAD_REQUEST,
    errors.LoiNotFoundError: HTTPStatus.BAD_REQUEST,
    errors.NoFileError: HTTPStatus.METHOD_NOT_ALLOWED,
    errors.ExistingFileError: HTTPStatus.METHOD_NOT_ALLOWED,
    errors.IntegrityError: HTTPStatus.BAD_REQUEST,
    errors.StorageFull: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.StorageUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.OperationStopped: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""Of requests that write; an error that is not named has the status of its nearest parent."""

_OF_READING: dict[type[ArchiveError], HTTPStatus] = {
    errors.MissingContentError: HTTPStatus.NO_CONTENT,
    errors.LoiNotFoundError: HTTPStatus.NOT_FOUND,
    errors.NoFileError: HTTPStatus.NOT_FOUND,
    errors.IntegrityError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

_ALLOWED = {errors.ExistingFileError: "PATCH", errors.NoFileError: "PUT"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """`text` is what the client reads; empty where a status has no body."""

    status: HTTPStatus
    text: str
    headers: dict[str, str] = field(default_factory=dict)


def refuse(error: ArchiveError, doing: str) -> Refusal:
    """Returns the answer for an error; `doing` is READING, RESERVING or WRITING."""
    status = _status_of(error, doing)
    if status is HTTPStatus.NO_CONTENT:
        return Refusal(status, "")
    headers = {}
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = next(verb for kind, verb in _ALLOWED.items() if isinstance(error, kind))
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "30"
    return Refusal(status, _text_of(error, status), headers)


def _status_of(error: ArchiveError, doing: str) -> HTTPStatus:
    if error.code == "too-large":
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if doing == WRITING and error.code in REFUSED:
        return HTTPStatus.UNPROCESSABLE_ENTITY
    if error.code == "read-back":
        return HTTPStatus.INTERNAL_SERVER_ERROR
    table = {**STATUS_OF_ERROR, **_OF_READING} if doing == READING else STATUS_OF_ERROR
    return next(table[kind] for kind in type(error).__mro__ if kind in table)


def _text_of(error: ArchiveError, status: HTTPStatus) -> str:
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return "The datasafe could not do this; its log says why."
    lines = [error.message]
    if isinstance(error, IntegrityError) and error.report is not None:
        findings = error.report.findings[:MOST_FINDINGS]
        lines += [f"{finding.kind}: {finding.path}  {finding.detail}".rstrip() for finding in findings]
    return "\n".join(lines)

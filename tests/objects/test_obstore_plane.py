"""What the data plane's exceptions stand for."""

from __future__ import annotations

import pytest
from obstore import exceptions

from archive_tui.objects.obstore_plane import PlaneRefusal, PlaneUnable, PlaneUnavailable, translate_error

BUSY = "Generic S3 error: Server returned error, status code: 503 Unavailable: <Error><Code>SlowDown</Code></Error>"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (FileNotFoundError("Object at location k not found"), 404),
        (exceptions.AlreadyExistsError("Object at location k already exists: 412 Precondition Failed"), 412),
        (exceptions.PreconditionError("Request precondition failure"), 412),
        (exceptions.PermissionDeniedError("no"), 403),
        (exceptions.UnauthenticatedError("no"), 401),
        (exceptions.GenericError(BUSY), 503),
        (exceptions.AlreadyExistsError("409 Conflict: <Code>ConditionalRequestConflict</Code>"), 409),
    ],
)
def test_replies_become_a_status(error: Exception, status: int) -> None:
    found = translate_error(error)
    assert isinstance(found, PlaneRefusal)
    assert found.status == status


def test_reason_of_the_server_is_kept() -> None:
    found = translate_error(exceptions.GenericError(BUSY))
    assert isinstance(found, PlaneRefusal)
    assert found.body == b"<Error><Code>SlowDown</Code></Error>"


@pytest.mark.parametrize(
    "error",
    [
        exceptions.NotSupportedError("no"),
        exceptions.InvalidPathError("a//b"),
        exceptions.GenericError("Received non-partial response when range requested"),
    ],
)
def test_what_the_library_cannot_do(error: Exception) -> None:
    assert isinstance(translate_error(error), PlaneUnable)


def test_no_reply_is_unavailable() -> None:
    assert isinstance(translate_error(exceptions.GenericError("error sending request")), PlaneUnavailable)

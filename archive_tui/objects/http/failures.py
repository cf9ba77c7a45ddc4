"""What servers and the transport say, in the errors of this package; the words of a server are bounded and harmless."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from archive_tui.errors import (
    AccessDenied,
    ArchiveError,
    ExistingFileError,
    IntegrityError,
    InvalidLoiError,
    LoiNotFoundError,
    MissingContentError,
    NoFileError,
    StorageError,
    StorageFull,
    StorageUnavailable,
)
from archive_tui.names.display import escape_for_display

LONGEST_MESSAGE = 500
"""Characters of a server's message that are repeated in an error."""

BUSY_STATUS = frozenset({408, 425, 429, 502, 503, 504})
"""What may be cured by waiting."""

TOO_LARGE = "request-too-large"
NO_DATASAFE = "no-datasafe-answers"
UNEXPECTED = "unexpected-status"

_INVALID = ("not a valid", "not a datasafe LOI")
_TITLE = re.compile(r"<title[^>]*>([^<]{1,2000})", re.IGNORECASE)
_REACH_HINT = "Check the network, the address, and that the server runs; then repeat the command."


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reply that is no success. `message` is what the server said, fit to be shown; `allowed` its header Allow;
    `is_page`: it was a page for browsers, as no datasafe sends with a refusal."""

    method: str
    status: int
    message: str = ""
    allowed: str = ""
    is_page: bool = False

    @property
    def is_busy(self) -> bool:
        return self.status in BUSY_STATUS


def read_refusal(method: str, status: int, headers: dict[str, str], body: bytes, secret: str | None = None) -> Refusal:
    """Takes a reply apart; `headers` by lower-case name. Where the server repeats the token, it is masked."""
    text = body[:65_536].decode("utf-8", "replace")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_page = kind in ("text/html", "application/xhtml+xml") and text.lstrip()[:1] == "<"
    if is_page:
        title = _TITLE.search(text)
        text = unescape(title.group(1)) if title else ""
    if secret:
        text = text.replace(secret, "***")
    shown = escape_for_display(" ".join(text.split()))
    if len(shown) > LONGEST_MESSAGE:
        shown = shown[:LONGEST_MESSAGE] + " …"
    return Refusal(method, status, shown, headers.get("allow", "").upper(), is_page)


def refusal_error(refusal: Refusal, label: str, key: str = "") -> ArchiveError:
    """Returns the error that a refusal stands for; every status has one."""
    place = {"key": key, "store": label}
    said = f"{refusal.status} {refusal.message}".strip()
    if refusal.status == 204:
        return MissingContentError(**place)
    if refusal.status in (400, 404, 405, 422) and (known := _by_contract(refusal, key, label)) is not None:
        return known
    if refusal.status in (401, 403):
        hint = "Check the token of this datasafe in the settings, or the file that --token-file names."
        return AccessDenied(f"{label} denies access: {said}", hint=hint, **place)
    if refusal.status == 413:
        hint = "The server has a limit for the size of a dataset: ask who runs it (archive-tui serve --max-size)."
        return StorageError(f"{label} does not take so much: {said}", hint=hint, code=TOO_LARGE, **place)
    if refusal.status == 507:
        return StorageFull(f"The datasafe is full, says {label}: {said}", hint="Ask who runs it for room.", **place)
    if refusal.is_busy:
        return StorageUnavailable(f"{label} is not able to answer now: {said}", hint=_REACH_HINT, **place)
    if refusal.status == 404:
        hint = "Check the address in the settings: it is that of the server, without a LOI."
        return StorageError(f"No datasafe answers at {label}: {said}", hint=hint, code=NO_DATASAFE, **place)
    hint = "Ask who runs the server; its log says more."
    return StorageError(f"{label} gave an answer nobody expected: {said}", hint=hint, code=UNEXPECTED, **place)


def _by_contract(refusal: Refusal, key: str, label: str) -> ArchiveError | None:
    """The refusals that the interface of a datasafe knows; None for any other, and for pages."""
    message, place = refusal.message, {"key": key, "store": label}
    if refusal.is_page:
        return None
    if refusal.status == 422:
        return IntegrityError(message or "The datasafe refuses the dataset: its check failed.")
    if refusal.status == 405:
        return _of_wrong_method(refusal, key, label)
    if "does not exist" in message:
        return LoiNotFoundError(message, **place)
    if refusal.status == 404:
        if any(word in message for word in _INVALID):
            return InvalidLoiError(message, name=key)
        if refusal.method == "HEAD":  # it has no words: names that are wrong were refused before
            return LoiNotFoundError(**place)
        return NoFileError(message, **place) if "version" in message.lower() else None
    if "No content" in message:
        return MissingContentError(message, **place)
    return IntegrityError(message, code="deposit-refused") if message and refusal.method in ("PUT", "PATCH") else None


def _of_wrong_method(refusal: Refusal, key: str, label: str) -> ArchiveError | None:
    is_datasafe = "empty" in refusal.message or bool({"PUT", "PATCH"} & set(re.findall("[A-Z]+", refusal.allowed)))
    if refusal.method == "PUT" and is_datasafe:
        return ExistingFileError(refusal.message or "Directory not empty.", key=key, store=label)
    if refusal.method == "PATCH" and is_datasafe:
        return NoFileError(refusal.message or "Directory empty", key=key, store=label)
    return None


def redirect_error(status: int, location: str, label: str, key: str = "") -> StorageError:
    """For a reply that sends us to another server, or round in circles: nobody goes there with the token."""
    shown = escape_for_display(location.partition("?")[0].rpartition("@")[2])[:200]
    return StorageError(
        f"{label} sends us elsewhere, and we do not follow: {status} {shown}".rstrip(),
        key=key,
        store=label,
        hint="If that is where the datasafe lies now, write its address into the settings.",
        code="redirected",
    )


def broken_off(label: str, key: str, position: int) -> StorageUnavailable:
    return StorageUnavailable(
        f"{label} breaks off at byte {position} of: {key}", key=key, store=label, hint=_REACH_HINT
    )


def changed_error(label: str, key: str) -> StorageError:
    return StorageError(
        f"Replaced while it was read: {key}",
        key=key,
        store=label,
        hint="Repeat the command to read the new version.",
        code="object-changed",
    )


def unreadable_reply(label: str, key: str, why: str) -> StorageError:
    """For a success that cannot be what it says it is."""
    return StorageError(
        f"{label} gave an answer that cannot be used, {why}",
        key=key,
        store=label,
        hint="Check that the address is that of a datasafe, and that nothing between changes its replies.",
        code="unusable-reply",
    )


@contextlib.contextmanager
def translated(label: str, key: str = "") -> Iterator[None]:
    """Within it, errors of urllib3 and the socket come out as ours, `from` the cause, without secrets."""
    import http.client

    import urllib3.exceptions as transport

    try:
        yield
    except ArchiveError:
        raise
    except (transport.SSLError, transport.LocationParseError) as error:
        raise StorageError(
            f"No trusted connection to {label}: {type(error).__name__}",
            hint="Check the address and the certificate of the server (SSL_CERT_FILE names a bundle of your own).",
            code="tls",
            key=key,
            store=label,
        ) from error
    except (transport.HTTPError, http.client.HTTPException, OSError) as error:
        raise StorageUnavailable(
            f"{label} cannot be reached: {type(error).__name__}", hint=_REACH_HINT, key=key, store=label
        ) from error

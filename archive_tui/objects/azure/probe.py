"""Asking a blob service, with a canary, which promises it keeps."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from archive_tui.objects.azure.errors import read_answer
from archive_tui.objects.azure.reader import make_version_condition
from archive_tui.objects.object_store import Support, Traits

RECORDED_BY_US = "Azure checks the MD5 of what it receives; the SHA-256 is computed and recorded by this program."
_MD5_REFUSALS = frozenset({"Md5Mismatch", "InvalidMd5", "InvalidOperation", "INVALID_OPERATION"})
"""The service's words, and the emulator's, which takes the same one in two spellings for others too."""

NOT_CHECKED = "This server does not check the MD5 of what it receives: every upload is read back in full."


def checks_content(blob: Any) -> bool:
    """Sends a block with a wrong MD5; returns whether the service refuses it, as it should. Nothing becomes visible."""
    from azure.core.exceptions import HttpResponseError

    wrong = base64.b64encode(bytes(16)).decode()
    try:
        blob.stage_block("canary", b"canary", headers={"Content-MD5": wrong})
    except HttpResponseError as error:
        answer = read_answer(error)
        if answer is None or answer.code not in _MD5_REFUSALS:
            raise
        return True
    return False


def probe_traits(blob: Any, *, is_content_checked: bool) -> Traits:
    """Puts, puts again, replaces with a wrong version, and deletes the blob, which must not exist.

    Raises: errors of the SDK for what has nothing to do with the promises, such as refused access.
    """
    canary: dict[str, Any] = {"length": 6, "overwrite": False}
    answer = blob.upload_blob(b"canary", **canary)
    try:
        create_only = _is_refused(lambda: blob.upload_blob(b"second", **canary))
        wrong = {**canary, "overwrite": True, **make_version_condition("0x0")}
        conditional = _is_refused(lambda: blob.upload_blob(b"second", **wrong))
    finally:
        blob.delete_blob()
    remarks = [RECORDED_BY_US if is_content_checked else NOT_CHECKED]
    if not create_only:
        remarks.append("This server replaces objects although it was told not to.")
    return Traits(
        create_only=_to_support(create_only),
        attests_digest=Support.NO,
        conditional_replace=_to_support(conditional),
        server_side_copy=Support.NO,
        versioning=_to_support(bool(answer.get("version_id"))),
        remarks=tuple(remarks),
    )


def _is_refused(write: Callable[[], object]) -> bool:
    from azure.core.exceptions import HttpResponseError

    try:
        write()
    except HttpResponseError as error:
        answer = read_answer(error)
        if answer is None or not answer.is_conflict:
            raise
        return True
    return False


def _to_support(is_kept: bool) -> Support:
    return Support.YES if is_kept else Support.NO

"""Finds out what a server keeps of S3's promises, with canaries that are removed again."""

from __future__ import annotations

import hashlib
import secrets
import threading
from base64 import b64encode
from collections import defaultdict
from dataclasses import dataclass, replace
from urllib.parse import unquote_plus

from archive_tui.names.object_keys import TEMPORARY_PREFIX, TEMPORARY_SUFFIX
from archive_tui.objects.object_store import Support, Traits
from archive_tui.objects.s3.connection import ATTEMPTS, Payload, Reply, S3Connection, pause
from archive_tui.progress import never

OVERWRITES = (
    "This server overwrites although asked not to: archive-tui looks first and checks afterwards, but two writers at "
    "the same moment can both believe that they have won."
)
OVERWRITES_PARTS = "This server honours create-only for single puts, not when an upload in parts is completed."
NO_DIGEST = "This server does not check or return SHA-256 digests: what was put is read back in full."
NO_CHECKSUM_HEADERS = "This server refuses checksum headers; they are left out (checksums = when_required)."
SWAPS_BACKSLASHES = "This server changes \\ in keys into something else: such keys are refused."
STAYED = "The test object could not be deleted and stays: "


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server was seen to do, or is documented to do (AWS). `full_crc` is asked when it is first needed."""

    creates_only: bool = True
    completes_only_new: bool = True
    replaces_conditionally: bool = True
    takes_checksums: bool = True
    attests: bool = True
    keeps_backslashes: bool = True
    full_crc: Support = Support.UNKNOWN
    versioning: Support = Support.UNKNOWN
    remarks: tuple[str, ...] = ()
    is_aws: bool = False

    @property
    def traits(self) -> Traits:
        return Traits(
            create_only=_support(self.creates_only and self.completes_only_new),
            attests_digest=_support(self.attests),
            conditional_replace=_support(self.replaces_conditionally),
            server_side_copy=Support.NO,
            versioning=self.versioning,
            lists_in_byte_order=Support.YES if self.is_aws else Support.UNKNOWN,
            remarks=self.remarks,
        )


AWS_FACTS = ServerFacts(is_aws=True, full_crc=Support.YES)

_known: dict[tuple[str, str, str | None], ServerFacts] = {}
_known_lock = threading.Lock()
_probing: defaultdict[tuple[str, str, str | None], threading.Lock] = defaultdict(threading.Lock)


def _support(is_so: bool) -> Support:
    return Support.YES if is_so else Support.NO


def known_facts(connection: S3Connection) -> ServerFacts | None:
    """Returns what is known without asking: AWS as documented, others when this process has probed them."""
    options = connection.options
    if options.is_aws:
        documented = AWS_FACTS
        if options.checksums == "when_required":
            documented = replace(documented, takes_checksums=False, attests=False, remarks=(NO_DIGEST,))
        return _known.get(connection.facts_key, documented)
    return _known.get(connection.facts_key)


def find_facts(connection: S3Connection, *, ask_aws: bool = False) -> ServerFacts:
    """Returns the facts, after probing the server if nobody in this process has.

    Raises: what the server answers to a put that should have worked.
    """
    known = known_facts(connection)
    if known is not None and not (ask_aws and known.is_aws and known.versioning is Support.UNKNOWN):
        return known
    with _known_lock:
        turn = _probing[connection.facts_key]
    with turn:
        return _ask(connection)


def _ask(connection: S3Connection) -> ServerFacts:
    known = known_facts(connection)
    if known is not None and not known.is_aws:
        return known  # another thread has asked meanwhile
    facts = replace(known, versioning=_probe_versioning(connection)) if known is not None else _probe(connection)
    with _known_lock:
        _known[connection.facts_key] = facts
    return facts


def learn_fact(connection: S3Connection, *, full_crc: Support) -> ServerFacts:
    """Adds to what is known of the server, and returns all of it."""
    facts = replace(find_facts(connection), full_crc=full_crc)
    with _known_lock:
        _known[connection.facts_key] = facts
    return facts


def forget_facts() -> None:
    """For tests, and for a user who says that the server has changed."""
    with _known_lock:
        _known.clear()


def checksum_header(digest: str) -> dict[str, str]:
    return {"x-amz-checksum-sha256": b64encode(bytes.fromhex(digest)).decode()}


class Canary:
    """A tiny object under a temporary name, which no listing of ours shows."""

    def __init__(self, connection: S3Connection, word: str = "probe") -> None:
        self._connection = connection
        self.name = f"{TEMPORARY_PREFIX}{word}-{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
        self.key = connection.options.prefix + self.name
        content = b"archive-tui asks what this server promises"
        self.payload = Payload((content,), len(content), hashlib.sha256(content).hexdigest())

    def put(self, headers: dict[str, str]) -> Reply:
        """Returns what the server says when it is not too busy to say anything: a busy one proves nothing.

        Raises: StorageUnavailable when it stays so.
        """
        for attempt in range(ATTEMPTS):
            reply = self._connection.send_once("PUT", self.key, headers=headers, payload=self.payload)
            if reply.is_success or not reply.refusal.is_busy:
                return reply
            pause(attempt, never)
        if reply.status in (429, 503):
            raise self._connection.error(reply, self.name)
        return reply

    def remove(self) -> bool:
        return self._connection.send_once("DELETE", self.key).status in (200, 204, 404)


def _probe(connection: S3Connection) -> ServerFacts:
    canary = Canary(connection)
    try:
        takes, attests = _probe_digest(connection, canary)
        etag = _settle_canary(connection, canary, takes)
        creates = canary.put({"If-None-Match": "*"}).status in (409, 412)
        completes = _probe_completion(connection, canary)
        replaces = _probe_replacing(canary, etag)
    finally:
        removed = canary.remove()
    keeps_backslashes = _probe_backslashes(connection)
    remarks = [
        NO_CHECKSUM_HEADERS if not takes and connection.options.checksums is None else "",
        "" if attests else NO_DIGEST,
        "" if creates else OVERWRITES,
        OVERWRITES_PARTS if creates and not completes else "",
        "" if keeps_backslashes else SWAPS_BACKSLASHES,
        "" if removed else STAYED + canary.key,
    ]
    return ServerFacts(
        creates_only=creates,
        completes_only_new=completes,
        replaces_conditionally=replaces,
        takes_checksums=takes,
        attests=attests,
        keeps_backslashes=keeps_backslashes,
        versioning=_probe_versioning(connection),
        remarks=tuple(remark for remark in remarks if remark),
    )


def _probe_digest(connection: S3Connection, canary: Canary) -> tuple[bool, bool]:
    """Returns whether checksum headers are taken, and whether a wrong one is refused and the right one returned."""
    if connection.options.checksums == "when_required":
        return False, False
    right = checksum_header(canary.payload.digest)
    wrong = checksum_header(hashlib.sha256(b"something else").hexdigest())
    refuses_wrong = canary.put(wrong).status == 400
    if not canary.put(right).is_success:
        return connection.options.checksums == "when_supported", False
    head = connection.send_once("HEAD", canary.key, headers={"x-amz-checksum-mode": "ENABLED"})
    returns = head.headers.get("x-amz-checksum-sha256") == right["x-amz-checksum-sha256"]
    return True, refuses_wrong and returns


def _settle_canary(connection: S3Connection, canary: Canary, takes_checksums: bool) -> str:
    """The put that must work, or there is nothing to probe; returns its entity tag."""
    headers = checksum_header(canary.payload.digest) if takes_checksums else {}
    reply = connection.send("PUT", canary.key, headers=headers, payload=canary.payload)
    return str(reply.headers.get("etag", ""))


def _probe_replacing(canary: Canary, etag: str) -> bool:
    other = {"If-Match": '"00000000000000000000000000000000"'}
    return canary.put(other).status in (409, 412) and bool(etag) and canary.put({"If-Match": etag}).is_success


def _probe_completion(connection: S3Connection, canary: Canary) -> bool:
    """Completes an upload in parts over the canary, on condition that nothing is there: it must be refused."""
    from archive_tui.objects.s3.replies import completion_document, parse_upload_id

    created = connection.send_once("POST", canary.key, query={"uploads": ""})
    upload = parse_upload_id(created.body) if created.is_success else None
    if upload is None:
        return False
    query = {"partNumber": "1", "uploadId": upload}
    part = connection.send_once("PUT", canary.key, query=query, payload=canary.payload)
    document = completion_document([(1, part.headers.get("etag", ""), None)])
    done = connection.send_once(
        "POST", canary.key, query={"uploadId": upload}, headers={"If-None-Match": "*"}, payload=document
    )
    if done.is_success and b"<Error" not in done.body:
        return False
    connection.send_once("DELETE", canary.key, query={"uploadId": upload})
    return done.status in (409, 412) or done.refusal.code == "PreconditionFailed"


def _probe_backslashes(connection: S3Connection) -> bool:
    """Some servers take them for `/`: the object then lies under another key than the one it was given."""
    canary = Canary(connection, f"probe{TEMPORARY_SUFFIX}\\")
    try:
        put = canary.put({})
        query = {"list-type": "2", "prefix": canary.key.partition("\\")[0], "encoding-type": "url"}
        page = connection.send_once("GET", query=query).body.decode("utf-8", "replace")
        return put.is_success and canary.name in unquote_plus(page)
    finally:
        canary.remove()


def _probe_versioning(connection: S3Connection) -> Support:
    reply = connection.send_once("GET", query={"versioning": ""})
    if not reply.is_success:
        return Support.UNKNOWN
    return _support(b"<Status>Enabled</Status>" in reply.body)

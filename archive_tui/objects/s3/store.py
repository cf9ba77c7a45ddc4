"""S3 as an object store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from typing import Any

from archive_tui.errors import InvalidName, ObjectNotFound
from archive_tui.integrity.digest import is_sha256_hex
from archive_tui.integrity.streams import Chunk
from archive_tui.names.object_keys import check_key
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.object_store import Listed, ObjectInfo, ObjectReader, ObjectStore, PutResult, Traits
from archive_tui.objects.s3.connection import Reply, S3Connection
from archive_tui.objects.s3.endpoint import S3Options, check_options, environment_endpoint, normalise_prefix
from archive_tui.objects.s3.fast_path import FastPath
from archive_tui.objects.s3.listing import list_objects
from archive_tui.objects.s3.pieces import MIB, SMALLEST_PART
from archive_tui.objects.s3.probing import find_facts, known_facts
from archive_tui.objects.s3.reading import OpenedBody, S3Reader
from archive_tui.objects.s3.replies import plain_etag
from archive_tui.objects.s3.sdk import make_sdk_client
from archive_tui.objects.s3.writing import DIGEST_HEADER, S3Writer, Write
from archive_tui.progress import StopSignal, never


@dataclass(frozen=True, slots=True)
class TransferSizes:
    """Up to `single_put` bytes go in one request, which the server attests as a whole; more in parts of `part` bytes
    and up. A page of a listing has up to `page` keys; no server gives more than 1,000."""

    single_put: int = 64 * MIB
    part: int = SMALLEST_PART
    page: int = 1000


class S3Store(ObjectStore):
    """Objects of an S3 bucket, or of what speaks its protocol; see `ObjectStore` for the guarantees.

    Nothing is contacted before the first call that needs it. Keys that are absent fall back to the SDK's own chain
    (environment, profile, container or instance role). `prefix` is put before every key, transparently.
    `checksums`: `when_required` leaves checksum headers out, for servers that break on them; None finds out.

    Raises: ConfigurationError for settings that could never work.
    """

    def __init__(
        self,
        bucket: str,
        *,
        prefix: str = "",
        service_name: str = "s3",
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        profile_name: str | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        checksums: str | None = None,
        sizes: TransferSizes | None = None,
    ) -> None:
        del service_name  # kept in settings files since the first release; there is no other
        self._options = check_options(
            S3Options(
                bucket=bucket,
                prefix=normalise_prefix(prefix),
                access_key_id=aws_access_key_id or None,
                secret_access_key=aws_secret_access_key or None,
                session_token=aws_session_token or None,
                profile_name=profile_name or None,
                region_name=region_name or None,
                endpoint_url=endpoint_url or environment_endpoint(),
                checksums=checksums or None,
            )
        )
        tail = f"/{self._options.prefix.rstrip('/')}" if self._options.prefix else ""
        self.label = f"s3 {bucket}{tail}"
        self.identity = f"s3://{self._options.place}/{bucket}{tail}"
        self._sizes = sizes or TransferSizes()
        self._connection = S3Connection(self._options, self.label)
        self._fast_path = FastPath(self._connection)

    def __repr__(self) -> str:
        return f"S3Store({self.identity!r})"

    @cached_property
    def sdk_client(self) -> Any:
        """The SDK's client, made on first use, for what this interface does not offer."""
        return make_sdk_client(self._options)

    @property
    def traits(self) -> Traits:
        facts = known_facts(self._connection)
        return facts.traits if facts is not None else Traits()

    def probe(self) -> Traits:
        return find_facts(self._connection, ask_aws=True).traits

    def put(
        self,
        key: str,
        chunks: Iterable[Chunk],
        size: int | None = None,
        *,
        overwrite: bool = False,
        digest: str | None = None,
        if_match: str | None = None,
        stop: StopSignal = never,
        sent: Callable[[int], None] | None = None,
    ) -> PutResult:
        full_key = self._full_key(key)
        facts = find_facts(self._connection)
        if "\\" in key and not facts.keeps_backslashes:
            raise InvalidName(
                f"Key refused, {self.label} does not keep backslashes: {key[:200]!r}", name=key, code="key-backslash"
            )
        write = Write(key, full_key, overwrite, if_match, stop, sent)
        source = CheckedSource(chunks, size, digest, stop=stop, name=key)
        send_small = partial(self._fast_path.put, facts)
        writer = S3Writer(self._connection, facts, self.identity, self.open, send_small)
        return writer.put(write, source, size, self._sizes.single_put, self._sizes.part)

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        full_key = self._full_key(key)
        where = self._connection.where(key)
        if length == 0:
            self.info(key)
            return S3Reader(lambda position, end, version: None, where, offset, 0)

        def open_body(position: int, end: int | None, version: str | None) -> OpenedBody | None:
            return self._fast_path.get(full_key, where, position, end, version)

        return S3Reader(open_body, where, offset, length)

    def info(self, key: str) -> ObjectInfo:
        full_key = self._full_key(key)
        facts = known_facts(self._connection)
        asks = facts is None or facts.takes_checksums
        headers = {"x-amz-checksum-mode": "ENABLED"} if asks else {}
        reply = self._connection.send("HEAD", full_key, headers=headers)
        return _info_of(key, reply, trusts_digest=facts is not None and facts.attests)

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        return list_objects(self._connection, prefix, recursive=recursive, page_keys=self._sizes.page)

    def delete(self, key: str) -> None:
        full_key = self._full_key(key)
        facts = known_facts(self._connection)
        if facts is None or not facts.creates_only:
            # A poor server that is asked to delete `a/b/c`, which it has not, may delete the object `a/b`.
            try:
                self._connection.send("HEAD", full_key)
            except ObjectNotFound:
                return
        self._connection.send("DELETE", full_key)

    def avoid_fast_path(self) -> None:
        """Sends every request by the connection itself; for a server on which the faster library misbehaves."""
        self._fast_path.disable()

    def close(self) -> None:
        self._fast_path.close()
        self._connection.close()

    def _full_key(self, key: str) -> str:
        return self._options.prefix + check_key(key)


def _info_of(key: str, reply: Reply, *, trusts_digest: bool) -> ObjectInfo:
    headers = reply.headers
    attested = _full_object_digest(headers.get("x-amz-checksum-sha256"))
    recorded = headers.get(DIGEST_HEADER)
    digest = attested or (recorded if is_sha256_hex(recorded) else None)
    modified = headers.get("last-modified")
    return ObjectInfo(
        key,
        int(headers.get("content-length", 0)),
        parsedate_to_datetime(modified).timestamp() if modified else None,
        plain_etag(headers.get("etag")),
        digest,
        attested is not None and trusts_digest,
    )


def _full_object_digest(checksum: str | None) -> str | None:
    """A digest over the digests of parts (it ends in `-N`) is not the digest of the object."""
    from base64 import b64decode

    if not checksum or "-" in checksum:
        return None
    raw = b64decode(checksum)
    return raw.hex() if len(raw) == 32 else None

"""S3 as an object store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from typing import Any

from archive_tui.errors import InvalidName, ObjectNotFound
from archive_tui.integrity.digest import is_sha256_hex
from archive_tui.integrity.streams import Chunk
from archive_tui.names.object_keys import check_key
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.object_store import Listed, ObjectInfo, ObjectReader, ObjectStore, PutResult, Traits
from archive_tui.objects.s3.connection import S3Connection
from archive_tui.objects.s3.endpoint import S3Options, check_options, environment_endpoint, normalise_prefix
from archive_tui.objects.s3.fast_path import FastPath
from archive_tui.objects.s3.headers import describe_object
from archive_tui.objects.s3.listing import list_objects
from archive_tui.objects.s3.pieces import TransferSizes
from archive_tui.objects.s3.probing import find_facts, known_facts
from archive_tui.objects.s3.putting import put_object
from archive_tui.objects.s3.reading import OpenedBody, S3Reader
from archive_tui.objects.s3.sdk import make_sdk_client
from archive_tui.objects.s3.upload_listing import discard_upload, list_uploads
from archive_tui.objects.s3.write import Write
from archive_tui.objects.s3.writing import S3Writer
from archive_tui.objects.unfinished import UnfinishedUpload, remember_upload
from archive_tui.progress import StopSignal, never

__all__ = ["S3Store", "TransferSizes"]


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
        source = CheckedSource(chunks, size, digest, stop=stop, name=key)
        promised = source.promised_digest if is_sha256_hex(source.promised_digest) else None
        write = Write(key, full_key, overwrite, if_match, stop, sent, promised)
        send_small = partial(self._fast_path.put, facts)
        with remember_upload(self.unfinished, self.identity, key) as memory:
            writer = S3Writer(self._connection, facts, self.identity, self.open, send_small, memory)
            return put_object(writer, write, source, self._sizes)

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
        return describe_object(key, reply, label=self.label, trusts_digest=facts is not None and facts.attests)

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

    def list_unfinished(self, prefix: str = "") -> Iterator[UnfinishedUpload]:
        return list_uploads(self._connection, prefix)

    def discard_unfinished(self, upload: UnfinishedUpload) -> None:
        discard_upload(self._connection, upload)

    def avoid_fast_path(self) -> None:
        """Sends every request by the connection itself; for a server on which the faster library misbehaves."""
        self._fast_path.disable()

    def close(self) -> None:
        self._fast_path.close()
        self._connection.close()

    def _full_key(self, key: str) -> str:
        return self._options.prefix + check_key(key)

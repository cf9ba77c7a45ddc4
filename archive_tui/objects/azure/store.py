"""An Azure Blob container as an object store.

Create-only is the service's (`If-None-Match: *`). The service computes MD5, not SHA-256: it refuses content whose MD5
is not the one that was sent with it, and the SHA-256 is recorded by us in the blob's metadata.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from archive_tui.errors import HashError, ObjectExists, ObjectNotFound, StorageError
from archive_tui.integrity.digest import is_sha256_hex
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.streams import Chunk, hash_stream, read_chunks
from archive_tui.names.object_keys import TEMPORARY_PREFIX, TEMPORARY_SUFFIX, check_key, is_temporary_name
from archive_tui.objects.azure.connection import AzureConnection
from archive_tui.objects.azure.errors import RANGE_BEYOND_END, translate_azure_errors
from archive_tui.objects.azure.kept_blocks import list_uncommitted
from archive_tui.objects.azure.listing import DIGEST_NAME, FOLDER_NAME, list_container
from archive_tui.objects.azure.names import name_for_reading, name_for_writing
from archive_tui.objects.azure.probe import RECORDED_BY_US, checks_content, probe_traits
from archive_tui.objects.azure.properties import BlobProperties, find_properties
from archive_tui.objects.azure.reader import WINDOW_SIZE, RangeFetcher, WindowedReader, make_version_condition
from archive_tui.objects.azure.upload import BlobUpload, cut_blocks
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.object_store import (
    Listed,
    ObjectInfo,
    ObjectReader,
    ObjectStore,
    PutResult,
    Support,
    Traits,
)
from archive_tui.objects.unfinished import UnfinishedUpload, forgetting_ended, remember_upload
from archive_tui.progress import StopSignal, never

_ONE_REQUEST = "the service checked the MD5 of the content on receipt; the SHA-256 was computed and recorded by us"
_BLOCKS = "the service checked the MD5 of every block on receipt; the SHA-256 was computed and recorded by us"
_READ_BACK = "read back in full after the upload and hashed by us"


class AzureStore(ObjectStore):
    """A container of Azure Blob Storage. Nothing is contacted before it is used.

    `conn_str` is a connection string or the address of the account; without it (and `account_url`) the one in
    AZURE_STORAGE_CONNECTION_STRING is used. `credential`: an account key, a shared access signature, `default` (the
    login of this machine, by azure-identity), or an object of the SDK. `prefix`: a folder of the container that
    is the whole store.
    """

    def __init__(
        self,
        container: str,
        *,
        conn_str: str | None = None,
        credential: Any | None = None,
        account_url: str | None = None,
        prefix: str = "",
    ) -> None:
        self._connection = AzureConnection(container, conn_str, credential, account_url)
        trimmed = prefix.strip("/")
        self._prefix = f"{check_key(trimmed)}/" if trimmed else ""
        place = f"{self._connection.place}/{container}" + (f"/{trimmed}" if trimmed else "")
        self.label = f"azure {place}"
        self.identity = f"azure://{place}"
        self._lock = threading.Lock()
        self._checks_content: bool | None = None
        self._probed: Traits | None = None

    def __repr__(self) -> str:
        return f"AzureStore({self.identity!r})"

    @property
    def traits(self) -> Traits:
        return self._probed or Traits(attests_digest=Support.NO, server_side_copy=Support.NO, remarks=(RECORDED_BY_US,))

    @property
    def sdk_client(self) -> Any:
        """The SDK's container client, for what this interface does not offer."""
        return self._connection.container_client

    def probe(self) -> Traits:
        if self._probed is None:
            is_content_checked = self._does_service_check_content()
            with self._translating():
                self._probed = probe_traits(self._canary_blob(), is_content_checked=is_content_checked)
        return self._probed

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
        name = name_for_writing(self._prefix, key)
        source = CheckedSource(chunks, size, digest, stop=stop, sent=sent, name=key)
        blocks = cut_blocks(source, size)
        first = list(itertools.islice(blocks, 2))
        is_content_checked = self._does_service_check_content()
        with remember_upload(self.unfinished, self.identity, key) as memory:
            upload = BlobUpload(
                name, self._blob, self._connection.lean_put, overwrite=overwrite, if_match=if_match,
                translating=lambda: self._translating(key), memory=memory,
            )  # fmt: skip
            if len(first) < 2:
                version = upload.put_whole(b"".join(first), source.digest)
                info = ObjectInfo(key, source.size, time.time(), version, source.digest)
                return self._prove(info, _ONE_REQUEST, is_content_checked)
            with forgetting_ended(memory):
                if (done := upload.find_completed()) is not None:
                    info = self._recognise(key, done, source, _take_all(first, blocks))
                else:
                    self._refuse_early(key, overwrite, if_match)
                    version = upload.commit(upload.stage_blocks(_take_all(first, blocks)), source.digest)
                    info = self._confirm_size(key, version, source)
                return self._prove(info, _BLOCKS, is_content_checked)

    def list_unfinished(self, prefix: str = "") -> Iterator[UnfinishedUpload]:
        """Blobs whose blocks nobody has committed; each vanishes a week after its last block was sent."""
        with self._translating():
            for found in list_uncommitted(self._connection.container_client, self._prefix + prefix):
                yield replace(found, key=found.key[len(self._prefix) :])

    def discard_unfinished(self, upload: UnfinishedUpload) -> None:
        """The service knows no way but to wait: it drops the blocks after a week, and until then they are invisible."""

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        name = name_for_reading(self._prefix, key)
        if length == 0:
            self.info(key)
            return io.BytesIO()
        fetcher = RangeFetcher(self._connection, name, lambda: self._translating(key))
        first_length = WINDOW_SIZE if length is None else min(length, WINDOW_SIZE)
        try:
            first = fetcher.fetch(offset, first_length, None)
        except StorageError as error:
            if error.code != RANGE_BEYOND_END:
                raise
            return io.BytesIO()
        if not first.content:
            return io.BytesIO()
        end = first.total if length is None else min(first.total, offset + length)
        return WindowedReader(fetcher.fetch, first, offset, end, key, self.label)

    def info(self, key: str) -> ObjectInfo:
        name = name_for_reading(self._prefix, key)
        with self._translating(key):
            found = find_properties(self._connection, name)
        if found.metadata.get(FOLDER_NAME) == "true":
            raise ObjectNotFound(f"There is no such object, but a folder: {key}", key=key, store=self.label)
        digest = found.metadata.get(DIGEST_NAME)
        return ObjectInfo(key, found.size, found.modified, found.version, digest if is_sha256_hex(digest) else None)

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        with self._translating():
            client = self._connection.container_client
            for entry in list_container(client, self._prefix + prefix, recursive=recursive):
                if not is_temporary_name(entry.key.rpartition("/")[2]):
                    yield replace(entry, key=entry.key[len(self._prefix) :]) if self._prefix else entry

    def delete(self, key: str) -> None:
        blob = self._blob(name_for_reading(self._prefix, key))
        with contextlib.suppress(ObjectNotFound), self._translating(key):
            blob.delete_blob()

    def close(self) -> None:
        self._connection.close()

    def _translating(self, key: str = "") -> AbstractContextManager[None]:
        return translate_azure_errors(self.label, self._connection.container, key)

    def _blob(self, name: str) -> Any:
        with self._translating():
            return self._connection.container_client.get_blob_client(name)

    def _canary_blob(self) -> Any:
        return self._blob(f"{self._prefix}{TEMPORARY_PREFIX}{uuid.uuid4().hex}{TEMPORARY_SUFFIX}")

    def _does_service_check_content(self) -> bool:
        with self._lock:
            if self._checks_content is None:
                with self._translating():
                    self._checks_content = checks_content(self._canary_blob())
            return self._checks_content

    def _refuse_early(self, key: str, overwrite: bool, if_match: str | None) -> None:
        """Spares the upload of much data that could not be committed; the commit itself decides."""
        if overwrite and if_match is None:
            return
        try:
            found = self.info(key)
        except ObjectNotFound:
            return
        if found.version != if_match:
            what = "exists" if if_match is None else "has changed meanwhile"
            raise ObjectExists(f"The object {what}: {key}", key=key, store=self.label)

    def _recognise(self, key: str, found: BlobProperties, source: CheckedSource, blocks: Iterator[bytes]) -> ObjectInfo:
        """An earlier run of this put has made the blob visible and was not able to say so; the source tells whether it
        still is the same.

        Raises: ObjectExists when it is not.
        """
        for _ in blocks:
            pass
        if (found.metadata.get(DIGEST_NAME), found.size) != (source.digest, source.size):
            raise ObjectExists(f"The object exists: {key}", key=key, store=self.label)
        return ObjectInfo(key, found.size, found.modified, found.version, source.digest)

    def _confirm_size(self, key: str, version: str, source: CheckedSource) -> ObjectInfo:
        found = self.info(key)
        if found.version == version and found.size != source.size:
            raise HashError(f"Azure keeps {found.size} bytes instead of {source.size}: {key}", hint="Upload it again.")
        modified = found.modified if found.version == version else time.time()
        return ObjectInfo(key, source.size, modified, version, source.digest)

    def _prove(self, info: ObjectInfo, method: str, is_content_checked: bool) -> PutResult:
        if not is_content_checked:
            return self._read_back(info)
        return self._make_result(info, EvidenceLevel.ATTESTED, method)

    def _read_back(self, info: ObjectInfo) -> PutResult:
        with self.open(info.key) as reader:
            digest, size = hash_stream(read_chunks(reader))
        if (digest, size) != (info.digest, info.size):
            blob = self._blob(self._prefix + info.key)
            with self._translating(info.key):
                blob.delete_blob(**make_version_condition(info.version))
            raise HashError(f"What was read back differs from what was put: {info.key}", hint="Upload it again.")
        return self._make_result(info, EvidenceLevel.READ, _READ_BACK)

    def _make_result(self, info: ObjectInfo, level: EvidenceLevel, method: str) -> PutResult:
        evidence = Evidence(self.identity, info.key, level, info.digest, info.size, time.time(), method, info.version)
        return PutResult(info, evidence)


def _take_all(first: list[bytes], following: Iterator[bytes]) -> Iterator[bytes]:
    """Yields both, without holding on to the blocks that have been taken."""
    while first:
        yield first.pop(0)
    yield from following

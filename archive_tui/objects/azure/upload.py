"""Putting a blob: small content in one request, more in blocks sent side by side; visible only by the last request.

The service checks the MD5 of each request's content on receipt and refuses another. Every put carries a
mark of its own in the metadata: after a lost reply the blob that is "already there" is known to be ours.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

from archive_tui.errors import ObjectExists
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.azure.kept_blocks import find_blocks, make_nonce, make_token, name_block, parse_token
from archive_tui.objects.azure.lean_put import CONTENT_TYPE, LeanPut
from archive_tui.objects.azure.listing import DIGEST_NAME
from archive_tui.objects.azure.properties import BlobProperties, read_properties
from archive_tui.objects.azure.reader import make_version_condition
from archive_tui.objects.unfinished import UploadMemory

BLOCK_SIZE = 8 << 20
"""Bytes per block. Above 4 MiB the service takes its fast way; four in flight and one being filled make 40 MiB."""

BLOCKS_IN_FLIGHT = 4
BLOCKS_PER_SIZE = 8_000
"""After so many blocks their size doubles: the service takes 50,000 at most."""

NONCE_NAME = "archive_tui_put"


def cut_blocks(chunks: Iterable[Chunk], size: int | None) -> Iterator[bytes]:
    """Yields the stream in blocks, all full but the last; of an empty stream, nothing."""
    waiting: list[memoryview] = []
    length = number = 0
    for chunk in chunks:
        view = memoryview(chunk).cast("B")
        while length + len(view) >= (wanted := find_block_size(number, size)):
            waiting.append(view[: wanted - length])
            view = view[wanted - length :]
            yield b"".join(waiting)
            waiting, length, number = [], 0, number + 1
        if view:
            waiting.append(view)
            length += len(view)
    if waiting:
        yield b"".join(waiting)


def find_block_size(number: int, size: int | None) -> int:
    """Returns the length of block `number`, so that content of `size` bytes (None: any) fits in 50,000 blocks."""
    if size is None:
        return BLOCK_SIZE << (number // BLOCKS_PER_SIZE)
    return max(BLOCK_SIZE, -(-size // 45_000))


class BlobUpload:
    """One put of one blob. `translating` makes the context manager that turns the SDK's errors into this program's.

    `make_blob` gives the SDK's client of the blob, which costs as much as a whole put by `lean_put` (None: not here).
    """

    def __init__(
        self,
        name: str,
        make_blob: Callable[[str], Any],
        lean_put: LeanPut | None,
        *,
        overwrite: bool,
        if_match: str | None,
        translating: Callable[[], AbstractContextManager[None]],
        memory: UploadMemory | None = None,
    ) -> None:
        self._name = name
        self._make_blob = make_blob
        self._lean_put = lean_put
        self._nonce = make_nonce()
        self._memory = memory
        self._is_continued = False
        self._present: dict[str, int] = {}
        self._translating = translating
        self._overwrite = overwrite or if_match is not None
        self._if_match = if_match

    def put_whole(self, content: bytes, digest: str) -> str:
        """Sends the content in one request, refused by the service if its MD5 differs. Returns the version.

        Raises: ObjectExists when the conditions do not hold, StorageError.
        """
        if (version := self._put_lean(content, digest)) is not None:
            return version
        from azure.storage.blob import ContentSettings

        md5 = bytearray(hashlib.md5(content, usedforsecurity=False).digest())
        return self._make_visible(
            self._blob.upload_blob,
            content,
            length=len(content),
            overwrite=self._overwrite,
            validate_content=True,
            content_settings=ContentSettings(content_type=CONTENT_TYPE, content_md5=md5),
            metadata=self._make_metadata(digest),
            **make_version_condition(self._if_match),
        )

    def _put_lean(self, content: bytes, digest: str) -> str | None:
        if self._lean_put is None:
            return None
        conditions = {} if self._overwrite else {"If-None-Match": "*"}
        if self._if_match is not None:
            conditions = {"If-Match": f'"{self._if_match}"'}
        return self._lean_put.put(self._name, content, self._make_metadata(digest), conditions)

    @cached_property
    def _blob(self) -> Any:
        return self._make_blob(self._name)

    def find_completed(self) -> BlobProperties | None:
        """Takes up what an earlier put has written down; returns the blob when that put has completed it already.

        Raises: StorageError.
        """
        nonce = parse_token(self._memory.find()) if self._memory is not None else None
        if nonce is None:
            return None
        self._nonce, self._is_continued = nonce, True
        from azure.core.exceptions import ResourceNotFoundError

        with self._translating():
            try:
                found = self._blob.get_blob_properties()
            except ResourceNotFoundError:
                return None
        is_own = (found.metadata or {}).get(NONCE_NAME) == nonce
        return read_properties(found) if is_own else None

    def stage_blocks(self, blocks: Iterable[bytes]) -> list[str]:
        """Sends the blocks, some at a time; none of them is visible. Returns their names in order.

        Where uploads are remembered, blocks that the service has from an earlier put are not sent again.
        """
        names: list[str] = []
        running: deque[Future[str]] = deque()
        if self._memory is not None:
            with self._translating():
                self._present = find_blocks(self._blob, self._nonce) if self._is_continued else {}
            self._memory.keep(make_token(self._nonce))
        with ThreadPoolExecutor(BLOCKS_IN_FLIGHT, thread_name_prefix="azure-put") as pool:
            try:
                for number, block in enumerate(blocks):
                    running.append(pool.submit(self._stage_block, number, block))
                    del block
                    while len(running) >= BLOCKS_IN_FLIGHT:
                        names.append(running.popleft().result())
                while running:
                    names.append(running.popleft().result())
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return names

    def commit(self, names: list[str], digest: str) -> str:
        """Makes the blob of these blocks visible, in one atomic request. Returns the version.

        Raises: ObjectExists when the conditions do not hold, StorageError.
        """
        from azure.core import MatchConditions
        from azure.storage.blob import BlobBlock, ContentSettings

        conditions = make_version_condition(self._if_match)
        if not self._overwrite:
            conditions = {"match_condition": MatchConditions.IfMissing}
        return self._make_visible(
            self._blob.commit_block_list,
            [BlobBlock(name) for name in names],
            content_settings=ContentSettings(content_type=CONTENT_TYPE),
            metadata=self._make_metadata(digest),
            validate_content=True,
            **conditions,
        )

    def _make_visible(self, send: Callable[..., dict[str, Any]], *arguments: Any, **options: Any) -> str:
        with self._translating():
            try:
                return str(send(*arguments, **options)["etag"]).strip('"')
            except Exception as error:
                own = self._find_own(error, options["metadata"])
                if own is None:
                    raise
                return str(own.etag).strip('"')

    def _find_own(self, error: Exception, metadata: dict[str, str]) -> Any | None:
        """Returns the properties of the blob if, in spite of the error, this very put has written it.

        Raises: ObjectExists when another writer was first and our blocks went with its commit.
        """
        from azure.core.exceptions import AzureError

        if not isinstance(error, AzureError):
            return None
        try:
            found = self._blob.get_blob_properties()
        except AzureError:
            return None
        told = found.metadata or {}
        if all(told.get(name) == value for name, value in metadata.items()):
            return found
        if getattr(error, "error_code", None) == "InvalidBlockList":
            raise ObjectExists(f"Another writer was first: {self._name}", key=self._name) from error
        return None

    def _stage_block(self, number: int, block: bytes) -> str:
        name = name_block(self._nonce, number, None if self._memory is None else block)
        if self._present.get(name) != len(block):
            with self._translating():
                self._blob.stage_block(name, block, length=len(block), validate_content=True)
        return name

    def _make_metadata(self, digest: str) -> dict[str, str]:
        return {DIGEST_NAME: digest, NONCE_NAME: self._nonce}

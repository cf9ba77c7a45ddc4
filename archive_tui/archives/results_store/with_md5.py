"""A stream that knows its MD5 when it has passed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from archive_tui.integrity.streams import Chunk


class WithMd5:
    """Passes a stream on, and knows its MD5 when it has passed whole. It can be read again if the stream can."""

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        self._chunks = chunks
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._once = self._pass_on() if iter(chunks) is chunks else None

    @property
    def md5(self) -> str:
        return self._md5.hexdigest()

    def __iter__(self) -> Iterator[Chunk]:
        return self._once if self._once is not None else self._pass_on()

    def _pass_on(self) -> Iterator[Chunk]:
        md5 = self._md5 = hashlib.md5(usedforsecurity=False)
        for chunk in self._chunks:
            md5.update(chunk)
            yield chunk

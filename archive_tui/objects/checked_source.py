"""The stream of a put, held to what was promised about it while it passes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator

from archive_tui.errors import HashError, SourceChanged
from archive_tui.integrity.streams import Chunk
from archive_tui.progress import StopSignal, check_stop, never


class CheckedSource:
    """Passes a stream on, counts and hashes it, and raises where it is not what was promised.

    One byte more than `size` is refused before it is passed on; too few, or another SHA-256 than `digest`, when the
    stream ends, so a store that commits only after the iteration commits nothing wrong. `sent` receives the
    absolute count after each chunk has been taken. Iterate it once; `again` gives another pass, where there can be one.

    Raises: SourceChanged, HashError, OperationStopped between two chunks and after the last, and what `chunks` raises.
    """

    def __init__(
        self,
        chunks: Iterable[Chunk],
        size: int | None = None,
        digest: str | None = None,
        *,
        stop: StopSignal = never,
        sent: Callable[[int], None] | None = None,
        name: str = "",
    ) -> None:
        self._chunks = chunks
        self._expected_size = size
        self._expected_digest = digest.lower() if digest is not None else None
        self._stop = stop
        self._sent = sent
        self._name = name
        self._hash = hashlib.sha256()
        self.size = 0
        self.has_started = False

    @property
    def promised_size(self) -> int | None:
        return self._expected_size

    @property
    def promised_digest(self) -> str | None:
        """In lower case."""
        return self._expected_digest

    @property
    def can_be_read_again(self) -> bool:
        """True when each `iter` of the chunks begins anew, as that of a list does and that of a generator does not."""
        return iter(self._chunks) is not self._chunks

    def again(self) -> CheckedSource:
        """Returns a pass over the same source from its beginning, held to the same promise."""
        return CheckedSource(
            self._chunks, self._expected_size, self._expected_digest, stop=self._stop, sent=self._sent, name=self._name
        )

    @property
    def digest(self) -> str:
        """The SHA-256 of what has passed so far."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[Chunk]:
        self.has_started = True
        check_stop(self._stop)
        for chunk in self._chunks:
            check_stop(self._stop)
            if not chunk:
                continue
            self.size += len(chunk)
            if self._expected_size is not None and self.size > self._expected_size:
                raise self._wrong_size(f"more than {self._expected_size}")
            self._hash.update(chunk)
            yield chunk
            if self._sent is not None:
                self._sent(self.size)
        check_stop(self._stop)
        self._check_whole()

    def _check_whole(self) -> None:
        if self._expected_size is not None and self.size != self._expected_size:
            raise self._wrong_size(f"{self.size} instead of {self._expected_size}")
        if self._expected_digest is not None and self.digest != self._expected_digest:
            raise HashError(
                f"Content and digest of {self._name!r} disagree: expected {self._expected_digest}, found {self.digest}",
                hint="Nothing was stored. Read the source again; if it happens again, its disk or memory is faulty.",
            )

    def _wrong_size(self, found: str) -> SourceChanged:
        return SourceChanged(
            f"The source of {self._name!r} has another size than announced: {found} bytes",
            path=self._name,
            hint="Nothing was stored. Try again when nobody writes to the source.",
        )

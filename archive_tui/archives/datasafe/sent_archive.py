"""A dataset on its way to a datasafe's server, and what the server says when it has arrived."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator

from archive_tui.errors import IntegrityError
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.http.connection import HttpConnection, Reply
from archive_tui.objects.http.failures import unreadable_reply
from archive_tui.objects.http.index import read_json
from archive_tui.progress import BytesDone, Planned, Report, StopSignal, check_stop, ignore, never

CHECK = "check on the server"

Pace = Callable[[Iterable[Chunk], StopSignal], Iterable[Chunk]]
"""Passes on what goes out, no faster than it may."""


class SentArchive:
    """The archive as it is sent, once: counted, hashed, stopped. `size` in bytes, known of lists only; `is_whole`: all
    of it was handed over; `failure` is what the source raised, for a transport may hide it."""

    phase = "upload"

    def __init__(
        self, archive: Iterable[Chunk], report: Report = ignore, stop: StopSignal = never, pace: Pace | None = None
    ) -> None:
        self._archive = archive if pace is None else pace(archive, stop)
        self._report = report
        self._stop = stop
        self._hash = hashlib.sha256()
        self.size = sum(memoryview(piece).nbytes for piece in archive) if isinstance(archive, list | tuple) else None
        self.is_whole = False
        self.failure: BaseException | None = None

    @property
    def digest(self) -> str:
        """The SHA-256 of what was handed over."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[Chunk]:
        self._report(Planned(self.phase, None, self.size))
        total = 0
        try:
            for chunk in self._archive:
                check_stop(self._stop)
                self._hash.update(chunk)
                yield chunk
                total += len(chunk)
                self._report(BytesDone(self.phase, total))
        except GeneratorExit:
            raise
        except BaseException as error:
            self.failure = error
            raise
        self.is_whole = True
        self._report(Planned(CHECK))


def check_verdict(reply: Reply, connection: HttpConnection, loi: str) -> None:
    """Returns when the server has taken the dataset and found all of it right.

    Raises: what the refusal stands for; IntegrityError; StorageError when the server does not say how its check ended.
    """
    if reply.status != 200:
        raise connection.error(reply, loi)
    said = read_json(reply.body, connection.label, loi)
    if not isinstance(said.get("data"), bool) or not isinstance(said.get("all"), bool):
        raise unreadable_reply(connection.label, loi, "it does not say how the check of the dataset ended")
    if not (said["data"] and said["all"]):
        raise IntegrityError(f"{connection.label} has found the dataset damaged: {loi}")

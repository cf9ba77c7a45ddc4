"""Makes the object of an upload in parts visible, under the condition of its write."""

from __future__ import annotations

from dataclasses import dataclass

from archive_tui.errors import ArchiveError, StorageUnavailable
from archive_tui.objects.s3.connection import ATTEMPTS, Reply, pause
from archive_tui.objects.s3.part_ledger import PartLedger
from archive_tui.objects.s3.replies import completion_document, parse_etag
from archive_tui.objects.s3.upload_start import StartedUpload
from archive_tui.objects.s3.writing import S3Writer
from archive_tui.progress import check_stop

_PARTS_DO_NOT_FIT = frozenset({"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "NotImplemented"})


class PartsLost(Exception):
    """The parts of an earlier put cannot be used after all; the next one has to begin anew, and then it works."""

    def __init__(self, writer: S3Writer, key: str) -> None:
        label = writer.connection.label
        super().__init__(label)
        self.error = StorageUnavailable(
            f"The upload that was begun in {label} cannot be completed, or is gone: {key}",
            key=key,
            store=label,
            hint="Repeat the command: it sends all parts anew.",
        )


@dataclass(frozen=True, slots=True)
class Completed:
    """`etag` as the reply to the completion told it; None: that reply was lost, and the object, with these headers in
    `head`, was recognised as our own."""

    etag: str | None = None
    head: Reply | None = None


def complete_upload(writer: S3Writer, started: StartedUpload, ledger: PartLedger) -> Completed:
    """Completes it, as often as it takes.

    Raises: ObjectExists, PartsLost, HashError, and the error that the last refusal stands for.
    """
    return _Completion(writer, started, ledger).run()


class _Completion:
    def __init__(self, writer: S3Writer, started: StartedUpload, ledger: PartLedger) -> None:
        self._writer = writer
        self._write = started.write
        self._started = started
        self._ledger = ledger
        self._is_gone = False

    def run(self) -> Completed:
        if not self._writer.facts.completes_only_new:
            self._writer.look_first(self._write)
        failure: ArchiveError | None = None
        for attempt in range(ATTEMPTS):
            if attempt:
                pause(attempt, self._write.stop)
            try:
                reply = self._send()
            except StorageUnavailable as error:
                failure = error
            else:
                if reply.is_success and b"<Error" not in reply.body:
                    return Completed(etag=parse_etag(reply.body))
                failure = self._judge(reply, unsure=failure is not None)
            if (found := self._writer.own(self._write)) is not None:
                return Completed(head=found)
        if self._is_gone:
            raise PartsLost(self._writer, self._write.key)
        assert failure is not None
        raise failure

    def _send(self) -> Reply:
        check_stop(self._write.stop)
        return self._writer.connection.send_once(
            "POST",
            self._write.full_key,
            query={"uploadId": self._started.kept.upload},
            headers=self._write.conditions | self._ledger.completion_headers(),
            payload=completion_document(self._ledger.parts),
        )

    def _judge(self, reply: Reply, *, unsure: bool) -> ArchiveError:
        """Returns the error to raise if it stays so. A reply of success may carry an error in its body.

        Raises: at once what no repetition can cure.
        """
        refusal = reply.refusal
        if refusal.is_precondition:
            if not unsure:
                raise self._writer.exists(self._write)
            return self._writer.exists(self._write)
        error = self._writer.refused(self._write, reply)
        gone = refusal.code == "NoSuchUpload"
        self._is_gone = gone and self._writer.memory is not None
        if not (refusal.is_busy or refusal.is_conflict or (gone and unsure) or self._is_gone):
            if self._started.is_continued and refusal.code in _PARTS_DO_NOT_FIT:
                raise PartsLost(self._writer, self._write.key) from error
            raise error
        return error

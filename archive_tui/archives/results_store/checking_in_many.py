"""Checks several files of this machine in, each by itself; doing it again finds what is in already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive_tui.archives.results_store.result_entry import CheckInReceipt, match_content
from archive_tui.archives.results_store.results_store import ResultsStore
from archive_tui.continuation import ItemMark, Journal, no_journal
from archive_tui.errors import (
    ArchiveError,
    InvalidName,
    ObjectExists,
    ObjectNotFound,
    OperationStopped,
    SourceError,
    SourceNotFound,
    SourceUnreadable,
)
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.integrity.streams import read_chunks
from archive_tui.names.display import escape_for_display
from archive_tui.names.quantities import format_count, format_size
from archive_tui.names.result_names import check_result_name
from archive_tui.operations.object_failures import ends_run
from archive_tui.progress import (
    BytesDone,
    Ended,
    Event,
    ItemDone,
    ItemFailed,
    Planned,
    Report,
    StopSignal,
    check_stop,
    never,
)
from archive_tui.progress import ignore as ignore_events

PHASE = "check in"


@dataclass(frozen=True, slots=True)
class CheckInReport:
    """What became of several files. `same` lay there already, under the same name. `bytes` were checked in now."""

    store: str
    event: str
    production: str
    receipts: tuple[CheckInReceipt, ...] = ()
    same: int = 0
    bytes: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def sentence(self) -> str:
        """The one line with which every face ends a check-in."""
        where = f"{self.event}/{self.production} of {self.store}"
        parts = [f"{format_count(len(self.receipts), 'file')} checked in, {format_size(self.bytes)}"]
        parts += [f"{self.same:,} lay there already"] if self.same else []
        parts += [f"{len(self.findings):,} not checked in"] if self.findings else []
        return f"{'Not all' if self.findings else 'Verified'}: {'; '.join(parts)}: {where}"


def check_in(
    results: ResultsStore,
    event: str,
    production: str,
    files: Sequence[Path],
    *,
    names: Sequence[str] | None = None,
    allow_duplicate: bool = False,
    report: Report = ignore_events,
    stop: StopSignal = never,
    journal: Journal = no_journal,
) -> CheckInReport:
    """Checks files in under their own names, or under `names`. One that is in under this name with the same content is
    passed over; what is refused is a finding, and the rest goes on.

    Raises: InvalidName for event or production; NotAStoreError, ManifestError; what befalls the store as a whole;
    OperationStopped: what is in stays.
    """
    check_result_name(event, "an event")
    check_result_name(production, "a production")
    run = _Run(results, event, production, allow_duplicate, report, stop, journal)
    sizes = [_size(path) for path in files]
    report(Planned(PHASE, len(files), sum(sizes)))
    is_finished = False
    try:
        for path, name in zip(files, names or [path.name for path in files], strict=True):
            check_stop(stop)
            run.check_in(path, name)
        is_finished = True
    finally:
        report(Ended(PHASE, is_finished))
    return run.make_report()


class _Run:
    def __init__(
        self,
        results: ResultsStore,
        event: str,
        production: str,
        allow_duplicate: bool,
        report: Report,
        stop: StopSignal,
        journal: Journal,
    ) -> None:
        self._results = results
        self._event = event
        self._production = production
        self._allow_duplicate = allow_duplicate
        self._report = report
        self._stop = stop
        self._journal = journal
        self._receipts: list[CheckInReceipt] = []
        self._findings: list[Finding] = []
        self._same = self._bytes = self._passed_over = self._done = 0

    def check_in(self, path: Path, name: str) -> None:
        try:
            outcome = self._try(path, name)
        except ArchiveError as error:
            if isinstance(error, OperationStopped) or ends_run(error, None):
                raise
            self._fail(path, error)
            return
        self._done += 1
        self._mark(ItemMark(str(path), outcome))
        self._report(ItemDone(PHASE, str(path), self._done))

    def _try(self, path: Path, name: str) -> str:
        try:
            chunks, size = _open_source(path)
            receipt = self._results.add(
                self._event,
                self._production,
                chunks,
                name=name,
                size=size,
                allow_duplicate=self._allow_duplicate,
                report=self._relay,
                stop=self._stop,
            )
        except ObjectExists:
            found = self._find_same(path, name)
            if found is None:
                raise
            self._same += 1
            self._passed_over += found
            self._report(BytesDone(PHASE, self._bytes + self._passed_over))
            return "same"
        self._receipts.append(receipt)
        self._bytes += receipt.size
        return "checked in"

    def _find_same(self, path: Path, name: str) -> int | None:
        """Returns the size of the file in bytes; None: what lies there under this name is another one."""
        try:
            entry = self._results.find(self._event, self._production, name)
        except ObjectNotFound:
            return None
        chunks, _ = _open_source(path)
        return match_content(entry, _stopped_by(chunks, self._stop))

    def _fail(self, path: Path, error: ArchiveError) -> None:
        self._done += 1
        unreadable = isinstance(error, SourceError | InvalidName)
        kind = FindingKind.UNREADABLE if unreadable else FindingKind.CHANGED
        self._findings.append(Finding(kind, str(path), detail=error.message))
        self._mark(ItemMark(str(path), "refused", False, detail=error.message))
        self._report(ItemFailed(PHASE, str(path), self._done, error.message))

    def _mark(self, mark: ItemMark) -> None:
        if self._journal.is_kept:
            self._journal.record(PHASE, [mark])

    def _relay(self, event: Event) -> None:
        """Bytes of one file are part of the whole."""
        if isinstance(event, BytesDone):
            self._report(BytesDone(PHASE, self._bytes + self._passed_over + event.total))

    def make_report(self) -> CheckInReport:
        return CheckInReport(
            self._results.label,
            self._event,
            self._production,
            tuple(self._receipts),
            self._same,
            self._bytes,
            tuple(self._findings),
        )


def _open_source(path: Path) -> tuple[_FileChunks, int]:
    """Returns a stream that can be read again, and its size in bytes."""
    try:
        if path.is_file():
            return _FileChunks(path), path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from error
    what = "Not a plain file" if path.exists() else "No such file"
    raise SourceNotFound(f"{what}: {escape_for_display(str(path))}", path=str(path), hint="Check the name.")


class _FileChunks:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[bytes]:
        try:
            with self._path.open("rb", buffering=0) as content:
                yield from read_chunks(content)
        except OSError as error:
            raise _unreadable(self._path, error) from error


def _stopped_by(chunks: Iterable[bytes], stop: StopSignal) -> Iterator[bytes]:
    for chunk in chunks:
        check_stop(stop)
        yield chunk


def _unreadable(path: Path, error: OSError) -> SourceUnreadable:
    return SourceUnreadable(
        f"Cannot be read: {escape_for_display(str(path))}: {error.strerror}", path=str(path), hint="Check its rights."
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # said when its turn comes

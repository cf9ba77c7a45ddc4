"""A JobWork by hand: a kind of job is run without an engine, on stores that a test has made."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive_tui.conflicts import Resolve, keep_what_is_there
from archive_tui.continuation import ItemMark, Journal
from archive_tui.errors import ArchiveError, OperationStopped
from archive_tui.integrity.report import Finding
from archive_tui.jobs.kind import JobResult, JobWork
from archive_tui.jobs.kinds import find_kind
from archive_tui.jobs.places import OpenedPlace, Place, open_place
from archive_tui.jobs.progress_meter import PhaseProgress, ProgressMeter
from archive_tui.jobs.request import JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.objects.object_store import ObjectStore
from archive_tui.progress import Event, ItemFailed, Notice, Report, StopSignal, ignore, never

NOW = 1_700_000_000.0


@dataclass
class MemoryJournal:
    """What an engine's journal does, in memory. `now` stamps marks that bring no time."""

    is_kept: bool = True
    has_earlier: bool = True
    marks: dict[tuple[str, str], ItemMark] = field(default_factory=dict)
    saved: dict[str, bytes] = field(default_factory=dict)
    now: float = NOW
    finds: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def find(self, phase: str, items: Sequence[str]) -> Mapping[str, ItemMark]:
        with self._lock:
            self.finds += 1
            return {item: self.marks[phase, item] for item in items if (phase, item) in self.marks}

    def record(self, phase: str, marks: Iterable[ItemMark]) -> None:
        with self._lock:
            for mark in marks:
                self.marks[phase, mark.item] = mark if mark.at else mark._replace(at=self.now)

    def load(self, name: str) -> bytes | None:
        return self.saved.get(name)

    def save(self, name: str, content: bytes | None, *, durable: bool = False) -> None:
        if content is None:
            self.saved.pop(name, None)
        else:
            self.saved[name] = content

    def of(self, phase: str) -> list[ItemMark]:
        return [mark for (its_phase, _), mark in self.marks.items() if its_phase == phase]


def store_place(name: str, store: ObjectStore) -> Place:
    """The place of a store that a test has made; give the same store to `job_work`."""
    return {"storage": name, "settings": None, "identity": store.identity}


def job_work(
    request: JobRequest,
    stores: Mapping[str, ObjectStore] | None = None,
    *,
    report: Report = ignore,
    stop: StopSignal = never,
    journal: Journal | None = None,
    resolve: Resolve = keep_what_is_there,
    evidence: Any = None,
    live: Mapping[str, Any] | None = None,
) -> JobWork:
    """`stores` by the names of their places; other places are opened as an engine opens them. The parameters go
    through JSON, as they do in a database."""

    def open_one(place: Place) -> OpenedPlace:
        store = (stores or {}).get(place.get("storage", ""))
        return open_place(place) if store is None else OpenedPlace(place["storage"], store)

    return JobWork(
        job_id=1,
        parameters=json.loads(json.dumps(dict(request.parameters))),
        policy=request.policy,
        report=report,
        stop=stop,
        journal=journal if journal is not None else MemoryJournal(),
        resolve=resolve,
        open_place=open_one,
        evidence=evidence,
        live=live or {},
    )


def run_job(request: JobRequest, stores: Mapping[str, ObjectStore] | None = None, **options: Any) -> JobResult:
    """Runs the job once; options as of `job_work`."""
    return find_kind(request.kind).run(job_work(request, stores, **options))


def collect_events() -> tuple[list[Event], Callable[[Event], None]]:
    events: list[Event] = []
    return events, events.append


@dataclass(frozen=True)
class Ended:
    """How a run has ended, as an engine would show it. `error`: what it raised."""

    state: JobState
    message: str
    findings: tuple[Finding, ...] = ()
    result: Any = None
    hint: str = ""
    code: str = ""
    phases: tuple[PhaseProgress, ...] = ()
    failed_items: tuple[ItemFailed, ...] = ()
    notices: tuple[str, ...] = ()
    error: ArchiveError | None = None


def run_to_end(request: JobRequest, stores: Mapping[str, ObjectStore] | None = None, **options: Any) -> Ended:
    """Runs the job once, and tells an error as an engine does."""
    events, collect = collect_events()
    meter = ProgressMeter()

    def report(event: Event) -> None:
        collect(event)
        meter(event)

    error: ArchiveError | None = None
    try:
        result = run_job(request, stores, report=report, **options)
    except OperationStopped as stopped:
        error, result = stopped, JobResult(JobState.CANCELLED, stopped.message)
    except ArchiveError as failure:
        error, result = failure, JobResult(JobState.FAILED, failure.message, hint=failure.hint, code=failure.code)
    return Ended(
        result.state, result.message, result.findings, result.value, result.hint, result.code, meter.snapshot(),
        tuple(event for event in events if isinstance(event, ItemFailed)),
        tuple(event.text for event in events if isinstance(event, Notice)), error,
    )  # fmt: skip


class FileJournal(MemoryJournal):
    """A journal that outlives its process: every change is a line of a file, which a kill may cut."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        if path.exists():
            for line in path.read_text().splitlines():
                self._apply(line)
        self._file = path.open("a")

    def close(self) -> None:
        self._file.close()

    def _apply(self, line: str) -> None:
        try:
            name, content = json.loads(line)
        except ValueError:
            return
        if isinstance(content, list):
            super().record(name, [ItemMark(*content)])
        else:
            super().save(name, None if content is None else content.encode())

    def record(self, phase: str, marks: Iterable[ItemMark]) -> None:
        kept = list(marks)
        super().record(phase, kept)
        with self._lock:
            self._file.writelines(json.dumps([phase, list(mark)]) + "\n" for mark in kept)
            self._file.flush()

    def save(self, name: str, content: bytes | None, *, durable: bool = False) -> None:
        super().save(name, content)
        with self._lock:
            self._file.write(json.dumps([name, None if content is None else content.decode()]) + "\n")
            self._file.flush()

"""The kind of job that copies objects from one place to another: folders and storages alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from archive_tui.archives.vault.evidence_book import EvidenceBook
from archive_tui.archives.vault.unfinished_parts import UnfinishedPart, UnfinishedParts
from archive_tui.conflicts import ConflictRule
from archive_tui.continuation import Journal
from archive_tui.integrity.evidence import Evidence
from archive_tui.jobs.kind import JobKind, JobResult, JobWork
from archive_tui.jobs.place_words import (
    check_selection,
    describe_selection,
    describe_source,
    make_command,
    own_folder,
    place_word,
    selection_words,
)
from archive_tui.jobs.places import OpenedPlace, Place, name_settings
from archive_tui.jobs.request import JobPolicy, JobRequest
from archive_tui.jobs.states import JobState
from archive_tui.operations.copying import CopyReceipt, copy_objects, plan_copy
from archive_tui.operations.copying.continued_file import PartKeeper

EVIDENCE_AT_ONCE = 500


def copy_job(
    source: Place,
    names: Sequence[str],
    target: Place,
    *,
    base: str = "",
    into: str = "",
    policy: JobPolicy | None = None,
) -> JobRequest:
    """Copies what the names mean below `base` (see `jobs.place_words`) to the same names below `into`.

    A name that ends in `/` keeps its own name at the target, the empty name does not: `names=["a/"]` makes `into/a/…`.
    Plain folders are taken for a person's own. The result's value is a CopyReceipt.

    Raises: ConfigurationError when nothing is chosen.
    """
    check_selection(base, names)
    into = f"{into.rstrip('/')}/" if into.strip("/") else ""
    source, target = own_folder(source), own_folder(target)
    policy = policy or JobPolicy()
    words = ["copy", *selection_words(source, base, names), place_word(target, into)]
    rule = [] if policy.conflicts is ConflictRule.KEEP else ["--on-conflict", str(policy.conflicts)]
    return JobRequest(
        kind="copy",
        title=f"copy {describe_selection(source, base, names)} to {place_word(target, into)}",
        source=describe_source(source, base, names),
        destination=place_word(target, into),
        command=name_settings(make_command(words, rule), source, target),
        parameters={
            "source": dict(source),
            "base": base,
            "names": list(names),
            "target": dict(target),
            "into": into,
        },
        policy=policy,
    )


def _run(work: JobWork) -> JobResult:
    parameters = work.parameters
    source, target = work.open_place(parameters["source"]), work.open_place(parameters["target"])
    plan = plan_copy(source.store, parameters["names"], target.store, parameters["into"], base=parameters["base"])
    with noting_evidence(work, target) as note:
        receipt = copy_objects(
            plan,
            journal=work.journal,
            resolve=work.resolve,
            report=work.report,
            stop=work.stop,
            note_evidence=note,
            parts=keep_parts(work.journal, parameters["target"]),
        )
    return JobResult(_state_of(receipt), receipt.sentence, receipt.findings, receipt)


@contextmanager
def noting_evidence(work: JobWork, target: OpenedPlace) -> Iterator[Callable[[Evidence], None]]:
    """Yields what takes the evidence for objects at the target; all of it is written down when the block is left."""
    # What lies in a folder that no settings name is nobody's archive.
    book = EvidenceBook(work.evidence if target.storage is not None else None, target.store.identity)
    noted = 0

    def note(evidence: Evidence) -> None:
        nonlocal noted
        book.note(evidence)
        noted += 1
        if noted % EVIDENCE_AT_ONCE == 0:
            book.write()

    try:
        yield note
    finally:
        book.write()


class _Parts:
    """The begun files of a copy, noted as those of a fetch are, so that they are removed in the same way when nobody
    goes on with them."""

    def __init__(self, journal: Journal, root: Path) -> None:
        self._parts = UnfinishedParts(journal, root)

    def find(self, path: str) -> tuple[str, str | None] | None:
        part = self._parts.find(path)
        return None if part is None else (part.name, part.version)

    def keep(self, path: str, name: str, version: str | None) -> None:
        self._parts.keep(path, UnfinishedPart(name, "", version))

    def forget(self, path: str) -> None:
        self._parts.forget(path)


def keep_parts(journal: Journal, target: Place) -> PartKeeper | None:
    """Returns what remembers the begun files of a job below a folder; None where nothing is remembered."""
    return _Parts(journal, Path(target["folder"])) if journal.is_kept and "folder" in target else None


def _state_of(receipt: CopyReceipt) -> JobState:
    if receipt.undecided:
        return JobState.UNDECIDED
    if receipt.finding_count:
        return JobState.FINDINGS
    return JobState.VERIFIED if receipt.is_proven else JobState.COPIED


COPY = JobKind("copy", _run)

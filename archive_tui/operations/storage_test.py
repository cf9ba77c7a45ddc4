"""Tries a store out: what a person wants proven before trusting it with data. Leaves nothing behind."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from archive_tui.errors import ArchiveError, ObjectExists, OperationStopped, StorageUnavailable
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.streams import hash_stream, read_chunks
from archive_tui.objects.object_store import ObjectStore, PutResult, Support
from archive_tui.progress import Ended, ItemDone, ItemFailed, Planned, Report, StopSignal, check_stop, ignore, never

PHASE = "test"
CONTENT = bytes(range(256)) * 16
"""4 KiB in which every byte value stands, so that a store that translates line ends or text is found out."""

RANGE = (1000, 500)

STEPS = (
    "reaches",
    "lists",
    "writes",
    "reads back equal",
    "reads ranges",
    "never overwrites",
    "attests SHA-256",
    "deletes",
)

NEEDED = frozenset(STEPS) - {"never overwrites", "attests SHA-256"}
"""Without these a store cannot be used; without the others it can, and the conclusion says what that means."""


READ_ONLY = "what lies here can be read and verified; datasets are not published here."


class Outcome(StrEnum):
    PROVEN = "proven"
    REFUSED = "refused"  # the store does not do it
    UNKNOWN = "unknown"  # it could not be tried
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CardRow:
    """One thing that was tried; `detail` is a sentence, empty when there is nothing to add."""

    name: str
    outcome: Outcome
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StorageCard:
    """What a store has proven, in the order of trying. `conclusion` is one sentence about publishing there."""

    label: str
    rows: tuple[CardRow, ...]
    conclusion: str

    def outcome(self, name: str) -> Outcome:
        return next(row.outcome for row in self.rows if row.name == name)

    @property
    def is_read_only(self) -> bool:
        """True when it answers and lists, and takes no objects by its nature."""
        answers = self.outcome("reaches") is self.outcome("lists") is Outcome.PROVEN
        return answers and self.outcome("writes") is Outcome.REFUSED

    @property
    def is_usable(self) -> bool:
        """True when a dataset can be published, read and verified there, or when it can be read and is no place to
        publish in."""
        return self.is_read_only or all(self.outcome(name) is Outcome.PROVEN for name in NEEDED)


def test_storage(store: ObjectStore, *, report: Report = ignore, stop: StopSignal = never) -> StorageCard:
    """Tries everything that publishing needs with one small object of its own, and removes it, whatever happens.

    A failure is a row of the card, never an error. Phase: `test`; its items are the steps.

    Raises: OperationStopped, after the object has been removed.
    """
    trial = _Trial(store)
    rows: list[CardRow] = []
    report(Planned(PHASE, items=len(STEPS)))
    finished = False
    try:
        for step in STEPS:
            check_stop(stop)
            row = _try_step(step, trial.step(step)) if trial.is_reachable else _skip_step(step)
            rows.append(row)
            event = ItemFailed if row.outcome is Outcome.FAILED else ItemDone
            report(
                event(PHASE, step, len(rows), row.detail) if event is ItemFailed else ItemDone(PHASE, step, len(rows))
            )
        finished = True
    finally:
        trial.clean_up()
        report(Ended(PHASE, finished))
    card = StorageCard(store.label, tuple(rows), _conclude(rows))
    return replace(card, conclusion=READ_ONLY) if card.is_read_only else card


test_storage.__test__ = False  # type: ignore[attr-defined]  # its name begins like a test's, and pytest looks at names


def _try_step(name: str, step: Callable[[], tuple[Outcome, str]]) -> CardRow:
    started = time.perf_counter()
    try:
        outcome, detail = step()
    except OperationStopped:
        raise
    except ArchiveError as error:
        outcome = Outcome.REFUSED if error.code == "unsupported" else Outcome.FAILED
        detail = f"{error.message.rstrip('.')}. {error.hint}".strip()
    return CardRow(name, outcome, detail, time.perf_counter() - started)


def _skip_step(name: str) -> CardRow:
    return CardRow(name, Outcome.UNKNOWN, "Not tried: the storage cannot be reached.", 0.0)


class _Trial:
    """The steps, and the one object that they use."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self.key = f"archive-tui-test-{secrets.token_hex(8)}.bin"
        self.put: PutResult | None = None
        self.is_reachable = True
        self._may_exist = False

    def step(self, name: str) -> Callable[[], tuple[Outcome, str]]:
        steps = (
            self.reach,
            self.list,
            self.write,
            self.read_back,
            self.read_range,
            self.refuse_overwrite,
            self.attest,
            self.delete,
        )
        return dict(zip(STEPS, steps, strict=True))[name]

    def reach(self) -> tuple[Outcome, str]:
        try:
            next(iter(self.store.list("", recursive=False)), None)
            self.store.probe()
        except StorageUnavailable:
            self.is_reachable = False  # each further step would wait for the same time-out
            raise
        return Outcome.PROVEN, ""

    def list(self) -> tuple[Outcome, str]:
        found = [entry.key for entry in self.store.list(self.key)]
        return (Outcome.FAILED, "It lists what was never written.") if found else (Outcome.PROVEN, "")

    def write(self) -> tuple[Outcome, str]:
        self._may_exist = True
        self.put = self.store.put(self.key, [CONTENT], len(CONTENT), digest=sha256_of_bytes(CONTENT))
        found = [entry.key for entry in self.store.list(self.key)]
        if found != [self.key]:
            return Outcome.FAILED, "What was written is not listed."
        return Outcome.PROVEN, ""

    def read_back(self) -> tuple[Outcome, str]:
        if self.put is None:
            return _not_tried()
        with self.store.open(self.key) as reader:
            digest, _ = hash_stream(read_chunks(reader))
        if digest != sha256_of_bytes(CONTENT):
            return Outcome.FAILED, "What was read is not what was written."
        return Outcome.PROVEN, ""

    def read_range(self) -> tuple[Outcome, str]:
        if self.put is None:
            return _not_tried()
        start, length = RANGE
        with self.store.open(self.key, start, length) as reader:
            content = b"".join(read_chunks(reader))
        if content != CONTENT[start : start + length]:
            return Outcome.FAILED, "A range that was read is not that of what was written."
        return Outcome.PROVEN, ""

    def refuse_overwrite(self) -> tuple[Outcome, str]:
        if self.put is None:
            return _not_tried()
        if self.store.traits.create_only is Support.NO:
            return Outcome.REFUSED, "It overwrites: archive-tui looks first and checks after, a race is not excluded."
        try:
            self.store.put(self.key, [b"second"], 6)
        except ObjectExists:
            return Outcome.PROVEN, "The second write was refused."
        return Outcome.FAILED, "A second write replaced the first."

    def attest(self) -> tuple[Outcome, str]:
        if self.put is None:
            return _not_tried()
        if self.put.evidence.level is EvidenceLevel.ATTESTED or self.store.info(self.key).attested:
            return Outcome.PROVEN, "The store computed the digest of what it received."
        return Outcome.REFUSED, "The store computes none; what is written is read back instead."

    def delete(self) -> tuple[Outcome, str]:
        if self.put is None:
            return _not_tried()
        self.store.delete(self.key)
        if [entry.key for entry in self.store.list(self.key)]:
            return Outcome.FAILED, f"It is still listed: {self.key}"
        self._may_exist = False
        return Outcome.PROVEN, ""

    def clean_up(self) -> None:
        if not self._may_exist:
            return
        try:
            self.store.delete(self.key)
        except ArchiveError:
            return  # the card, or the error on its way, says that this store fails


def _not_tried() -> tuple[Outcome, str]:
    return Outcome.UNKNOWN, "Not tried: nothing could be written."


def _conclude(rows: list[CardRow]) -> str:
    failed = [row.name for row in rows if row.name in NEEDED and row.outcome is not Outcome.PROVEN]
    if failed:
        return f"publishing here cannot work yet; look at: {', '.join(failed)}."
    outcomes = {row.name: row.outcome for row in rows}
    if outcomes["never overwrites"] is not Outcome.PROVEN:
        return "publishing works, but a race between two people for one version is not excluded."
    if outcomes["attests SHA-256"] is not Outcome.PROVEN:
        return "publishing is safe here; audits have to read what they verify."
    return "publishing is safe here; audits can be attested without reading."

"""Gives objects and folders of one place other names, as moves within it that never take the name of another."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from archive_tui.continuation import ItemMark, Journal, no_journal
from archive_tui.errors import ConfigurationError
from archive_tui.integrity.evidence import Evidence
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.names.display import escape_for_display
from archive_tui.names.object_keys import check_key
from archive_tui.objects.object_store import ObjectStore
from archive_tui.operations.copying.plan import plan_new_names
from archive_tui.operations.copying.receipt import FINDINGS_KEPT
from archive_tui.operations.deleting.plan import check_deletable, plan_delete
from archive_tui.operations.marked_places import refuse_in_marked_places
from archive_tui.operations.moving.moving import move_objects
from archive_tui.operations.moving.receipt import MoveReceipt
from archive_tui.operations.renaming.receipt import RenameReceipt
from archive_tui.operations.renaming.waves import Wave, arrange_in_waves, is_free_name
from archive_tui.progress import Report, StopSignal, check_stop, ignore, never

_STARTED = "rename"


def rename_objects(
    store: ObjectStore,
    renames: Sequence[tuple[str, str]],
    *,
    base: str = "",
    journal: Journal = no_journal,
    report: Report = ignore,
    stop: StopSignal = never,
    note_evidence: Callable[[Evidence], None] | None = None,
) -> RenameReceipt:
    """Renames what lies directly below `base` (empty, or ending in `/`): pairs of old and new names, both with a `/` at
    the end for a folder.

    Before anything is touched it is looked whether a new name is taken by what is not renamed itself, and whether
    anything is protected. A folder of this machine gets its new name in one step; in a store all objects below it are
    copied, proven, and deleted under their old names. Names can be exchanged with each other, by a third one that ends
    in ` (renaming …)` for a while. Nothing is ever replaced, whatever comes meanwhile. A run with the same `journal`
    goes on with what is left.

    Raises: ConfigurationError (rename-clash), InvalidName; StorageError (delete-protected); what moving raises;
    OperationStopped.
    """
    started = time.monotonic()
    state = _load(journal)
    if state is None:
        _check(store, renames, base, report, stop)
        state = _State(secrets.token_hex(4), 0, {})
        state.save(journal)
    tally = _Tally(store, base, len(renames), state.token)
    for number, wave in enumerate(arrange_in_waves(renames, state.token)):
        check_stop(stop)
        if number < state.done:
            left = state.left.get(number, [])
            tally.add_earlier({old: new for old, new in wave.items() if old not in left})
            wave = {old: wave[old] for old in left if old in wave}
        wave = tally.drop_blocked(wave)
        if wave:
            plan = plan_new_names(store, wave, base=base)
            own = _WaveJournal(journal, number)
            tally.add(wave, move_objects(
                plan, journal=own, report=report, stop=stop, note_evidence=note_evidence, may_merge=False
            ))  # fmt: skip
        state = state.after(number, tally.failed_in(wave))
        state.save(journal)
    return tally.make_receipt(time.monotonic() - started)


def list_names(store: ObjectStore, base: str = "", *, stop: StopSignal = never) -> list[str]:
    """Returns the names directly below `base`, sorted; those of folders end in `/`. Raises: what the store raises."""
    names = []
    for listed in store.list(base, recursive=False):
        check_stop(stop)
        names.append(listed.key[len(base) :])
    return sorted(names)


def _check(store: ObjectStore, renames: Sequence[tuple[str, str]], base: str, report: Report, stop: StopSignal) -> None:
    """Raises: InvalidName, ConfigurationError (rename-clash), StorageError (delete-protected)."""
    olds = [old for old, _ in renames]
    goes = {old.rstrip("/") for old in olds}
    wanted = {check_key(new.rstrip("/")) for _, new in renames}
    for listed in store.list(base, recursive=False):
        check_stop(stop)
        name = listed.key[len(base) :].rstrip("/")
        if name in wanted and name not in goes:
            raise ConfigurationError(
                f"Something of this name lies there already: {escape_for_display(listed.key)}",
                hint="Nothing was renamed. Choose another name.",
                code="rename-clash",
            )
    refuse_in_marked_places(store, base, olds, "renamed")
    check_deletable(plan_delete(store, olds, base=base, report=report, stop=stop), store, "renamed")


class _State(NamedTuple):
    """`done` steps have ended, each but for the old names that are `left` of it. On the disk before a step begins."""

    token: str
    done: int
    left: Mapping[int, Sequence[str]]

    def after(self, number: int, left: Sequence[str]) -> _State:
        others = {each: names for each, names in self.left.items() if each != number}
        return _State(self.token, max(self.done, number + 1), {**others, number: left} if left else others)

    def save(self, journal: Journal) -> None:
        left = {str(number): list(names) for number, names in self.left.items()}
        document = {"token": self.token, "done": self.done, "left": left}
        journal.save(_STARTED, json.dumps(document).encode(), durable=True)


def _load(journal: Journal) -> _State | None:
    """What an earlier run has written down; None: this is the first run."""
    saved = journal.load(_STARTED)
    try:
        document = json.loads(saved) if saved is not None else {}
        left = {int(number): [str(name) for name in names] for number, names in document["left"].items()}
        return _State(str(document["token"]), int(document["done"]), left)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


class _WaveJournal:
    """The journal of one step: what it saves is its own, so that the next one does not take itself for continued."""

    def __init__(self, journal: Journal, number: int) -> None:
        self._journal = journal
        self._begins = f"{_STARTED}-{number}-"

    @property
    def is_kept(self) -> bool:
        return self._journal.is_kept

    @property
    def has_earlier(self) -> bool:
        return self._journal.has_earlier

    def find(self, phase: str, items: Sequence[str]) -> Mapping[str, ItemMark]:
        return self._journal.find(phase, items)

    def record(self, phase: str, marks: Iterable[ItemMark]) -> None:
        self._journal.record(phase, marks)

    def load(self, name: str) -> bytes | None:
        return self._journal.load(self._begins + name)

    def save(self, name: str, content: bytes | None, *, durable: bool = False) -> None:
        self._journal.save(self._begins + name, content, durable=durable)


class _Tally:
    def __init__(self, store: ObjectStore, base: str, asked: int, token: str) -> None:
        self._place = f"{store.label} {base}".rstrip()
        self._asked = asked
        self._token = token
        self._renamed = self._objects = self._bytes = self._finding_count = 0
        self._findings: list[Finding] = []
        self._blocked: Wave = {}
        self._held: set[str] = set()  # names that are still taken, and those that are not given yet

    def add_earlier(self, wave: Wave) -> None:
        self._renamed += sum(not is_free_name(new, self._token) for new in wave.values())

    def drop_blocked(self, wave: Wave) -> Wave:
        """Leaves out what waits for a name that could not be given up: it would be mixed with what lies there."""
        blocked = {
            old: new for old, new in wave.items() if new.rstrip("/") in self._held or old.rstrip("/") in self._held
        }
        for old, new in blocked.items():
            self._hold(old, new)
            self._note(Finding(FindingKind.EXTRA, old, detail=f"{new} is not free yet, and so it kept its name"))
        self._blocked = blocked
        return {old: new for old, new in wave.items() if old not in blocked}

    def add(self, wave: Wave, moved: MoveReceipt) -> None:
        failed = {head + slash for head, slash, _ in (each.path.partition("/") for each in moved.findings)}
        if moved.finding_count > len(moved.findings):
            failed = set(wave)  # not all are named
        for old, new in wave.items():
            if old in failed:
                self._hold(old, new)
            else:
                self._renamed += not is_free_name(new, self._token)
        if not all(is_free_name(new, self._token) for new in wave.values()):
            self._objects += moved.moved
            self._bytes += moved.bytes
        self._finding_count += moved.finding_count
        self._findings += moved.findings[: FINDINGS_KEPT - len(self._findings)]

    def failed_in(self, wave: Wave) -> list[str]:
        """The old names of a step that are left of it."""
        return [*self._blocked, *(old for old in wave if old.rstrip("/") in self._held)]

    def _hold(self, old: str, new: str) -> None:
        self._held.add(old.rstrip("/"))
        if is_free_name(new, self._token):
            self._held.add(new.rstrip("/"))

    def _note(self, finding: Finding) -> None:
        self._finding_count += 1
        if len(self._findings) < FINDINGS_KEPT:
            self._findings.append(finding)

    def make_receipt(self, seconds: float) -> RenameReceipt:
        waiting = sorted(name for name in self._held if is_free_name(name, self._token))
        notes = tuple(f"It may lie under a name for a while: {name}. The same job goes on with it." for name in waiting)
        return RenameReceipt(
            self._place,
            self._renamed,
            self._asked,
            self._objects,
            self._bytes,
            tuple(self._findings),
            self._finding_count,
            notes,
            seconds,
        )

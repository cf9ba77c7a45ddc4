"""Copies one object: what lies there is compared by digest, and replaced only by the rule for it and as it was seen."""

from __future__ import annotations

import threading
import time

from archive_tui.conflicts import ConflictRule, Resolve
from archive_tui.continuation import ItemMark
from archive_tui.errors import ArchiveError, ObjectExists, ObjectNotFound
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.names.numbered_names import number_name
from archive_tui.names.object_keys import check_key
from archive_tui.objects.object_store import ObjectInfo
from archive_tui.operations.copying.conflicts import explain_keeping, make_conflict
from archive_tui.operations.copying.contents import KnownDigests, SourceContent, find_proven_digest
from archive_tui.operations.copying.continued_file import PartKeeper
from archive_tui.operations.copying.marks import ItemResult, inherit, make_stamp, read_stamp
from archive_tui.operations.copying.plan import CopyPlan
from archive_tui.operations.copying.putting import Putter
from archive_tui.operations.copying.receipt import CopyOutcome
from archive_tui.operations.hashing.paced_report import PacedReport
from archive_tui.operations.object_failures import ends_run, may_have_changed, skipping_reason, to_finding
from archive_tui.operations.selected_entries import NOTHING_THERE, SelectedEntry
from archive_tui.progress import StopSignal

MOST_NUMBERS = 1000
"""Names beside the first one that are tried."""

LOOKS = 3
"""How often an object is looked at again that changes while it is dealt with."""

_READ = "Read in full and hashed here; equal to the source."


class ObjectCopier:
    """Copies the objects of a plan one by one; its method is called from several threads.

    `may_exist` False: nothing lay below the target when the copy began, so that nothing is asked for before a put,
    which never replaces anything. `parts` remembers what has arrived of large ones in a person's folder.
    """

    def __init__(
        self,
        plan: CopyPlan,
        resolve: Resolve,
        paced: PacedReport,
        stop: StopSignal,
        *,
        may_exist: bool,
        parts: PartKeeper | None = None,
    ) -> None:
        self._plan = plan
        self._target = plan.target
        self._resolve = resolve
        self._asking = threading.Lock()
        self._stop = stop
        self._may_exist = may_exist
        self._digests = KnownDigests(plan.source)
        self._putter = Putter(plan.source, plan.target, paced, stop, parts)

    def copy(self, entry: SelectedEntry, mark: ItemMark | None) -> ItemResult:
        """Returns what became of the entry; `mark` is what an earlier run says of it.

        Raises: what ends the whole copy, OperationStopped.
        """
        item = self._plan.item(entry.key)
        if entry.is_empty_folder:
            return ItemResult(item, CopyOutcome.EMPTY_FOLDER)
        if entry.problem:
            return _skipped(item, entry.problem)
        source_errors: list[ArchiveError] = []
        try:
            check_key(self._plan.target_key(item))
            overlap = self._plan.find_overlap(item)
            if overlap:
                return _not_copied(item, CopyOutcome.FAILED, FindingKind.MISSING, overlap)
            return self._copy(item, entry, mark, source_errors)
        except ArchiveError as error:
            at_source = any(error is each for each in source_errors)
            if ends_run(error, None if at_source else self._target):
                raise
            return ItemResult(item, CopyOutcome.FAILED, finding=to_finding(item, error, at_source=at_source))

    def _copy(
        self, item: str, entry: SelectedEntry, mark: ItemMark | None, source_errors: list[ArchiveError]
    ) -> ItemResult:
        content = SourceContent(self._digests, entry.key, entry.info, self._stop, source_errors)
        inherited = self._inherit(content, mark)
        if inherited is not None:
            return inherited
        with self._putter.turn(content.size):
            content.ask_digest()
            for _ in range(LOOKS - 1):
                try:
                    return self._bring(item, content, mark)
                except ArchiveError as error:
                    if not may_have_changed(error):
                        raise
                    content.look_again()
            return self._bring(item, content, mark)

    def _inherit(self, content: SourceContent, mark: ItemMark | None) -> ItemResult | None:
        """What an earlier run has proven, if neither side has changed since."""
        stamp = read_stamp(mark)
        if mark is None or stamp is None or not mark.is_good or stamp.source_version != content.version:
            return None
        there = self._find(stamp.key)
        return inherit(mark, stamp.key) if there is not None and there.version == stamp.target_version else None

    def _bring(self, item: str, content: SourceContent, mark: ItemMark | None) -> ItemResult:
        key = self._plan.target_key(item)
        there = self._find(key) if self._may_exist or mark is not None else None
        for _ in range(LOOKS):
            if there is None:
                try:
                    return self._put(item, content, key, CopyOutcome.COPIED)
                except ObjectExists:
                    there = self._find(key)
            result = self._meet(item, content, key, there, mark)
            if result is not None:
                return result
            there = self._find(key)
        raise ObjectExists(
            f"It keeps changing in {self._target.label}: {key}", key=key, hint="Try again when nobody writes there."
        )

    def _meet(
        self, item: str, content: SourceContent, key: str, there: ObjectInfo | None, mark: ItemMark | None
    ) -> ItemResult | None:
        """Deals with what lies under the key, `there` None: no object, but nothing can be put there. Returns None when
        it was another one by then."""
        digests: tuple[str | None, str | None] = (None, None)
        if there is not None and not self._differs_as_before(content, there, mark):
            same, digests = self._compare(item, content, key, there)
            if same is not None:
                return same
        conflict = make_conflict(item, key, content.info, self._target, there)
        with self._asking:
            rule = self._resolve(conflict)
        if rule is ConflictRule.ASK:
            stamp = make_stamp(content.version, key, there.version if there is not None else None)
            detail = f"found {conflict.found}, wanted {conflict.wanted}"
            return ItemResult(item, CopyOutcome.UNDECIDED, key, stamp=stamp, detail=detail)
        if rule is ConflictRule.KEEP_BOTH and rule in conflict.choices:
            return self._put_beside(item, content, key)
        if rule is not ConflictRule.REPLACE or rule not in conflict.choices or there is None:
            return _kept(item, key, explain_keeping(self._target, key, rule, there), digests)
        asked = read_stamp(mark) if mark is not None and mark.outcome == CopyOutcome.UNDECIDED else None
        if asked is not None and asked.target_version != there.version:
            return _kept(item, key, "it has changed since it was decided to replace it, and was kept", digests)
        try:
            return self._put(item, content, key, CopyOutcome.REPLACED, if_match=there.version)
        except ObjectExists:
            return None

    def _differs_as_before(self, content: SourceContent, there: ObjectInfo, mark: ItemMark | None) -> bool:
        """True when an earlier run has found the two to differ, and both are what they were."""
        stamp = read_stamp(mark) if mark is not None and mark.outcome == CopyOutcome.UNDECIDED else None
        return stamp is not None and (stamp.source_version, stamp.target_version) == (content.version, there.version)

    def _put_beside(self, item: str, content: SourceContent, key: str) -> ItemResult:
        for number in range(2, MOST_NUMBERS):
            other = check_key(number_name(key, number))
            there = self._find(other)
            if there is not None:
                same, _ = self._compare(item, content, other, there)
                if same is not None:
                    return same
                continue
            try:
                return self._put(item, content, other, CopyOutcome.RENAMED)
            except ObjectExists:
                if self._find(other) is None:  # the name is free, and yet nothing can be put there: so will it be next
                    raise
        raise ObjectExists(f"No free name beside {key}", key=key, hint="Clear some of the numbered ones away.")

    def _compare(
        self, item: str, content: SourceContent, key: str, there: ObjectInfo
    ) -> tuple[ItemResult | None, tuple[str | None, str | None]]:
        """Returns the result if the object under `key` has the content; and both digests, ours first, if they were
        needed to know."""
        if content.size is not None and there.size >= 0 and content.size != there.size:
            return None, (None, None)
        watch = self._putter.watch(item)
        try:
            theirs, was_read = find_proven_digest(self._target, there, self._stop, lambda count: watch(count // 2))
            half = (there.size if was_read else 0) // 2
            ours = content.find_digest(lambda count: watch(half + count // 2))
        finally:
            self._putter.end_watch(item)
        if ours != theirs:
            return None, (ours, theirs)
        self._putter.count(item, there.size)
        level = EvidenceLevel.READ if was_read else EvidenceLevel.ATTESTED
        size = max(there.size, 0)
        evidence = None  # what was only asked for must not take the place of what was read last week
        if was_read:
            evidence = Evidence(self._target.identity, key, level, theirs, size, time.time(), _READ, there.version)
        stamp = make_stamp(content.version, key, there.version)
        return ItemResult(item, CopyOutcome.SAME, key, size, theirs, level, stamp, evidence=evidence), (ours, theirs)

    def _put(
        self, item: str, content: SourceContent, key: str, outcome: CopyOutcome, *, if_match: str | None = None
    ) -> ItemResult:
        put = self._putter.put(content, item, key, if_match=if_match)
        evidence = put.evidence
        stamp = make_stamp(content.version, key, put.info.version)
        detail = f"as {key.rpartition('/')[2]}" if outcome is CopyOutcome.RENAMED else ""
        return ItemResult(
            item, outcome, key, put.info.size, put.info.digest, evidence.level, stamp, detail, evidence=evidence
        )

    def _find(self, key: str) -> ObjectInfo | None:
        try:
            return self._target.info(key)
        except ObjectNotFound:
            return None


def _skipped(item: str, problem: str) -> ItemResult:
    kind = FindingKind.MISSING if problem == NOTHING_THERE else FindingKind.UNREADABLE
    outcome = CopyOutcome.FAILED if problem == NOTHING_THERE else CopyOutcome.SKIPPED
    return _not_copied(item, outcome, kind, skipping_reason(problem))


def _not_copied(item: str, outcome: CopyOutcome, kind: FindingKind, detail: str) -> ItemResult:
    return ItemResult(item, outcome, finding=Finding(kind, item, detail=detail))


def _kept(item: str, key: str, detail: str, digests: tuple[str | None, str | None]) -> ItemResult:
    finding = Finding(FindingKind.CHANGED, item, digests[0], digests[1], detail=detail)
    return ItemResult(item, CopyOutcome.KEPT, key, finding=finding)

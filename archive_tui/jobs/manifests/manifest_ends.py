"""How a job over a manifest or a vault ends: its counts, its findings, and the one sentence that may be said. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from archive_tui.archives.vault.outcomes import GOOD, LineResult, Outcome, Tally
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.report import Finding, FindingKind
from archive_tui.jobs.states import JobState
from archive_tui.manifests.checksum_lines.line import BadLine
from archive_tui.names.quantities import format_count, format_size
from archive_tui.operations.earlier_runs import EarlierRuns
from archive_tui.operations.line_checking import CheckedLine, LineState

MOST_FINDINGS = 100_000
"""Findings that a job keeps; the others are only counted."""

LEVEL_WORDS: Mapping[str, str] = {
    "restored": "read and verified",
    "read": "read and verified",
    "attested": "attested by the store",
    "sampled": "verified in samples",
    "recorded": "only recorded by who wrote them",
    "unchanged": "unchanged since they were read",
    "copied": "copied, not verified",
    "listed": "listed only",
    "damaged": "damaged",
    "none": "without evidence",
}
"""What may be said of contents of each level of evidence; none says more than the level does."""

_PROVEN_LEVELS = frozenset(level.name.lower() for level in EvidenceLevel if level >= EvidenceLevel.ATTESTED)

_KINDS: Mapping[Outcome, tuple[FindingKind, str]] = {
    Outcome.ABSENT: (FindingKind.MISSING, "not in the vault"),
    Outcome.CHANGED: (FindingKind.CHANGED, "no longer what its line says: not uploaded"),
    Outcome.MISSING: (FindingKind.MISSING, "no such file here"),
    Outcome.UNREADABLE: (FindingKind.UNREADABLE, "the file cannot be read"),
    Outcome.EXISTS: (FindingKind.CHANGED, "something else has this name: left as it is"),
    Outcome.UNDECIDED: (FindingKind.CHANGED, "something else has this name: somebody has to decide"),
    Outcome.DAMAGED: (FindingKind.CHANGED, "the object in the vault has other bytes"),
    Outcome.REFUSED: (FindingKind.UNREADABLE, "a name that cannot be written"),
    Outcome.FAILED: (FindingKind.UNREADABLE, "refused by the store or the disk"),
}


@dataclass(slots=True)
class FindingList:
    """Keeps the first MOST_FINDINGS and counts all."""

    kept: list[Finding] = field(default_factory=list)
    kinds: Counter[FindingKind] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        self.kinds[finding.kind] += 1
        if len(self.kept) < MOST_FINDINGS:
            self.kept.append(finding)

    def __len__(self) -> int:
        return self.kinds.total()

    @property
    def remark(self) -> str:
        """Says that not all findings are listed; empty when they are."""
        return f"The first {MOST_FINDINGS:,} of {len(self):,} findings are listed." if len(self) > MOST_FINDINGS else ""


@dataclass(frozen=True, slots=True)
class VaultReport:
    """What a run over the lines of a manifest has done with a vault, or found out about it. `complete` False: it was
    stopped or broke off, and nothing is claimed for the rest."""

    subject: str
    vault: str
    tally: Tally
    findings: tuple[Finding, ...]
    sentence: str
    complete: bool = True
    seconds: float = 0.0


def finding_of_bad_line(line: BadLine) -> Finding:
    return Finding(FindingKind.UNREADABLE, f"line {line.number}", detail=line.reason)


def finding_of_result(result: LineResult) -> Finding | None:
    """Returns what a person should see of a line; None for one that is good."""
    if result.outcome in GOOD:
        return None
    kind, detail = _KINDS[result.outcome]
    # A damaged object is told by both digests; of what failed, the error knows most.
    if result.error is not None and result.outcome in (Outcome.FAILED, Outcome.REFUSED, Outcome.UNREADABLE):
        detail = result.error.message
    return Finding(kind, result.line.name, result.line.digest, result.found, result.line.size, result.size, detail)


def finding_of_checked(checked: CheckedLine) -> Finding | None:
    """Returns what is wrong with a listed file; None when it is what its line says."""
    line = checked.line
    if checked.state is LineState.SAME:
        return None
    if checked.state is LineState.CHANGED:
        is_other_size = line.size is not None and checked.size is not None and line.size != checked.size
        detail = f"{checked.size:,} bytes instead of {line.size:,}" if is_other_size else "other content"
        return Finding(FindingKind.CHANGED, line.name, line.digest, checked.found, line.size, checked.size, detail)
    if checked.state is LineState.MISSING:
        return Finding(FindingKind.MISSING, line.name, line.digest, None, line.size, None, "not there")
    reason = (checked.error.strerror or str(checked.error)) if checked.error is not None else "cannot be read"
    return Finding(FindingKind.UNREADABLE, line.name, line.digest, None, line.size, None, reason)


def describe_levels(tally: Tally) -> str:
    """`600 attested by the store, 12 listed only`: the strongest evidence first."""
    parts = [f"{tally.evidence[level]:,} {word}" for level, word in LEVEL_WORDS.items() if tally.evidence[level]]
    return ", ".join(parts)


def is_proven(tally: Tally) -> bool:
    """True when there are good lines, and the store or a reading has proven the bytes of each of them: in this run, or
    in an earlier one of this job, and the object is the same version still."""
    good = sum(tally.outcomes[outcome] for outcome in GOOD)
    return good > 0 and sum(tally.evidence[level] for level in _PROVEN_LEVELS) + tally.earlier_proven == good


def judge_ask(tally: Tally, vault: str) -> tuple[JobState, str]:
    """What a vault does not hold is no fault of anybody: the job is `finished`, and lists it."""
    held, total = tally.outcomes[Outcome.HELD], tally.lines
    levels = f": {describe_levels(tally)}" if held else ""
    sentence = f"{held:,} of {format_count(total, 'line')} in {vault}{levels}"
    absent = tally.outcomes[Outcome.ABSENT]
    sentence += _say_read_earlier(tally) + _faults(tally, f"; {absent:,} not" if absent else "")
    if tally.failures > absent or tally.bad_lines:
        return JobState.FINDINGS, sentence
    return (JobState.VERIFIED if not absent and is_proven(tally) else JobState.FINISHED), sentence


def judge_archive(tally: Tally, vault: str) -> tuple[JobState, str]:
    """`verified` only where every content was attested by the store or read back."""
    uploaded, there, size = _count_moved(tally, Outcome.UPLOADED)
    sentence = f"Uploaded {format_count(uploaded, 'file')} ({format_size(size)}) to the vault of {vault}"
    if there == tally.lines > 0:
        sentence = f"Nothing was missing in the vault of {vault}"
    elif there:
        sentence += f", {there:,} {'was' if there == 1 else 'were'} there already"
    if uploaded + there:
        sentence += f": {describe_levels(tally)}"
    sentence += _after_semicolon(EarlierRuns(tally.earlier[Outcome.UPLOADED], tally.earlier_since).describe("uploaded"))
    return _judge_moved(tally, uploaded), sentence + _faults(tally, "")


def judge_fetch(tally: Tally, vault: str) -> tuple[JobState, str]:
    """A file takes its name only when it was verified: `verified` follows from the outcomes."""
    fetched, there, size = _count_moved(tally, Outcome.FETCHED)
    sentence = f"Fetched {format_count(fetched, 'file')} ({format_size(size)})"
    if there:
        sentence += f", {there:,} {'was' if there == 1 else 'were'} there already"
    if fetched + there:
        sentence += ", each hashed and right"
    earlier = EarlierRuns(tally.earlier.total(), tally.earlier_since)
    sentence += _after_semicolon(earlier.describe("hashed", "sizes, times and inodes"))
    if tally.renamed:
        sentence += f"; {tally.renamed:,} under another name, beside what was there"
    absent = tally.outcomes[Outcome.ABSENT]
    sentence += _faults(tally, f"; {absent:,} not in {vault}" if absent else "")
    if tally.outcomes[Outcome.UNDECIDED]:
        return JobState.UNDECIDED, sentence
    if tally.failures or tally.bad_lines:
        return JobState.FINDINGS, sentence
    return (JobState.VERIFIED if fetched + there else JobState.FINISHED), sentence


def _count_moved(tally: Tally, moved: Outcome) -> tuple[int, int, int]:
    """Returns what this job has moved in all its runs, what was there before it, and the bytes that were moved."""
    before = tally.earlier[moved]
    there = tally.outcomes[Outcome.ALREADY_THERE] - before
    return tally.outcomes[moved] + before, there, tally.bytes_moved + tally.earlier_bytes


def _say_read_earlier(tally: Tally) -> str:
    earlier = EarlierRuns(tally.earlier[Outcome.HELD], tally.earlier_since)
    return _after_semicolon(earlier.describe("read", "sizes and versions"))


def _after_semicolon(text: str) -> str:
    return f"; {text}" if text else ""


def judge_contents(tally: Tally, vault: str) -> tuple[JobState, str]:
    """The verification of contents of a vault, every byte read."""
    right, total = tally.evidence["read"] + tally.evidence["restored"], tally.lines
    if not tally.failures:
        state = JobState.VERIFIED if right == total and total else JobState.FINISHED
        sentence = f"Verified: {right:,} of {format_count(total, 'content')} of the vault of {vault}, all bytes"
        return state, sentence + _say_read_earlier(tally)
    gone = tally.outcomes[Outcome.ABSENT]
    return JobState.FINDINGS, (
        f"Findings in the vault of {vault}: {right:,} of {format_count(total, 'content')} right"
        + _say_read_earlier(tally)
        + _faults(tally, f"; {gone:,} no longer there" if gone else "")
    )


def hint_for(tally: Tally) -> str:
    """What to do about the findings of a run; empty when nothing general can be said."""
    hints = {
        Outcome.EXISTS: "To replace files that differ, fetch again with overwriting.",
        Outcome.CHANGED: "If a change was meant, list the files anew.",
        Outcome.DAMAGED: "Archive damaged contents again after you have removed the wrong objects.",
    }
    return " ".join(hint for outcome, hint in hints.items() if tally.outcomes[outcome])


def describe_stop(done: int, total: int | None) -> str:
    reached = f" at {done:,} of {format_count(total, 'line')}" if total is not None else ""
    return f"Stopped{reached}: nothing is claimed for the rest"


def describe_break(done: int, total: int | None) -> str:
    of_all = f" of {total:,}" if total is not None else ""
    return f"It broke off after {done:,}{of_all} lines; the next run goes on from there"


_FAULT_WORDS: Mapping[Outcome, str] = {
    Outcome.CHANGED: "changed since they were listed, not uploaded",
    Outcome.MISSING: "missing here",
    Outcome.UNREADABLE: "unreadable",
    Outcome.EXISTS: "kept, being different",
    Outcome.UNDECIDED: "waiting for a decision",
    Outcome.DAMAGED: "DAMAGED in the vault",
    Outcome.REFUSED: "with a name that cannot be written",
    Outcome.FAILED: "failed",
}


def _faults(tally: Tally, before: str) -> str:
    parts = [f"{tally.outcomes[outcome]:,} {word}" for outcome, word in _FAULT_WORDS.items() if tally.outcomes[outcome]]
    if tally.bad_lines:
        parts.append(f"{format_count(tally.bad_lines, 'line')} could not be understood")
    return before + "".join(f"; {part}" for part in parts)


def _judge_moved(tally: Tally, uploaded: int) -> JobState:
    if tally.failures or tally.bad_lines:
        return JobState.FINDINGS
    if not tally.lines:
        return JobState.FINISHED
    if is_proven(tally):
        return JobState.VERIFIED
    # Where nothing was sent, nothing was copied.
    return JobState.COPIED if uploaded else JobState.FINISHED

"""What became of one line of a manifest, in the words that every face uses."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from archive_tui.errors import ArchiveError
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.manifests.checksum_lines.line import BadLine, ManifestLine


class Outcome(StrEnum):
    """The comments say what has happened, and to which of the three: asking, archiving, fetching."""

    HELD = "in the vault"  # asking: an object lies under the digest; its evidence says how surely it has the bytes
    ABSENT = "not in the vault"  # asking, fetching
    UPLOADED = "uploaded"  # archiving
    FETCHED = "fetched"  # fetching: written, verified before it took its name
    ALREADY_THERE = "already there"  # archiving, fetching: nothing was written
    CHANGED = "changed"  # archiving: the file no longer matches its line; not uploaded
    MISSING = "missing"  # archiving: no such file
    UNREADABLE = "unreadable"  # archiving: the file cannot be read
    EXISTS = "exists"  # fetching: another file has the name; archiving below a path: another object has the key
    UNDECIDED = "needs a decision"  # fetching: another file has the name, and somebody was asked what to do
    DAMAGED = "damaged"  # all: the object under the digest has other bytes
    REFUSED = "refused"  # archiving below a path, fetching: the name is not one that can be written
    FAILED = "failed"  # all: the store or the disk refused; the error says why


class EarlierResult(NamedTuple):
    """What this job has done for a line before, at a time in seconds since the epoch; it still holds."""

    outcome: Outcome
    at: float


class LineResult(NamedTuple):
    """`key` in the store that was looked at or written to (empty: none was). `evidence` says what is known of that
    object now. `size` in bytes of the content, None: not known. `found` is the digest of other bytes where the outcome
    is CHANGED or DAMAGED. `error` is set for what is no success; its message is a sentence. `placed` is the name that a
    fetched file got because another one has its own. `earlier` is set when this run had nothing to do any more."""

    line: ManifestLine
    outcome: Outcome
    key: str = ""
    evidence: Evidence | None = None
    size: int | None = None
    found: str | None = None
    error: ArchiveError | None = None
    placed: str = ""
    earlier: EarlierResult | None = None


LineNews = LineResult | BadLine
"""What a run over a manifest yields, in the order of its lines."""

MOVED = frozenset({Outcome.UPLOADED, Outcome.FETCHED})
GOOD = frozenset({Outcome.HELD, Outcome.UPLOADED, Outcome.FETCHED, Outcome.ALREADY_THERE})


@dataclass(slots=True)
class Tally:
    """Counts the results of a run over a manifest. `bytes_moved` are those of contents uploaded or fetched; `evidence`
    counts the good lines by the name of their evidence level; lines without evidence count as `none`. `renamed`: lines
    whose file got another name. `earlier` counts lines that this job has done in earlier runs, by what became of them
    then, `earlier_bytes` what was moved for them, and `earlier_since` is when the first of them was done (0.0: none).
    `earlier_proven` are those of them whose object was proven by this job, and is the same version still."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    evidence: Counter[str] = field(default_factory=Counter)
    bad_lines: int = 0
    bytes_moved: int = 0
    renamed: int = 0
    earlier: Counter[Outcome] = field(default_factory=Counter)
    earlier_bytes: int = 0
    earlier_since: float = 0.0
    earlier_proven: int = 0

    def add(self, news: LineNews) -> None:
        if isinstance(news, BadLine):
            self.bad_lines += 1
            return
        self.outcomes[news.outcome] += 1
        if news.outcome in GOOD:
            self.evidence[news.evidence.level.name.lower() if news.evidence is not None else "none"] += 1
        if news.outcome in MOVED:
            self.bytes_moved += news.size or 0
        self.renamed += bool(news.placed)
        if news.earlier is not None:
            outcome, at = news.earlier
            self.earlier[outcome] += 1
            self.earlier_bytes += (news.size or 0) if outcome in MOVED else 0
            self.earlier_since = min(self.earlier_since, at) if self.earlier_since else at
            is_unchanged = news.evidence is not None and news.evidence.level is EvidenceLevel.UNCHANGED
            self.earlier_proven += is_unchanged and news.outcome in GOOD

    @property
    def lines(self) -> int:
        return self.outcomes.total()

    @property
    def failures(self) -> int:
        """Lines that are no success; content that is not in the vault counts."""
        return sum(count for outcome, count in self.outcomes.items() if outcome not in GOOD)

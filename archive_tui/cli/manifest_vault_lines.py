"""What `manifest --vault`, `--archive` and `--fetch` print: a line for each line and a sentence, or a document."""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from archive_tui.archives.vault.outcomes import GOOD, LineNews, LineResult, Outcome, Tally
from archive_tui.cli.diagnostics import ExitStatus, escape, report_error, report_message, write_diagnostic
from archive_tui.cli.output import ByteWriter, path_fields
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.jobs.manifests.manifest_ends import LEVEL_WORDS
from archive_tui.manifests.checksum_lines.line import BadLine
from archive_tui.names.quantities import format_count, format_size
from archive_tui.names.shell_quoting import quote_name

if TYPE_CHECKING:
    from archive_tui.errors import ArchiveError

MOST_BAD_LINES = 20
"""Bad lines that are named one by one."""

_WORDS = {
    EvidenceLevel.LISTED: "listed only, not verified",
    EvidenceLevel.COPIED: "copied, not verified",
    EvidenceLevel.UNCHANGED: "unchanged since it was verified",
    EvidenceLevel.RECORDED: "recorded, not verified",
    EvidenceLevel.SAMPLED: "verified in samples",
    EvidenceLevel.ATTESTED: "attested",
    EvidenceLevel.READ: "read and verified",
    EvidenceLevel.RESTORED: "read and verified",
}


class VaultResults(Protocol):
    """Takes the news of a run in the order of the lines, and writes them at once."""

    def add(self, news: LineNews) -> None: ...

    def finish(self, sentence: str, status: ExitStatus) -> None: ...

    def fail(self, error: ArchiveError, status: ExitStatus) -> bool:
        """Returns True when all that the caller has to say of the error has been written."""
        ...


class LineResults:
    """For people: `name: uploaded (attested)` on standard output, what is wrong on standard error."""

    def __init__(self, title: str, *, quiet: bool, warns_of_absent: bool) -> None:
        """`title` names the manifest. `warns_of_absent`: what is not in the vault is no error, and counted."""
        self._title = quote_name(title)
        self._quiet = quiet
        self._warns_of_absent = warns_of_absent
        self._writer = ByteWriter()
        self._hints: Counter[str] = Counter()
        self._bad = self._absent = 0

    def add(self, news: LineNews) -> None:
        """Raises: OutputClosed, OSError."""
        if isinstance(news, BadLine):
            self._bad += 1
            if self._bad <= MOST_BAD_LINES:
                report_message(f"WARNING: {self._title}: {news.number}: {escape(news.reason)}")
            return
        is_good = news.outcome in GOOD
        if not (is_good and self._quiet):
            self._writer.write(format_result(news))
        if news.outcome is Outcome.ABSENT and self._warns_of_absent:
            self._absent += 1
        elif news.error is not None:
            report_message(f"{self._title}: {news.line.number}: {escape(news.error.message)}")
            if news.error.hint:
                self._hints[news.error.hint] += 1

    def finish(self, sentence: str, status: ExitStatus) -> None:
        """Raises: OutputClosed, OSError."""
        self._write_counts()
        if not self._quiet:
            self._writer.write(os.fsencode(f"{sentence}\n"))

    def fail(self, error: ArchiveError, status: ExitStatus) -> bool:
        self._write_counts()
        return False

    def _write_counts(self) -> None:
        if self._bad > MOST_BAD_LINES:
            more = format_count(self._bad - MOST_BAD_LINES, "more line")
            report_message(f"WARNING: {self._title}: {more} improperly formatted")
        if self._absent:
            report_message(f"WARNING: {format_count(self._absent, 'listed file')} not in the vault")
        for hint, _ in self._hints.most_common(3):
            write_diagnostic(f"hint: {escape(hint)}")


class DocumentResults:
    """For programs: one JSON document, written piece by piece, so that memory does not grow with the manifest. With
    `quiet` it lists what is no success. Nothing is written before there is something to list or to say."""

    def __init__(self, head: dict[str, Any], tally: Tally, *, quiet: bool) -> None:
        self._head = head
        self._tally = tally
        self._quiet = quiet
        self._writer = ByteWriter()
        self._has_begun = False
        self._separator = "\n    "

    def add(self, news: LineNews) -> None:
        """Raises: OutputClosed, OSError."""
        if isinstance(news, LineResult) and news.outcome in GOOD and self._quiet:
            return
        self._begin()
        self._write(self._separator + json.dumps(_describe(news)))
        self._separator = ",\n    "

    def finish(self, sentence: str, status: ExitStatus) -> None:
        """Raises: OutputClosed, OSError."""
        self._end({"sentence": sentence, "status": int(status)})

    def fail(self, error: ArchiveError, status: ExitStatus) -> bool:
        """Ends a document that has begun, so that it stays one. Raises: OutputClosed, OSError."""
        if not self._has_begun:
            return False
        report_error(error.message, error.hint)
        self._end({"error": _describe_error(error), "status": int(status)})
        return True

    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            head = json.dumps(self._head, indent=2)
            self._write(f'{head[:-2]},\n  "lines": [')

    def _end(self, tail: dict[str, Any]) -> None:
        self._begin()
        counts = {outcome.value: count for outcome, count in self._tally.outcomes.items()}
        totals = {
            "counts": counts,
            "bad_lines": self._tally.bad_lines,
            "bytes_moved": self._tally.bytes_moved,
            "evidence": dict(self._tally.evidence),
            **tail,
        }
        self._write(f"\n  ],{json.dumps(totals, indent=2)[1:]}\n")

    def _write(self, text: str) -> None:
        self._writer.write(text.encode("ascii"))


def format_result(result: LineResult) -> bytes:
    r"""Returns `name: outcome (evidence)`; a name that holds `\`, LF or CR stands there with escapes, and a backslash
    at the beginning of the line, as sha256sum has it."""
    word = result.outcome.value
    if result.outcome in GOOD and result.outcome is not Outcome.FETCHED and result.evidence is not None:
        word = f"{word} ({_WORDS.get(result.evidence.level, 'not verified')})"
    text = os.fsencode(f"{result.line.name}: {word}")
    if b"\\" in text or b"\n" in text or b"\r" in text:
        text = b"\\" + text.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return text + b"\n"


def _describe(news: LineNews) -> dict[str, Any]:
    if isinstance(news, BadLine):
        return {"line": news.number, "outcome": "improperly formatted", "reason": news.reason}
    line, evidence = news.line, news.evidence
    found: dict[str, Any] = {
        "line": line.number,
        **path_fields(line.name),
        "sha256": line.digest,
        "outcome": news.outcome.value,
        "evidence": evidence.level.name.lower() if evidence is not None else None,
        "key": news.key or None,
        "size": news.size,
    }
    if news.found is not None:
        found["found"] = news.found
    if news.error is not None:
        found["error"] = _describe_error(news.error)
    return found


def _describe_error(error: ArchiveError) -> dict[str, str]:
    return {"code": error.code, "message": error.message, "hint": error.hint}


def say_asked(tally: Tally, vault: str) -> str:
    """Returns the sentence after asking: how many are there, and what that is worth."""
    held = tally.outcomes[Outcome.HELD]
    return f"{held:,} of {format_count(tally.lines, 'file')} in the vault {vault}{_worth(tally)}{_rest(tally)}."


def say_archived(tally: Tally, place: str) -> str:
    """Returns the sentence after archiving."""
    uploaded, there = tally.outcomes[Outcome.UPLOADED], tally.outcomes[Outcome.ALREADY_THERE]
    amount = f" ({format_size(tally.bytes_moved)})" if uploaded else ""
    done = f"{uploaded:,} uploaded{amount}, {there:,} already there"
    return (
        f"{uploaded + there:,} of {format_count(tally.lines, 'file')} in {place}: {done}{_worth(tally)}{_rest(tally)}."
    )


def say_fetched(tally: Tally, place: str) -> str:
    """Returns the sentence after fetching; what is there has been hashed, every byte."""
    fetched, there = tally.outcomes[Outcome.FETCHED], tally.outcomes[Outcome.ALREADY_THERE]
    amount = f" ({format_size(tally.bytes_moved)})" if fetched else ""
    done = f"{fetched:,} fetched and verified{amount}, {there:,} already there with the same content"
    return f"{fetched + there:,} of {format_count(tally.lines, 'file')} in {place}: {done}{_rest(tally)}."


def _worth(tally: Tally) -> str:
    parts = [f"{count:,} {LEVEL_WORDS[level]}" for level, count in tally.evidence.most_common()]
    return f"; {', '.join(parts)}" if parts else ""


def _rest(tally: Tally) -> str:
    bad = [(outcome, count) for outcome, count in tally.outcomes.items() if outcome not in GOOD]
    parts = [f"{count:,} {outcome.value}" for outcome, count in sorted(bad)]
    if tally.bad_lines:
        parts.append(f"{format_count(tally.bad_lines, 'line')} improperly formatted")
    return f". Not so: {', '.join(parts)}" if parts else ""

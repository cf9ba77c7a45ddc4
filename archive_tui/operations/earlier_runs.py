"""What is taken over from what the same job has done before: how much, since when, and the sentence that says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(slots=True)
class EarlierRuns:
    """`since`: seconds since the epoch of the oldest mark, 0.0 when there is none."""

    count: int = 0
    since: float = 0.0

    def add(self, at: float, count: int = 1) -> None:
        """Counts items that were done at that time, or later."""
        if count:
            self.count += count
            self.since = min(self.since, at) if self.since else at

    def describe(self, what: str, unchanged: str = "") -> str:
        """`4 of them were read earlier in this job, from 2026-11-22 20:15 UTC on; sizes and times are the same since`,
        with `what` (read) and `unchanged` (sizes and times, empty: the rest is not said); empty when nothing was taken
        over."""
        if not self.count:
            return ""
        verb = "was" if self.count == 1 else "were"
        tail = f"; {unchanged} are the same since" if unchanged else ""
        return f"{self.count:,} of them {verb} {what} earlier in this job, from {format_moment(self.since)} on{tail}"


def describe_continued(name: str, size: int, at: float) -> str:
    """The sentence for a large file of which so many bytes were read in an earlier run, until then."""
    return f"The first {size:,} bytes of {name} were read earlier in this job, until {format_moment(at)}"


def format_moment(at: float) -> str:
    """A time of a mark for people; a clock that was far off leaves the nearest that can be said."""
    return datetime.fromtimestamp(min(max(at, 0.0), 253402300799.0), UTC).strftime("%Y-%m-%d %H:%M UTC")

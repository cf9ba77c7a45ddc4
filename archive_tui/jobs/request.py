"""What was asked: fixed when the job is queued, and enough to do it in another process, on another day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archive_tui.conflicts import ConflictRule


@dataclass(frozen=True, slots=True)
class JobPolicy:
    """How it is done. `retries` of what a retry can cure (StorageUnavailable), each after a longer wait; `bandwidth` in
    bytes per second for this job, None: no limit but that of the settings; `deadline` in seconds of running, None:
    none."""

    conflicts: ConflictRule = ConflictRule.ASK
    retries: int = 5
    bandwidth: int | None = None
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class JobRequest:
    """`kind` is a registered word, `version` that of its parameters, which JSON can hold: no object, no secret.

    `title`, `source` and `destination` are for people; `command` is the command line that does the same (empty: there
    is none).
    """

    kind: str
    title: str
    source: str
    destination: str
    command: str
    parameters: Mapping[str, Any]
    version: int = 1
    policy: JobPolicy = field(default_factory=JobPolicy)

"""How a run resolves conflicts: by the rule of its policy, or by asking and leaving the item until it is decided."""

from __future__ import annotations

import sqlite3

from archive_tui.conflicts import Conflict, ConflictRule
from archive_tui.jobs.queue.decisions import ask, find_answer, read_rule_for_all
from archive_tui.jobs.queue.endings import is_owner
from archive_tui.jobs.running.running_job import RunningJob


class Tray:
    """Call it with a conflict; from any thread. A rule that is not possible for a conflict means: what lies there
    stays."""

    def __init__(self, running: RunningJob, worker_id: str) -> None:
        self._running = running
        self._worker = worker_id

    def __call__(self, conflict: Conflict) -> ConflictRule:
        rule = self._running.job.policy.conflicts
        if rule is not ConflictRule.ASK:
            return rule if rule in conflict.choices else ConflictRule.KEEP
        found = self._running.database.transact(lambda connection: self._find_or_ask(connection, conflict))
        if found is None or found.value is None:
            self._running.write_log(
                f"Nobody could be asked, the list of jobs is not written; what lies there stays: {conflict.item}"
            )
            return ConflictRule.KEEP
        if found.value is ConflictRule.ASK:
            self._running.asked.add(conflict.item)
        return found.value

    def _find_or_ask(self, connection: sqlite3.Connection, conflict: Conflict) -> ConflictRule | None:
        job = self._running.job
        if not is_owner(connection, job, self._worker):
            return None
        answer = find_answer(connection, job.id, conflict) or read_rule_for_all(connection, job.id)
        if answer is not None and answer in conflict.choices:
            return answer
        ask(connection, job.id, conflict)
        return ConflictRule.ASK

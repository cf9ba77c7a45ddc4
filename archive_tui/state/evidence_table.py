"""What was proven of each object, how and when: the newest finding at hand, the earlier ones as history."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.state.database import StateDatabase

HISTORY_LENGTH = 20
"""Findings kept per object, the newest one included."""

_COLUMNS = "object, level, digest, size, checked_at, method, version"

# A look that did not read everything cannot clear an object in which wrong bytes were found.
_KEEP = f"""INSERT INTO evidence ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (object) DO UPDATE SET level = excluded.level, digest = excluded.digest, size = excluded.size,
        checked_at = excluded.checked_at, method = excluded.method, version = excluded.version
    WHERE NOT (evidence.level = {EvidenceLevel.DAMAGED.value} AND excluded.level IN
        ({EvidenceLevel.LISTED.value}, {EvidenceLevel.UNCHANGED.value}, {EvidenceLevel.RECORDED.value},
         {EvidenceLevel.SAMPLED.value}))"""

_APPEND = f"INSERT INTO evidence_history ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"

_TRIM = """DELETE FROM evidence_history WHERE object = ?1 AND id <= (
    SELECT id FROM evidence_history WHERE object = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)"""

_LOOKUP = """SELECT evidence.object, level, digest, size, checked_at, method, version
    FROM json_each(?) AS wanted CROSS JOIN evidence ON evidence.object = wanted.value"""

Row = tuple[str, int, str | None, int, float, str, str | None]


class EvidenceTable:
    """Evidence by object. An object is a store's identity, `/`, and its key, however the two are divided.

    The newest finding counts, in the order of recording (a clock may be wrong), with one exception: after DAMAGED
    only a finding about the entire content (COPIED, ATTESTED, READ, RESTORED) takes its place.
    """

    def __init__(self, database: StateDatabase) -> None:
        self.database = database

    def record(self, evidence: Evidence) -> bool:
        """Returns True when the finding is kept; `database.remarks` says why not."""
        return self.record_many((evidence,))

    def record_many(self, findings: Iterable[Evidence]) -> bool:
        """Keeps all of them in one transaction, or none: the way for thousands. Returns True when they are kept."""
        rows = [_to_row(evidence) for evidence in findings]
        if not all(_is_storable(row) for row in rows):
            return False

        def insert(connection: sqlite3.Connection) -> None:
            connection.executemany(_KEEP, rows)
            connection.executemany(_APPEND, rows)
            connection.executemany(_TRIM, [(row[0], HISTORY_LENGTH) for row in rows])

        return self.database.write(insert)

    def lookup(self, store_identity: str, keys: Iterable[str]) -> dict[str, Evidence]:
        """Returns what is known of those keys, by key; a key of which nothing is known is absent."""
        start = store_identity + "/"
        wanted = json.dumps([start + key for key in keys])
        rows: list[Row] = self.database.read(
            lambda connection: connection.execute(_LOOKUP, (wanted,)).fetchall(), default=[]
        )
        return _by_key(store_identity, rows)

    def lookup_prefix(self, store_identity: str, prefix: str = "") -> dict[str, Evidence]:
        """Returns what is known of the keys that begin with `prefix`, a plain string, by key."""
        start = f"{store_identity}/{prefix}"
        if not _is_text(start):
            return {}
        question = f"SELECT {_COLUMNS} FROM evidence WHERE object >= ? AND object < ?"
        rows: list[Row] = self.database.read(
            lambda connection: connection.execute(question, (start, _text_after(start))).fetchall(), default=[]
        )
        return _by_key(store_identity, rows)

    def history(self, store_identity: str, key: str) -> list[Evidence]:
        """Returns the last findings about one object, at most HISTORY_LENGTH, the newest first."""
        record_key = f"{store_identity}/{key}"
        if not _is_text(record_key):
            return []
        question = f"SELECT {_COLUMNS} FROM evidence_history WHERE object = ? ORDER BY id DESC"
        rows: list[Row] = self.database.read(
            lambda connection: connection.execute(question, (record_key,)).fetchall(), default=[]
        )
        return [_to_evidence(store_identity, row) for row in rows]


def _to_row(evidence: Evidence) -> Row:
    record_key = f"{evidence.store}/{evidence.key}"
    level = EvidenceLevel(evidence.level).value
    return (
        record_key, level, evidence.digest, evidence.size, evidence.checked_at, evidence.method, evidence.version
    )  # fmt: skip


def _to_evidence(store_identity: str, row: Row) -> Evidence:
    record_key, level, digest, size, checked_at, method, version = row
    key = record_key[len(store_identity) + 1 :]
    return Evidence(store_identity, key, EvidenceLevel(level), digest, size, checked_at, method, version)


def _by_key(store_identity: str, rows: Iterable[Row]) -> dict[str, Evidence]:
    found = (_to_evidence(store_identity, row) for row in rows)
    return {evidence.key: evidence for evidence in found}


def _is_text(text: str) -> bool:
    """False for what SQLite cannot hold: names of files that are not valid Unicode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_storable(row: Row) -> bool:
    return all(_is_text(value) for value in row if isinstance(value, str))


def _text_after(prefix: str) -> str:
    """Returns the least text that is greater than every text with this prefix, in the order of code points."""
    last = ord(prefix[-1])
    following = 0xE000 if last == 0xD7FF else last + 1  # between them lie the surrogates, no characters
    return prefix[:-1] + chr(following) if following <= 0x10FFFF else _text_after(prefix[:-1])

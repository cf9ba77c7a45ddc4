"""The tables of the job database, as steps that are applied in order and never changed afterwards."""

from __future__ import annotations

from archive_tui.state.schema import Migrations
from archive_tui.state.wording import DatabaseWording

MIGRATIONS: Migrations = (
    (
        # `nonce` tells a job from another one that got its number in a file that was begun anew. `home` is the only
        # worker that may run it, `wish` the state that somebody wants a running one to end in, `work` a digest of kind
        # and parameters. `spent` are seconds of running since a person asked for it, `wait` seconds until a retry,
        # `dropped_marks` how many were too old to be kept.
        """CREATE TABLE job (
               id INTEGER PRIMARY KEY AUTOINCREMENT, nonce TEXT NOT NULL, kind TEXT NOT NULL, version INTEGER NOT NULL,
               title TEXT NOT NULL, source TEXT NOT NULL, destination TEXT NOT NULL, command TEXT NOT NULL,
               policy TEXT NOT NULL, work TEXT NOT NULL, outlives INTEGER NOT NULL, state TEXT NOT NULL,
               position REAL NOT NULL, owner TEXT, home TEXT, wish TEXT, message TEXT NOT NULL DEFAULT '',
               hint TEXT NOT NULL DEFAULT '', code TEXT NOT NULL DEFAULT '', queued_at REAL NOT NULL, started_at REAL,
               ended_at REAL, attempt INTEGER NOT NULL DEFAULT 0, retries INTEGER NOT NULL DEFAULT 0,
               ran_seconds REAL NOT NULL DEFAULT 0, spent REAL NOT NULL DEFAULT 0, wait REAL, retry_at REAL,
               rule_for_all TEXT, dropped_marks INTEGER NOT NULL DEFAULT 0
           )""",
        "CREATE INDEX job_by_state ON job (state, position)",
        "CREATE INDEX job_by_work ON job (work)",
        "CREATE INDEX job_by_end ON job (ended_at, id) WHERE ended_at IS NOT NULL",
        "CREATE TABLE parameters (job INTEGER PRIMARY KEY, content TEXT NOT NULL)",
        "CREATE TABLE progress (job INTEGER PRIMARY KEY, content TEXT NOT NULL)",
        """CREATE TABLE failed_item (
               id INTEGER PRIMARY KEY, job INTEGER NOT NULL, phase TEXT NOT NULL, item TEXT NOT NULL,
               reason TEXT NOT NULL, position INTEGER NOT NULL
           )""",
        "CREATE INDEX failed_item_by_job ON failed_item (job, id)",
        "CREATE TABLE outcome (job INTEGER PRIMARY KEY, findings TEXT NOT NULL, result TEXT)",
        """CREATE TABLE attempt (
               job INTEGER NOT NULL, number INTEGER NOT NULL, worker TEXT NOT NULL, started_at REAL NOT NULL,
               ended_at REAL, outcome TEXT NOT NULL DEFAULT '', PRIMARY KEY (job, number)
           ) WITHOUT ROWID""",
        "CREATE TABLE log (id INTEGER PRIMARY KEY, job INTEGER NOT NULL, at REAL NOT NULL, text TEXT NOT NULL)",
        "CREATE INDEX log_by_job ON log (job, id)",
        # An item is bytes where it is no valid Unicode.
        """CREATE TABLE mark (
               job INTEGER NOT NULL, phase TEXT NOT NULL, item NOT NULL, outcome TEXT NOT NULL,
               is_good INTEGER NOT NULL, stamp TEXT NOT NULL, digest TEXT, size INTEGER, evidence TEXT NOT NULL,
               detail TEXT NOT NULL,
               at REAL NOT NULL, PRIMARY KEY (job, phase, item)
           ) WITHOUT ROWID""",
        """CREATE TABLE saved (
               job INTEGER NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (job, name)
           ) WITHOUT ROWID""",
        """CREATE TABLE upload (
               store TEXT NOT NULL, object TEXT NOT NULL, job INTEGER NOT NULL, token TEXT NOT NULL,
               place TEXT NOT NULL, begun REAL NOT NULL, PRIMARY KEY (store, object, job)
           ) WITHOUT ROWID""",
        "CREATE INDEX upload_by_job ON upload (job)",
        """CREATE TABLE question (
               job INTEGER NOT NULL, item NOT NULL, place TEXT NOT NULL, found TEXT NOT NULL, wanted TEXT NOT NULL,
               choices TEXT NOT NULL, asked_at REAL NOT NULL, answer TEXT, PRIMARY KEY (job, item)
           ) WITHOUT ROWID""",
        """CREATE TABLE worker (
               id TEXT PRIMARY KEY, host TEXT NOT NULL, boot TEXT NOT NULL, is_locked INTEGER NOT NULL,
               description TEXT NOT NULL, beat INTEGER NOT NULL DEFAULT 0
           ) WITHOUT ROWID""",
    ),
)
"""Step n takes a database of version n - 1 to version n; version 0 is an empty file."""

WORDING = DatabaseWording(
    no_folder="Jobs are kept in memory and end with this program: this user has no folder for program state.",
    read_only="New jobs are kept in memory and end with this program, the earlier ones are only shown",
    set_aside="The list of jobs was damaged; a new one is begun, the old one is kept",
    replaced="The list of jobs was removed or replaced; what runs here goes on, what waited is gone",
    not_written="The list of jobs could not be written",
    not_read="The list of jobs could not be read",
    unusable="Jobs are kept in memory and end with this program, the list cannot be used",
)

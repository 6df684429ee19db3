"""The tables of the journal, and what becomes of one that an earlier flowc has left."""

from __future__ import annotations

import json

from flowc.submit.store.jobs import insert_jobs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sqlite3 import Connection

VERSION = 3

_FIRST = """
CREATE TABLE IF NOT EXISTS submissions (
    key TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    name TEXT NOT NULL,
    provider TEXT NOT NULL,
    nonce TEXT NOT NULL,
    created_at REAL NOT NULL,
    state TEXT NOT NULL,
    keep INTEGER NOT NULL,
    document TEXT NOT NULL,
    resolved TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_content ON submissions (content);
CREATE TABLE IF NOT EXISTS steps (
    key TEXT NOT NULL REFERENCES submissions (key),
    number INTEGER NOT NULL,
    identity TEXT NOT NULL,
    kind TEXT NOT NULL,
    action TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    after TEXT NOT NULL,
    unless TEXT,
    target TEXT,
    state TEXT NOT NULL,
    sent_at REAL,
    made TEXT,
    error TEXT,
    ended TEXT,
    exit_status INTEGER,
    released_at REAL,
    PRIMARY KEY (key, number)
);
CREATE INDEX IF NOT EXISTS by_made ON steps (made);
"""
# Who waits for whom, also across submissions; when jobs have started.
_SECOND = """
CREATE TABLE jobs (
    key TEXT NOT NULL REFERENCES submissions (key),
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    job_id INTEGER,
    bids TEXT NOT NULL,
    indices TEXT,
    after TEXT NOT NULL,
    kill INTEGER NOT NULL,
    max_concurrent INTEGER,
    PRIMARY KEY (key, number)
);
CREATE INDEX by_job_name ON jobs (name);
CREATE INDEX by_job_id ON jobs (job_id);
ALTER TABLE steps ADD COLUMN started_at REAL;
"""
# API keys that were made for machines, without the keys themselves.
_THIRD = """
CREATE TABLE keys (
    name TEXT PRIMARY KEY,
    key TEXT NOT NULL REFERENCES submissions (key),
    number INTEGER NOT NULL,
    made TEXT,
    expires_at REAL NOT NULL
);
CREATE INDEX by_bid ON keys (key, number);
"""


def prepare(base: Connection) -> int:
    """Make the tables, or what is missing of them. The version of the journal as it was found: above VERSION nothing
    is done. Raises sqlite3.Error."""
    (found,) = base.execute("PRAGMA user_version").fetchone()
    if found >= VERSION:
        return int(found)
    base.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been first.
        (version,) = base.execute("PRAGMA user_version").fetchone()
        for number, statements in ((1, _FIRST), (2, _SECOND), (3, _THIRD)):
            if version < number:
                for each in statements.split(";"):
                    base.execute(each)
        if version == 1:
            for key, document in base.execute("SELECT key, document FROM submissions").fetchall():
                insert_jobs(base, key, json.loads(document))
        if version < VERSION:
            base.execute(f"PRAGMA user_version={VERSION}")
        base.execute("COMMIT")
    except BaseException:
        base.execute("ROLLBACK")
        raise
    return int(found)

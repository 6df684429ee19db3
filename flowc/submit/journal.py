"""What was asked of a provider, on disk before it is asked: SQLite below the user's state directory.

Each change is durable when its method returns (`synchronous=FULL`), since the next thing that happens may be a bid, and
the one after it a power cut. Several processes may use it at once.
"""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, contextmanager

from flowc.record import Record
from flowc.submit.store.holds import held, make_folder, one_at_a_time
from flowc.submit.store.jobs import Job, insert_jobs, job_of
from flowc.submit.store.schema import VERSION, prepare
from flowc.submit.store.transaction import CHANGE, READ, Transaction, parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from sqlite3 import Connection
    from typing import Any

    from flowc.submit.plan import Step

# The states of a step. SENT: it may have acted, nobody knows. NEVER: what it waits for can never be, unless somebody
# gives that up. GIVEN_UP: it is not to be done any more.
WAITING, SENT, MADE, SKIPPED, FAILED, GIVEN_UP = "waiting", "sent", "made", "skipped", "failed", "given up"
NEVER = "never"
# The states of a submission.
OPEN, DONE, BROKEN = "open", "done", "broken"

# The columns of `Bid`, in its order.
_BID = (
    *("steps.key", "number", "identity", "steps.name", "provider", "keep", "steps.state", "made", "ended"),
    *("exit_status", "released_at", "started_at", "error", "submissions.state AS submission"),
)
# What bids are chosen by.
_BID_COLUMNS = {"key": "steps.key", "made": "made", "name": "steps.name", "provider": "provider"}


class JournalError(Exception):
    """The journal cannot be used: `help` says what to do."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class Submission(Record):
    """One submission. `key` is how people name it; `content` what it is about; `resolved` the references that were
    looked up, as they were before the first step; `keep`: its bids are not ended with their jobs."""

    key: str
    content: str
    name: str
    provider: str
    nonce: str
    created_at: float
    state: str
    keep: bool
    document: dict[str, Any]
    resolved: dict[str, str]


class Entry(Record):
    """A step of a submission, as far as it got. `made` is the provider's id of what was made; `ended` the state in
    which its job ended, with `exit_status`; `released_at` when its bid was ended by us, or given up."""

    key: str
    number: int
    identity: str
    kind: str
    action: str
    name: str
    body: dict[str, Any]
    after: tuple[str, ...]
    unless: str | None
    target: str | None
    state: str
    sent_at: float | None
    made: str | None
    error: str | None
    ended: str | None
    exit_status: int | None
    released_at: float | None
    started_at: float | None


class Bid(Record):
    """A bid that a submission makes, without what was sent: as `Entry`, with the submission's `provider` and `keep`.
    `started_at` is when somebody first saw its machines run; `submission` is the state of the whole."""

    key: str
    number: int
    identity: str
    name: str
    provider: str
    keep: bool
    state: str
    made: str | None
    ended: str | None
    exit_status: int | None
    released_at: float | None
    started_at: float | None = None
    error: str | None = None
    submission: str = OPEN

    @property
    def lives(self) -> bool:
        """Whether it is, or may be, paid for; one that is kept, whether its job runs."""
        return self.state in (SENT, MADE) and (self.ended is None or (not self.keep and self.released_at is None))


class Key(Record):
    """An API key for machines, without the key itself: `made` is the provider's id, None where it may not be there."""

    name: str
    made: str | None
    expires_at: float


def state_folder(environ: Mapping[str, str], home: str | None) -> str:
    """The user's state directory for flowc. Raises JournalError without a home."""
    base = environ.get("XDG_STATE_HOME")
    if base and os.path.isabs(base):
        return os.path.join(base, "flowc")
    if home is None:
        raise JournalError("there is no home directory to keep a journal in", "set XDG_STATE_HOME to a folder")
    return os.path.join(home, ".local", "state", "flowc")


class Journal:
    """Raises JournalError where the disk is full, the file is damaged or a newer flowc's, or the folder is not ours."""

    def __init__(self, folder: str) -> None:
        import sqlite3

        self.folder = folder
        self.path = os.path.join(folder, "journal.sqlite")
        try:
            make_folder(folder)
            # Startup scripts stand in it, and which jobs somebody has.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._base = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            self._base.row_factory = sqlite3.Row
            # Where several turn a new file into one with a WAL, SQLite has all but one fail at once.
            with one_at_a_time(folder):
                self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=FULL")
            self._base.execute("PRAGMA foreign_keys=ON")
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise self._trouble(error) from None

    def close(self) -> None:
        """Nothing is lost without it."""
        self._base.close()

    def begin(
        self, submission: Submission, steps: list[Step], *, again: bool = False, once: bool = False
    ) -> Submission | None:
        """Write down a new submission with its steps. Where another one of the same content lives and `again` is not
        set, nothing is written and that one comes back: of two processes one is first. `once`: also one that is
        over, of this content alone."""
        with self._change() as base:
            if not again:
                other = self._same(base, submission.content, once=once)
                if other is not None:
                    return other
            _insert(base, "submissions", [_columns(submission)])
            more = {"key": submission.key, "state": WAITING}
            _insert(base, "steps", [{**more, "number": number, **_columns(step)} for number, step in enumerate(steps)])
            insert_jobs(base, submission.key, submission.document)
        return None

    @contextmanager
    def held(self, key: str) -> Iterator[None]:
        """A lock on a submission, for as long as its steps are carried out: another process waits for its turn. It is
        free when its holder dies. Raises JournalError."""
        with ExitStack() as stack:
            try:
                stack.enter_context(held(os.path.join(self.folder, f"{key}.lock")))
            except OSError as error:
                raise self._trouble(error) from None
            yield

    def same(self, content: str, *, once: bool = False) -> Submission | None:
        """What `begin` would find."""
        with self._reading() as base:
            return self._same(base, content, once=once)

    def submission(self, key: str) -> Submission | None:
        """The submission of a key, or of the beginning of one that no other shares."""
        with self._reading() as base:
            rows = base.execute("SELECT * FROM submissions WHERE key = ?", (key,)).fetchall()
            if not rows:
                rows = base.execute("SELECT * FROM submissions WHERE substr(key, 1, ?) = ?", (len(key), key)).fetchall()
            return _submission(rows[0]) if len(rows) == 1 else None

    def submissions(self, *, state: str | None = None, limit: int = -1) -> list[Submission]:
        """The newest first; without a `limit` all: what was begun first has its turn first."""
        with self._reading() as base:
            rows = base.execute(
                "SELECT * FROM submissions WHERE ?1 IS NULL OR state = ?1"
                " ORDER BY created_at DESC, rowid DESC LIMIT ?2",
                (state, limit),
            ).fetchall()
            return [_submission(row) for row in rows]

    def entries(self, key: str) -> list[Entry]:
        """The steps of a submission, in order."""
        with self._reading() as base:
            rows = base.execute("SELECT * FROM steps WHERE key = ? ORDER BY number", (key,)).fetchall()
            return [_entry(row) for row in rows]

    def bids(
        self, *, key: str | None = None, made: str | None = None, name: str | None = None, provider: str | None = None
    ) -> list[Bid]:
        """The bids of a submission, or the one that the provider knows by an id, or those of a name, or of a provider;
        without any of these, all."""
        with self._reading() as base:
            return _bids(base, key=key, made=made, name=name, provider=provider)

    def jobs(self, *, key: str | None = None, name: str | None = None, job_id: int | None = None) -> list[Job]:
        """The jobs of a submission, of a name, or with a number of Slurm's; without any of these, all. The oldest
        first."""
        with self._reading() as base:
            rows = base.execute(
                "SELECT jobs.* FROM jobs JOIN submissions ON jobs.key = submissions.key"
                " WHERE (?1 IS NULL OR jobs.key = ?1) AND (?2 IS NULL OR jobs.name = ?2)"
                " AND (?3 IS NULL OR job_id = ?3) ORDER BY submissions.created_at, submissions.rowid, number",
                (key, name, job_id),
            ).fetchall()
            return [job_of(row) for row in rows]

    def sent(self, key: str, number: int, at: float) -> None:
        """From here on the step may have acted; `at` in seconds since the epoch."""
        self._set(key, number, state=SENT, sent_at=at, error=None)

    def made(self, key: str, number: int, identity: str) -> None:
        """The provider has it."""
        self._set(key, number, state=MADE, made=identity, error=None)

    def skipped(self, key: str, number: int, identity: str) -> None:
        """It was there already."""
        self._set(key, number, state=SKIPPED, made=identity, error=None)

    def failed(self, key: str, number: int, error: str) -> None:
        """The provider refused it: it has not acted."""
        self._set(key, number, state=FAILED, error=error)

    def waiting(self, key: str, number: int) -> None:
        """It has not acted after all."""
        self._set(key, number, state=WAITING, sent_at=None)

    def given_up(self, key: str, number: int, at: float, why: str | None = None) -> None:
        """It has not acted, and will not; `at` in seconds since the epoch."""
        self._set(key, number, state=GIVEN_UP, released_at=at, error=why)

    def never(self, key: str, number: int, why: str) -> None:
        """It has not acted, and cannot as things are."""
        self._set(key, number, state=NEVER, error=why)

    def look_again(self, key: str) -> None:
        """Things are otherwise: what could never be may be after all."""
        with self._change() as base:
            base.execute("UPDATE steps SET state = ?, error = NULL WHERE key = ? AND state = ?", (WAITING, key, NEVER))
            base.execute("UPDATE submissions SET state = ? WHERE key = ?", (OPEN, key))

    def started(self, key: str, number: int, at: float) -> None:
        """Its machines run; `at` in seconds since the epoch."""
        self._set(key, number, started_at=at)

    def ended(self, key: str, number: int, state: str, exit_status: int | None) -> tuple[str, int | None]:
        """Its job has ended. What is noted then: of several processes the first has seen it, since the others may have
        seen no more than that the bid was gone."""
        with self._change() as base:
            base.execute(
                "UPDATE steps SET ended = ?, exit_status = ? WHERE key = ? AND number = ? AND ended IS NULL",
                (state, exit_status, key, number),
            )
            row = base.execute("SELECT ended, exit_status FROM steps WHERE key = ? AND number = ?", (key, number))
            noted, status = row.fetchone()
        return noted, status

    def released(self, key: str, number: int, at: float) -> None:
        """Its bid was ended."""
        self._set(key, number, released_at=at)

    def keys(self, key: str, number: int) -> list[Key]:
        """The API keys that were made for the machines of a bid and are not known to be gone."""
        with self._reading() as base:
            rows = base.execute("SELECT name, made, expires_at FROM keys WHERE key = ? AND number = ?", (key, number))
            return [Key(name=name, made=made, expires_at=expires_at) for name, made, expires_at in rows]

    def key_wanted(self, key: str, number: int, name: str, expires_at: float) -> None:
        """From here on there may be one; `expires_at` in seconds since the epoch."""
        with self._change() as base:
            _insert(
                base, "keys", [{"name": name, "key": key, "number": number, "made": None, "expires_at": expires_at}]
            )

    def key_made(self, name: str, identity: str) -> None:
        """The provider has it."""
        with self._change() as base:
            base.execute("UPDATE keys SET made = ? WHERE name = ?", (identity, name))

    def key_gone(self, name: str) -> None:
        """It was revoked, or never made."""
        with self._change() as base:
            base.execute("DELETE FROM keys WHERE name = ?", (name,))

    def close_submission(self, key: str, state: str) -> None:
        """All steps are done (DONE), or one was refused (BROKEN)."""
        with self._change() as base:
            base.execute("UPDATE submissions SET state = ? WHERE key = ?", (state, key))

    def _set(self, key: str, number: int, **values: object) -> None:
        names = ", ".join(f"{name} = ?" for name in values)
        with self._change() as base:
            base.execute(f"UPDATE steps SET {names} WHERE key = ? AND number = ?", (*values.values(), key, number))

    def _same(self, base: Connection, content: str, *, once: bool) -> Submission | None:
        """A submission of that content that is not over: open, or with a bid that nobody has ended; with `once` each
        that was not refused. One that has a content of somebody's own choice shows by its key what it is about."""
        same = "content = ?1 OR (?2 AND substr(key, 1, 9) = substr(?1, 1, 8) || '-')"
        order = "ORDER BY created_at DESC"
        rows = base.execute(f"SELECT * FROM submissions WHERE {same} {order}", (content, not once)).fetchall()
        for row in rows:
            if row["state"] == OPEN or (once and row["state"] == DONE):
                return _submission(row)
            if any(bid.lives for bid in _bids(base, key=row["key"])):
                return _submission(row)
        return None

    def _prepare(self) -> None:
        if prepare(self._base) > VERSION:
            raise JournalError(
                f"{self.path} is of a newer flowc", "upgrade flowc: it would not understand its own bids"
            )

    def _change(self) -> Transaction:
        return Transaction(self._base, CHANGE, self._trouble)

    def _reading(self) -> Transaction:
        return Transaction(self._base, READ, self._trouble)

    def _trouble(self, error: Exception) -> JournalError:
        import sqlite3

        text = str(error)
        damage = ("not a database", "malformed", "no such table", "no such column")
        if isinstance(error, sqlite3.DatabaseError) and any(each in text for each in damage):
            help = "move it away, then `flowc list` shows what the provider has; `flowc cancel` takes the names of bids"
            return JournalError(f"{self.path} is damaged", help)
        why = (error.strerror or text).lower() if isinstance(error, OSError) else text
        help = "nothing is submitted without it: free space, or set XDG_STATE_HOME"
        return JournalError(f"{self.path} cannot be used: {why}", help)


def _columns(record: Record) -> dict[str, Any]:
    """What a record is in a table: what is no number or text is JSON."""
    values = record.__dict__
    return {name: json.dumps(each) if isinstance(each, dict | tuple) else each for name, each in values.items()}


def _insert(base: Connection, table: str, rows: list[dict[str, Any]]) -> None:
    """Rows with the same columns."""
    names = list(rows[0])
    places = ", ".join(f":{name}" for name in names)
    base.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})", rows)


def _bids(base: Connection, **wanted: str | None) -> list[Bid]:
    # Only what is asked for, so that an index answers.
    chosen = {name: value for name, value in wanted.items() if value is not None}
    rows = base.execute(
        f"SELECT {', '.join(_BID)} FROM steps JOIN submissions ON steps.key = submissions.key"
        f" WHERE kind = 'bid' AND action = 'create'{''.join(f' AND {_BID_COLUMNS[name]} = ?' for name in chosen)}"
        " ORDER BY submissions.created_at, steps.key, number",
        tuple(chosen.values()),
    ).fetchall()
    return [Bid(**{**dict(zip(Bid.FIELDS, row, strict=True)), "keep": bool(row["keep"])}) for row in rows]


def _submission(row: Any) -> Submission:
    values = dict(zip(row.keys(), row, strict=True))
    document, resolved = parsed(row["document"], dict), parsed(row["resolved"], dict)
    values.update(keep=bool(row["keep"]), document=document, resolved=resolved)
    return Submission(**values)


def _entry(row: Any) -> Entry:
    values = dict(zip(row.keys(), row, strict=True))
    values.update(body=parsed(row["body"], dict), after=tuple(parsed(row["after"], list)))
    return Entry(**values)

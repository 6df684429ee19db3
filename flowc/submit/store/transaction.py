"""One transaction of SQLite: all of it, durable, or nothing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from sqlite3 import Connection
    from typing import Any

READ, CHANGE = "BEGIN", "BEGIN IMMEDIATE"


def parsed(text: Any, kind: type) -> Any:
    """What a column of JSON says. Raises sqlite3.DatabaseError, as for any other damage, where it is no `kind`."""
    import json
    import sqlite3

    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        found = None
    if not isinstance(found, kind):
        raise sqlite3.DatabaseError("malformed")
    return found


class Transaction:
    """`begin` is READ or CHANGE. What SQLite says goes out as what `trouble` makes of it."""

    def __init__(self, base: Connection, begin: str, trouble: Callable[[Exception], Exception]) -> None:
        self._base = base
        self._begin = begin
        self._trouble = trouble

    def __enter__(self) -> Connection:
        import sqlite3

        try:
            if self._base.in_transaction:  # Ctrl-C came before the one before this was entered
                self._base.execute("ROLLBACK")
            self._base.execute(self._begin)
        except sqlite3.Error as error:
            raise self._trouble(error) from None
        return self._base

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        import sqlite3

        if error is None:
            try:
                self._base.execute("COMMIT")
                return
            except sqlite3.Error as failure:
                error = failure
        if self._base.in_transaction:
            self._base.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error):
            raise self._trouble(error) from None

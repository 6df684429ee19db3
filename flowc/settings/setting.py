"""One setting: its values, and where they come from; and what is said of one that cannot be used."""

from __future__ import annotations

from flowc.record import Record


class SettingsError(Exception):
    """A file or a value that cannot be used: the user's mistake, where it is not one of those below. `help` is one
    line."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class UnwritableSettingsError(SettingsError):
    """The file cannot be written."""


class NoKeyError(SettingsError):
    """There is none, so the provider would refuse."""


class Setting(Record):
    """`values` are empty where nobody says it; `origin` is for people, None where there are none; `note` says that an
    older name was taken, `instead` what it is called now. `repr` does not tell the values: one of them may be a key."""

    UNSHOWN = ("values",)

    name: str
    values: tuple[str, ...]
    origin: str | None
    note: str | None = None
    instead: str | None = None

    @property
    def shown(self) -> str:
        """The values for people; of a secret only that there is one."""
        from flowc._compiled.settings import SETTINGS

        if not self.values:
            return "not set"
        return "***" if SETTINGS[self.name]["secret"] else ", ".join(self.values)

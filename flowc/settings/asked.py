"""What a compilation asks of settings, whoever answers: `lookup.Settings` reads all places, `kept.Known` knows what a
project's file says. Imported for types alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from flowc.settings.setting import Setting


class Asked(Protocol):
    """Each raises SettingsError for a file or a value that cannot be read, KeyError for a name that is none."""

    def may_say(self, *beginnings: str) -> bool:
        """Whether a setting whose name begins so may be said: who asks knows more."""
        ...

    def get(self, name: str) -> Setting:
        """One setting with its origin."""
        ...

    def levels(self, name: str) -> list[Setting]:
        """What each level says of a setting of which the strictest holds."""
        ...

    def older(self) -> list[Setting]:
        """Those that hold by an older name."""
        ...

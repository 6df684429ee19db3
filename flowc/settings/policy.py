"""The policy that settings make together: of numbers the least that any level says, of names what every level allows.

A policy is no default that others may win over: the environment, the project's file and the user's file each hold.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flowc.settings.asked import Asked
    from flowc.settings.setting import Setting

NUMBERS = ("per_job", "per_hour", "per_month", "gpus")
NAMES = ("regions", "types")


def numbers(settings: Asked, parse: Callable[[str], int | None]) -> dict[str, tuple[int, str]]:
    """The strictest of each, with its origin; money as `parse` reads it. Raises SettingsError."""
    found: dict[str, tuple[int, str]] = {}
    for name in NUMBERS:
        levels = [(_number(name, each, parse), each.origin or "") for each in settings.levels(f"policy_{name}")]
        if levels:
            found[name] = min(levels, key=lambda level: level[0])
    return found


def names(settings: Asked) -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """What each level allows, with its origin. Raises SettingsError."""
    return {
        name: [(each.values, each.origin or "") for each in settings.levels(f"policy_{name}") if each.values]
        for name in NAMES
    }


def _number(name: str, setting: Setting, parse: Callable[[str], int | None]) -> int:
    from flowc.settings.setting import SettingsError

    text = setting.values[0] if setting.values else ""
    if name == "gpus":
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
        wanted = "a whole number"
    else:
        number, wanted = parse(text), "USD as a decimal number"
    if number is None:
        raise SettingsError(f"{setting.origin}: a policy needs {wanted}, found `{text}`", "such as 500")
    return number

"""How a setting is read from words and from files."""

from __future__ import annotations

from flowc._compiled.settings import SETTINGS
from flowc.settings.setting import Setting, SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any


def in_words(name: str, texts: Iterable[str], origin: str, note: str | None = None) -> Setting:
    """A setting from texts; where it is a list, one text may name several, parted by commas."""
    if SETTINGS[name]["kind"] == "list":
        texts = (part for text in texts for part in text.split(","))
    values = tuple(text.strip() for text in texts if text.strip())
    return Setting(name=name, values=values, origin=origin, note=note)


def in_file(name: str, file: tuple[str, dict[str, object]], place: str) -> Setting | None:
    """A setting from its place (keys with dots between) in what a file holds, None where nothing stands there. Raises
    SettingsError for what is no text, number or, for a list, list of these."""
    path, content = file
    value: object = content
    for key in place.split("."):
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    if value is None:
        return None
    several = value if isinstance(value, list) and SETTINGS[name]["kind"] == "list" else [value]
    if any(not isinstance(each, str | int | float) or isinstance(each, bool) for each in several):
        found = ", not a section" if isinstance(value, dict) else ""
        raise SettingsError(f"{path}: `{place}` is to be {wanted(name)}{found}", f"it is {SETTINGS[name]['about']}")
    return in_words(name, map(str, several), f"{path}, {place}")


def project_place(row: Mapping[str, Any]) -> str:
    """Where a setting stands in a project's file: the last part of its place in the user's, but for a policy."""
    place: str = row["file"]
    return place if row["strictest"] else place.rpartition(".")[2]


def wanted(name: str) -> str:
    """What a file is to have for a setting."""
    return {"list": "a list of texts", "seconds": "a number of seconds"}.get(SETTINGS[name]["kind"], "a text")


def as_seconds(name: str, setting: Setting) -> float:
    """Raises SettingsError for what is no number above 0."""
    text = setting.values[0] if setting.values else ""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 86400:
        raise SettingsError(f"{setting.origin}: `{name}` needs a number of seconds, found `{text}`", "such as 30")
    return value

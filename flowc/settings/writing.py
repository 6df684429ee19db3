"""Writes the user's file: settings that somebody was asked for."""

from __future__ import annotations

import os

from flowc._compiled.settings import SETTINGS
from flowc.settings.files import user_file
from flowc.settings.setting import SettingsError, UnwritableSettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def write_user_file(home: str | None, environ: Mapping[str, str], values: Mapping[str, str | list[str] | None]) -> str:
    """Put settings, by their names (None: take it out, of older places too), into `~/.flow/config.yaml` (or the file
    that FLOW_CONFIG_PATH names), which only the user may read then; what else stands in it stays, without its comments.
    The file's path. Raises SettingsError for a file that cannot be read, UnwritableSettingsError for one that cannot be
    written."""
    import yaml

    path = environ.get("FLOW_CONFIG_PATH") or (None if home is None else os.path.join(home, ".flow", "config.yaml"))
    if path is None:
        raise SettingsError("there is no home directory to write settings to", "set FLOW_CONFIG_PATH to a file")
    found = user_file(home, environ) if os.path.exists(path) else None
    content: dict[str, Any] = found[1] if found is not None else {}
    for name, value in values.items():
        if value is None:
            for each in (SETTINGS[name]["file"], *SETTINGS[name]["old_file"]):
                _take_out(content, each)
            continue
        *sections, last = SETTINGS[name]["file"].split(".")
        place = content
        for section in sections:
            if not isinstance(place.get(section), dict):
                place[section] = {}
            place = place[section]
        place[last] = value
    new = f"{path}.new"
    try:
        os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
        with open(new, "w", encoding="utf-8", opener=_private) as file:
            yaml.safe_dump(content, file, sort_keys=False, allow_unicode=True)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, os.path.realpath(path))
    except OSError as error:
        raise UnwritableSettingsError(f"{path} cannot be written: {error.strerror}", _mend(path)) from None
    return path


def _mend(path: str) -> str:
    """What to do about a path that cannot be written."""
    folder = os.path.dirname(path)
    if folder and os.path.exists(folder) and not os.path.isdir(folder):
        return f"{folder} is a file, and settings need a folder there: move it away, or set FLOW_CONFIG_PATH to a file"
    return "give yourself the right to"


def _take_out(content: dict[str, Any], path: str) -> None:
    *sections, last = path.split(".")
    place: Any = content
    for section in sections:
        place = place.get(section) if isinstance(place, dict) else None
    if isinstance(place, dict):
        place.pop(last, None)


def _private(path: str, flags: int) -> int:
    if os.path.lexists(path):
        os.unlink(path)
    return os.open(path, flags | os.O_EXCL | os.O_CLOEXEC, 0o600)

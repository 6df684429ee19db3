"""What a project's file of settings says, kept in the cache folder by its content: the parser of TOML costs more than a
check does, and where no other place says anything, the table of all settings is not needed either. A file that may hold
secrets is not kept."""

from __future__ import annotations

import _imp
import os

from flowc import cache
from flowc.settings import MOST_BYTES, SHARED_FILE, SHARED_SIGN, others_may_say, project_paths
from flowc.settings.setting import Setting
from flowc.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from flowc.settings.lookup import Settings

    # Of each setting that the file says, its values, and the place where it stands.
    Said = dict[str, tuple[tuple[str, ...], str]]

# So many are kept, of files of so many bytes.
MOST_FILES = 16
MOST_KEPT = 1 << 17
# The code that says what a file means.
_CODE = ("_compiled/settings.py", "settings/kept.py", "settings/values.py")


class Known:
    """Settings of which a project's file alone says any: an `Asked`. `everything` gives all of them, for one of which
    the file says nothing."""

    def __init__(self, path: str, said: Said, everything: Callable[[], Settings]) -> None:
        self._path = path
        self._said = said
        self._everything = everything

    def may_say(self, *beginnings: str) -> bool:
        """Whether a setting whose name begins so may be said."""
        return any(name.startswith(beginnings) for name in self._said)

    def get(self, name: str) -> Setting:
        """As `Settings.get`."""
        if name not in self._said:
            return self._everything().get(name)
        values, place = self._said[name]
        return Setting(name=name, values=values, origin=f"{self._path}, {place}")

    def levels(self, name: str) -> list[Setting]:
        """As `Settings.levels`."""
        return [self.get(name)] if name in self._said else []

    def older(self) -> list[Setting]:
        """As `Settings.older`; a project's file knows none."""
        return []


def known(
    environ: Mapping[str, str], folder: str, home: str | None, kept_in: str, everything: Callable[[], Settings]
) -> Known | None:
    """None where another place may say something, or nothing is kept of what the file says."""
    if others_may_say(environ, home):
        return None
    for path in project_paths(folder, home):
        if not os.path.lexists(path):
            continue
        data, name = _content(path), os.path.basename(path)
        if data is None:
            return None
        if name == SHARED_FILE and SHARED_SIGN not in data:
            continue
        found = get(kept_in, name, data)
        return None if found is None or found[1] is None else Known(path, found[1], everything)
    return None


def _content(path: str) -> bytes | None:
    """None for what `files.py` has something to say about."""
    if not os.path.isfile(path):
        return None
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.read(MOST_BYTES + 1)
    except OSError:
        return None
    return data if len(data) <= MOST_BYTES else None


def get(folder: str, name: str, data: bytes) -> tuple[dict[str, Any], Said | None] | None:
    """What was read of a file of this name and content, and what it says; None where nothing is kept."""
    place = _place(folder, name, data)
    kept: Any = cache.value(place, 2 * MOST_KEPT)
    if not isinstance(kept, tuple) or len(kept) != 3 or kept[0] != _key(name, data):
        return None
    _, content, said = kept
    cache.touch(place)
    return content, said


def put(folder: str, name: str, data: bytes, content: dict[str, Any], section: object) -> None:
    """Keeps what was read of a file, in which flowc has this section."""
    from flowc.secret import places

    if len(data) > MOST_KEPT or b"key" in data.lower() or places(data.decode("utf-8-sig")):
        return
    kept = _key(name, data), content, _said(section)
    try:
        cache.keep_value(_place(folder, name, data), kept, 2 * MOST_KEPT, most=MOST_FILES)
    except ValueError:  # TOML has dates too
        return


def _said(section: object) -> Said | None:
    """None where something is wrong with it, which is told when it is asked for."""
    from flowc._compiled.settings import SETTINGS
    from flowc.settings.setting import SettingsError
    from flowc.settings.values import in_file, project_place

    if not isinstance(section, dict):
        return None
    found = {}
    for name, row in SETTINGS.items():
        place = project_place(row)
        try:
            setting = in_file(name, ("", section), place)
        except SettingsError:
            return None
        if setting is not None and row["personal"]:
            return None
        if setting is not None:
            found[name] = setting.values, place
    return found


def _key(name: str, data: bytes) -> tuple[object, ...]:
    return VERSION, cache.stamps(_CODE), name, data


def _place(folder: str, name: str, data: bytes) -> str:
    # Not for safety: what is found there holds both.
    return f"{folder}/settings-{_imp.source_hash(0, name.encode() + data).hex()}"

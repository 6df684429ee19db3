"""The files that hold settings: found, read with a bound, and told of in words that a person knows them by."""

from __future__ import annotations

import os
import stat

from flowc.settings import MOST_BYTES, SHARED_FILE, SHARED_SIGN, profile_path, project_paths, user_path
from flowc.settings.setting import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def project_file(folder: str, home: str | None, cache: str | None = None) -> tuple[str, dict[str, Any]] | None:
    """The nearest file of a project: `.flowc.toml`, or a `pyproject.toml` with `[tool.flowc]`, so written: most are not
    worth a TOML parser. `cache`: the folder in which what was read is kept."""
    for path in project_paths(folder, home):
        data, shared = _bytes(path), os.path.basename(path) == SHARED_FILE
        if data is None or (shared and SHARED_SIGN not in data):
            continue
        section = _section(_kept(path, data, cache), shared=shared)
        if isinstance(section, dict):
            return path, section
    return None


def _section(content: dict[str, Any], *, shared: bool) -> object:
    """What is flowc's of a file, None where nothing is."""
    if not shared:
        return content
    tool = content.get("tool")
    return tool.get("flowc") if isinstance(tool, dict) else None


def user_file(home: str | None, environ: Mapping[str, str]) -> tuple[str, dict[str, Any]] | None:
    """`~/.flow/config.yaml`, or the file that FLOW_CONFIG_PATH names, which must be there."""
    named = environ.get("FLOW_CONFIG_PATH")
    if named:
        data = _bytes(named, named=True)
        if data is None:
            what = "which is a folder" if os.path.isdir(named) else "which is not there"
            raise SettingsError(f"FLOW_CONFIG_PATH names {named}, {what}", "unset it, or name a file")
        return named, _yaml(named, data)
    if home is None:
        return None
    data = _bytes(user_path(home))
    return None if data is None else ("~/.flow/config.yaml", _yaml("~/.flow/config.yaml", data))


def provider_profile(
    home: str | None, environ: Mapping[str, str], chosen: str | None
) -> tuple[str, dict[str, Any]] | None:
    """One profile of the provider's own file, `chosen` or the current one."""
    path = profile_path(home, environ)
    data = _bytes(path) if path is not None else None
    if path is None or data is None:
        return None
    shown = path if home is None or not path.startswith(home + os.sep) else "~" + path[len(home) :]
    content = _yaml(shown, data)
    name = chosen or content.get("current_profile")
    profiles = content.get("profiles")
    if not isinstance(name, str) or not isinstance(profiles, dict):
        return None
    profile = profiles.get(name)
    if isinstance(profile, dict):
        return f"{shown}, profile {name}", profile
    if chosen is not None:
        known = ", ".join(str(each) for each in profiles) or "none"
        raise SettingsError(f"{shown} has no profile `{name}`", f"there are: {known}")
    return None


def readable_by_others(path: str, home: str | None) -> bool:
    """Whether others on this machine may read a file; not where files have no such rights."""
    path = home + path[1:] if home is not None and path.startswith("~") else path
    try:
        return os.name == "posix" and bool(os.stat(path).st_mode & 0o077)
    except OSError:
        return False


def contents(path: str) -> bytes:
    """What stands in a file that was found before; nothing for one that can be read once only."""
    return (_bytes(path) or b"") if os.path.isfile(path) else b""


def _bytes(path: str, *, named: bool = False) -> bytes | None:
    """What stands in a file, None where there is none. Of what the user `named`, a pipe is read too."""
    try:
        # Of what is only found, nothing may keep us waiting.
        flags = os.O_RDONLY | (0 if named else getattr(os, "O_NONBLOCK", 0)) | getattr(os, "O_CLOEXEC", 0)
        with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as file:
            kept = stat.S_ISREG(os.fstat(file.fileno()).st_mode) or os.path.realpath(path) == os.devnull
            if not named and not kept:
                raise SettingsError(f"{path} is a pipe or a device, no file", "settings are read from a file")
            data = file.read(MOST_BYTES + 1)
    except IsADirectoryError:
        if named or os.path.basename(path) == SHARED_FILE:
            return None
        raise SettingsError(f"{path} is a folder, no file", "settings are read from a file") from None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}", "give yourself the right to read it") from None
    if len(data) > MOST_BYTES:
        raise SettingsError(f"{path} has more than {MOST_BYTES:,} bytes", "settings are a few lines")
    return data


def _kept(path: str, data: bytes, cache: str | None) -> dict[str, Any]:
    if cache is None:
        return _toml(path, data)
    from flowc.settings import kept

    name = os.path.basename(path)
    found = kept.get(cache, name, data)
    if found is not None:
        return found[0]
    content = _toml(path, data)
    kept.put(cache, name, data, content, _section(content, shared=name == SHARED_FILE))
    return content


def _toml(path: str, data: bytes) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not text in UTF-8", "save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is no TOML: {error}", "see toml.io") from None
    except RecursionError:
        raise SettingsError(f"{path} is nested too deeply", "settings are a few lines") from None


def _yaml(path: str, data: bytes) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise SettingsError(f"{path} is no YAML{where}", "a value with `: ` or `#` needs quotes") from None
    except RecursionError:
        raise SettingsError(f"{path} is nested too deeply", "settings are a few lines") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingsError(f"{path} is no mapping", "write lines `key: value`")
    return content

"""Looks settings up, in the order of precedence of this package. Nothing is read before somebody asks."""

from __future__ import annotations

from flowc import cache
from flowc._compiled.settings import GONE, SETTINGS
from flowc.settings import user_path
from flowc.settings.files import project_file, provider_profile, readable_by_others, user_file
from flowc.settings.setting import Setting, SettingsError
from flowc.settings.values import as_seconds, in_file, in_words, project_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowc.settings.unknown import Unknown

__all__ = ["Setting", "Settings", "SettingsError"]


class Settings:
    """The settings of one run. `environ` and `flags` are what the command was given (a flag's value by the setting's
    name), `folder` is where the search for the project's file begins, `home` the user's folder (None: there is
    none). `keeps`: what the project's file says may be kept in the cache folder."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        folder: str,
        home: str | None,
        flags: Mapping[str, str | tuple[str, ...]] | None = None,
        keeps: bool = True,
    ) -> None:
        self._environ = environ
        self._keeps = keeps
        self._folder = folder
        self._home = home
        self._flags = dict(flags or {})
        self._found: dict[str, Setting] = {}
        self._files: dict[str, tuple[str, dict[str, object]] | None] = {}

    def get(self, name: str) -> Setting:
        """One setting with its origin. Raises SettingsError for a file or a value that cannot be read, KeyError for a
        name that is none."""
        if name not in self._found:
            self._found[name] = self._look(name)
        return self._found[name]

    def may_say(self, *beginnings: str) -> bool:
        """Whether a setting whose name begins so may be said: who asks knows more."""
        return True

    def levels(self, name: str) -> list[Setting]:
        """What each level says of a setting of which the strictest holds. Raises as `get`."""
        row = SETTINGS[name]
        project, user = self._file("project"), self._file("user")
        found = [
            self._in_environment(name),
            in_file(name, project, project_place(row)) if project is not None else None,
            in_file(name, user, row["file"]) if user is not None else None,
        ]
        return [each for each in found if each is not None]

    def text(self, name: str) -> str | None:
        """The value of a setting of one text, None where nobody says it. Raises as `get`."""
        values = self.get(name).values
        return values[0] if values else None

    def seconds(self, name: str) -> float:
        """The value in seconds. Raises as `get`, and for one that is no number above 0."""
        setting = self.get(name)
        return as_seconds(name, setting)

    def all(self) -> list[Setting]:
        """Every setting, in the order of the table. Raises as `get`."""
        return [self.get(name) for name in SETTINGS]

    def names(self) -> list[tuple[str, str]]:
        """What can be set, and what each is, in the order of the table."""
        return [(name, str(row["about"])) for name, row in SETTINGS.items()]

    def gone(self) -> list[tuple[str, str]]:
        """Variables of ways that are gone which the environment has, with what to do instead."""
        return [(name, instead) for name, instead in GONE.items() if self._environ.get(name)]

    def older(self) -> list[Setting]:
        """Those that hold by an older name. The key is looked for in the environment alone. Raises as `get`."""
        found = [self.get(name) for name in SETTINGS if name != "api_key"]
        key = self._in_environment("api_key")
        return [each for each in (key, *found) if each is not None and each.instead is not None]

    def unknown(self) -> list[Unknown]:
        """Keys that nobody reads in the project's and the user's file. Raises as `get`."""
        from flowc.settings.files import contents
        from flowc.settings.unknown import in_project_file, in_user_file

        found = []
        project, user = self._file("project"), self._file("user")
        if project is not None:
            found += in_project_file(project[0], contents(project[0]), project[1])
        if user is not None:
            path = self._environ.get("FLOW_CONFIG_PATH") or user_path(self._home or "")
            found += in_user_file(path, contents(path), user[1])
        return found

    def _look(self, name: str) -> Setting:
        row = SETTINGS[name]
        if row["strictest"] and (levels := self.levels(name)):
            values = tuple(value for each in levels for value in each.values)
            return Setting(name=name, values=values, origin="; ".join(each.origin or "" for each in levels))
        if self._flags.get(name):
            flag = self._flags[name]
            return in_words(name, (flag,) if isinstance(flag, str) else flag, f"flag {row['flag']}")
        return (
            self._in_environment(name)
            or self._in_files(name)
            or Setting(
                name=name,
                values=(row["default"],) if row["default"] else (),
                origin="default" if row["default"] else None,
            )
        )

    def _in_environment(self, name: str) -> Setting | None:
        row = SETTINGS[name]
        for old, variables in ((False, row["env"]), (True, row["old_env"])):
            for variable in variables:
                if self._environ.get(variable):
                    note = f"`{variable}` is an older name of `{row['env'][0]}`" if old else None
                    found = in_words(name, (self._environ[variable],), f"environment variable {variable}", note)
                    return found.replace(instead=row["env"][0] if old else None)
        return None

    def _in_files(self, name: str) -> Setting | None:
        row = SETTINGS[name]
        project = self._file("project")
        if project is not None:
            place = project_place(row)
            found = in_file(name, project, place)
            if found is not None and row["personal"]:
                where = "the environment or ~/.flow/config.yaml"
                raise SettingsError(
                    f"{project[0]}: `{place}` may not stand in a project's file", f"put it into {where}"
                )
            if found is not None:
                return found
        user = self._file("user")
        if user is not None:
            for place in (row["file"], *row["old_file"]):
                found = in_file(name, user, place)
                if found is not None:
                    self._keep_to_oneself(name, user[0])
                    old = f"`{place}` is an older name of `{row['file']}`" if place != row["file"] else None
                    return found.replace(note=old, instead=row["file"] if old else None)
        if row["profile"] is not None:
            profile = self._file("profile")
            found = in_file(name, profile, row["profile"]) if profile is not None else None
            if profile is not None and found is not None:
                self._keep_to_oneself(name, profile[0].partition(", profile ")[0])
                return found
        if name != "api_key":
            return None
        from flowc.settings.key import stored_key

        return stored_key()

    def _keep_to_oneself(self, name: str, path: str) -> None:
        if SETTINGS[name]["secret"] and readable_by_others(path, self._home):
            raise SettingsError(f"{path} holds a key and can be read by others", f"chmod 600 {path}")

    def _file(self, kind: str) -> tuple[str, dict[str, object]] | None:
        """A file's name as people write it and what stands in it, None where there is none; each is read once."""
        if kind not in self._files:
            if kind == "project":
                self._files[kind] = project_file(
                    self._folder, self._home, cache.folder(self._environ) if self._keeps else None
                )
            elif kind == "user":
                self._files[kind] = user_file(self._home, self._environ)
            else:
                chosen = self.text("profile")
                self._files[kind] = provider_profile(self._home, self._environ, chosen)
        return self._files[kind]

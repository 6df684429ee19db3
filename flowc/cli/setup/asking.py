"""Asks for settings, a line each: on standard error, answered on standard input."""

from __future__ import annotations

import os
import sys

from flowc.cli import terminal
from flowc.cli.status import DONE
from flowc.cli.tasks.world import World, tell
from flowc.providers import PROVIDERS
from flowc.providers.errors import AuthenticationError, ProviderError, ValidationError
from flowc.settings.key import ORIGIN, has_keyring, store_key
from flowc.settings.lookup import SettingsError
from flowc.tasks.refused import RefusedTaskError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from flowc.cli.arguments import Words
    from flowc.providers.mithril.client import Client

# So often a key may be typed.
TRIES = 3


def ask_all(words: Words) -> int:
    """Ask what no flag says, look whether it is right, and write it. The exit status. Raises RefusedTaskError where
    nobody answers, SettingsError and ProviderError as the world does."""
    from flowc.settings.writing import write_user_file

    world = World(words)
    values: dict[str, str | list[str] | None] = {}
    try:
        provider = words.text("provider") or _choice("where do jobs run?", PROVIDERS, _chosen(world))
        values["provider"] = provider
        if provider == "mithril":
            values |= _mithril(words, world)
    except KeyboardInterrupt:
        tell("interrupted: nothing was written")
        raise
    path = write_user_file(world.home, os.environ, values)
    for name in values:
        now = World(words.replace(values={})).settings.get(name)
        elsewhere = now.origin != ORIGIN if values[name] is None else (now.origin or "").startswith("environment")
        if now.origin is not None and elsewhere:
            tell(f"{name}: {now.origin} wins over what was written")
    tell(f"written: {path}")
    tell("`flowc doctor` shows what is there" if provider == "mithril" else 'try it: flowc run "echo hello"')
    return DONE


def _chosen(world: World) -> str:
    """What is used now, which may be no provider at all."""
    try:
        return world.chosen
    except SettingsError:
        return PROVIDERS[0]


def _mithril(words: Words, world: World) -> dict[str, str | list[str] | None]:
    values: dict[str, str | list[str] | None] = {}
    client, typed = _client(words, world)
    stored = typed is not None and has_keyring() and _yes("keep the key in the system's keyring?")
    if typed is not None:
        # A file would win over the keyring.
        values["api_key"] = None if stored else typed
    try:
        projects = client.projects()
    except AuthenticationError:
        raise
    except ProviderError as error:
        tell(f"warning: not looked up what there is: {error}")
        projects = None
    names = None if projects is None else [str(each["name"]) for each in projects]
    project = words.text("project") or _one("which project pays?", names, world.settings.text("project"))
    _refuse_unknown("project", [project] if project else [], projects)
    if project is None:
        return _kept(values, typed, stored=stored)
    values["project"] = project
    mine = [each for each in projects or () if project in (each["name"], each["fid"])]
    rows = client.ssh_keys(str(mine[0]["fid"])) if mine else None
    keys = list(words.texts("ssh_key")) or _keys(rows, world.settings.get("ssh_keys").values)
    _refuse_unknown_keys(keys, rows)
    if keys:
        values["ssh_keys"] = keys
    region = words.text("region")
    if region:
        values["region"] = region
    return _kept(values, typed, stored=stored)


def _kept(
    values: dict[str, str | list[str] | None], typed: str | None, *, stored: bool
) -> dict[str, str | list[str] | None]:
    """What is to be written when the last question is answered; the key is in the keyring then, if it is to be."""
    if stored and typed is not None and not store_key(typed):
        tell("warning: the system's keyring has not taken the key: it is written to the file")
        return {**values, "api_key": typed}
    return values


def _client(words: Words, world: World) -> tuple[Client, str | None]:
    """A client whose key is right, or cannot be asked about; and the key, where it was typed."""
    before = world.settings.get("api_key")
    if before.values:
        client = world.client()
        try:
            client.me()
        except AuthenticationError as error:
            tell(f"the key of {before.origin} is not right: {error}")
            if not (before.origin or "").startswith("~"):
                raise
        except ProviderError as error:
            tell(f"warning: not asked whether the key is right: {error}")
            return client, None
        else:
            tell(f"the key of {before.origin} is right")
            return client, None
    for name, instead in world.settings.gone():
        tell(f"`{name}` is a way that is gone: {instead}")
    for attempt in range(TRIES):
        typed = _line("API key (fkey_…, from the provider's console): ", secret=True)
        if not typed:
            raise RefusedTaskError("no key was typed", "make one in the provider's console; nothing was written")
        candidate = World(words, key=typed)
        try:
            client = candidate.client()
            client.me()
        except (AuthenticationError, SettingsError) as error:
            tell(f"that key is not right: {error}")
            if attempt == TRIES - 1:
                raise
            continue
        except ProviderError as error:
            tell(f"warning: not asked whether the key is right: {error}")
        return client, typed
    raise AssertionError("unreachable")


def _keys(rows: list[dict[str, object]] | None, before: Sequence[str]) -> list[str]:
    if rows == []:
        tell("warning: the project has no SSH key: add your public key in the provider's console")
        return []
    names = None if rows is None else [str(row["name"]) for row in rows]
    found = _one("which SSH keys may log in? (commas between)", names, ", ".join(before) or None)
    return [each.strip() for each in (found or "").split(",") if each.strip()]


def _refuse_unknown(what: str, wanted: Sequence[str], rows: Sequence[dict[str, object]] | None) -> None:
    """Raises RefusedTaskError for a name that the provider does not have; it may not have been asked."""
    for each in wanted if rows is not None else ():
        if not any(each in (row["name"], row["fid"]) for row in rows or ()):
            there = ", ".join(str(row["name"]) for row in rows or ()) or "none"
            raise RefusedTaskError(f"there is no {what} `{each}`", f"there are: {there}; nothing was written")


def _refuse_unknown_keys(wanted: Sequence[str], rows: list[dict[str, object]] | None) -> None:
    """The same for SSH keys, which may be named by their files."""
    from flowc.providers.mithril.resolve import ssh_key_of

    for each in wanted if rows is not None else ():
        try:
            ssh_key_of(rows or [], each)
        except ValidationError as error:
            raise RefusedTaskError(str(error), f"{error.help}; nothing was written") from None


def _one(question: str, names: Sequence[str] | None, before: str | None) -> str | None:
    """A name; with `names` one proposal of them, which may be the only one."""
    if names is not None and len(names) == 1:
        tell(f"{question} {names[0]}, there is no other")
        return names[0]
    proposed = before or (names[0] if names else None)
    listed = f" ({', '.join(names)})" if names else ""
    return _line(f"{question}{listed}" + (f" [{proposed}] " if proposed else " ")) or proposed


def _choice(question: str, words: Sequence[str], before: str) -> str:
    while True:
        found = _line(f"{question} ({', '.join(words)}) [{before}] ") or before
        if found in words:
            return found
        tell(f"`{found}` is none of {', '.join(words)}")


def _yes(question: str) -> bool:
    """No only where that is said."""
    return not (_line(f"{question} [Y/n] ") or "y").lower().startswith("n")


def _line(question: str, *, secret: bool = False) -> str:
    """What is answered, without blanks around; a secret is not shown at a terminal. Raises RefusedTaskError at the end
    of the input."""
    if secret and sys.stdin.isatty():
        from getpass import getpass

        try:
            return getpass(question, sys.stderr).strip()
        except EOFError:
            found = ""
    else:
        terminal.write(sys.stderr, question)
        try:
            found = sys.stdin.readline()
        except KeyboardInterrupt:
            terminal.write(sys.stderr, "\n")
            raise
    if not found:
        terminal.write(sys.stderr, "\n")
        hint = "at a terminal, or with flags: flowc init --help; a key comes from MITHRIL_API_KEY too"
        raise RefusedTaskError("nobody answers, and nothing was written", hint)
    return found.strip()

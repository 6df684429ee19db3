"""Turns the words of a command line and the environment into what a compilation is told."""

from __future__ import annotations

import os

from flowc import cache
from flowc.cli.arguments import UsageError
from flowc.inputs import SLURM_RELEASES, Flags, Inputs, OldSpelling
from flowc.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from flowc.cli.arguments import Words
    from flowc.ir.policy import Policy
    from flowc.settings.asked import Asked
    from flowc.settings.lookup import Settings


def gather(words: Words, argv: list[str], environ: Mapping[str, str]) -> Inputs:
    """`argv` is the whole command line after `flowc`, `words` what its command's parser made of it (after its
    first)."""
    return gather_with(settings_of(environ), words, argv, environ)


def gather_with(settings: Asked | None, words: Words, argv: list[str], environ: Mapping[str, str]) -> Inputs:
    """The same for who needs the settings too."""
    spans: dict[str, Span] = {}
    told: dict[str, Any] = {}
    if words.places or words.old or words.rest or words.flag("move"):
        from flowc.cli.flags import told_by

        told = told_by(words, argv, spans)
    given = told.get("flags", Flags())
    defaults, older = _defaults(given, settings, spans)
    return Inputs(
        args=words.rest or (),
        environ=tuple(sorted(environ.items())),
        defaults=defaults,
        flag_spans=tuple(spans.items()),
        slurm_version=words.text("slurm_version") or _slurm_version(settings),
        catalog=words.text("catalog") or _catalog(environ),
        own_catalog=words.text("catalog") is None,
        profile=words.text("profile") or _profile(environ),
        cache=cache.folder(environ),
        policy=_policy(settings),
        once=words.flag("once"),
        allow_unknown=words.flag("allow_unknown"),
        judges=judges_of(words.texts("judge"), "--judge"),
        # Said of each source: for a check of many that would be too often.
        old_spellings=(*told.pop("old_spellings", ()), *(older if argv[0] != "check" else ())),
        **told,
    )


def judges_of(texts: tuple[str, ...], origin: str) -> tuple[str, ...]:
    """Raises UsageError for one that there is not."""
    if not texts:
        return ()
    from flowc.judges import JUDGES

    names = tuple(dict.fromkeys(name.strip() for text in texts for name in text.split(",") if name.strip()))
    known = [judge.name for judge in JUDGES]
    for name in names:
        if name not in known:
            raise UsageError(f"{origin}: there is no judge `{name}`", f"there are {', '.join(known)}")
    return names


def _catalog(environ: Mapping[str, str]) -> str | None:
    """The user's own copy of the catalog, where there is one."""
    from flowc.settings import catalog_copy, home_of

    return catalog_copy(environ, home_of(environ))


def _profile(environ: Mapping[str, str]) -> str | None:
    """The cluster's profile that is nearest upwards, as it is named from here."""
    from flowc.settings import cluster_profile, home_of, working_folder

    folder = working_folder()
    found = cluster_profile(folder, home_of(environ))
    return None if found is None else os.path.relpath(found, folder)


def settings_of(environ: Mapping[str, str], *, keeps: bool = True) -> Asked | None:
    """Where settings are looked up; None where nobody says any. `keeps` as `Settings` has it."""
    from flowc.settings import home_of, may_be_set, working_folder

    folder, home = working_folder(), home_of(environ)
    if not may_be_set(environ, folder, home):
        return None

    def everything() -> Settings:
        from flowc.settings.lookup import Settings

        return Settings(environ, folder=folder, home=home, keeps=keeps)

    kept_in = cache.folder(environ) if keeps else None
    if kept_in is None:
        return everything()
    from flowc.settings.kept import known

    return known(environ, folder, home, kept_in, everything) or everything()


def _defaults(given: Flags, settings: Asked | None, spans: dict[str, Span]) -> tuple[Flags, tuple[OldSpelling, ...]]:
    """What the settings say for flags that are not given, and settings by older names. Raises UsageError for settings
    that cannot be read."""
    if settings is None or not settings.may_say("project", "region", "ssh_keys"):
        return Flags(), ()
    from flowc.settings.setting import SettingsError
    from flowc.tasks.defaults import defaults_of, older_names

    try:
        return defaults_of(given, settings, spans), older_names(settings)
    except SettingsError as error:
        raise UsageError(error.message, error.help) from None


def _policy(settings: Asked | None) -> Policy | None:
    """Raises UsageError for a policy that cannot be read."""
    if settings is None or not settings.may_say("policy_"):
        return None
    from flowc.settings.setting import SettingsError
    from flowc.tasks.policies import policy_of

    try:
        return policy_of(settings)
    except SettingsError as error:
        raise UsageError(error.message, error.help) from None


def _slurm_version(settings: Asked | None) -> str | None:
    """The release of Slurm that the settings name. Raises UsageError for one that there is not."""
    if settings is None or not settings.may_say("slurm_version"):
        return None
    from flowc.settings.setting import SettingsError

    try:
        found = settings.get("slurm_version")
    except SettingsError as error:
        raise UsageError(error.message, error.help) from None
    if not found.values:
        return None
    if found.values[0] not in SLURM_RELEASES:
        raise UsageError(
            f"{found.origin}: there is no release `{found.values[0]}` of Slurm to choose",
            f"one of {', '.join(SLURM_RELEASES)}",
        )
    return found.values[0]

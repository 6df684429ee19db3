"""Turns the words of a command line and the environment into what a compilation is told."""

from __future__ import annotations

import os

from flowc import cache
from flowc.cli.arguments import UsageError
from flowc.inputs import SLURM_RELEASES, Flags, Inputs, OldSpelling, command_line
from flowc.secret import looks_secret
from flowc.source import Derived, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowc.cli.arguments import Words
    from flowc.ir.policy import Policy
    from flowc.settings.asked import Asked
    from flowc.settings.lookup import Settings
    from flowc.source import Source

# Where a flag's name and its field differ: what repeats is singular on the command line.
_FLAG_OF_KEY = {
    "ssh_key": "ssh_keys",
    "secret": "secrets",
    "pull_secret": "pull_secrets",
    "mount": "mounts",
    "port": "ports",
    "set": "sets",
}
_MASK = "***"


def gather(words: Words, argv: list[str], environ: Mapping[str, str]) -> Inputs:
    """`argv` is the whole command line after `flowc`, `words` what its command's parser made of it (after its
    first)."""
    return gather_with(settings_of(environ), words, argv, environ)


def gather_with(settings: Asked | None, words: Words, argv: list[str], environ: Mapping[str, str]) -> Inputs:
    """The same for who needs the settings too."""
    given = Flags()
    spans: dict[str, Span] = {}
    given_any = words.places or words.old or words.rest or words.flag("move")
    line = _Line(words, argv) if given_any else None
    if line is not None:
        given = _flags(words, line, spans)
    if line is not None and words.rest:
        first, last = (line.span((len(argv) - 1 - back, 0)) for back in (len(words.rest), 1))
        spans["args"] = Span(first.source, first.start, last.end)
    manifests = _manifests(words, line, spans) if line is not None and "with" in words.values else ()
    defaults, older = _defaults(given, settings, spans)
    return Inputs(
        args=words.rest or (),
        environ=tuple(sorted(environ.items())),
        flags=given,
        defaults=defaults,
        flag_spans=tuple(spans.items()),
        slurm_version=words.text("slurm_version") or _slurm_version(settings),
        catalog=words.text("catalog") or _catalog(environ),
        own_catalog=words.text("catalog") is None,
        manifests=manifests,
        profile=words.text("profile") or _profile(environ),
        cache=cache.folder(environ),
        policy=_policy(settings),
        command=line.word(words.places["command"]) if line is not None and "command" in words.places else None,
        once=words.flag("once"),
        allow_unknown=words.flag("allow_unknown"),
        judges=judges_of(words.texts("judge"), "--judge"),
        # Said of each source: for a check of many that would be too often.
        old_spellings=(*_old_spellings(words, line), *(older if argv[0] != "check" else ())),
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


class _Line:
    """The command line as a source, with the values of secrets masked, and the places of its words in it."""

    def __init__(self, words: Words, argv: list[str]) -> None:
        self.words = list(argv)
        for key, (word, start) in words.places.items():
            name, equals, _ = self.words[word + 1][start:].partition("=")
            if equals and _is_secret(key.partition(".")[0], name):
                self.words[word + 1] = self.words[word + 1][: start + len(name)] + "=" + _MASK
        _, self.places = command_line(("flowc", *self.words))

    def word(self, place: tuple[int, int]) -> Derived:
        """`place`: which word after the command, and from which character of it."""
        word, start = place
        whole = self.places[word + 2]  # after `flowc` and the command
        return Derived.of(whole, start, len(whole.text))

    def span(self, place: tuple[int, int]) -> Span:
        word = self.word(place)
        return word.span(0, len(word.text)) or Span(word.source, 0, 0)


def _is_secret(key: str, name: str) -> bool:
    """Whether what follows `name=` is nobody's business. `--secret` and `--pull-secret` take no value: one is
    there by mistake."""
    if key == "fill":
        return looks_secret(name)
    if key == "set":
        parts = name.lower().split(".")
        return looks_secret(parts[-1]) and any(part.startswith(("env", "secret")) for part in parts[:-1])
    return key in ("secret", "pull_secret") or (key == "env" and looks_secret(name))


def _flags(words: Words, line: _Line, spans: dict[str, Span]) -> Flags:
    values: dict[str, object] = {}
    if "fill" in words.values or "fill_from" in words.values:
        _fill(words, line, spans, values)
    for key, value in words.values.items():
        field = _FLAG_OF_KEY.get(key, key)
        if field not in Flags.FIELDS or field == "fill":
            continue
        values[field] = _value(field, value)
        if key not in words.places:  # a flag without a value
            continue
        spans[field] = line.span(words.places[key])
        if isinstance(value, list):
            places = [words.places[f"{key}.{index}"] for index in range(len(value))]
            if field == "ssh_keys":  # one word may name several
                places = [place for place, each in zip(places, value, strict=True) for _ in _names(each)]
            spans.update((f"{field}.{index}", line.span(place)) for index, place in enumerate(places))
    if words.fields:
        values["fields"] = tuple((field, value) for field, (value, _) in words.fields.items())
        for index, (_, place) in enumerate(words.fields.values()):
            spans[f"fields.{index}"] = spans["fields"] = line.span(place)
    return Flags(**values) if values else Flags()  # type: ignore[arg-type]


def _fill(words: Words, line: _Line, spans: dict[str, Span], values: dict[str, object]) -> None:
    from flowc.cli.filling import values_of

    pairs, places = values_of(words)
    values["fill"] = tuple(pairs)
    shift = sum(place is not None for place in places)
    for index, place in enumerate(places):
        spans[f"fill.{index}"] = line.span(words.places[f"fill.{index - shift}"]) if place is None else place


def _manifests(words: Words, line: _Line, spans: dict[str, Span]) -> tuple[Source, ...]:
    """The files of `--with`. Raises UsageError."""
    from flowc.cli.filling import text_of

    found = []
    for index, path in enumerate(words.texts("with")):
        spans[f"manifests.{index}"] = line.span(words.places[f"with.{index}"])
        found.append(text_of(path, "--with needs a file with Kubernetes objects"))
    return tuple(found)


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


def _old_spellings(words: Words, line: _Line | None) -> tuple[OldSpelling, ...]:
    if line is None:
        return ()
    return tuple(
        OldSpelling(
            spelling=old.spelling,
            span=line.span((old.word, 0)),
            field=old.field,
            instead=old.instead,
            why=old.why,
        )
        for old in words.old
    )


def _value(field: str, value: str | bool | list[str]) -> object:
    if field == "num_instances":
        return int(str(value))
    if not isinstance(value, list):
        return value
    if field in ("env", "sets"):
        pairs = (pair.partition("=") for pair in value)
        return tuple((name, text) for name, _, text in pairs)
    if field == "ssh_keys":
        return tuple(name for each in value for name in _names(each))
    return tuple(value)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)

"""Turns the words of a command line and the environment into what a compilation is told."""

from __future__ import annotations

from flowc.inputs import Flags, Inputs, command_line
from flowc.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowc.cli.arguments import Words

# Variables that stand in for a flag that is not given: the flag's field, the names in order of precedence.
_DEFAULTS = (
    ("project", ("MITHRIL_PROJECT",)),
    ("region", ("MITHRIL_REGION",)),
    ("ssh_keys", ("MITHRIL_SSH_KEYS", "MITHRIL_SSH_KEY")),
)
_FLAG_OF_KEY = {"ssh_key": "ssh_keys"}


def gather(words: Words, argv: list[str], environ: Mapping[str, str]) -> Inputs:
    """`argv` is the whole command line after `flowc`, `words` what its command's parser made of it (after its
    first)."""
    values: dict[str, object] = {}
    spans: dict[str, Span] = {}
    for key, value in words.values.items():
        field = _FLAG_OF_KEY.get(key, key)
        if field in Flags.FIELDS:
            values[field] = _value(field, value)
    if values:
        _, places = command_line(("flowc", *argv))
        for key, (word, start) in words.places.items():
            whole = places[word + 2]  # after `flowc` and the command
            quoted = whole.end - whole.start != len(argv[word + 1])
            spans[_FLAG_OF_KEY.get(key, key)] = Span(whole.source, whole.start + (0 if quoted else start), whole.end)
    for field, names in _DEFAULTS:
        found = next((name for name in names if environ.get(name)), None)
        if field not in values and found is not None:
            value = environ[found]
            values[field] = _names(value) if field == "ssh_keys" else value
            text = f"{found}={value}"
            spans[field] = Span(Source("<environment>", text), len(found) + 1, len(text))
    return Inputs(
        args=words.rest or (),
        environ=tuple(sorted(environ.items())),
        flags=Flags(**values) if values else Flags(),  # type: ignore[arg-type]
        flag_spans=tuple((field, span) for field, span in spans.items() if field in Flags.FIELDS),
        slurm_version=words.text("slurm_version") or "22.05",
        catalog=words.text("catalog"),
    )


def _value(field: str, value: str | bool | list[str]) -> object:
    if field == "num_instances":
        return int(str(value))
    if field == "env" and isinstance(value, list):
        pairs = (pair.partition("=") for pair in value)
        return tuple((name, text) for name, _, text in pairs)
    if field == "ssh_keys" and isinstance(value, list):
        return tuple(name for each in value for name in _names(each))
    return value


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)

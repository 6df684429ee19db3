"""`$NAME` and `${NAME}` in the parts of a task where SkyPilot puts the values of `envs` in."""

from __future__ import annotations

from flowc.inputs import Inputs
from flowc.patterns import at_first_use
from flowc.yamldoc.node import Mapping, Scalar, is_null, walk
from flowc.yamldoc.python_text import python_text

# Elsewhere the shell knows the variables when the task runs.
SUBSTITUTED = ("workdir", "file_mounts", "volumes")
_PATTERN = r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))"
_substituted = at_first_use(_PATTERN, "sub")
_found = at_first_use(_PATTERN, "search")


def substitute(task: Mapping, inputs: Inputs) -> None:
    """Put the values in, those of `--env` too; unknown names stay, and so do secrets."""
    env = _values(task, inputs)
    for key in SUBSTITUTED:
        node = task.get(key)
        if node is None:
            continue
        for each in walk(node):
            if isinstance(each, Scalar) and "$" in each.text:
                _put(each, env)


def unset(text: str) -> str | None:
    """The first variable in a text that has no value; None where there is none."""
    match = _found(text) if "$" in text else None
    return match and (match[1] or match[2])


def _values(task: Mapping, inputs: Inputs) -> dict[str, str]:
    found = {}
    for pair in task.pairs_at("envs"):
        name, text = python_text(pair.key), None if is_null(pair.value) else python_text(pair.value)
        if name is not None and text is not None:
            found[name] = text
    return {**found, **dict(inputs.flags.env)}


def _put(scalar: Scalar, env: dict[str, str]) -> None:
    text = _substituted(lambda match: env.get(match[1] or match[2], match[0]), scalar.text)
    if text not in ("", scalar.text):  # what comes out empty stays, and is reported as without a value
        scalar.text = text
        scalar.style = scalar.style or '"'  # what is put in stays a text, whatever it looks like

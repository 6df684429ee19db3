"""`$NAME` and `${NAME}` in the parts of a task where SkyPilot puts the values of `envs` in."""

from __future__ import annotations

from flowc.diag.codes.yaml import skypilot as codes
from flowc.inputs import Inputs
from flowc.listing import some_of
from flowc.patterns import at_first_use
from flowc.shell.comments import in_comment
from flowc.yamldoc.node import Mapping, Scalar, is_null, walk
from flowc.yamldoc.python_text import python_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit
    from flowc.source import Span

# Elsewhere the shell knows the variables when the task runs.
SUBSTITUTED = ("workdir", "file_mounts", "volumes")
# A variable of SkyPilot's that is read without a default, or set.
_read = at_first_use(r"\$(?:\{(SKYPILOT_[A-Z0-9_]+)\}|(SKYPILOT_[A-Z0-9_]+))|\b(SKYPILOT_[A-Z0-9_]+)=", "finditer")
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


def tell_unset(unit: Unit, known: Iterable[str], sink: Sink) -> None:
    """Report variables of SkyPilot's that the task reads, and that nobody sets."""
    names = {*known}
    found: dict[str, Span] = {}
    for part in (unit.preparing, unit):
        text = (part.job.run.text or "") if part is not None else ""
        if part is None or "SKYPILOT_" not in text:
            continue
        for match in _read(text):
            name = match[1] or match[2]
            if name is None:
                names.add(match[3])
            elif name not in names and not in_comment(text, match.start(), shell=True):
                found.setdefault(name, part.text_span(*match.span()) or part.origins["run.text"])
    if found:
        items = some_of([f"`{name}`" for name in found], len(found))
        sink.report(codes.SKYPILOT_VARIABLE_NOT_SET, next(iter(found.values())), items=items)


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

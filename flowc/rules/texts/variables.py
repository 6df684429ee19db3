"""Variables that a batch script reads and nothing sets: on the cluster the submitter's own environment had them."""

from __future__ import annotations

from flowc._compiled.shell_words import ENVIRONMENT, FROM_OTHERS, REMOVERS, SETTERS, SHELLS, SITE_VARIABLES
from flowc.body.interpreter import MOST_TEXT, interpreter_words
from flowc.body.modules import calls_without_missing, program_of
from flowc.diag.lacks import VARIABLE
from flowc.patterns import at_first_use
from flowc.rules.base import texts
from flowc.secret import looks_secret
from flowc.shell.scan import scan
from flowc.shell.variables import read_plain, set_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit
    from flowc.shell.scan import Scan

_SHELLS = frozenset(SHELLS)
_KNOWN = frozenset((*ENVIRONMENT, *SITE_VARIABLES))
_OF_CUDA = "CUDA_HOME"  # the machine's `module` sets it
_function = at_first_use(r"\w[ \t]*\([ \t]*\)|\bfunction[ \t]", "search")


def report(unit: Unit, sink: Sink) -> None:
    """One finding for each variable, at its first place; none behind a file that is read, which may set them."""
    job = unit.job
    given = {*job.secrets, *(name for name, _ in (*job.env, *job.env_facts))}
    setup = (job.setup or "")[:MOST_TEXT]
    unread = [setup] if "$" in setup else []  # texts that may set variables, of which none was asked for yet
    for each in texts(unit):
        text = (each.job.run.text or "")[:MOST_TEXT]
        if "$" not in text or _SHELLS.isdisjoint(interpreter_words(each.job)):
            continue
        if text != setup:
            unread.append(text)
        found = {
            name: at
            for name, at in read_plain(text, said=False).items()
            if not (name in _KNOWN or name in given or f"{name}=" in setup or name.startswith(FROM_OTHERS))
        }
        if not found:
            continue
        given.update(*map(set_in, unread))
        unread.clear()
        found = {name: at for name, at in found.items() if name not in given}
        if not found:
            continue
        seen = scan(text)
        brought = calls_without_missing(each.job)
        limit = _first_setter(seen, {call.start for call in brought})
        if any(program_of(name)[0] == "nvcc" for call in brought for name in call.names):
            found.pop(_OF_CUDA, None)
        if limit is not None:  # what is read before may be in a function that is called later
            found = {name: at for name, at in found.items() if at[0] < limit and not _function(text, 0, at[0])}
        from flowc.diag.codes.texts import VARIABLE_FROM_ELSEWHERE

        for name, at in found.items():
            command = seen.command_at(at[0])
            words = [word for _, word in command.words()] if command is not None else []
            lacks = () if looks_secret(name) else ((VARIABLE, name),)
            span, help = each.text_span(*at), _help(name, words)
            sink.report(VARIABLE_FROM_ELSEWHERE, span, help=help, lacks=lacks, variable=name)


def _first_setter(seen: Scan, known: set[int]) -> int | None:
    """Where the first command ends that may set variables which no text shows; those at `known` places do not."""
    ends = (
        part.end
        for part in seen.commands
        for start, word in part.words()[:1]
        if word.strip("\"'") in SETTERS and start not in known
    )
    return min(ends, default=None)


def _help(name: str, words: list[str]) -> str:
    """What to write, by what the command does with an empty value."""
    if words[:1] and words[0] in REMOVERS:
        return f"an empty one makes other paths of those here: write `${{{name}:?}}`, which ends the script then"
    if words[:1] == ["cd"]:
        return f"`cd` with nothing goes nowhere, and the script goes on there: set `{name}` first, or `--env {name}=…`"
    if looks_secret(name):
        return f"bring it without writing it down: `--secret {name}` takes it from your environment at submit"
    return f"set it in the script, or give it: `--env {name}=VALUE`"

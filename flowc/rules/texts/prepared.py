"""Code and environments that a batch script makes on the first of its machines, while its steps run on all of them."""

from __future__ import annotations

from flowc._compiled.shell_words import CODE_SUFFIXES, CODE_TAKERS
from flowc.body.interpreter import MOST_TEXT, is_shell
from flowc.patterns import at_first_use
from flowc.rules.base import texts
from flowc.rules.shared_files import shares_folder
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.ir.unit import Unit

_prepares = at_first_use(
    r"git clone|(?:pip[0-9.]*|uv pip) install|python[0-9.]* -m (?:pip install|venv)|uv (?:sync|venv)|virtualenv"
    r"|(?:conda|mamba|micromamba) (?:env )?create",
    "match",
)
_python = at_first_use(r"python[0-9.]*", "fullmatch")
# What keeps a step on one machine, or brings what it needs.
_alone = at_first_use(
    r"(?:-N|--nodes=?|-n|--ntasks=?) ?0*1(?![0-9])|(?:-w|--nodelist|--container-image|--relative|-r)", "match"
)


def report(unit: Unit, sink: Sink) -> None:
    """Tell the first such command, if a step behind it needs what it makes on the others too."""
    if shares_folder(unit.job) or not is_shell(unit.job):
        return
    *_, own = texts(unit)
    text = (own.job.run.text or "")[:MOST_TEXT]
    made: tuple[int, str] | None = None
    for command in scan(text).commands:
        words = command.words()
        if not words or scan(text).in_child(command.start):
            continue
        said = " ".join(word.strip("\"'") for _, word in words)
        name = words[0][1].rpartition("/")[2]
        if name == "srun":
            if any(sign in said for sign in ("git clone", "pip install", "-m venv", "uv ", "conda", "mamba")):
                return
            if made is not None and _everywhere(said) and _runs_code([word.strip("\"'") for _, word in words[1:]]):
                _tell(own, sink, *made)
                return
        elif made is None and (match := _prepares(said)):
            made = words[0][0], match[0]


def _everywhere(step: str) -> bool:
    words = step.split()
    return not any(_alone(f"{word} {words[at + 1]}" if at + 1 < len(words) else word) for at, word in enumerate(words))


def _runs_code(words: list[str]) -> bool:
    """Whether it is Python, or another that runs a file, and the file none with a path of its own."""
    for at, word in enumerate(words):
        name = word.rpartition("/")[2]
        if _python(name) or name in CODE_TAKERS:
            rest = words[at + 1 :]
            return not any(each.startswith(("/", "$")) for each in rest if each.endswith(CODE_SUFFIXES))
        if word.endswith(CODE_SUFFIXES):
            return word[:1] not in "/$"
    return False


def _tell(unit: Unit, sink: Sink, start: int, what: str) -> None:
    from flowc.diag.codes.texts import PREPARED_ON_ONE_MACHINE

    nodes = unit.plan.nodes if unit.plan is not None else 1
    help = f"`srun --ntasks-per-node=1 {what} …` does it on each"
    sink.report(PREPARED_ON_ONE_MACHINE, unit.text_span(start, start + len(what)), help=help, command=what, nodes=nodes)

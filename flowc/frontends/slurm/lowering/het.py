"""The components of a het job: whether the text has steps over them, which need all of them in one place."""

from __future__ import annotations

from flowc.diag.codes.slurm import lower as codes
from flowc.patterns import at_first_use, at_words
from flowc.shell.comments import first_in_code
from flowc.shell.scan import scan
from flowc.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.frontends.slurm.ast import Ast

# The option alone may stand in a variable. Component 0 is where the script runs, and needs no other one.
_named = at_first_use(
    r"--(?:het|pack)-group(?![ =][\"']?0[\"']?(?:[\s;|&)]|\Z))|_(?:HET|PACK)_GROUP_",
    "finditer",
)
_srun = at_words(r"(?<![\w.$@-])srun\b(?![.=/])", ("srun",))
# The words of a step in another language's list.
_parted = at_first_use(r"[\"']srun[\"'][^\n\])]{0,400}[\"']:[\"']", "finditer")
_SIGNS = ("-group", "_GROUP_", " : ", ":\\\n", " :\t", '":"', "':'")


def joined_by(ast: Ast, sink: Sink) -> Span | None:
    """The word by which the components belong together; None, and it is told, where each is a job of its own."""
    word = step_word(ast.text, shell=ast.is_shell)
    second = next((given.span for given in ast.given if given.component == 1), None)
    if word is None:
        sink.report(codes.HET_JOB, second, count=len(ast.components))
        return None
    return ast.placed.span(*word) or second or Span(ast.source, 0, 0)


def step_word(text: str, *, shell: bool) -> tuple[int, int] | None:
    """Where the text first names a component other than the first, be it by a variable, or parts a step by `:`."""
    if not any(sign in text for sign in _SIGNS):
        return None
    found = first_in_code(_named, text, shell=shell)
    if found is not None:
        return found.span()
    if not shell:
        found = first_in_code(_parted, text, shell=shell)
        return None if found is None else (found.start() + 1, found.start() + 5)
    seen = scan(text)
    for found in _srun(text):
        command = None if seen.in_comment(found.start()) else seen.command_at(found.start())
        if command is not None and any(place > found.start() and word == ":" for place, word in command.words()):
            return found.span()
    return None

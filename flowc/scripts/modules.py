"""The functions `module` and `ml` of a startup script: what of them a job's text uses."""

from __future__ import annotations

from flowc._compiled.slurm_commands import PROGRAMS
from flowc.body.commands import provided
from flowc.body.interpreter import interpreter_words, is_shell
from flowc.body.modules import (
    EMPTYING,
    LOADING,
    SUBCOMMANDS,
    SWAPPING,
    UNLOADING,
    is_brought,
    read_calls,
    row_of,
    unknown,
)
from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.scripts.life import body_place
from flowc.shell.comments import in_comment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.ir.unit import Unit

_init_files = at_first_use(
    r"(?<![\w./$-])(?:source|\.)[ \t]+[\"']?"
    r"(/(?:etc/profile\.d/[\w.-]*(?:modules?|lmod)[\w.-]*\.(?:sh|csh)|(?:[\w.-]+/){0,9}init/(?:bash|sh|zsh|csh|tcsh|ksh|profile)))",
    "finditer",
)


class Modules(Record):
    """What templates ask for; `module` is false where the text uses no modules. They are functions of the job's bash,
    or programs for another interpreter. `module_rows` are patterns of names, each with the program that is asked for,
    `module_brought` those of whole names that the setup brings; `source_name`, `source_line`: the
    user's file, and by how many lines the body's numbers are short of its."""

    module: bool = False
    ml: bool = False
    module_functions: bool = False
    module_programs: bool = False
    module_options: bool = False
    module_loading: str = ""
    module_unloads: bool = False
    module_asks: bool = False
    module_lists: bool = False
    module_purges: bool = False
    module_rows: tuple[tuple[str, str], ...] = ()
    module_brought: str = ""
    module_cuda: bool = False
    module_files: tuple[str, ...] = ()
    module_subcommands: str = ""
    source_name: str = ""
    source_line: int = 0


NO_MODULES = Modules()


def modules(unit: Unit) -> Modules:
    job = unit.job
    names = provided(job)
    functions = "bash" in interpreter_words(job)
    if not names & {"module", "ml"} or (job.image is not None and not functions):
        return NO_MODULES
    text = job.run.text or ""
    shell = is_shell(job)
    calls = read_calls(text, shell=shell)
    loaded = [each.name for call in calls for each in call.loaded()]
    # What is not seen may use all there is.
    every = bool({"module", "ml"} & {*job.run.commands}) or any(map(unknown, (*loaded, *(c.verb for c in calls))))
    verbs = {*SUBCOMMANDS} if every else {call.verb for call in calls}
    dashed = any(word[0] == "-" for call in calls for word, _ in call.words[not call.is_ml :])
    options = any(word[0] == "-" for call in calls for word, _ in call.words[:1] if not call.is_ml)
    used = {row_of(part) for name in loaded for part in name.lower().split("/")}
    rows = [row for number, row in enumerate(PROGRAMS) if every or number in used]
    programs = {row["program"] for row in rows}
    place = body_place(unit) or ("", 0)
    finds = _init_files(text) if "/etc/profile.d/" in text or "init/" in text else ()
    files = [match[1] for match in finds if not in_comment(text, match.start(), shell=shell)]
    return Modules(
        module=True,
        ml="ml" in names,
        module_functions=functions,
        module_programs=not functions,
        module_options=every or options,
        module_loading=" | ".join(each for each in LOADING if each in {*verbs, "load"}),
        module_unloads=bool(verbs & {*UNLOADING, *SWAPPING}) or dashed,
        module_asks="is-loaded" in verbs,
        module_lists="list" in verbs,
        module_purges=bool(verbs & {*EMPTYING}),
        module_rows=tuple((" | ".join(row["parts"]), row["program"]) for row in rows),
        module_brought=" | ".join(_patterns(job.modules)),
        module_cuda="nvcc" in programs,
        module_files=tuple(dict.fromkeys(files)) if job.image is None else (),
        module_subcommands=" | ".join(each for each in SUBCOMMANDS if each in verbs or each == "load"),
        source_name=place[0],
        source_line=place[1],
    )


def _patterns(globs: tuple[str, ...]) -> Iterator[str]:
    """With and without a version; where one takes in others, those are left out, as they would never be reached."""
    for number, glob in enumerate(globs):
        if not is_brought(glob, globs[:number]):
            yield glob
            if glob[-1] != "*":
                yield f"{glob}/*"

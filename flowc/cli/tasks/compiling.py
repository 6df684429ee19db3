"""Sources become artifacts, their findings are shown: what `compile`, `submit` and the like begin with."""

from __future__ import annotations

import os
import sys

from flowc import driver
from flowc.cli import sources, terminal
from flowc.cli.arguments import UsageError, refuse_mixtures
from flowc.cli.inputs import gather
from flowc.cli.status import Tally
from flowc.cli.table import COMMAND_LINE
from flowc.diag.render import render, summary
from flowc.diag.sink import Diagnostic
from flowc.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from flowc.backends.artifacts import Artifact
    from flowc.cli.arguments import Words
    from flowc.inputs import Repository
    from flowc.ir.policy import Policy


def compiled(
    words: Words,
    argv: list[str],
    tally: Tally,
    *,
    emit: str,
    submitted: bool = False,
    free: bool = False,
    releases: bool = False,
    number: int | None = None,
) -> Iterator[tuple[str, tuple[Artifact, ...]]]:
    """The path of each source, and what was made of it; its findings are shown and counted. `number` is that of the
    first job, None: of its content. Raises UsageError."""
    given = {"submitted": submitted, "free": free, "releases": releases, "number": number}
    for path, result in results(words, argv, tally, emit=emit, **given):  # type: ignore[arg-type]
        yield path, result.artifacts


def results(
    words: Words,
    argv: list[str],
    tally: Tally,
    *,
    emit: str,
    submitted: bool = False,
    free: bool = False,
    releases: bool = False,
    number: int | None = None,
) -> Iterator[tuple[str, driver.Result]]:
    """The same with all that is known of each; of a source that cannot be read nothing is."""
    inputs = gather(words, argv, os.environ)
    _tell_unknown_settings()
    if submitted:  # so what the startup script has no room for is brought over SSH
        inputs = inputs.replace(defaults=inputs.defaults.replace(body="auto"))
        inputs = inputs.replace(submitted=True, free=free, releases=releases, number=number)
        if inputs.policy is not None and not free:
            inputs = inputs.replace(policy=_with_this_month(inputs.policy, words))
    if words.text("code") == "git":
        inputs = inputs.replace(flags=inputs.flags.replace(repository=_checked_out(inputs.flags.secrets)))
    elif inputs.flags.code is not None and os.path.isfile(inputs.flags.code):
        raise UsageError(
            f"`--code` brings a folder, and {inputs.flags.code} is a file", "`--mount PATH=./FILE` brings one"
        )
    wrapped = any(word.startswith("--wr") for word in inputs.args)
    refuse_mixtures(words)
    if not words.operands and not wrapped and inputs.command is None:
        example = f"flowc {argv[0]} job.sbatch"
        raise UsageError("no SOURCE given", f"name a job file, or - for standard input: {example}")
    commanded = Source("<wrap>", "") if inputs.command is None else inputs.command.source
    found = [sources.read(operand) if operand else commanded for operand in words.operands or ("",)]

    made = iter(
        driver.compile_all(
            [each for each in found if isinstance(each, Source)],
            inputs,
            emit=emit,
            frontend=words.text("from") if inputs.command is None else COMMAND_LINE,
            strict=words.flag("strict"),
        )
    )
    for operand, source in zip(words.operands or ("",), found, strict=True):
        path = operand if isinstance(source, Diagnostic) else source.path
        if isinstance(source, Diagnostic):
            result = driver.Result(artifacts=(), diagnostics=(source,), failed=True)
        else:
            result = next(made)
        diagnostics = result.diagnostics
        tally.add(path, diagnostics)
        if diagnostics:
            colours = terminal.palette(sys.stderr, os.environ)
            terminal.write(sys.stderr, render(path, diagnostics, colours, terminal.width(sys.stderr)))
        yield path, result
    if tally.total:
        terminal.write(sys.stderr, summary(tally.severities, tally.files) + "\n")


def _with_this_month(policy: Policy, words: Words) -> Policy:
    """With what this month's submissions may cost, where that matters. Raises JournalError."""
    import time

    from flowc.cli.tasks.world import World
    from flowc.tasks.policies import with_committed

    return policy if policy.per_month is None else with_committed(policy, World(words).journal, time.time())


def _tell_unknown_settings() -> None:
    """Say which keys of settings files nobody reads."""
    from flowc.settings import home_of, may_be_set, working_folder

    folder, home = working_folder(), home_of(os.environ)
    if may_be_set(os.environ, folder, home):
        from flowc.cli.tasks.world import tell
        from flowc.settings.lookup import Settings

        for each in Settings(os.environ, folder=folder, home=home).unknown():
            tell(f"warning: {each.shown}")


def _checked_out(secrets: tuple[str, ...]) -> Repository:
    """What `--code git` is. Raises UsageError where machines cannot have it."""
    from flowc.inputs import Repository
    from flowc.settings import working_folder
    from flowc.trees.commit import commit_here
    from flowc.trees.walk import TreeError

    try:
        return Repository(**vars(commit_here(working_folder(), token="GIT_TOKEN" in secrets)))
    except TreeError as error:
        raise UsageError(f"`--code git`: {error}", error.help or "`--code .` brings the folder as it is") from None


def request(
    words: Words, argv: list[str], *, free: bool, releases: bool, number: int | None
) -> tuple[dict[str, Any] | None, int]:
    """One request document of all sources, whose jobs have numbers from this one on (None: of their content); None in
    its place where one of them is not right. And the exit status. `free`: nothing is paid; `releases`: machines end
    their bids. Raises UsageError, and RefusedTaskError for an `--after` that means nothing."""
    from flowc.tasks.documents import document_of, joined
    from flowc.tasks.graph.given import behind

    tally = Tally()
    documents: list[dict[str, Any]] = []
    paths: list[str] = []
    kept = {"free": free, "releases": releases}
    every = compiled(words, argv, tally, emit="mithril", submitted=True, **kept, number=number)
    for path, artifacts in list(every):
        if artifacts:
            documents.append(document_of(artifacts))
            paths.append(path)
    if tally.status or len(documents) != tally.files:
        return None, tally.status
    behind(documents, paths, words.texts("after"))
    return joined(documents), tally.status

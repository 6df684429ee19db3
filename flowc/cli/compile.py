"""`flowc compile`: artifacts on standard output or as files, diagnostics on standard error."""

from __future__ import annotations

import os
import sys

from flowc import driver
from flowc.cli import sources, terminal
from flowc.cli.arguments import UsageError, refuse_mixtures
from flowc.cli.commands import COMMAND_LINE
from flowc.cli.inputs import gather
from flowc.cli.status import WORLD_FAILED, Tally
from flowc.diag.render import render, summary
from flowc.diag.sink import Diagnostic
from flowc.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.backends.base import Artifact
    from flowc.cli.arguments import Words


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError, and OSError when standard output or error cannot be written."""
    inputs = gather(words, argv, os.environ)
    wrapped = any(word.startswith("--wr") for word in inputs.args)
    refuse_mixtures(words)
    if not words.operands and not wrapped and inputs.command_span is None:
        raise UsageError("no SOURCE given", "name a job file, or - for standard input: flowc compile job.sbatch")
    folder = words.text("output")
    if folder is not None and os.path.exists(folder) and not os.path.isdir(folder):
        raise UsageError(f"`{folder}` is not a folder", "-o takes the folder that the files are written to")
    outputs = _Outputs(folder, several=len(words.operands) > 1)
    tally = Tally()
    commanded = Source("<wrap>", "") if inputs.command_span is None else inputs.command_span.source
    found = [sources.read(operand) if operand else commanded for operand in words.operands or ("",)]
    results = iter(
        driver.compile_all(
            [each for each in found if isinstance(each, Source)],
            inputs,
            emit=words.text("emit") or "mithril",
            frontend=words.text("from") if inputs.command is None else COMMAND_LINE,
            strict=words.flag("strict"),
        )
    )
    for operand, source in zip(words.operands or ("",), found, strict=True):
        path = operand if isinstance(source, Diagnostic) else source.path
        artifacts: tuple[Artifact, ...] = ()
        if isinstance(source, Diagnostic):
            diagnostics: tuple[Diagnostic, ...] = (source,)
        else:
            result = next(results)
            artifacts, diagnostics = result.artifacts, result.diagnostics
        tally.add(diagnostics)
        _show(path, diagnostics)
        if artifacts and not outputs.put(path, artifacts):
            return WORLD_FAILED
    if tally.total:
        terminal.write(sys.stderr, summary(tally.severities, tally.files) + "\n")
    return tally.status


def _show(path: str, diagnostics: tuple[Diagnostic, ...]) -> None:
    if diagnostics:
        colours = terminal.palette(sys.stderr, os.environ)
        terminal.write(sys.stderr, render(path, diagnostics, colours, terminal.width(sys.stderr)))


class _Outputs:
    """Where artifacts go: the first of each source to standard output, or all of them below a folder."""

    def __init__(self, folder: str | None, *, several: bool) -> None:
        self.folder = folder
        self.several = several
        self.taken: set[str] = set()

    def put(self, path: str, artifacts: tuple[Artifact, ...]) -> bool:
        """False after saying that a file could not be written."""
        if self.folder is None:
            terminal.write(sys.stdout, artifacts[0].text, encoding="utf-8", errors=_errors(artifacts[0]))
            return True
        place = os.path.join(self.folder, self._subfolder(path)) if self.several else self.folder
        for artifact in artifacts:
            target = os.path.join(place, artifact.name)
            try:
                os.makedirs(place, exist_ok=True)
                with open(target, "wb") as file:
                    file.write(artifact.text.encode("utf-8", _errors(artifact)))
            except OSError as error:
                message = f"flowc: error: cannot write `{target}`: {(error.strerror or str(error)).lower()}\n"
                terminal.write(sys.stderr, message)
                return False
        return True

    def _subfolder(self, path: str) -> str:
        """The source's name without its suffix; a number tells sources of one name apart."""
        name = os.path.splitext(os.path.basename(path.strip("<>")))[0] or "job"
        unique, number = name, 2
        while unique in self.taken:
            unique, number = f"{name}-{number}", number + 1
        self.taken.add(unique)
        return unique


def _errors(artifact: Artifact) -> str:
    """How lone surrogates are written: as JSON escapes, or as the bytes that they stand for."""
    return "backslashreplace" if artifact.name.endswith(".json") else "surrogateescape"

"""The cases of corpus/: how each is read and compiled. A case is a folder with `input.*`, `args` (words of
flowc's command line after the source, one a line) or both, and the goldens beside them."""

from __future__ import annotations

import json
from pathlib import Path

from flowc import driver
from flowc.cli.arguments import parse
from flowc.cli.commands.compile import COMMAND as COMPILE
from flowc.cli.inputs import gather
from flowc.diag.render import render
from flowc.inputs import Inputs
from flowc.source import Source

ROOT = Path(__file__).resolve().parents[1]
# The jobs of corpus/same are written in several formats each: see test_same.py.
CASES = sorted(path for path in (ROOT / "corpus").glob("*/*") if path.is_dir() and path.parent.name != "same")


def told(args: tuple[str, ...]) -> Inputs:
    """What a compilation is told by `flowc compile input.sbatch ARGS…` in an empty environment; a command of the
    command line takes the place of the file."""
    commanded = any(word.startswith("--command") for word in args)
    argv = ["compile", *(() if commanded else ("input.sbatch",)), *args]
    return gather(parse(COMPILE, argv[1:]), argv, {})


def load(case: Path) -> tuple[Source, Inputs]:
    args = case / "args"
    inputs = told(tuple(args.read_text().splitlines()) if args.exists() else ())
    for path in case.glob("input.*"):
        return Source.from_bytes(path.name, path.read_bytes()), inputs
    return Source("<wrap>", "") if inputs.command is None else inputs.command.source, inputs


def outputs(case: Path) -> dict[str, str]:
    """What flowc makes of a case: golden file name to text. Only the diagnostics where there are errors."""
    source, inputs = load(case)
    result = driver.compile(source, inputs)
    texts = {"diagnostics.txt": render(source.path, result.diagnostics)}
    if result.failed:
        return texts
    for target in ("ast", "ir", "plan"):
        texts[f"{target}.json"] = driver.compile(source, inputs, emit=target).artifacts[0].text
    for artifact in result.artifacts:
        if artifact.name == "request.json":
            texts[artifact.name] = without_script(artifact.text)
        elif artifact.name.endswith("startup.plain.sh"):  # one for each component of a het job
            texts[artifact.name] = artifact.text
    return texts


def without_script(request: str) -> str:
    """A request document without what may differ from one zlib to another: the packed script and its size."""
    document = json.loads(request)
    for each in document["requests"]:
        launch = each.get("body", {}).get("launch_specification", {})
        if "startup_script" in launch:
            launch["startup_script"] = "(see startup.plain.sh)"
    for script in (document.get("script"), *(each.get("script") for each in document["requests"])):
        if script is not None:
            script.update(bytes="(at most 10000)", sha256="(differs)")
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

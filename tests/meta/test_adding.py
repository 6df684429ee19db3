"""Adding things takes as many places as docs/architecture.md says, and at most four: one of each kind is added to a
copy of the package, in these places and no others, and used."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_PLACES = 4
JOB = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n{}nvidia-smi\n"

# A place is a file of the package, and what is put behind a line of it ("": at its end; None: the file is new).
Edit = tuple[str | None, str]
Places = dict[str, Edit]


class Addition:
    """Something added: `kind` is its name in the table; then `flowc WORDS` runs on a file, and `shown` is in what it
    prints (on either stream)."""

    def __init__(self, kind: str, places: Places, job: str, words: tuple[str, ...], shown: str) -> None:
        self.kind = kind
        self.places = places
        self.job = job
        self.words = words
        self.shown = shown

    @property
    def folders(self) -> set[str]:
        """The places; a folder that is all new is one."""
        new = {path for path, (line, _) in self.places.items() if line is None}
        mine = {folder for path in new if (folder := os.path.dirname(path)).endswith("/hello")}
        return {next((folder for folder in mine if path.startswith(folder)), path) for path in self.places}


CODE = """

HELLO = Code(
    id="FC999",
    name="hello",
    severity="warning",
    title="hello, `{name}`",
    explain="Why.\\n\\nWhat instead.",
    bad="",
    good="",
)
"""
COMMAND = """from __future__ import annotations

from flowc.cli.table import HELP, Command

COMMAND = Command(name="hello", summary="greet", usage=("flowc hello",), operand="NAME", options=(HELP,), examples=())


def run(words, argv):
    print("hello,", *words.operands)
    return 0
"""
BACKEND = """from __future__ import annotations

from flowc.backends.artifacts import Artifact
from flowc.backends.base import Backend, checks_nothing

BACKEND = Backend(
    check=checks_nothing,
    emit=lambda units, sink, taken: [Artifact(name="hello", text=f"hello, {units[0].plan.instance_type}")],
)
"""
FRONTEND = """from __future__ import annotations

from flowc._compiled.hello_fields import TYPES
from flowc.diag.codes.hello import HELLO
from flowc.digest import sha256_hex
from flowc.frontends.base import Frontend
from flowc.ir.job import Job, Resources, Run, SourceInfo
from flowc.ir.unit import Unit
from flowc.yamldoc.ast import ast_document
from flowc.yamldoc.check import Checker
from flowc.yamldoc.read import read as read_yaml


def read(source, inputs, sink):
    roots = read_yaml(source, sink)
    for root in roots or ():
        Checker(TYPES, sink, allow_unknown=False).check(root, {"is": "map", "type": "Task", "null": False})
    return roots and (source, roots)


def lower(tree, inputs, sink):
    source, (root,) = tree
    greeting = root.at("hello")
    sink.report(HELLO, greeting.span, name=greeting.value)
    job = Job(
        name="hello",
        source=SourceInfo(frontend="hello", path=source.path, sha256=sha256_hex(source.data)),
        run=Run(kind="shell", interpreter="/bin/bash", text="true"),
        resources=Resources(),
        outcome=(),
    )
    return [Unit(source=source, job=job, origins={})]


FRONTEND = Frontend(read=read, ast=lambda tree: ast_document("hello", tree[1]), lower=lower)
"""
PASS = """from __future__ import annotations


def run(unit, context, sink):
    return unit.replace(job=unit.job.replace(name="hello"))


def ensures(unit):
    assert unit.job.name == "hello"
"""

ADDITIONS = (
    Addition(
        "a diagnostic",
        {
            "diag/codes/validate.py": ("", CODE),
            "passes/validate.py": ("    job = unit.job\n", "    sink.report(codes.HELLO, None, name=job.name)\n"),
        },
        JOB.format(""),
        ("check", "job.sbatch"),
        "warning[FC999] hello: hello, `job.sbatch`",
    ),
    Addition(
        "an option of sbatch",
        {
            "data/slurm_options.yaml": (
                "options:\n",
                "  hello: {arg: required, kind: text, het: carried, category: misc}\n",
            ),
            "data/slurm_lowering.yaml": ("lowering:\n", '  hello: {action: lowered, note: "name of the job"}\n'),
            "frontends/slurm/lowering/lower.py": (
                '            "name": self._name(),\n',
                '            **({"name": self.options["hello"]} if "hello" in self.options else {}),\n',
            ),
        },
        JOB.format("#SBATCH --hello=world\n").replace("--time", "--job-name=later --time"),
        ("compile", "job.sbatch", "--emit", "ir"),
        '"name": "world"',
    ),
    Addition(
        "a job flag",
        {
            "cli/options.py": (
                "JOB_OPTIONS = (\n",
                '    Option(name="--hello", metavar="NAME", help="whom to greet", group=_JOB),\n',
            ),
            "inputs.py": ("    name: str | None = None\n", "    hello: str | None = None\n"),
            "override/apply.py": (
                "    over.machine()\n",
                '    over.put("pricing", "budget_usd", flags.hello, "hello")\n',
            ),
        },
        JOB.format(""),
        ("compile", "job.sbatch", "--emit", "ir", "--hello", "321"),
        '"budget_usd": "321"',
    ),
    Addition(
        "a command",
        {
            "cli/commands/hello.py": (None, COMMAND),
            "cli/commands/__init__.py": ('    "compile",\n', '    "hello",\n'),
        },
        "",
        ("hello", "world"),
        "hello, world",
    ),
    Addition(
        "a backend",
        {
            "backends/hello.py": (None, BACKEND),
            "backends/__init__.py": (
                "BACKENDS = (\n",
                '    Entry(name="hello", module="flowc.backends.hello", summary="greets"),\n',
            ),
        },
        JOB.format(""),
        ("compile", "job.sbatch", "--emit", "hello"),
        "hello, h100-80gb.sxm.8x",
    ),
    Addition(
        "a frontend",
        {
            "frontends/hello/__init__.py": (None, FRONTEND),
            "frontends/__init__.py": (
                "FRONTENDS = (\n",
                '    Entry(name="hello", module="flowc.frontends.hello", title="a greeting", suffixes=YAML,'
                ' signs=("hello",)),\n',
            ),
            "data/hello_fields.yaml": (
                None,
                "types:\n  Task:\n    hello: {is: text, action: lowered}\n",
            ),
            "diag/codes/hello.py": (
                None,
                f"from __future__ import annotations\n\nfrom flowc.diag.code import Code\n{CODE}",
            ),
        },
        "hello: world\n",
        ("check", "job.yaml", "--instance-type", "8xh100", "--time", "1h"),
        "warning[FC999] hello: hello, `world`",
    ),
    Addition(
        "a pass",
        {
            "passes/hello.py": (None, PASS),
            "passes/__init__.py": (
                "",
                "from flowc.passes import hello\n\n"
                "PASSES = (Pass(name='hello', run=hello.run, ensures=hello.ensures), *PASSES)\n",
            ),
        },
        JOB.format(""),
        ("compile", "job.sbatch", "--emit", "plan"),
        '"name": "hello"',
    ),
)
TABLE = {
    kind: int(places)
    for kind, places in re.findall(
        r"^\| (an? [a-z ]+) \| ([0-9]+) \|", (ROOT / "docs" / "architecture.md").read_text(), re.MULTILINE
    )
}


def add(package: Path, path: str, edit: Edit) -> None:
    line, text = edit
    target = package / path
    if line is None:
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)
        return
    before = target.read_text()
    assert before.count(line) or not line, f"{path} has no line {line!r}"
    head, found, tail = before.partition(line) if line else (before, "", "")
    target.write_text(head + found + text + tail)


def test_the_table_speaks_of_what_is_tried() -> None:
    assert {each.kind: len(each.folders) for each in ADDITIONS} == TABLE
    assert max(TABLE.values()) <= MOST_PLACES


@pytest.mark.slow
@pytest.mark.parametrize("addition", ADDITIONS, ids=lambda each: each.kind)
def test_so_many_places_are_enough(addition: Addition, tmp_path: Path) -> None:
    for name in ("flowc", "grammars", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path, edit in addition.places.items():
        add(tmp_path / "flowc", path, edit)
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    if any(path.startswith("data/") for path in addition.places):
        subprocess.run([sys.executable, "-m", "flowc.ahead"], cwd=tmp_path, env=environ, check=True)
    name = "job.yaml" if addition.kind == "a frontend" else "job.sbatch"
    (tmp_path / name).write_text(addition.job)
    done = subprocess.run(
        [sys.executable, "-m", "flowc", *addition.words],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert addition.shown in done.stdout + done.stderr

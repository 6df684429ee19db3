"""What a command imports: start-up time is decided by that, and unlike a time it can be asserted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mithril.server import Server
from tests.some import some

ROOT = Path(__file__).resolve().parents[2]
JOB = ROOT / "corpus" / "slurm" / "train-8-gpus" / "input.sbatch"

# Each of these costs a third of an interpreter's start or more.
HEAVY = {
    *(
        "argparse",
        "dataclasses",
        "difflib",
        "inspect",
        "json",
        "logging",
        "pathlib",
        "shlex",
        "subprocess",
        "typing",
    ),
    *(
        "importlib.metadata",
        "importlib.resources",
        "multiprocessing",
        "tempfile",
        "traceback",
        "urllib.parse",
    ),
    *("lark", "jinja2", "yaml", "pydantic"),
}


def imported(*words: str, status: int = 0, **environ: str) -> set[str]:
    program = (
        "import sys; before = set(sys.modules); from flowc.cli import main; status = main(sys.argv[1:]); "
        "sys.stderr.write(chr(10).join(sorted(set(sys.modules) - before))); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT), **environ},
    )
    assert done.returncode == status, done.stderr
    return set(done.stderr.splitlines())


@pytest.mark.parametrize("words", [["check"], ["price"], ["compile", "--emit", "script"]], ids=" ".join)
def test_command_imports_nothing_heavy(words: list[str]) -> None:
    assert imported(*words, str(JOB)) & HEAVY == set()


@pytest.mark.parametrize(
    "words", [["compile"], ["compile", "--emit", "plan"], ["compile", "--emit", "ast"]], ids=" ".join
)
def test_compilation_needs_no_library_of_others(words: list[str]) -> None:
    heavy = HEAVY - {"json", "json.decoder", "json.encoder"}
    assert imported(*words, str(JOB)) & heavy == set()


def test_looking_at_tasks_loads_nothing_of_what_brings_files_and_keys(tmp_path: Path) -> None:
    with Server() as server:
        url = {"MITHRIL_API_URL": server.url, "MITHRIL_API_KEY": server.key, "MITHRIL_PROJECT": "research"}
        environ = {**url, "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
        words = [sys.executable, "-m", "flowc", "submit", str(JOB)]
        done = subprocess.run(
            words, cwd=ROOT, env={**environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
        )
        for words in (["list"], ["status", done.stdout.split()[0]]):
            found = imported(*words, **environ)
            heavy = {"concurrent.futures", "httpx2", "logging", "pydantic", "secrets", "subprocess", "tempfile"}
            assert found & heavy == set(), words


def test_help_loads_no_compiler() -> None:
    assert "flowc.driver" not in imported("--help")
    assert "flowc.driver" not in imported("compile", "--help")


def test_importing_flowc_costs_nothing_but_its_version() -> None:
    """The names of the SDK are there for who asks for them."""
    program = "import sys; before = set(sys.modules); import flowc; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert set(done.stdout.split()) == {"flowc", "flowc.version"}


@pytest.mark.parametrize("command", some(["list", "status", "wait", "cancel"], "wait"))
def test_commands_of_tasks_load_no_library_of_others(command: str, tmp_path: Path) -> None:
    """With a key and a task of the provider: all that a look at it needs."""
    from tests.mithril.server import Server

    with Server() as provider:
        environ = {
            "HOME": str(tmp_path),
            "MITHRIL_API_URL": provider.url,
            "MITHRIL_API_KEY": provider.key,
            "MITHRIL_PROJECT": "research",
        }
        submitted = subprocess.run(
            [sys.executable, "-m", "flowc", "submit", str(JOB)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": str(ROOT), **environ},
        )
        (name,) = submitted.stdout.split()
        words = {"list": [], "wait": [name, "--timeout", "1"]}.get(command, [name])
        found = imported(command, *words, status=125 if command == "wait" else 0, **environ)
    libraries = {"httpx", "httpx2", "pydantic", "yaml", "anyio", "flowc.driver", "flowc.frontends"}
    assert found & libraries == set()
    assert "flowc.providers.mithril.client" in found

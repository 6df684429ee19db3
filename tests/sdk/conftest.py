"""Python programs that use the SDK: on this computer as an ordinary user, or in this process with the loopback
provider."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import flowc
import flowc.sdk.fields
from tests.tasks.conftest import Person, cloud, here, provider, there

__all__ = ["cloud", "here", "provider", "there"]


@pytest.fixture
def runs(here: Person) -> Callable[..., str]:
    """`runs(text)` gives what a program prints that has `flow`, a Flow of the local provider."""

    def run(text: str, **environ: str) -> str:
        program = here.home / "program.py"
        program.write_text(f"import flowc\nflow = flowc.Flow(provider='local')\n{text}")
        done = subprocess.run(
            [here.program, "-B", str(program)],
            cwd=here.home,
            env={**here.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
            **here.options,  # type: ignore[call-overload]
        )
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    return run


@pytest.fixture
def flow(there: Person) -> flowc.Flow:
    """Of the loopback provider."""
    return flowc.Flow(environ=there.environ)


@pytest.fixture
def offline(tmp_path: Path) -> flowc.Flow:
    """Without a key."""
    return flowc.Flow(environ={"HOME": str(tmp_path)})


def typed(name: str) -> set[str]:
    """The keys of a TypedDict."""
    tree = ast.parse(Path(str(flowc.sdk.fields.__file__)).read_text())
    (found,) = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == name)
    return {each.target.id for each in found.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)}  # fmt: skip  # noqa: E501

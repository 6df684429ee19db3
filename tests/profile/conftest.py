"""What becomes of a script with a profile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flowc import driver
from flowc.cli.arguments import parse
from flowc.cli.commands.compile import COMMAND as COMPILE
from flowc.cli.inputs import gather
from flowc.source import Source


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., driver.Result]:
    """What becomes of a script with a profile."""

    def compiled(profile: str, script: str, *args: str, emit: str = "ir") -> driver.Result:
        path = tmp_path / "profile.yaml"
        path.write_text(profile)
        argv = ["compile", "job.sbatch", f"--profile={path}", *args]
        inputs = gather(parse(COMPILE, argv[1:]), argv, {})
        return driver.compile(Source("job.sbatch", script), inputs, emit=emit)

    return compiled

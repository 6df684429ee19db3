"""The unit that ends a bid from its own machine, on a real systemd."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from jobs import unit

from flowc.ir.job import Io
from flowc.scripts import build
from tests.boot.test_nspawn import COLLECT, statuses

OUT = Io(stdout="o")
pytestmark = pytest.mark.boot


def test_what_is_brought_is_run_once_it_is_there(boot: Any) -> None:
    text = "#!/bin/bash\nmkdir -p /run/flowc\necho \"open('/workspace/said', 'w').write('runs')\" >/run/flowc/release\n"
    sent = build(unit(text + "sleep 12\n", io=OUT).replace(releases=True), index=None).sent
    unit_state = ("--exec", "u=systemctl is-enabled flowc-release; systemctl show -p Result flowc-release")
    found = boot(sent, *COLLECT, "--collect", "/workspace/said", "--provider", *unit_state, "--wait", "40")
    (status,) = statuses(found)
    assert (status["state"], status["exit_code"]) == ("COMPLETED", 0)
    assert found["collected"]["/workspace/said"] == "runs"
    assert found["collected"]["u"] == "enabled\nResult=success\n"

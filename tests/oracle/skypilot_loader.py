"""What SkyPilot's own loader makes of task files: prints JSON, one entry for each text of standard input (a JSON list).

Run with a python that has `skypilot==0.14.1`; the tests hold flowc against what it printed
(tests/frontends/skypilot/loader_cases.json).
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from typing import Any


def loaded(text: str) -> dict[str, Any]:
    """`accepted`, and of what was accepted the values that a job depends on."""
    from sky import task as sky_task  # type: ignore[import-not-found]

    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        try:
            task = sky_task.Task.from_yaml(file.name)
        except BaseException as error:  # it raises whatever comes, SystemExit included
            return {"accepted": False, "error": f"{type(error).__name__}: {error}"[:300]}
    return {
        "accepted": True,
        "name": task.name,
        "num_nodes": task.num_nodes,
        "envs": dict(task.envs),
        "secrets": sorted(str(name) for name in task.secrets),
        "run": task.run,
        "setup": task.setup,
        "resources": [resources(each) for each in task.resources],
        "ordered": isinstance(task.resources, list),
    }


def resources(each: Any) -> dict[str, Any]:
    recovery = each.job_recovery
    autostop = each.autostop_config
    return {
        "cloud": None if each.cloud is None else str(each.cloud).lower(),
        "region": each.region,
        "instance_type": each.instance_type,
        "cpus": each.cpus,
        "memory": each.memory,
        "accelerators": each.accelerators,
        "disk_size": each.disk_size,
        "use_spot": each.use_spot,
        "ports": list(each.ports) if each.ports is not None else None,
        "image": each.image_id,
        "labels": each.labels,
        "recovery": recovery,
        "autostop": None if autostop is None else {
            "enabled": autostop.enabled, "idle_minutes": autostop.idle_minutes, "down": autostop.down
        },
        "max_hourly_cost": getattr(each, "max_hourly_cost", None),
    }  # fmt: skip


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # it talks
        found = [loaded(text) for text in json.load(sys.stdin)]
    print(json.dumps(found, indent=1, default=str, ensure_ascii=False))

"""A machine for programs that cannot fork: `python -m flowc.machines`. The first line of its input is the spec as JSON,
further ones are orders, its output are events (see `init`). The end of its input is a power cut."""

from __future__ import annotations

import json
import os
import select
import sys


def main() -> int:
    """Until the machine is off."""
    from flowc.machines.machine import Machine
    from flowc.machines.spec import decoded

    data = b""
    while b"\n" not in data:
        more = os.read(0, 65536)
        if not more:
            return 2
        data += more
    line, _, data = data.partition(b"\n")
    machine = Machine(decoded(json.loads(line)))
    machine.start()
    while machine.on:
        *lines, data = data.split(b"\n")
        for line in lines:
            order = json.loads(line)
            machine.order(order.pop("do"), **order)
        ready, _, _ = select.select([0, machine.events], [], [])
        if machine.events in ready:
            for event in machine.read():
                print(json.dumps(event), flush=True)
        elif 0 in ready:
            more = os.read(0, 65536)
            if not more:
                machine.cut()
            data += more
    return 0


if __name__ == "__main__":
    sys.exit(main())

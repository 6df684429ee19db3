"""What things of a machine are called on its engine, and where they stand."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.machines.spec import Box

# Labels of all that belongs to a task, and to one of its machines.
TASK, MACHINE = "flowc.task", "flowc.machine"
# What of the machine stands on its disk here whatever its job says.
FOLDERS = ("var/lib/foundry", "var/log/foundry", "var/lib/cloud", "etc/systemd/system")
FILES = ("var/log/cloud-init-output.log", "var/log/flowc.log")
CODE = "/usr/lib/flowc"
# The folder with the socket for the job's own containers, on the disk and in the machine.
CLIENT, CLIENT_PLACE = "docker", "/run/flowc-docker"


def name_of(box: Box, machine: str) -> str:
    """The name of a machine's container."""
    return f"flowc-{box.task}-{machine}"


def network_of(task: str) -> str:
    """The name of the network of a task's machines."""
    return f"flowc-{task}"

"""Folders of this computer that are put on the disks of a task's machines before they boot."""

from __future__ import annotations

from flowc.machines.boot import NAMESPACES
from flowc.machines.disk import OVERLAID, unbooted
from flowc.providers.errors import ValidationError
from flowc.providers.local.kinds import of_engine
from flowc.trees.send import copy
from flowc.trees.walk import TreeError, scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flowc.machines.spec import Share
    from flowc.providers.local.kinds import Wish


def copy_trees(
    trees: Iterable[tuple[str, str, str, str | None]], disks: Sequence[str], shares: Sequence[Share], wish: Wish
) -> None:
    """Copy each (source, place on the machine, marker, names of its ignore files) to all disks. Raises ValidationError,
    OSError."""
    for source, path, _, ignores in trees:
        if path.split("/")[1] in OVERLAID and wish.kind != NAMESPACES and of_engine(wish)[0] is not None:
            raise ValidationError(f"{path} is its image's in a local machine", help="another target: /data")
        try:
            tree = scan(source, ignores)
            for disk in disks:
                copy(tree, unbooted(disk, path, shares))
        except TreeError as error:
            raise ValidationError(str(error), help=error.help or "look at its path") from None

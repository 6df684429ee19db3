"""What several rules advise."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowc.ir.job import Job


def first_of(names: Iterable[str], most: int) -> str:
    """The first names, quoted, and how many there are beside."""
    quoted = [f"`{name}`" for name in names]
    more = [f"{len(quoted) - most} more"] if len(quoted) > most else []
    return ", ".join([*quoted[:most], *more])


def image_for_step(job: Job) -> str | None:
    """What to write so that a batch script which runs in a container of its own has Slurm's commands again."""
    if not job.conventions.commands or job.image is None:
        return None
    return (
        "a container has no Slurm: leave out `--image` and write "
        f"`srun --container-image={job.image} COMMAND`, which runs the command in the image"
    )


def by_profile(job: Job) -> str | None:
    """How what a job lacks comes to the machine without another text; an image has what it has."""
    if job.image is not None:
        return None
    return "a line of a profile brings it: `flowc profile init DIR` writes those that jobs need"

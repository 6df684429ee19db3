"""Secrets of a job on its machine: which are waited for, and how they reach what asks for them."""

from __future__ import annotations

from flowc.ir.names import variable_name
from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job


# Where a machine waits for their values: lines NAME='VALUE' for a shell, in memory, of root alone.
SECRETS = "/run/flowc/secrets"


class Secrets(Record):
    """What templates ask for: the names that are waited for, those of them that are for pulling images, and the words
    before a command that put the job's own into its environment."""

    secrets: tuple[str, ...] = ()
    pull_secrets: tuple[str, ...] = ()
    with_secrets: tuple[str, ...] = ()


NO_SECRETS = Secrets()


def secrets(job: Job) -> Secrets:
    used, pulls = _used(job), _pulls(job)
    every = [*used, *pulls, *(file.secret for file in job.all_files() if file.secret is not None)]
    if not every:
        return NO_SECRETS
    return Secrets(
        secrets=tuple(dict.fromkeys(variable_name(name) for name in every)),
        pull_secrets=tuple(dict.fromkeys(variable_name(name) for name in pulls)),
        with_secrets=exporting(job.secrets),
    )


def exporting_all(job: Job) -> tuple[str, ...]:
    """As `exporting`, for all that the job and the containers beside it use."""
    return exporting(tuple(dict.fromkeys(_used(job))))


def _used(job: Job) -> list[str]:
    return [*job.secrets, *(name for each in job.containers for name in each.secrets)]


def _pulls(job: Job) -> list[str]:
    return [*job.isolation.pull_secrets, *(name for each in job.containers for name in each.isolation.pull_secrets)]


def exporting(names: tuple[str, ...]) -> tuple[str, ...]:
    """Words before a command: the secrets reach its environment and stand in no list of processes."""
    if not names:
        return ()
    exported = " ".join(variable_name(name) for name in names)
    # A name that no shell can export is given by `env`, and only to what it starts.
    odd = [name for name in names if variable_name(name) != name]
    by_env = "".join(f' "${{{number}}}=${variable_name(name)}"' for number, name in enumerate(odd, 1))
    start = f'exec env{by_env} "${{@:{len(odd) + 1}}}"' if odd else 'exec "$@"'
    return ("bash", "-c", f". /run/flowc/secrets&&export {exported}&&{start}", "-", *odd)

"""The options of the commands that submit, and what a TASK is."""

from __future__ import annotations

from flowc.cli.table import Option
from flowc.providers import LOCAL_MACHINES, PROVIDERS

PROVIDER = Option(
    name="--provider", metavar="NAME", choices=PROVIDERS, help="where (default: FLOW_PROVIDER, else mithril)"
)
FORMAT = Option(name="--format", metavar="FORMAT", choices=("human", "json"), help="for people (default), or JSON")

_HOW = "how it is submitted"
SUBMIT_OPTIONS = (
    PROVIDER.replace(group=_HOW),
    Option(
        name="--local-machine",
        metavar="KIND",
        choices=LOCAL_MACHINES,
        help="what a machine on this computer is made of (default: FLOW_LOCAL_MACHINE, else auto)",
        group=_HOW,
    ),
    Option(name="--follow", help="show the output, wait for the end; the exit status is the job's", group=_HOW),
    Option(name="--wait", help="wait for the end; the exit status is the job's", group=_HOW),
    Option(
        name="--after",
        metavar="KIND:NAME",
        repeat=True,
        help="wait for a job, here or submitted before: afterok:NAME, …",
        group=_HOW,
    ),
    Option(
        name="--code",
        metavar="DIR|git",
        help="bring DIR, or the commit checked out, to run in",
        group=_HOW,
    ),
    Option(name="--keep", help="do not end the bid with its job", group=_HOW),
    Option(
        name="--release",
        metavar="WHO",
        choices=("client", "machine"),
        help="who ends the bid with its job: flowc here (default), or the machine itself by your key",
        group=_HOW,
    ),
    Option(name="--dry-run", help="show every call in order, and make only those that read", group=_HOW),
    Option(name="--offline", help="with --dry-run: make no call at all", group=_HOW),
    Option(name="--resume", help="go on with what was not finished: all, or the KEYs in place of SOURCE", group=_HOW),
    Option(name="--force-new", help="submit again what lives already", group=_HOW),
    Option(name="--idempotency-key", metavar="KEY", help="what has this KEY is submitted once, ever", group=_HOW),
)

TASK = "TASK is the name or id of a task, the key of a submission, or the beginning of one of these."

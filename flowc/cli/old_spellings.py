"""Flags of earlier tools, which fingers and scripts still know. They are taken with a note each and stay out of help.

Imported only when a command does not know a flag.
"""

from __future__ import annotations

from flowc.record import Record


class Old(Record):
    """How flags were spelt, and what becomes of them.

    With a `metavar` a value follows, one of `choices` if there are any (in any case); `only`: the flag is meant just
    with this value. `option` is the flag that it is now, with `value` as its value if that is fixed (empty: a switch).
    `field` is the field of a task YAML that it sets, to `value` likewise. `why` says why it does nothing, also where
    the command at hand has no such `option`.
    """

    names: tuple[str, ...]
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    only: str | None = None
    option: str | None = None
    field: str | None = None
    value: str | None = None
    why: str | None = None


_WAITING = "nothing is submitted, so there is nothing to wait for"
_ASKING = "nothing is asked that a flag does not answer: `flowc submit --force-new` submits what lives already"
_ALL_KEYS = "tasks are shown, and asked, whatever keys may log in"
_ALL_PROJECTS = "tasks of all projects of the API key are shown"
_NEVER_SENT = "nothing is submitted in any case"
_UPLOADING = "nothing is uploaded yet when a job is compiled"

TABLE = (
    Old(names=("--ssh-keys", "-k", "--ssh-key-name"), metavar="NAME", option="--ssh-key", why=_ALL_KEYS),
    Old(names=("--project-name",), metavar="NAME", option="--project", why=_ALL_PROJECTS),
    Old(names=("--task-name",), metavar="NAME", option="--name"),
    Old(names=("--gpu",), metavar="TYPE", option="--instance-type"),
    Old(names=("-p",), metavar="LEVEL", choices=("low", "med", "high"), option="--priority"),
    Old(names=("--slurm",), option="--from", value="slurm"),
    Old(names=("--json",), option="--format", value="json", why="the request is JSON already"),
    Old(names=("--format",), metavar="FORMAT", only="table", why="findings are shown for people to read already"),
    Old(names=("--no-unique",), field="unique_name", value="false"),
    Old(names=("--unique", "--force-new"), field="unique_name", value="true"),
    Old(names=("--on-name-conflict",), metavar="ACTION", only="suffix", field="unique_name", value="true"),
    Old(names=("--on-name-conflict",), metavar="ACTION", only="error", field="unique_name", value="false"),
    Old(names=("--idempotency-key",), metavar="KEY", field="idempotency_key"),
    Old(
        names=("--distributed", "--distributed-mode"),
        metavar="MODE",
        choices=("auto", "manual"),
        field="distributed_mode",
    ),
    Old(names=("--k8s",), metavar="CLUSTER", field="k8s"),
    Old(names=("--placement",), metavar="WHERE", choices=("mithril", "auto"), field="placement"),
    Old(names=("--allocation",), metavar="MODE", choices=("spot", "reserved", "auto"), field="allocation_mode"),
    Old(names=("--reservation-id",), metavar="ID", field="reservation_id"),
    Old(names=("--start",), metavar="TIME", field="scheduled_start_time"),
    Old(names=("--duration",), metavar="HOURS", field="reserved_duration_hours"),
    Old(names=("--upload-strategy",), metavar="STRATEGY", field="upload_strategy"),
    Old(names=("--upload-mode",), metavar="MODE", field="upload_mode"),
    Old(names=("--upload-timeout",), metavar="SECONDS", field="upload_timeout"),
    Old(names=("--upload-code",), field="upload_code", value="true"),
    Old(names=("--no-upload-code",), field="upload_code", value="false"),
    Old(names=("--code-root",), metavar="FOLDER", field="code_root"),
    Old(names=("--on-upload-failure",), metavar="ACTION", choices=("continue", "fail"), why=_UPLOADING),
    Old(names=("--wait", "-w"), option="--wait", why=_WAITING),
    Old(names=("--watch",), option="--follow", why=_WAITING),
    Old(names=("--no-wait",), why="nothing waits that is not asked to"),
    Old(
        names=("--wait-until",),
        metavar="STATE",
        choices=("submitted", "running", "terminal"),
        why="`flowc submit` waits for nothing, `--wait` for the end",
    ),
    Old(names=("--yes", "-y"), why=_ASKING),
    Old(names=("--dry-run", "-d"), option="--dry-run", why=_NEVER_SENT),
    Old(names=("--validate",), why="every job is checked; `flowc check` does only that"),
    Old(names=("--compact",), why="there is one form of output, indented"),
    Old(names=("--show-all",), why="everything is shown already"),
    Old(names=("--verbose", "-v"), why="nothing is left out of messages that it could add"),
)


def find(name: str, value: str | None) -> Old | None:
    """The row of a flag; `value` is what is attached to it or the next word."""
    for old in TABLE:
        if name in old.names and (old.only is None or (value or "").lower() == old.only):
            return old
    return None

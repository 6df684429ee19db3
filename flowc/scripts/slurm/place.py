"""Where a batch script finds itself: under Slurm in slurmd's folder by `$0`, and as it was submitted by its record."""

from __future__ import annotations

from flowc.patterns import at_words
from flowc.record import Record
from flowc.scripts.identity import task_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job

# How a text asks for its own file, in the languages of scripts.
_asks_place = at_words(
    r"\$0(?!\d)|\$\{0\b|\bBASH_(?:SOURCE|ARGV)|slurmd\b|slurm_script|__file__|\bargv\[0\]|\bFindBin\b|\bcommandArgs\b",
    ("$0", "${0", "BASH_", "slurmd", "slurm_script", "__file__", "argv", "FindBin", "commandArgs"),
)
_asks_submitted = at_words(r"\bCommand\b|\b[Cc]ommand=", ("Command", "command="))


class Place(Record):
    """What templates ask for. `own_place`: where the script is started from, None: where it is kept; `submitted`: the
    path that `scontrol show job` says was submitted, where the text asks for it; None: where it is kept.
    `keeps_submitted`: it is put there where nothing is."""

    own_place: str | None = None
    submitted: str | None = None
    keeps_submitted: bool = False


HERE = Place()


def place(job: Job, index: int | None, submit_dir: str) -> Place:
    """Of a batch script on the machine itself. A path that leads out of the folder of the submission is its name
    alone."""
    text = job.run.text or ""
    path = job.source.path
    parts = path.split("/")
    if path.startswith("/") or ".." in parts:
        path = parts[-1]
    asks = any(True for _ in _asks_submitted(text)) or "scontrol" in job.run.commands
    named = asks and path not in ("", "-") and path.isprintable() and path[0] != "<"
    return Place(
        own_place=f"/var/spool/slurmd/job{task_id(job, index)}/slurm_script"
        if any(True for _ in _asks_place(text))
        else None,
        submitted=f"{submit_dir}/{path.removeprefix('./')}" if named else None,
        keeps_submitted=named,
    )

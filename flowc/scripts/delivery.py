"""The job's own text as the machine has it, and how it comes there: in the startup script, or over SSH."""

from __future__ import annotations

from flowc.body.interpreter import is_bash
from flowc.digest import sha256_hex
from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.shell.comments import uncommented

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job

FOLDER = "/var/lib/foundry/flowc"
# What ends the bid, in memory, of root alone: it has a key in it.
RELEASE = "/run/flowc/release"
# What the agents of a job's machines know each other by, where somebody has brought it: so many characters of chance.
KEY = f"{FOLDER}/key"
KEY_CHARACTERS = 64
# The whole startup script, where a small one waits for it.
WHOLE = "whole"
# What a text says that may look at its own lines, or at itself.
_reads_itself = at_first_use(
    r"\$\{?0(?!\d)|Command=|BASH_SOURCE|BASH_ARGV|batch_script|slurm_script|\bset\s[^\n;]*?(?:-\w*v|verbose)|\b(?:ba|da)?sh\s+-\w*v",
    "search",
)
# SkyPilot's texts see what `setup` and an image's installers append to ~/.bashrc, which asks whether somebody types. On
# the text's first line, so that lines keep their numbers.
PROFILE = "[ ! -f ~/.bashrc ]||PS1=x . <(sed 's/\\$-/i/g' ~/.bashrc);"


class Body(Record):
    """What templates ask for of the job's own text, and of its setup: each without its last line end, its size in
    bytes, and a line that stands nowhere in it and ends it; None where there is none. `body_name` is the file in
    FOLDER, `body_mode` its mode; `body_sha256`: what comes over SSH. `argv` is a command without a text."""

    body: str | None
    body_bytes: int | None
    delimiter: str | None
    setup: str | None
    setup_bytes: int | None
    setup_delimiter: str | None
    body_name: str
    body_mode: str
    body_sha256: str | None
    args: tuple[str, ...]
    argv: tuple[str, ...]


class Apart(Record):
    """What templates ask for of a startup script that comes over SSH as a whole; None where there is none."""

    whole_sha256: str | None = None


TOGETHER = Apart()


class Delivery(Record):
    """What is copied to a machine before its job starts: `data`, to be found at `path`. `every_node`: on each machine,
    else on the first alone."""

    path: str
    data: bytes
    sha256: str
    every_node: bool


def body_text(job: Job) -> str | None:
    """The text that is run, with an interpreter line where it is no script of its own; None for a plain command."""
    text = job.run.text
    if text is not None and job.run.kind == "shell":
        return f"#!{job.run.interpreter or '/bin/bash'}\n{PROFILE if reads_profile(job) else ''}{text}"
    return text


def _setup_text(job: Job) -> str | None:
    """What prepares the job: in a container it sees what the image's installers append to ~/.bashrc."""
    seen = job.setup is not None and job.image is not None and reads_profile(job)
    return f"{PROFILE}{job.setup}" if seen else job.setup


def reads_profile(job: Job) -> bool:
    """Whether there may be more in ~/.bashrc than what the machine comes with, and the format's texts see it."""
    return job.conventions.reads_profile and (job.setup is not None or job.image is not None)


def body_name(job: Job) -> str:
    """Its file name in FOLDER."""
    return job.conventions.file_name


def delivery(job: Job) -> Delivery | None:
    """What somebody has to copy there; None where the startup script holds it all."""
    text = body_text(job)
    if job.run.delivery != "ssh" or text is None:
        return None
    data = text.encode("utf-8", "surrogateescape")
    return Delivery(
        path=f"{FOLDER}/{body_name(job)}",
        data=data,
        sha256=sha256_hex(data),
        every_node=job.conventions.runs_on == "all",
    )


def body(job: Job) -> Body:
    sent = delivery(job)
    text, text_bytes, delimiter = _document(body_text(job))
    setup, setup_bytes, setup_delimiter = _document(_setup_text(job))
    return Body(
        body=text,
        body_bytes=text_bytes,
        delimiter=delimiter,
        setup=setup,
        setup_bytes=setup_bytes,
        setup_delimiter=setup_delimiter,
        body_name=body_name(job),
        body_mode="700" if job.image is None else "755",
        body_sha256=sent.sha256 if sent is not None else None,
        args=job.run.args,
        argv=(*job.run.argv, *job.run.args) if job.run.kind == "argv" else (),
    )


def without_comments(job: Job) -> Body | None:
    """The same without the comments of a shell's texts, whose lines keep their numbers; None where there are none, or
    the text may read itself or show what it reads."""
    text, setup = job.run.text, job.setup
    if job.run.delivery == "ssh" or (text is not None and (not is_bash(job) or _reads_itself(text))):
        return None
    run = job.run.replace(text=uncommented(text)) if text is not None else job.run
    less = job.replace(run=run, setup=uncommented(setup) if setup is not None else None)
    return body(less) if (run.text, less.setup) != (text, setup) else None


def _document(text: str | None) -> tuple[str | None, int | None, str | None]:
    """A text as a here-document holds it, its size, and the line that ends it."""
    if text is None:
        return None, None, None
    return text.removesuffix("\n"), len(text.encode("utf-8", "surrogateescape")), _delimiter(text)


def _delimiter(text: str) -> str:
    if "\nE\n" not in f"\n{text}\n":
        return "E"
    lines = set(text.split("\n"))
    return next(name for name in (f"E{number}" for number in range(len(lines) + 1)) if name not in lines)

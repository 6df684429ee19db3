"""Files by which the programs of a text find each other, which needs a folder that all machines share."""

from __future__ import annotations

from flowc.body.interpreter import MOST_TEXT, is_shell
from flowc.patterns import at_first_use, at_words
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job

# A loop that waits for a file; options and calls of frameworks that meet in one.
_waits = at_words(
    r"\b(?:while|until)[ \t]+(?:![ \t]*)?(?:\[\[?|test)[ \t]+(?:![ \t]*)?-[efsr][ \t]+(?P<file>[^\s;\]]+)"
    r"|(?<![\w-])--(?:scheduler-file|scheduler_file|rdzv-file)[= \t]+(?P<meet>[^\s;|&]+)"
    r"|(?<!\w)(?P<uri>file://[^\s\"';|&)]+)"
    r"|\bscheduler_file[ \t]*=[ \t]*(?P<argument>[\w\"'./$]+)"
    r"|\bFileStore\((?P<store>[^\s,)]+)",
    ("while", "until", "--scheduler", "--rdzv", "file://", "scheduler_file", "FileStore"),
)
_LOCAL = ("/proc/", "/sys/", "/dev/", "/run/")
_meets = at_first_use(r"\binit_method\b|\bdist[-_](?:url|init)|\brdzv|\binit-method\b", "search")


def waited_for(job: Job) -> tuple[int, int] | None:
    """The first of them, as offsets in `job.run.text`."""
    text = (job.run.text or "")[:MOST_TEXT]
    shell = is_shell(job)
    for match in _waits(text):
        name = match.lastgroup or ""
        start, end = match.span(name)
        if match[name].strip("\"'").startswith(_LOCAL) or (shell and scan(text).in_comment(start)):
            continue
        if name == "uri" and not _meets(text[max(0, start - 60) : start]):
            continue
        return start, end
    return None

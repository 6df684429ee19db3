"""Where a job's texts look for conda (`source ~/miniconda3/etc/profile.d/conda.sh`). A machine has it elsewhere."""

from __future__ import annotations

from flowc.body.interpreter import MOST_TEXT, may_be_shell
from flowc.body.paths.cluster import may_lack, with_home
from flowc.patterns import at_first_use, remembered
from flowc.shell.comments import in_comment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job

_HOME = r"(?:~|\$HOME|\$\{HOME\})"
# What shows that a folder is conda's, by what is behind it.
_shown = at_first_use(
    rf"(?<![\w./$}}])({_HOME}?(?:/[\w.+-]+)+?)/(?:etc/profile\.d/(?:conda|mamba)\.sh|(?:conda)?bin/(?:conda|mamba)(?![\w.-])"
    r"|bin/activate[\"']?[ \t]+[\w\"'/~$]|((?:envs/[\w.+-]+(?:/bin/|/?(?=[\s\"';&|)]|\Z))|bin/activate(?![\w.-]))))",
    "finditer",
)
# What is behind it wherever it is named, so that nothing else of it is asked for.
_of_conda = at_first_use(
    r"/(?:etc/profile\.d/(?:conda|mamba)\.sh|condabin(?:/(?:conda|mamba))?|bin/(?:conda|mamba)|bin(?=[:\"'\s]|\Z)"
    r"|bin/activate[\"']?(?=[ \t]+(?![\"']?(?:base|root)\b)[\w\"'/~$])"
    r"|envs/[\w.+-]+(?:/bin(?:/[\w.+-]+)?|/?(?=[\s\"';&|)]|\Z)))(?![\w./-])",
    "match",
)
# A folder of which it is known by its name.
_named = at_first_use(r"(?i)(?:conda|mamba|forge)[^/]*\Z", "search")
_SIGNS = ("conda", "mamba", "forge", "/envs/", "activate")


def conda_folders(job: Job) -> list[str]:
    """The folders (`~/miniconda3`, `/proj/conda`) in which the texts of a job look for conda, its environments or their
    programs, and for nothing else: conda may be anywhere. None that the image may have."""
    text = (job.run.text or "")[:MOST_TEXT]
    if job.image is not None or not any(sign in text for sign in _SIGNS) or not may_be_shell(job):
        return []
    return [*_folders(text)]


def has_own_conda(job: Job) -> bool:
    """Whether the job's text looks for conda in a folder of its own, whatever else it asks for there."""
    text = (job.run.text or "")[:MOST_TEXT]
    return job.image is None and any(sign in text for sign in _SIGNS) and may_be_shell(job) and bool(_all_folders(text))


@remembered(16)
def _folders(text: str) -> tuple[str, ...]:
    found = _all_folders(text)
    return tuple(folder for folder in found if may_lack(folder) and all(map(_of_conda, _behind(text, folder))))


@remembered(16)
def _all_folders(text: str) -> tuple[str, ...]:
    found = {
        with_home(match[1]): None
        for match in _shown(text)
        if (match[2] is None or _named(match[1])) and not in_comment(text, match.start(), shell=True)
    }
    return tuple(found)


def _behind(text: str, folder: str) -> list[str]:
    """What is behind each mention of a folder, without comments."""
    spelled = [folder, *(f"{home}{folder[1:]}" for home in ("$HOME", "${HOME}") if folder[0] == "~")]
    found = []
    for each in spelled:
        at = text.find(each)
        while at >= 0:
            end = at + len(each)
            more = text[end : end + 1]
            if not (more.isalnum() or more in ("_", "-", ".", "+")) and not in_comment(text, at, shell=True):
                found.append(text[end : end + 200])
            at = text.find(each, end)
    return found

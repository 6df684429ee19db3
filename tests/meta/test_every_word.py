"""Each word of Slurm's manual pages has a state in flowc/data/slurm_words.yaml, and the small Slurm keeps to it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from flowc._compiled.slurm_words import OPTIONS, PROGRAMS, VARIABLES
from flowc.scripts.slurm.tools import closed, program

PAGES = Path("/usr/share/man/man1")
# What the page of scontrol says of the words behind its commands.
BEHIND = frozenset(("Incomplete", "State", "users", "accounts", "qos", "flags"))


def words_of(page: str) -> tuple[list[str], set[str], set[str]]:
    """The options of a manual page, each as the page writes its long name, the variables that the program reads and
    those that it sets."""
    section, heading = "", False
    options: list[str] = []
    reads: set[str] = set()
    sets: set[str] = set()
    for line in page.replace("\\-", "-").splitlines():
        if line.startswith(".SH"):
            section = line[3:].strip().strip('"')
        elif line.startswith(".TP"):
            heading = True
        elif heading and not line.startswith("."):
            heading = False
            plain = re.sub(r"\\f[A-Z]", "", line).strip()
            if section == "OPTIONS" and line.startswith("\\fB-"):
                options += re.findall(r"--([a-zA-Z][\w-]*)", plain)
            elif "ENVIRONMENT" in section and (name := re.match(r"[A-Z][A-Z\d_*]*#?", plain)):
                (sets if "OUTPUT" in section else reads).add(name[0])
    return options, reads, sets


def undecided(name: str, page: str) -> set[str]:
    """The words of a page that have no state. A name may be short for an option, as getopt reads it."""
    options, reads, sets = words_of(page)
    words = PROGRAMS[name]
    told = [row["option"] for row in words["told"].values()]
    states = (words[state] for state in ("done", "picks", "rare", "needless", "refused"))
    known = [word[2:] for word in (*told, *(word for state in states for word in state))]
    read = {*words["reads"]["options"], *words["reads"]["done"], *words["reads"]["needless"], *words["reads"]["told"]}
    given = {*words["sets"]["done"], *words["sets"]["absent"]} if words["sets"] else set()
    return (
        {f"--{each}" for each in options if not any(one.startswith(each) for one in known)}
        | {each for each in reads if each not in read}
        | {each for each in sets if each not in given}
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_word_of_the_manual_pages_is_undecided(name: str) -> None:
    path = PAGES / f"{name}.1.gz"
    if not path.exists():
        pytest.skip("Slurm's manual pages are not installed")
    page = gzip.decompress(path.read_bytes()).decode("utf-8", "replace")
    assert len(words_of(page)[0]) > 8
    assert undecided(name, page) == set()


def test_an_undecided_word_is_found() -> None:
    page = """.SH "OPTIONS"
.TP
\\fB\\-l\\fR, \\fB\\-\\-label\\fR
.TP
\\fB\\-\\-new\\-thing\\fR=<\\fIx\\fR>
.SH "INPUT ENVIRONMENT VARIABLES"
.TP
\\fBSLURM_NEW\\fR
.TP
\\fBSLURM_LABELIO\\fR
.SH "OUTPUT ENVIRONMENT VARIABLES"
.TP
\\fBSLURM_OTHER\\fR
"""
    assert undecided("srun", page) == {"--new-thing", "SLURM_NEW", "SLURM_OTHER"}


def test_no_command_of_scontrol_is_undecided() -> None:
    path = PAGES / "scontrol.1.gz"
    if not path.exists():
        pytest.skip("Slurm's manual pages are not installed")
    page = gzip.decompress(path.read_bytes()).decode("utf-8", "replace")
    commands = page.partition('.SH "COMMANDS"')[2].partition(".SH")[0]
    found = {*re.findall(r"(?m)^\.TP\n\\f[BI](\w+)", commands)} - BEHIND
    words = PROGRAMS["scontrol"]
    known = [each for kind in ("commands", "shows") for state in words[kind].values() for each in state]
    assert len(found) > 40
    assert {each for each in found if not any(one.startswith(each) for one in known)} == set()


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name in OPTIONS and name != "scontrol"])
def test_the_program_takes_what_is_decided_so(name: str) -> None:
    every = {word[2:] for kind in OPTIONS[name].values() for word in kind}
    refused = {word[2:] for word in PROGRAMS[name]["refused"]}
    assert not every & refused
    features = {name, "picks", "rare"} | ({f"opt:{each}" for each in every} if name == "srun" else set())
    text = program(closed(features))
    taken = {word[2:] for word in re.findall(r"(?<![^\s\"'])[A-Za-z-][=?.][a-zA-Z][\w-]*(?![^\s\"'])", text)}
    assert every <= taken
    assert not refused - {"user", "name", "state", "partition", "nodelist", "qos"} & taken


def test_variables_of_srun_are_those_of_its_options() -> None:
    assert VARIABLES["SLURM_LABELIO"] == "label"
    assert "SLURM_TASK_PROLOG" not in VARIABLES
    assert "SLURM_HINT" not in VARIABLES

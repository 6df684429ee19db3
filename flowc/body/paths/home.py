"""What a job's text reads in the home folder, which is new on a rented machine."""

from __future__ import annotations

from flowc._compiled.shell_words import CONTAINERS, COPIERS, ENTERS, HOME_FILES, INSTALLS, READS, SILENT
from flowc.body.interpreter import MOST_TEXT, may_be_shell
from flowc.ir.profile import is_meant
from flowc.patterns import at_first_use
from flowc.shell import contained
from flowc.shell.uses import DECLARES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import Job

# A word in the home folder, up to its first part; what other users have is not read.
_in_home = at_first_use(r"[\"']?(?:~|(?:\$HOME|\$\{HOME\})[\"']*)/[\"']?(\.?\w[\w.+-]*)(?![\w.+$*?{-])", "match")
_any_in_home = at_first_use(r"(?:~|(?:\$HOME|\$\{HOME\})[\"']*|/root)/[\"']?(\.?\w[\w.+-]*)", "findall")
_folders_in_home = at_first_use(r"(?:~|(?:\$HOME|\$\{HOME\})[\"']*)/(\w[\w.+-]*)(?=/)", "finditer")
_sets_home = at_first_use(r"(?<!\w)HOME=", "search")
_variable = at_first_use(r"\$(?:(\w+)|\{(\w+)\})", "sub")
# Where programs come to be that a text installs.
_NO_FOLDERS = ("bin", "go")
_HOME_ITSELF = ("~", "~/", "$HOME", "${HOME}", '"$HOME"', '"${HOME}"')


def home_paths(job: Job) -> dict[str, tuple[int, int]]:
    """The first part of each such path (`~/project`), with the place of its first mention as offsets in `job.run.text`.

    Only what certainly must be there: what is changed to, run, sourced or copied from. Whatever else a command is given
    may be made by it, and is taken as there from then on; so is what the job mounts and what prepares it names. Of
    folders in PATH only those that nothing else names.
    """
    text = (job.run.text or "")[:MOST_TEXT]
    if job.image is not None or "HOME" in dict(job.env) or ("~/" not in text and "HOME" not in text):
        return {}
    if ("HOME=" in text and _sets_home(text)) or not may_be_shell(job):
        return {}
    from flowc.shell.scan import scan

    targets = [*(each.target for each in job.mounts), *(each.mount_path for each in job.volumes), *job.venvs]
    deeper = [each for each in targets if each.count("/") > 1 and each[0] == "~"]
    whole = [each for each in targets if each not in deeper and each[0] in "/~"]
    prepared = job.setup or ""
    if not any(sign in prepared for sign in ("~/", "HOME", "/root/")):
        prepared = ""
    made = {*HOME_FILES, *_any_in_home(" ".join((*whole, job.run.workdir or "", prepared)))}
    installs = bool(job.setup)
    found: dict[str, tuple[int, int]] = {}
    in_path: dict[str, tuple[int, int]] = {}
    named: dict[str, str] = {}
    for command in scan(text).commands:
        assigned, words_of, redirections = command.parts()
        first, *rest = words_of or [(0, "")]
        name = first[1].strip("\"'").rpartition("/")[2]
        if name in DECLARES:
            assigned, words_of = [*assigned, *rest], []
        for start, word in assigned:
            in_path.update(_assign(start, word, named))
        if not words_of:
            continue
        if named:
            name = _named_by(first[1], named).strip("\"'").rpartition("/")[2]
        if name in ENTERS and all(word in _HOME_ITSELF for _, word in rest):
            break  # what comes to be in it then has names of its own
        installs = installs or name in INSTALLS
        read = _read(name, first, rest)
        for start, word in read:
            expanded = _named_by(word, named)
            match = _in_home(expanded)
            if match is None or match[1] in made or (match[1][0] == "." and installs) or _stood_for(expanded, job):
                continue
            if not deeper or not _is_at("~/" + expanded[match.start(1) :], deeper):
                skip = word[0] in "\"'"
                first_part = (start + skip, start + match.end())
                found.setdefault("~/" + match[1], first_part if expanded == word else (start, start + len(word)))
        given = [word for _, _, word in redirections]
        if name not in SILENT:
            given += [word for place, word in rest if (place, word) not in read]
        made.update(_any_in_home(" ".join(_named_by(word, named) for word in given)))
        if name == "git":
            made.update(word.rpartition("/")[2].removesuffix(".git") for _, word in rest)
    for path, place in in_path.items():
        if path not in made and not (deeper and _is_at(f"~/{path}", deeper)):
            found.setdefault("~/" + path, place)
    return found


def _stood_for(word: str, job: Job) -> bool:
    """Whether an image of a registry is there in its place."""
    return any(is_meant(key, word) for key, _ in job.image_files)


def _assign(start: int, word: str, named: dict[str, str]) -> dict[str, tuple[int, int]]:
    """Note what a variable names in the home folder; what PATH does comes back, with its place."""
    name, _, value = word.partition("=")
    expanded = _named_by(value.strip("\"'"), named)
    if _in_home(expanded) is None or ":" in expanded:
        named.pop(name, None)
    else:
        named[name] = expanded
    found = {}
    if name == "PATH" and "HOME" in value:
        for match in _folders_in_home(word):
            if match[1] not in _NO_FOLDERS:
                found[match[1]] = (start + match.start(), start + match.end(1))
    return found


def _named_by(word: str, named: dict[str, str]) -> str:
    """The word with what its variables name in the home folder."""
    if not named or "$" not in word:
        return word
    expanded: str = _variable(lambda match: named.get(match[1] or match[2], match[0]), word)
    return expanded


def _is_at(word: str, targets: list[str]) -> bool:
    """Whether what a word names, as it stands in a text, is in one of these folders, or holds one."""
    path = word.rstrip("\"'/")
    return any(f"{path}/".startswith(f"{each}/") or each.startswith(f"{path}/") for each in targets)


def _read(name: str, first: tuple[int, str], rest: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The words of a command, with their offsets, that must name what is there."""
    if contained.behind([first, *rest]) is not None and name not in SILENT:
        return contained.of_the_machine([first, *rest])
    if name in SILENT or name in CONTAINERS or any(word.startswith("--container-image") for _, word in rest):
        return []
    if name in COPIERS:
        return rest[:-1]
    if name in READS:
        plain = (each for each in rest if each[1][:1] != "-" and each[1] not in READS)
        return [first, *([each] if (each := next(plain, None)) else [])]
    return [first, *rest] if name in ENTERS else [first]

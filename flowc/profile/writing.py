"""A profile's text with more lines: what stands there stays as it is."""

from __future__ import annotations

import re
from textwrap import wrap

from flowc.listing import some_of
from flowc.patterns import remembered
from flowc.profile.needs import Line, is_open

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

SECTIONS = ("modules", "programs", "conda", "venvs", "paths", "variables")
_ASKED = {
    "modules": "{apt: PACKAGE}",
    "programs": "{apt: PACKAGE}",
    "conda": "environment.yml",
    "venvs": "requirements.txt",
    "paths": "volume://NAME",
    "variables": "VALUE",
}
_FIELDS = ("apt", "conda", "packages", "channels", "pip")
_WIDTH = 110
_MOST_SPELLED = 6
# How files end that scripts name by themselves.
_file = re.compile(r"\.(?:sh|bash|py|R|jl|txt|csv|tsv|json|ya?ml|conf|cfg|ini|tgz|tar|gz|zip|sif|simg)\Z")
_plain = re.compile(r"[A-Za-z/~][\w./+-]*")
# Words that are no text for YAML.
_WORDS = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
_next_section = re.compile(r"(?m)^[^\s#]")
_line = re.compile(r"(?m)^[ \t]*(?:#[ \t]*)?([^\s#].*?)[ \t]*:(?:[ \t]|$)")


class UnreadableFormError(Exception):
    """A section to which no line can be added."""


def with_lines(text: str, lines: Sequence[Line], ranks: dict[str, int], head: Iterable[str] = ()) -> str:
    """`text` with these lines, in their order within each section; open ones are comments, with their `ranks` by name.
    `head` are comments above all, for a new file. Lines of which the text has one, be it a comment, are left out.
    Raises UnreadableFormError."""
    if not lines:
        return text
    if not text.strip():
        text = "".join(f"# {line}".rstrip() + "\n" for line in head)
    for section in SECTIONS:
        begin, end = _section(text, section)
        there = text[begin:end]
        standing = _standing(there)
        added = [line for line in lines if line.section == section and line.key not in standing]
        if not added:
            continue
        indent = _indent(there)
        new = "".join(_entry(line, ranks.get(line.name), indent) for line in added)
        if begin < 0:
            gap = "\n" if text else ""
            text = f"{text.rstrip()}\n{gap}{section}:\n{new}" if text else f"{section}:\n{new}"
        else:
            text = text[:end] + ("" if text[:end].endswith("\n") else "\n") + new + text[end:]
    return text


def _section(text: str, name: str) -> tuple[int, int]:
    """Where a section's lines stand, without blanks and comments behind them; (-1, -1) where it is not there."""
    match = re.search(rf"(?m)^(?:{name}|'{name}'|\"{name}\")[ \t]*:(.*)$", text)
    if match is None:
        return -1, -1
    if match[1].split("#")[0].strip():
        raise UnreadableFormError(
            f"`{name}` is written in one line: put each of its lines on a line of its own, so that more can follow"
        )
    follows = _next_section.search(text, match.end())
    end = place = match.end() + text.startswith("\n", match.end())
    for line in text[place : follows.start() if follows else len(text)].splitlines(keepends=True):
        place += len(line)
        if line.strip() and line[0] in " \t":
            end = place
    return match.end(), end


def _standing(block: str) -> set[str]:
    """The keys of which a section has a line, or a comment with one."""
    found = {match[1] for match in _line.finditer(block)}
    return found | {key[1:-1] for key in found if key[0] in "'\"" and key[0] == key[-1]}


def _indent(block: str) -> str:
    match = re.search(r"(?m)^([ \t]+)[^\s#]", block)
    return match[1] if match else "  "


def _entry(line: Line, rank: int | None, indent: str) -> str:
    comments = "".join(f"{indent}# {each}\n" for each in _wrapped(_comment(line, rank), _WIDTH - len(indent)))
    key = _scalar(line.key)
    if line.brings is None:
        asked = f"./{line.key.rpartition('/')[2]}" if _is_file(line) else _ASKED[line.section]
        return f"{comments}{indent}# {key}: {asked}\n"
    return comments + _written(key, line.brings, indent)


@remembered(1000)  # a draft is written, tried and written again
def _wrapped(comment: str, width: int) -> list[str]:
    return wrap(comment, width, break_long_words=False, break_on_hyphens=False)


def _is_file(line: Line) -> bool:
    """Whether a line is for one file by its name, where no volume can be."""
    return line.section == "paths" and _file.search(line.key) is not None


def _comment(line: Line, rank: int | None) -> str:
    what = {
        "modules": "load it",
        "programs": "call it",
        "conda": "enter it",
        "venvs": "enter it",
        "paths": "read it" if _is_file(line) else "read below it",
        "variables": "use it",
    }[line.section]
    parts = [f"{line.files:,} {'file' if line.files == 1 else 'files'} {what if line.files != 1 else _singular(what)}"]
    names = [name.removeprefix(f"{line.key}/") for name in line.spelled if name != line.key]
    if line.section != "variables" and names:
        parts[0] += f" ({some_of(names, _MOST_SPELLED)})"
    if not line.files:
        parts = ["an empty folder, for a variable"]
    elif line.brings == "scratch":
        parts.append("an empty folder: what is read there is not in it (FC820)")
        parts.append(f"{rank}. a bucket or volume://NAME instead frees {line.frees:,}" if rank else "")
    elif line.brings is None:
        parts.append(f"{rank}. frees {line.frees:,} more, with those before it" if rank else "")
    else:
        parts.append(f"frees {line.frees:,}")
    return "; ".join(each for each in (*parts, line.says) if each)


def _singular(words: str) -> str:
    verb, _, rest = words.partition(" ")
    return f"{verb}s {rest}"


def _written(key: str, brings: Any, indent: str) -> str:
    if isinstance(brings, str):
        return f"{indent}{key}: {_scalar(brings)}\n"
    fields = {name: [*brings[name]] for name in _FIELDS if brings.get(name)}
    shown = [f"{name}: {_items(values)}" for name, values in fields.items()]
    if not brings.get("shell"):
        return f"{indent}{key}: {{{', '.join(shown)}}}\n"
    inner = indent * 2
    text = "".join(f"{inner}  {each}\n" for each in brings["shell"].rstrip("\n").split("\n"))
    return f"{indent}{key}:\n" + "".join(f"{inner}{each}\n" for each in shown) + f"{inner}shell: |\n{text}"


def _items(values: list[str]) -> str:
    shown = [_scalar(value) for value in values]
    return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"


def _scalar(text: str) -> str:
    if _plain.fullmatch(text) and text.lower() not in _WORDS:
        return text
    import json

    return json.dumps(text)


def is_asked(line: Line) -> bool:
    """Whether somebody has to fill it in."""
    return is_open(line) and line.files > 0

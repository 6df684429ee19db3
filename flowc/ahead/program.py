"""The program step: templates/slurm/, the small Slurm, joined and minified line by line.

Its marks (`#% if A|B`, `#% end`) stay where they are, so that flowc/scripts/slurm/tools.py can leave out what a job
does not need. Comments, docstrings and white space go; names of the program's own become short ones, the same
everywhere.
"""

from __future__ import annotations

import ast
import builtins
import io
import keyword
import re
import tokenize
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import count, product
from pathlib import Path
from string import ascii_letters

import yaml

from flowc.ahead.joined import joined, side_by_side
from flowc.ahead.schemas_slurm import SlurmPrograms, SlurmWords

# At the end of a line: the statement goes on in the next one.
GOES_ON = "\\"
# Looked up in the program's text by name.
KEPT = frozenset(
    (
        *("OPTIONS", "srun", "scontrol", "squeue", "sacct", "sinfo", "scancel", "sbcast", "sbatch", "salloc"),
        *("agent", "agent_rsh", "ibrun"),
    )
)
# What a job on several machines has that calls srun without options.
PLAINEST = frozenset(("srun", "agent", "pipes", "chdir"))
# What few jobs have, and have many names of their own: short ones are worth more to the others.
RAREST = (
    *("pmix", "sbcast", "input_each", "backslash", "export_none", "columns", "fields", "node_fields", "update"),
    *("het_job", "opt:signal", "pyxis", "ibrun", "ibrun_options", "ibrun_rare", "opt:cpus-per-gpu", "opt:accel-bind"),
)
PLACE = re.compile(r"@(\w+)\.(always|picks|rare)@")
MARK = re.compile(r"#% (?:if (\S+)|end)")


def compile_program(root: Path) -> dict[str, str]:
    """The module with the lines of the program."""
    data = root / "flowc" / "data"
    tables = SlurmPrograms.model_validate(yaml.safe_load((data / "slurm_programs.yaml").read_text()))
    options = SlurmWords.model_validate(yaml.safe_load((data / "slurm_words.yaml").read_text())).options
    templates = root / "templates" / "slurm"
    check_features(side_by_side(templates), tables, {f"opt:{word[2:]}" for word in options["srun"]["always"]})
    source = joined(templates)
    source = with_words(source, options)
    lines = minified(source, short_names(source))
    return {"slurm_program.py": "LINES = (\n" + "".join(f"    {line!r},\n" for line in lines) + ")\n"}


def check_features(source: str, tables: SlurmPrograms, options: set[str]) -> None:
    """ValueError where a mark or a row names a feature that no table knows, or a mark is none."""
    known = {*tables.names, *tables.needs, *tables.alone, *options}
    marks = [line.strip() for line in source.splitlines() if line.strip()[:2] == "#%"]
    if wrong := [mark for mark in marks if not MARK.fullmatch(mark)]:
        raise ValueError(f"these are no marks: {wrong}")
    if marks.count("#% end") * 2 != len(marks):
        raise ValueError("not each mark has its end")
    named = {name.removeprefix("!") for mark in marks if mark != "#% end" for name in mark[6:].split("|")}
    named |= {*tables.needs, *(" ".join([*tables.needs.values(), *tables.inherited.values()])).split()}
    if unknown := sorted(named - known) + sorted(name for name in {*tables.needs} - options if name[:4] == "opt:"):
        raise ValueError(f"no table knows the features {unknown}")


def with_words(source: str, options: dict[str, dict[str, tuple[str, ...]]]) -> str:
    """The program with the options of flowc/data/slurm_words.yaml in the place of `@PROGRAM.KIND@`."""
    return PLACE.sub(lambda place: " ".join(options[place[1]][place[2]]), source)


def short_names(source: str) -> dict[str, str]:
    """Names that the program defines itself to short ones. A name is called the same everywhere; two names that no
    function has both may be called alike. The shortest go to what the plainest job's program uses most."""
    own: set[str] = set()
    other: set[str] = {*keyword.kwlist, *dir(builtins), *KEPT}
    scopes: dict[str, set[str]] = defaultdict(set)
    for text in _sides(source):
        tree = ast.parse(text)
        mine, theirs = _defined(tree)
        own |= mine
        other |= theirs
        for node in tree.body:
            scopes[node.name if isinstance(node, ast.FunctionDef) else ""] |= _used([node])
            scopes[""] |= {node.name} if isinstance(node, ast.FunctionDef) else set()
            scopes[""].update(*(each.names for each in ast.walk(node) if isinstance(each, ast.Global)))
    together: dict[str, set[str]] = defaultdict(set)
    for names in scopes.values():
        for name in names:
            together[name] |= names
    uses = Counter(re.findall(r"\w+", _chosen(source, partial(_without, *RAREST))))
    plainest = Counter(re.findall(r"\w+", _chosen(source, lambda mark: mark[0] == "!" or mark in PLAINEST)))
    short: dict[str, str] = {}
    for name in sorted(own - other, key=lambda name: (-plainest[name], -uses[name], name)):
        taken = other | {short.get(each, each) for each in together[name]}
        short[name] = next(word for word in _words() if word not in taken)
    return short


def _defined(tree: ast.Module) -> tuple[set[str], set[str]]:
    """Names that the program gives to something, and names that are not its own."""
    own: set[str] = set()
    other: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                own.add(name)
            case ast.ExceptHandler(name=str(name)):
                own.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                own.add(name)
            case ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                other.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                other.update(alias.asname or alias.name for alias in names)
            case _:
                pass
    return own, other


def _used(nodes: list[ast.stmt]) -> set[str]:
    found: set[str] = set()
    for node in (node for each in nodes for node in ast.walk(each)):
        match node:
            case ast.Name(id=name) | ast.FunctionDef(name=name) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                found.add(name)
            case _:
                pass
    return found


def _sides(source: str) -> Iterator[str]:
    """The program with all features, and with all but one for each that has lines for its absence."""
    yield _chosen(source, lambda mark: mark[0] != "!")
    for absent in sorted(set(re.findall(r"#% if !(\S+)", source))):
        yield _chosen(source, partial(_without, absent))


def _without(*words: str) -> bool:
    *absent, mark = words
    return any(word[1:] in absent if word[0] == "!" else word not in absent for word in mark.split("|"))


def _chosen(source: str, keep: Callable[[str], bool]) -> str:
    lines, kept = [], [True]
    for line in source.splitlines():
        mark = MARK.fullmatch(line.strip())
        if mark and mark[1]:
            kept.append(keep(mark[1]))
        elif mark:
            kept.pop()
        elif all(kept):
            lines.append(line)
    return "\n".join(lines)


def _words() -> Iterator[str]:
    for length in count(1):
        yield from map("".join, product(ascii_letters, repeat=length))


def minified(source: str, names: dict[str, str]) -> list[str]:
    """The lines of the program, statement by statement; a statement with marks inside has several."""
    out: list[str] = []
    line, before, depth, indent = "", "", 0, 0
    tokens = list(_without_last_commas(tokenize.generate_tokens(io.StringIO(source).readline)))
    for token, following in zip(tokens, [*tokens[1:], tokens[-1]], strict=True):
        kind, text = token.type, token.string
        is_mark = kind == tokenize.COMMENT and MARK.fullmatch(text) is not None
        if is_mark or kind == tokenize.NEWLINE:
            if line.strip():
                # A statement that goes on after a mark has its parts in one line again.
                out.append(line + GOES_ON if depth else line)
            line, before = "", ""
            out += [text] if is_mark else []
        elif kind in (tokenize.INDENT, tokenize.DEDENT):
            indent += 1 if kind == tokenize.INDENT else -1
        elif kind in (tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER):
            continue
        elif kind == tokenize.STRING and not line and not depth and following.type == tokenize.NEWLINE:
            continue  # a docstring
        else:
            if not line and not depth:
                line = " " * indent
            word = _word(token, before, names)
            if before and _joins(line[-1]) and _joins(word[0]):
                line += " "
            line += word
            depth += (text in "([{") - (text in ")]}") if kind == tokenize.OP else 0
            before = text
    return out


def _without_last_commas(tokens: Iterable[tokenize.TokenInfo]) -> Iterator[tokenize.TokenInfo]:
    """Commas in front of a bracket that closes go, but where they may make a tuple of one, or a mark is between."""
    found = [token for token in tokens if token.type != tokenize.NL]
    needless: list[bool] = []  # of each open bracket, whether a comma more says nothing
    before = ""
    for token, following in zip(found, [*found[1:], found[-1]], strict=True):
        if token.type == tokenize.OP:
            if token.string in "([{":
                is_call = _joins(before[-1:]) and not keyword.iskeyword(before)
                needless.append(token.string != "(" or is_call)
            elif token.string in ")]}":
                needless.pop()
            elif token.string == "," and needless:
                if needless[-1] and following.string in (")", "]", "}"):
                    continue
                needless[-1] = True
        before = token.string
        yield token


def _joins(char: str) -> bool:
    return char.isalnum() or char == "_"


def _word(token: tokenize.TokenInfo, before: str, names: dict[str, str]) -> str:
    if token.type == tokenize.NAME and before != ".":
        return names.get(token.string, token.string)
    if token.type == tokenize.STRING and "f" in re.match(r"\w*", token.string)[0].lower():  # type: ignore[index]
        return re.sub(r"\{\{|\}\}|\{[^{}]*\}", lambda braces: _in_braces(braces[0], names), token.string)
    return token.string


def _in_braces(text: str, names: dict[str, str]) -> str:
    """The names of an expression in an f-string."""
    if text in ("{{", "}}"):
        return text
    return re.sub(r"(?<![\w.\"'])[A-Za-z_]\w*(?![\w\"'])", lambda name: names.get(name[0], name[0]), text)

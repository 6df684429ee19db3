"""The template step: templates/*.j2 become plain functions in `_compiled/templates.py` that need no jinja2.

Only what the templates use is translated: text, `{{ }}` with a filter, `if`, `for`, `set`, `include` and
simple comparisons; anything else is refused here. Every `{{ }}` must end in `sh` (quoted for a shell) or
`raw`. A variable that the caller did not give is a KeyError.

Of each template there are two functions: NAME_plain keeps comments and indentation for a reader, NAME_small
has neither and calls variables by the short names of templates/short_names.yaml. Both changes touch the
template's own text only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import yaml
from jinja2 import nodes

FILTERS = ("sh", "raw")
# Templates that are rendered by themselves; the others are their parts. The stubs are short as they are.
ENTRIES = {"startup": True, "apart": True, "gzip": False, "zlib": False, "lzma": False, "mixing": False}
OPERATORS = {"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<="}


class TemplateError(Exception):
    """A template uses what the translator does not know, or shows something without a filter."""


def compile_templates(root: Path) -> dict[str, str]:
    """The text of `templates.py`. Raises TemplateError for what cannot be translated."""
    folder = root / "templates"
    short = yaml.safe_load((folder / "short_names.yaml").read_text())
    functions = []
    for name, sized in ENTRIES.items():
        if sized:
            functions.append(Translator(folder, join_tags).function(name, f"{name}_plain"))
            functions.append(Translator(folder, lambda text: minify(text, short)).function(name, f"{name}_small"))
        else:
            functions.append(Translator(folder, join_tags).function(name, name))
    about = (
        '"""Each function takes the variables and the quoting filter, and gives (section, text) pairs in order."""\n'
    )
    return {"templates.py": about + "\n\n".join(["", *functions])}


def join_tags(text: str) -> str:
    """The template with the lines that hold a comment or one tag and nothing else taken out of the output."""
    text = re.sub(r"^[ ]*\[#.*?#\]\n", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"^[ ]*(\{%[^\n]*?%\})[ ]*\n", r"\1", text, flags=re.MULTILINE)


def minify(text: str, short: dict[str, Any]) -> str:
    """The template without comments, indentation, blank lines, line continuations and needless spaces and
    quotes, and with the short names.
    """
    lines = [line.strip() for line in text.split("\n")]
    text = "".join(line + "\n" for line in lines if line and (line[0] != "#" or line.startswith("#!")))
    text = re.sub(r"[ ]*\\\n", " ", join_tags(text))
    text = re.sub(r"[ ]*(&&|\|\|?)[ ]*", r"\1", text)
    text = re.sub(r"[ ]*; *(;|then|do|\})", r";\1", text)
    # Within arithmetic, and before redirections behind what is no number.
    text = re.sub(r"\(\((?:[^()%]|\([^()%]*\))*\)\)", lambda match: match[0].replace(" ", ""), text)
    text = re.sub(r"""(?<=[a-z_:"')]) (?=[<>]+["/$&])""", "", text)
    bare = "|".join(map(re.escape, short["unquoted"]))
    path = r"(?:/(?:[a-z_.]+|\{\{ \w+\|raw \}\}))*"
    # Not where what follows, or what a tag puts there, may go on with the name.
    ends = r"(?!\w|\{\{|\{% el|(?:\{%[^}]*%\})+(?![ \n]))"
    text = re.sub(rf'"({path}(?:/?\$(?:{bare})\b)+{path})"{ends}', r"\1", text)
    names: dict[str, str] = short["names"]
    pattern = r"\b(" + "|".join(map(re.escape, names)) + r")\b"
    return re.sub(pattern, lambda match: names[match[0]], text)


class Translator:
    """Translates one entry template, with its includes put in place."""

    def __init__(self, folder: Path, prepare: Callable[[str], str]) -> None:
        self.folder = folder
        self.prepare = prepare
        self.environment = jinja2.Environment(
            keep_trailing_newline=True, comment_start_string="[#", comment_end_string="#]"
        )
        for name in FILTERS:
            self.environment.filters[name] = str
        self.lines: list[str] = []
        self.pieces: list[str] = []  # not in the lines yet
        self.local: set[str] = set()

    def parse(self, file_name: str) -> nodes.Template:
        text = (self.folder / file_name).read_text()
        return self.environment.parse(self.prepare(text))

    def function(self, name: str, function_name: str) -> str:
        self.lines = [
            f"def {function_name}(v, sh):",
            "    sections = []",
            "    out = []",
        ]
        self.block(self.parse(f"{name}.sh.j2").body, 1)
        self.flush(name, 1)
        return "\n".join([*self.lines, "    return sections", ""])

    def add(self, depth: int, line: str) -> None:
        self.put(depth)
        self.lines.append("    " * depth + line)

    def put(self, depth: int) -> None:
        """What stands between two tags is put in one step, as much of it as it is."""
        pieces, self.pieces = self.pieces, []
        if pieces:
            line = f"out.append({pieces[0]})" if len(pieces) == 1 else f"out += {', '.join(pieces)}"
            self.lines.append("    " * depth + line)

    def flush(self, section: str, depth: int) -> None:
        """End a section: what was put since the last one is its text."""
        self.add(depth, f"sections.append(({section!r}, ''.join(out)))")
        self.add(depth, "out.clear()")

    def block(self, body: list[nodes.Node], depth: int) -> None:
        before = len(self.lines)
        for node in body:
            self.statement(node, depth)
        self.put(depth)
        if len(self.lines) == before:
            self.add(depth, "pass")

    def statement(self, node: nodes.Node, depth: int) -> None:
        match node:
            case nodes.Output():
                self.output(node)
            case nodes.If():
                self.condition(node, depth)
            case nodes.For(target=target, iter=over, body=body, else_=[], test=None):
                names = [each.name for each in getattr(target, "items", [target])]
                self.add(depth, f"for {', '.join(f'l_{name}' for name in names)} in {self.expression(over)}:")
                self.local.update(names)
                self.block(body, depth + 1)
                self.local.difference_update(names)
            case nodes.Assign(target=nodes.Name(name=name), node=value):
                self.add(depth, f"l_{name} = {self.expression(value)}")
                self.local.add(name)
            case nodes.Include(template=nodes.Const(value=str(file_name))):
                self.block(self.parse(file_name).body, depth)
                self.flush(file_name.split(".")[0], depth)
            case _:
                raise TemplateError(f"line {node.lineno}: {type(node).__name__} is not translated")

    def condition(self, node: nodes.If, depth: int) -> None:
        self.add(depth, f"if {self.expression(node.test)}:")
        self.block(node.body, depth + 1)
        for branch in node.elif_:
            self.add(depth, f"elif {self.expression(branch.test)}:")
            self.block(branch.body, depth + 1)
        if node.else_:
            self.add(depth, "else:")
            self.block(node.else_, depth + 1)

    def output(self, node: nodes.Output) -> None:
        for part in node.nodes:
            match part:
                case nodes.TemplateData(data=text):
                    self.pieces.append(repr(text))
                case nodes.Filter(name="sh", node=inner, args=[], kwargs=[]):
                    self.pieces.append(f"sh({self.expression(inner)})")
                case nodes.Filter(name="raw", node=inner, args=[], kwargs=[]):
                    self.pieces.append(f"str({self.expression(inner)})")
                case _:
                    raise TemplateError(f"line {part.lineno}: `{{{{ }}}}` must end in one of the filters {FILTERS}")

    def expression(self, node: nodes.Node | None) -> str:
        match node:
            case nodes.Name(name=name):
                return f"l_{name}" if name in self.local else f"v[{name!r}]"
            case nodes.Const(value=value):
                return repr(value)
            case nodes.Compare(expr=left, ops=[nodes.Operand(op=op, expr=right)]) if op in OPERATORS:
                return f"{self.expression(left)} {OPERATORS[op]} {self.expression(right)}"
            case nodes.Not(node=inner):
                return f"not ({self.expression(inner)})"
            case nodes.And(left=left, right=right):
                return f"({self.expression(left)} and {self.expression(right)})"
            case nodes.Or(left=left, right=right):
                return f"({self.expression(left)} or {self.expression(right)})"
            case nodes.Test(name="none", node=inner):
                return f"{self.expression(inner)} is None"
            case _:
                raise TemplateError(f"{type(node).__name__} is not translated")

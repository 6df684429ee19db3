"""`flowc explain`: the manual, from the table of diagnostics."""

from __future__ import annotations

import sys

from flowc.cli import terminal
from flowc.cli.arguments import UsageError
from flowc.cli.table import HELP, Command, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.cli.arguments import Words
    from flowc.diag.code import Code

# An example that only shows a limit is as long as that limit: so much of it is shown.
_SHOWN = 200
_SHOWN_LINES = 20
_INTRODUCTION = """\
# Diagnostics of flowc

Every finding has a code and a name. `flowc explain CODE` shows one of these pages.
"""

COMMAND = Command(
    name="explain",
    summary="the manual of a diagnostic",
    operand_values="codes",
    usage=("flowc explain CODE…", "flowc explain --all"),
    operand="CODE",
    options=(
        Option(name="--all", help="every diagnostic there is"),
        Option(
            name="--format",
            metavar="FORMAT",
            choices=("markdown", "json"),
            help="how to show it (default: markdown)",
        ),
        HELP,
    ),
    examples=(
        ("flowc explain FC110", "by its code"),
        ("flowc explain unknown-option", "by its name"),
        ("flowc explain --all > diagnostics.md", "the whole manual"),
    ),
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError for a code that there is not."""
    from flowc.diag.codes.table import all_codes

    codes = all_codes()
    if words.flag("all") == bool(words.operands):
        raise UsageError("`flowc explain` takes codes or --all", "flowc explain FC110, or flowc explain --all")
    chosen = codes if words.flag("all") else tuple(_find(codes, operand) for operand in words.operands)
    if words.text("format") == "json":
        text = _json(chosen)
    elif words.flag("all"):
        text = "\n".join([_INTRODUCTION, *(_page(code, "##") for code in chosen)])
    else:
        text = "\n".join(_page(code, "#") for code in chosen)
    terminal.write(sys.stdout, text, encoding="utf-8")
    return 0


def _find(codes: tuple[Code, ...], word: str) -> Code:
    lowered = word.lower()
    for code in codes:
        if lowered in (code.id.lower(), code.name):
            return code
    from flowc.diag.codes.table import nearest_code

    near = nearest_code(word)
    help = f"did you mean `{near}`?" if near else "`flowc explain --all` has them all"
    raise UsageError(f"no diagnostic is called `{word}`", help)


def _page(code: Code, heading: str) -> str:
    parts = [
        f"{heading} {code.id} {code.name}",
        f"{code.severity.capitalize()}: {code.title}",
        code.explain.strip(),
        f"{code.severity.capitalize()} here:" if code.severity != "error" else "Wrong:",
        _example(code.path, code.examples[0]),
        "Right:" if code.severity == "error" else "Not here:",
        _example(code.path, code.examples[1]),
    ]
    return "\n\n".join(parts) + "\n"


def _example(path: str, example: tuple[str, tuple[str, ...]]) -> str:
    from flowc.diag.excerpt import visible
    from flowc.inputs import command_line

    text, args = example
    lines = text.removesuffix("\n").split("\n") if text else []
    if len(lines) > _SHOWN_LINES:
        lines = [*lines[:4], f"… ({len(lines):,} lines)"]
    lines = [visible(_cut(line)) for line in lines]
    if args:
        lines.append(f"$ flowc compile {path} {command_line(args)[0].text}")
    return "\n".join(f"    {line}".rstrip() for line in lines) or "    (an empty file)"


def _cut(line: str) -> str:
    """An example's line as far as a person wants to see it."""
    return line if len(line) <= _SHOWN else f"{line[:20]}… ({len(line):,} characters)"


def _json(codes: tuple[Code, ...]) -> str:
    import json

    def example(text: str, args: tuple[str, ...]) -> dict[str, Any]:
        return {"text": text, "args": list(args)}

    documents = [
        {
            "code": code.id,
            "name": code.name,
            "severity": code.severity,
            "title": code.title,
            "explain": code.explain.strip(),
            "bad": example(*code.examples[0]),
            "good": example(*code.examples[1]),
        }
        for code in codes
    ]
    whole = {"format": "flowc.explain/1", "codes": documents}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"

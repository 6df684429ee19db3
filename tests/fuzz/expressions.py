"""`python -m tests.fuzz.expressions`: regular expressions of flowc/ whose time grows faster than the text.

Each that looks for something anywhere in a text is given runs of what stands in it: four times as much may take four
times as long, not sixteen. Prints what does not; a person judges it, since a busy machine may err.
"""

from __future__ import annotations

import ast
import itertools
import re
import re._constants as codes
import re._parser as parser
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
# What a text of these is made of, besides what stands in the expression.
UNITS = (
    *("a", "a1", " ", "\t", "\n", " \n", "a ", "a.", "a/", "/a", "-", "- ", "a=", "a-", "'", '"', "$", "${", "${a"),
    *("$(", "(", "((", "{", "[", "a[", "<", "<<", "#", "# ", "\\", "\\\n", "=", "==", "0", "1:", "1,", "a\n", "a;"),
    *(";", "; ", "&", "|", "a|", "*", "@", "%", "a@b", "-a ", "--a ", "a:", '\\"', "\\'"),
)
SHORT, LONG = 4000, 16_000
# Faster than this nobody waits; and four times the text should take less than eight times as long.
LEAST_S, MOST_GROWTH = 0.03, 8
PAIRS, WORDS = 150, 14


class Expression(NamedTuple):
    place: str
    text: str | bytes
    flags: int


def expressions() -> Iterator[Expression]:
    """Those that are written as constants, and that are not tied to the place where they are tried."""
    for path in sorted((ROOT / "flowc").rglob("*.py")):
        if "_compiled" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            # What is compiled by itself is matched at a place, as a rule.
            how = node.args[1] if ast.unparse(node.func) == "at_first_use" and len(node.args) > 1 else None
            if not isinstance(how, ast.Constant) or how.value in ("match", "fullmatch"):
                continue
            flags = sum(each.value for each in node.args[2:] if isinstance(each, ast.Constant))
            if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str | bytes):
                yield Expression(f"{path.relative_to(ROOT)}:{node.lineno} {how.value}", node.args[0].value, flags)


def letters(parsed: object) -> set[str]:
    """All single characters that stand in an expression."""
    found = set()
    for code, value in parsed:  # type: ignore[attr-defined]
        if code is codes.LITERAL:
            found.add(chr(value))
        elif code is codes.BRANCH:
            found.update(*map(letters, value[1]))
        elif isinstance(value, parser.SubPattern):
            found |= letters(value)
        elif isinstance(value, tuple) and value and isinstance(value[-1], parser.SubPattern):
            found |= letters(value[-1])
    return found


def units(text: str) -> dict[str, None]:
    words = re.findall("[A-Za-z]{2,}", text)[:WORDS]
    signs = sorted(letters(parser.parse(text)))
    pairs = (one + other for one, other in itertools.product(signs, signs))
    around = [each.format(word) for word in words for each in ("{}", "{} ", "{}a", " {}", "{}(", "{}=", "{} -", "-{}")]
    return dict.fromkeys((*UNITS, *around, *signs, *itertools.islice(pairs, PAIRS)))


def seconds(expression: Expression, unit: str, size: int) -> float:
    found = re.compile(expression.text, expression.flags)
    text: str | bytes = (unit * (size // len(unit) + 1))[:size] + "\0"
    if isinstance(expression.text, bytes):
        text = text.encode("latin-1", "replace")  # type: ignore[union-attr]
    start = time.process_time()
    for _ in found.finditer(text):  # type: ignore[arg-type]
        pass
    return time.process_time() - start


def main() -> None:
    found = list(expressions())
    for expression in found:
        text = expression.text if isinstance(expression.text, str) else expression.text.decode("latin-1")
        for unit in units(text):
            first = seconds(expression, unit, SHORT)
            if first * MOST_GROWTH < LEAST_S:
                continue
            second = seconds(expression, unit, LONG)
            if second > max(LEAST_S, first * MOST_GROWTH):
                print(
                    f"{expression.place}: {second:.2f} s for {LONG} bytes of {unit!r}: {expression.text!r}", flush=True
                )
                break
    print(f"{len(found)} expressions", file=sys.stderr)


if __name__ == "__main__":
    main()

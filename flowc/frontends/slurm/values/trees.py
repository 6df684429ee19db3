"""The trees of option values by grammars/slurm.lark, and what is said when a value does not fit."""

from __future__ import annotations

from flowc.lalr import Node, Parser, Unexpected
from flowc.patterns import remembered

_PARSERS: dict[str, Parser] = {}

# How messages name the terminals that are no literals.
SHOWN = {
    "NUMBER": "a number",
    "INDEX": "a number",
    "HOST_NUMBER": "a number",
    "NODE_COUNT": "a number",
    "FIELD": "a name or count",
    "FEATURE": "a feature name",
    "KIND": "a dependency type",
    "NAME": "a task's name",
    "SINGLETON": "`singleton`",
    "OPERATOR": "`&` or `|`",
    "LIMIT": "`%limit`",
    "SIGNAL": "a signal",
    "SECONDS": "`@seconds`",
    "SIGNAL_FLAGS": "`B:`",
    "TIMES": "`*count`",
    "SIGNED": "a number",
    "UNIT": "K, M, G or T",
    "UNLIMITED": "`UNLIMITED`",
    "LICENCE_NAME": "a licence name",
    "LICENCE_COUNT": "a count",
    "VARIABLE": "a variable name",
    "LEVEL": "block, cyclic, fcyclic, arbitrary or `*`",
    "PACK": "pack or nopack",
    "HOST_TEXT": "a host name",
    "TASKS": "`[tasks]`",
    "STATE": "a state",
    "$END": "the end",
    "ISO_DATE": "YYYY-MM-DD",
    "CLOCK": "HH:MM",
    "MONTH_DAY": "MM/DD",
    "DAY_WORD": "today or tomorrow",
    "NOW": "now+count",
    "LICENCE_MARK": "`:`",
    "RANGE_SEPARATOR": "`,`",
    "HOST_TO": "`-`",
    "LICENCE_SEPARATOR": "`,`",
    "HOST_SEPARATOR": "`,`",
    "PREFIX": "",
    "MOMENT_BLANK": "",
    "EPOCH": "",
    "CLOCK_WORD": "noon or midnight",
    "ASSIGNED": "a value",
}


class ValueMistake(Exception):
    """A value means nothing: the message says what was found and expected, `start` and `end` where in the value."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end


@remembered(500)  # one value is looked at several times, and a folder of jobs has few different ones
def parse(rule: str, text: str) -> Node:
    """The tree of a value by one of the grammar's start rules, which nobody changes. Raises ValueMistake."""
    parser = _PARSERS.get(rule)
    if parser is None:
        table = __import__(f"flowc._compiled.slurm_grammar_{rule}", fromlist=["TABLE"]).TABLE
        parser = _PARSERS[rule] = Parser(table)
    try:
        return parser.parse(text)
    except Unexpected as problem:
        raise ValueMistake(explain(rule, text, problem), problem.start, problem.end) from None


def explain(rule: str, text: str, problem: Unexpected) -> str:
    """`found X, expected Y`, in words."""
    literals = _PARSERS[rule].literals()
    names = dict.fromkeys(
        SHOWN.get(name, f"`{literals[name]}`" if name in literals else "") for name in problem.expected
    )
    wanted = [name for name in names if name]
    found = f"`{text[problem.start : problem.end]}`" if problem.start < len(text) else "the end"
    expected = ", ".join(wanted[:-1]) + (" or " if len(wanted) > 1 else "") + wanted[-1] if wanted else "nothing"
    return f"found {found}, expected {expected}"

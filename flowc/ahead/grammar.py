"""The grammar step: of grammars/NAME.lark each rule under a comment `// ---- START rule` becomes a module
`_compiled/NAME_grammar_RULE.py`, parse tables and terminals as literals.

It is built on its own, so that a value's table and lexer hold nothing foreign, and a script pays only for the grammars
of its own values.
"""

from __future__ import annotations

import re
from pathlib import Path
from pprint import pformat
from typing import Any

from lark import Lark
from lark.grammar import NonTerminal, Terminal
from lark.lexer import BasicLexer
from lark.parsers.lalr_analysis import Shift

STARTS = re.compile(r"^// ---- START (\w+)", re.M)


def compile_grammars(root: Path) -> dict[str, str]:
    """Raises lark.exceptions.GrammarError for a conflict or a rule that does not exist."""
    modules = {}
    for path in sorted((root / "grammars").glob("*.lark")):
        text = path.read_text()
        for start in STARTS.findall(text):
            literal = pformat(table(build(text, start)), width=110, sort_dicts=False, compact=True)
            modules[f"{path.stem}_grammar_{start}.py"] = f"TABLE = {literal}\n"
    return modules


def build(text: str, start: str) -> Lark:
    """Lark's own parser for one start symbol; the tests compare the driver with it."""
    return Lark(text, start=start, parser="lalr", lexer="basic", maybe_placeholders=False)


def table(parser: Lark) -> dict[str, Any]:
    """What flowc.lalr needs to do as `parser` does."""
    parse_table = parser.parser.parser._parse_table
    rules = sorted(dict.fromkeys(parser.rules), key=rule_entry_key)
    numbers = {rule: index for index, rule in enumerate(rules)}
    (start,) = parser.options.start
    states = reachable(parse_table, start)
    renamed = {state: index for index, state in enumerate(states)}
    terminals = {terminal.name: terminal for terminal in parser.terminals}
    actions, gotos = [], []
    for state in states:
        own_actions, own_gotos = {}, {}
        for symbol, (action, argument) in sorted(parse_table.states[state].items()):
            if action is not Shift:
                own_actions[symbol] = -1 - numbers[argument]
            elif symbol in terminals or symbol == "$END":
                own_actions[symbol] = renamed[argument]
            else:
                own_gotos[symbol] = renamed[argument]
        actions.append(own_actions)
        gotos.append(own_gotos)
    return {
        "pattern": pattern(parser),
        "flags": 0,
        "literals": {
            name: terminal.pattern.value for name, terminal in terminals.items() if terminal.pattern.type == "str"
        },
        "actions": tuple(actions),
        "gotos": tuple(gotos),
        "rules": tuple(rule_entry(rule) for rule in rules),
        "start": renamed[parse_table.start_states[start]],
        "end": renamed[parse_table.end_states[start]],
    }


def reachable(parse_table: Any, start: str) -> list[Any]:
    """The states in an order that does not depend on lark's own numbers, which change from run to run."""
    states = [parse_table.start_states[start]]
    for state in states:
        for _, (action, argument) in sorted(parse_table.states[state].items()):
            if action is Shift and argument not in states:
                states.append(argument)
    return states


def rule_entry_key(rule: Any) -> tuple[str, list[str], str]:
    return str(rule.origin.name), [str(symbol.name) for symbol in rule.expansion], rule.alias or ""


def pattern(parser: Lark) -> str:
    """The terminals as one regex, in lark's order (priority, then length and so on)."""
    lexer = parser.parser.lexer
    basic = getattr(lexer, "lexer", lexer)
    assert isinstance(basic, BasicLexer)
    basic.scanner  # noqa: B018 (builds the scanner, which fills `callback`)
    if basic.callback:  # lark would rename what a regex matched; the driver does not
        raise ValueError(f"a literal is also matched by a regex: {sorted(basic.callback)}")
    return "|".join(f"(?P<{terminal.name}>{terminal.pattern.to_regexp()})" for terminal in basic.terminals)


def rule_entry(rule: Any) -> tuple[str, str, int, tuple[int, ...] | None]:
    """(name of the node, name for gotos, length, indices of the children kept; None: all)."""
    origin = str(rule.origin.name)
    kept = []
    for index, symbol in enumerate(rule.expansion):
        assert isinstance(symbol, (Terminal, NonTerminal))
        if not (isinstance(symbol, Terminal) and symbol.filter_out and not rule.options.keep_all_tokens):
            kept.append(index)
    everything = len(kept) == len(rule.expansion)
    return rule.alias or origin, origin, len(rule.expansion), None if everything else tuple(kept)

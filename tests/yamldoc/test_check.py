"""Shapes: each kind of deviation is found, at its place and in its words; good documents get their values."""

from __future__ import annotations

from typing import Any

import pytest

from flowc.diag.sink import Diagnostic, Sink
from flowc.source import Source, Span
from flowc.yamldoc import edit
from flowc.yamldoc.check import Checker
from flowc.yamldoc.node import Node, plain
from flowc.yamldoc.read import read
from flowc.yamldoc.shapes import Words

TYPES: dict[str, dict[str, dict[str, Any]]] = {
    "Task": {
        "name": {"is": "text", "like": "[a-z]+", "rule": "small letters", "required": True},
        "count": {"is": "int", "min": 1, "max": 4, "coerce": "number float"},
        "mode": {"is": "int", "coerce": "octal"},
        "plain": {"is": "int"},
        "price": {"is": "number", "over": 0},
        "flag": {"is": "bool"},
        "env": {"is": "dict", "of": {"is": "text"}, "names": "[A-Z]+", "name_rule": "capital letters"},
        "envs": {"is": "dict", "of": {"is": "text", "coerce": "python"}},
        "level": {"is": "text", "values": ["low", "high"], "fold": True},
        "ports": {
            "is": "list",
            "of": {"is": "one", "shapes": [{"is": "int"}, {"is": "map", "type": "Port"}]},
            "max": 2,
        },
        "keys": {"is": "list", "of": {"is": "text"}, "coerce": "item"},
        "more": {"is": "any"},
        "old": {"is": "text", "alias": "name"},
        "gone": {"is": "any", "words": "write `name`"},
    },
    "Port": {"from": {"is": "int", "required": True}},
}


def check(text: str, **options: Any) -> tuple[Node, list[Diagnostic]]:
    sink = Sink()
    roots = read(Source("a.yaml", text), sink)
    assert roots is not None
    Checker(TYPES, sink, **options).check(roots[0], {"is": "map", "type": "Task"})
    return roots[0], sink.diagnostics


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("count: 3", "count", 3),
        ('count: "3"', "count", 3),
        ("count: 2.0", "count", 2),
        ("mode: 0755", "mode", 493),
        ("price: 1e3", "price", "1000"),
        ("price: 12.50", "price", "12.5"),
        ("flag: no", "flag", False),
        ("level: HIGH", "level", "high"),
        ("keys: a", "keys", "a"),
        ("keys: [a, b]", "keys", ["a", "b"]),
        ("ports: [80, {from: 1}]", "ports", [80, {"from": 1}]),
        ("more: {a: [1, yes, x, 1.5]}", "more", {"a": [1, True, "x", "1.5"]}),
        ("count: null", "count", None),
        ("env: {A: '1'}", "env", {"A": "1"}),
    ],
)
def test_good_values(text: str, key: str, value: object) -> None:
    root, found = check(f"name: a\n{text}\n")
    assert found == []
    assert plain(root)[key] == value


@pytest.mark.parametrize(
    ("text", "code", "message", "place"),
    [
        ("count: 9", "out-of-bounds", "`count` is 9, expected 1 to 4", (2, 8)),
        ("count: two", "wrong-type", "`count` is a text, expected a whole number", (2, 8)),
        ("plain: '3'", "wrong-type", "`plain` is a text, expected a whole number", (2, 8)),
        ("plain: 0755", "read-as-something-else", "`plain: 0755` is read as the number 493 (octal)", (2, 8)),
        ("plain: 22:22", "wrong-type", "`plain` is the number 1342 (base 60), expected a whole number", (2, 8)),
        ("price: 0", "out-of-bounds", "`price` is 0, expected more than 0", (2, 8)),
        ("price: .inf", "wrong-type", "`price` is the number inf, expected a number", (2, 8)),
        ("flag: 'yes'", "wrong-type", "`flag` is a text, expected true or false", (2, 7)),
        ("env: {A: no}", "wrong-type", "`env.A` is the bool false, expected a text", (2, 10)),
        ("env: {A: 22:22}", "read-as-something-else", "`env.A: 22:22` is read as the number 1342 (base 60)", (2, 10)),
        ("env: {a: b}", "wrong-form", "`env.a` is `a`, expected capital letters", (2, 7)),
        ("env: [A]", "wrong-type", "`env` is a list, expected a mapping", (2, 6)),
        ("envs: {A: true}", "read-as-something-else", "`envs.A: true` is read as the text `True`", (2, 11)),
        ("level: mid", "value-not-allowed", "`level` is `mid`, expected one of `low`, `high`", (2, 8)),
        ("ports: [1, 2, 3]", "out-of-bounds", "`ports` is 3 items, expected at most 2 items", (2, 8)),
        ("ports: 80", "wrong-type", "`ports` is the number 80, expected a list", (2, 8)),
        ("ports: [{}]", "missing-key", "`from` is missing in ports[0]", (2, 9)),
        ("cuont: 1", "unknown-key", "unknown key `cuont` in the document", (2, 1)),
        ("gone: 1", "retired-key", "`gone` has no meaning here", (2, 1)),
        ("old: b", "retired-key", "`old` has no meaning here", (2, 1)),
    ],
)
def test_deviations(text: str, code: str, message: str, place: tuple[int, int]) -> None:
    _, found = check(f"name: a\n{text}\n")
    (first,) = found
    assert (first.code.name, first.message) == (code, message)
    assert first.span is not None
    assert first.span.source.position(first.span.start) == place


def test_an_old_spelling_stands_for_its_field() -> None:
    _, (found,) = check("old: b\n")
    assert found.code.name == "old-key"
    assert found.fix is not None


def test_quotes_for_nothing_stand_behind_a_blank() -> None:
    _, (found,) = check("name: a\nenv:\n  A:\n", null=False)
    assert found.fix is not None
    assert found.fix.edits[0].text == ' ""'


@pytest.mark.parametrize(
    ("value", "certain"), [("1", True), ("true", True), ("null", False), ("~", False), ("", False)]
)
def test_what_null_was_meant_to_be_is_not_certain(value: str, certain: bool) -> None:
    _, (found,) = check(f"name: a\nenv:\n  A: {value}\n", null=False)
    assert found.fix is not None
    assert found.fix.certain is certain


def test_unknown_keys_may_be_warnings() -> None:
    _, (found,) = check("name: a\ncuont: 1\n", allow_unknown=True)
    assert (found.severity, found.help) == ("warning", "did you mean `count`?")


@pytest.mark.parametrize(
    ("allowed", "expected"), [(False, ["unknown-key"]), (True, ["unknown-key-ignored", "missing-key"])]
)
def test_a_misspelt_key_is_missing_too_only_where_it_is_no_error(allowed: bool, expected: list[str]) -> None:
    _, found = check("nmae: a\n", allow_unknown=allowed)
    assert [each.code.name for each in found] == expected


def test_a_key_in_quotes_is_not_renamed_by_a_fix() -> None:
    _, (found,) = check('{"name":"a","cuont":1}')
    assert (found.help, found.fix) == ("did you mean `count`?", None)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("count", "2", {"name": "a", "ports": [80], "count": 2}),
        ("env.A", "x", {"name": "a", "ports": [80], "env": {"A": "x"}}),
        ("ports.0", "{from: 3}", {"name": "a", "ports": [{"from": 3}]}),
        ("ports[0]", "81", {"name": "a", "ports": [81]}),
        ("name", "b", {"name": "b", "ports": [80]}),
    ],
)
def test_set(path: str, value: str, expected: object) -> None:
    sink = Sink()
    roots = read(Source("a.yaml", "name: a\nports: [80]\n"), sink)
    assert roots is not None
    argument = Source("<command line>", f"--set {path}={value}")
    edit.put(roots[0], path, value, Span(argument, 6, len(argument.text)), sink)
    Checker(TYPES, sink).check(roots[0], {"is": "map", "type": "Task"})
    assert sink.diagnostics == []
    assert plain(roots[0]) == expected


@pytest.mark.parametrize("path", ["name.x", "ports.5", "ports.x", "ports.²", "ports.٣", "ports." + "9" * 5000])
def test_set_leads_nowhere(path: str) -> None:
    sink = Sink()
    roots = read(Source("a.yaml", "name: a\nports: [80]\n"), sink)
    assert roots is not None
    argument = Source("<command line>", f"--set {path}=1")
    edit.put(roots[0], path, "1", Span(argument, 6, len(argument.text)), sink)
    (found,) = sink.diagnostics
    assert found.code.name == "set-path"


def test_words_say_where_a_misplaced_key_belongs_and_free_keys_in_brackets() -> None:
    words = Words(homes=(("Port", "an item of `ports`"),), brackets=True)
    _, (said,) = check("name: a\nfrom: 1", words=words)
    assert said.help == "it belongs to an item of `ports`"
    _, (said,) = check("name: a\nenv: {A: []}", words=words)
    assert "`env[A]`" in said.message


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ('plain: "3"', "take the quotes off: `3`"),
        ("flag: 'true'", "take the quotes off: `true`"),
        ("flag: 'maybe'", None),
        ("env:\n  A:\n    b: c", "put it in quotes: a plain text with `: ` in it is a mapping"),
    ],
)
def test_a_value_of_the_wrong_type_comes_with_the_right_spelling(text: str, help: str | None) -> None:
    _, (said,) = check(f"name: a\n{text}")
    assert said.help == help


@pytest.mark.parametrize("text", ["env: {TOKEN: 1234567}", "envs: {API_TOKEN: 0777123}", "env: {PASSWORD: 22:22:33}"])
def test_values_of_secrets_are_not_shown(text: str) -> None:
    _, found = check(f"name: a\n{text}\n")
    value = text.rpartition(" ")[2].rstrip("}")
    assert found
    for each in found:
        assert value not in each.message
        assert each.fix is None
        assert each.help is None or value not in each.help

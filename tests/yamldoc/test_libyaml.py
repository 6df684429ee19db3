"""The parser of libyaml alone: what it says is what PyYAML's whole says, and PyYAML is whole for whoever asks."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flowc.yamldoc.run_options import split

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [
    "a: [1, 'b', *c]",
    "a: &x {b: |\n  c\n}\n",
    "- a\nb",
    "a: 'open",
    "a: \x07",
    'a: "\\q"',
    "--- a\n...\n--- b\n",
    "{a",
]
EVENTS = """
import json, sys
import flowc.cli
from flowc import libyaml
from types import ModuleType
said = []
for text in json.loads(sys.argv[1]):
    parser, error = libyaml.parser(text)
    events = []
    try:
        while (event := parser.get_event()) is not None:
            mark = event.start_mark
            events.append([type(event).__name__, repr(event), mark.index, mark.line, mark.column, event.end_mark.index])
    except error as fault:
        place = getattr(fault, "problem_mark", None)
        events.append([type(fault).__module__, type(fault).__name__, str(fault), place and place.index])
    said.append(events)
"""


def told(program: str, *words: str, flags: tuple[str, ...] = ()) -> object:
    done = subprocess.run(
        [sys.executable, *flags, "-c", program, *words],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    return json.loads(done.stdout)


def whole(texts: list[str]) -> list[list[object]]:
    said: list[list[object]] = []
    for text in texts:
        events: list[object] = []
        try:
            for event in yaml.parse(text, Loader=yaml.CSafeLoader):
                mark = event.start_mark
                events.append(
                    [type(event).__name__, repr(event), mark.index, mark.line, mark.column, event.end_mark.index]
                )
        except yaml.YAMLError as fault:
            place = getattr(fault, "problem_mark", None)
            events.append([type(fault).__module__, type(fault).__name__, str(fault), place and place.index])
        said.append(events)
    return said


def test_events_and_errors_are_those_of_the_whole() -> None:
    program = f"{EVENTS}\nprint(json.dumps(said))"
    assert told(program, json.dumps(TEXTS)) == whole(TEXTS)
    wrong = {each[-1][1] for each in whole(TEXTS) if "Error" in str(each[-1][1])}  # type: ignore[index]
    assert wrong == {"ParserError", "ScannerError", "ReaderError"}


def test_a_good_document_loads_the_parser_alone() -> None:
    program = f"{EVENTS}\nprint(json.dumps(sorted(each for each in sys.modules if each.startswith('yaml.'))))"
    found = told(program, json.dumps(TEXTS[:1]))
    assert found == ["yaml._yaml", "yaml.error", "yaml.events", "yaml.nodes"]


def test_who_asks_for_yaml_afterwards_has_all_of_it() -> None:
    program = f"""{EVENTS}
import yaml, yaml.scanner
names = sorted(set(dir(yaml)) | {{"safe_load"}} if yaml.safe_load else ())
whole = yaml.load("a: [1, yes]", Loader=yaml.CSafeLoader), yaml.safe_load("a: 2001-01-01")["a"].isoformat()
try:
    yaml.load("a: [", Loader=yaml.CSafeLoader)
except yaml.parser.ParserError as error:
    caught = isinstance(error, yaml.YAMLError) and isinstance(error, yaml.error.MarkedYAMLError)
scanned = yaml.scan("a: [!t 1, *x]", Loader=yaml.CSafeLoader)
tokens = [isinstance(token, yaml.Token) and repr(token) for token in scanned]
dumped = yaml.dump({{"a": 1}}, Dumper=yaml.CSafeDumper)
print(json.dumps([names, whole, caught, type(yaml) is ModuleType, dumped, tokens]))
"""
    fresh = "import json, yaml, yaml.scanner; print(json.dumps(sorted(dir(yaml))))"
    names, loaded, caught, usual, dumped, tokens = told(program, json.dumps(TEXTS[:1]))  # type: ignore[misc]
    assert set(names) == set(told(fresh))  # type: ignore[call-overload]
    assert loaded == [{"a": [1, True]}, "2001-01-01"]
    assert (caught, usual, dumped) == (True, True, "a: 1\n")
    assert tokens == [repr(token) for token in yaml.scan("a: [!t 1, *x]", Loader=yaml.CSafeLoader)]


@pytest.mark.parametrize("how", ["sys.modules['yaml._yaml'] = None", "sys.modules['yaml.events'] = None"])
def test_without_the_c_module_python_parses(how: str) -> None:
    program = f"""
import json, sys
import flowc.cli
from flowc import libyaml
{how}
if "_yaml" in sys.argv[1]:
    parser, error = libyaml.parser("a: 1")
    print(json.dumps([type(parser).__name__, "yaml._yaml" in sys.modules and sys.modules["yaml._yaml"] is not None]))
else:
    try:
        libyaml.parser("a: 1")
    except ImportError:
        print(json.dumps(["refused"]))
"""
    assert told(program, how) == (["SafeLoader", False] if "_yaml" in how else ["refused"])


def test_in_programs_of_others_yaml_is_whole_at_once() -> None:
    program = """
import json, sys, flowc
flowc.check("name: a\\ncommand: hostname\\n")
print(json.dumps([type(sys.modules["yaml"]).__name__, "yaml.constructor" in sys.modules]))
"""
    assert told(program) == ["module", True]


@pytest.mark.parametrize("path", ["task-yaml/rich", "k8s/ranked-training", "skypilot/training"])
def test_no_parser_of_expressions_on_the_ordinary_way(path: str) -> None:
    program = """
import json, sys
before = set(sys.modules)
from flowc.cli import main
main(["check", sys.argv[1]])
print(chr(0) + json.dumps(sorted(set(sys.modules) - before)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, f"corpus/{path}/input.yaml"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    loaded = {*json.loads(done.stdout.rpartition("\0")[2])}
    assert "flowc.yamldoc.read" in loaded
    assert loaded & {"re", "enum", "functools", "shlex", "datetime", "base64", "yaml.constructor"} == set()


@given(st.text("ab \t\n\r'\"\\#\x0b\xa0$", max_size=12))
def test_words_are_those_of_shlex(text: str) -> None:
    try:
        wanted = shlex.split(text)
    except ValueError:
        with pytest.raises(ValueError, match="No "):
            split(text)
    else:
        assert split(text) == wanted


def test_a_program_of_others_has_the_whole_and_its_c_parser_from_the_first_text_on() -> None:
    program = """
import json
from flowc import libyaml
print(json.dumps([type(libyaml.parser("a: 1")[0]).__name__ for _ in range(2)]))
"""
    assert told(program) == ["CSafeLoader", "CSafeLoader"]

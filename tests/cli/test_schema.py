"""`flowc schema`: what flowc prints is what its schemas say, no key more and no key less."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from flowc import driver
from flowc._compiled.settings import SETTINGS
from flowc.cli.commands.schema import COMMAND as SCHEMA
from flowc.cli.commands.schema import document
from flowc.diag.json_format import diagnostic_document, render_json
from flowc.ir.encode import ir_document
from flowc.ir.job import Container, Job, Mount, Run, SourceInfo, StopSignal, Time
from flowc.ir.unit import Unit
from flowc.settings.unknown import project_keys, user_keys
from flowc.settings.values import project_place
from flowc.settings.writing import write_user_file
from flowc.source import Source
from tests.cli.conftest import Outcome
from tests.corpus import CASES, load


def closed(schema: Any) -> Any:
    """The same schema that allows no key which it does not name, so that none can be forgotten."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    return {**inner, "additionalProperties": False} if schema.get("type") == "object" else inner


IR = Draft202012Validator(closed(document("ir")))
DIAGNOSTICS = Draft202012Validator(closed(document("diagnostics")))


@pytest.mark.parametrize("name", SCHEMA.operand_choices)
def test_schema_is_one_and_is_printed(flowc: Callable[..., Outcome], name: str) -> None:
    done = flowc("schema", name)
    assert (done.status, done.err) == (0, "")
    printed = json.loads(done.out)
    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(printed)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_every_output_is_valid(case: Path) -> None:
    source, inputs = load(case)
    result = driver.compile(source, inputs, emit="ir")
    if not result.failed:
        IR.validate(json.loads(result.artifacts[0].text))
    checked = driver.check(source, inputs)
    documents = [diagnostic_document(each, source.path) for each in checked.diagnostics]
    DIAGNOSTICS.validate(json.loads(render_json(documents, 1)))


def test_records_within_records_are_described() -> None:
    container = Container(name="c", role="init", image="i", mounts=(Mount(kind="memory", source="m", target="/m"),))
    job = Job(
        name="a",
        source=SourceInfo(frontend="k8s", path="a", sha256="0", variables=(("A", "1"),)),
        run=Run(kind="argv", argv=("true",)),
        containers=(container,),
        time=Time(signal=StopSignal(name="USR1", before_s=1, to="shell")),
    )
    whole = json.loads(json.dumps(ir_document([Unit(source=Source("a", ""), job=job, origins={})], [])))
    IR.validate(whole)
    for path in (("run", "argv"), ("time", "limit_s"), ("time", "signal", "to"), ("source", "variables"), ("env",)):
        broken = json.loads(json.dumps(whole))
        place = broken["jobs"][0]
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]
        assert not IR.is_valid(broken), path


@pytest.mark.parametrize("words", [(), ("settings",), ("ir", "task")])
def test_unknown_format_is_wrong_usage(flowc: Callable[..., Outcome], words: tuple[str, ...]) -> None:
    done = flowc("schema", *words)
    assert (done.status, done.out) == (2, "")
    assert "`flowc schema` takes one of task, profile, ir, config, diagnostics" in done.err


CONFIG = document("config")
PROJECT = {**CONFIG["$defs"]["Project"], "$schema": CONFIG["$schema"]}


@pytest.mark.parametrize(
    "values",
    [
        {"provider": "local"},
        {"provider": "mithril", "api_key": "fkey_x", "project": "p", "ssh_keys": ["a", "b"], "region": "us-central1-a"},
    ],
)
def test_what_init_writes_is_valid(values: dict[str, Any], tmp_path: Path) -> None:
    path = write_user_file(str(tmp_path), {}, values)
    Draft202012Validator(CONFIG).validate(yaml.safe_load(Path(path).read_text()))


def _at(key: str) -> dict[str, Any]:
    """A document with something at a place."""
    first, _, rest = key.partition(".")
    return {first: _at(rest) if rest else "7"}


def test_every_setting_is_in_the_schema_and_nothing_else_is_valid() -> None:
    user, project = Draft202012Validator(CONFIG), Draft202012Validator(PROJECT)
    for key in user_keys():
        content: Any = "7"
        for part in reversed(key.split(".")):
            content = {part: content}
        user.validate(content)
    for key in project_keys():
        project.validate(_at(key))
    for row in SETTINGS.values():
        assert project.is_valid(_at(project_place(row))) is not row["personal"]
    assert not user.is_valid({"mithril": {"regoin": "x"}})
    assert not user.is_valid({"mithril": {"region": ["a"]}})
    assert not user.is_valid({"timeout": 0})
    assert not project.is_valid({"api_key": "x"})
    user.validate({"mithril": {"limit_prices": {"h100": {"low": 4}}}})

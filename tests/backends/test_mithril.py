"""The mithril backend: requests, names, references, sizes and the report."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc import catalog, driver, rules
from flowc.backends.artifacts import Artifact
from flowc.backends.mithril import BACKEND
from flowc.backends.mithril.naming import safe_name, unique_name
from flowc.backends.mithril.references import References
from flowc.diag.sink import Diagnostic, Sink
from flowc.inputs import Inputs
from flowc.ir.job import Array, Dependency, Identity, Notify, Outcome, Placement, Time
from flowc.ir.unit import Unit
from flowc.source import Source, Span
from tests.passes.units import run, unit

ROOT = Path(__file__).resolve().parents[2]
OPENAPI = ROOT.parent / "shared" / "reference" / "mithril-openapi.json"
H100: dict[str, Any] = {"gpus_per_node": 8, "gpu_model": "h100"}
NAME = re.compile(r"[a-z]([a-z0-9-]{0,58}[a-z0-9])?")


def emit(*units: Unit) -> tuple[list[Artifact], list[Diagnostic]]:
    sink = Sink()
    planned = [run(each)[0] for each in units]
    rules.run(planned, sink)
    BACKEND.check(planned, sink)
    return BACKEND.emit(planned, sink, set()), sink.diagnostics


def request(*units: Unit) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(emit(*units)[0][0].text)
    return document


def body(**fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = request(unit(**{**H100, **fields}))["requests"][0]["body"]
    return found


def noise(size: int) -> str:
    return base64.b64encode(random.Random(1).randbytes(size)).decode()


def test_document_of_one_job() -> None:
    document = request(unit(**H100, nodes=2))
    assert list(document) == ["format", "requests", "jobs", "unresolved", "script"]
    assert document["format"] == "flowc.mithril/1"
    (bid,) = document["requests"]
    assert (bid["id"], bid["method"], bid["path"], bid["after"]) == ("train", "POST", "/v2/spot/bids", [])
    script = bid["body"]["launch_specification"].pop("startup_script")
    assert bid["body"] == {
        "project": "${project:default}",
        "region": "us-central2-a",
        "instance_type": "${instance_type:h100-80gb.sxm.8x@us-central2-a}",
        "limit_price": "$64.00",
        "instance_quantity": 2,
        "name": "train",
        "launch_specification": {"volumes": [], "ssh_keys": ["${ssh_key:default}"]},
    }
    assert document["unresolved"] == [
        "${project:default}",
        "${instance_type:h100-80gb.sxm.8x@us-central2-a}",
        "${ssh_key:default}",
    ]
    assert script.startswith("#!/bin/bash\n")
    assert script.isascii()
    assert document["script"]["bytes"] == len(script) <= 10_000
    assert document["script"]["sha256"] == hashlib.sha256(script.encode()).hexdigest()
    assert document["script"]["plain_bytes"] > 0


def schema() -> dict[str, Any]:
    if not OPENAPI.exists():
        pytest.skip("needs the provider's OpenAPI document beside the repository")
    document: dict[str, Any] = json.loads(OPENAPI.read_text())
    return document


VALID: list[dict[str, Any]] = [
    {},
    {"nodes": 16, "array": Array(indices=(3, 7)), "identity": Identity(project="p", ssh_keys=("a", "b"))},
    {"notify": Notify(email="someone@example.org", events=("END",)), "name": "Ünfug $(rm) \n"},
    {"alternatives": ("it_XqgKWbhZ5gznAYsG",), "time": Time()},
]


@pytest.mark.parametrize("fields", VALID)
def test_bodies_are_what_the_provider_takes(fields: dict[str, Any]) -> None:
    document = schema()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import jsonschema

        form = {"$ref": "#/components/schemas/CreateBidRequest", "components": document["components"]}
        check = jsonschema.Draft202012Validator(form)
        known = set(document["components"]["schemas"]["CreateBidRequest"]["properties"])
        launch = set(document["components"]["schemas"]["LaunchSpecificationModel"]["properties"])
        for each in request(unit(**{**H100, **fields}))["requests"]:
            check.validate(each["body"])
            assert set(each["body"]) <= known
            assert set(each["body"]["launch_specification"]) <= launch
            assert re.fullmatch(r"\$\d+\.\d\d", each["body"]["limit_price"])


def test_ids_that_the_user_gave_are_used_as_they_are() -> None:
    identity = Identity(project="proj_abc123", ssh_keys=("sshkey_1", "laptop"))
    found = body(identity=identity, alternatives=("it_XqgKWbhZ5gznAYsG",))
    assert found["project"] == "proj_abc123"
    assert found["instance_type"] == "it_XqgKWbhZ5gznAYsG"
    assert found["launch_specification"]["ssh_keys"] == ["sshkey_1", "${ssh_key:laptop}"]
    document = request(unit(**H100, identity=identity, alternatives=("it_XqgKWbhZ5gznAYsG",)))
    assert document["unresolved"] == ["${ssh_key:laptop}"]


def test_ids_of_the_users_own_catalog_are_used(tmp_path: Path) -> None:
    import yaml

    path = tmp_path / "catalog.yaml"
    path.write_text((ROOT / "flowc" / "data" / "catalog.yaml").read_text())
    table = catalog.load(str(path), Sink())
    assert yaml.safe_load(path.read_text())
    done, _ = run(unit(**H100), table=table)
    document = json.loads(BACKEND.emit([done], Sink(), set())[0].text)
    assert document["requests"][0]["body"]["instance_type"] == "it_XqgKWbhZ5gznAYsG"


def test_array_gives_one_bid_an_index() -> None:
    document = request(unit(**H100, name="Sweep", array=Array(indices=(1, 5, 12), max_concurrent=2)))
    assert [each["id"] for each in document["requests"]] == ["sweep-1", "sweep-5", "sweep-12"]
    assert [each["body"]["name"] for each in document["requests"]] == ["sweep-1", "sweep-5", "sweep-12"]
    scripts = [each["body"]["launch_specification"]["startup_script"] for each in document["requests"]]
    assert len(set(scripts)) == 3
    sums = [each["script"]["sha256"] for each in document["requests"]]
    assert sums == [hashlib.sha256(script.encode()).hexdigest() for script in scripts]
    assert document["script"] == document["requests"][0]["script"]
    assert document["max_concurrent"] == 2


def test_components_of_a_het_job_are_bids_with_files_of_their_own() -> None:
    artifacts, _ = emit(unit(**H100, name="both-het0"), unit(name="both-het1", gpus_per_node=1, gpu_model="a100"))
    assert [each.name for each in artifacts] == [
        "request.json",
        *(f"both-het0.{name}" for name in ("startup.sh", "startup.plain.sh", "report.txt")),
        *(f"both-het1.{name}" for name in ("startup.sh", "startup.plain.sh", "report.txt")),
    ]
    document = json.loads(artifacts[0].text)
    assert [each["id"] for each in document["requests"]] == ["both-het0", "both-het1"]


def test_names_of_bids_differ_even_where_they_are_cut() -> None:
    long = "x" * 80
    document = request(unit(**H100, name=f"{long}-het0"), unit(**H100, name=f"{long}-het1"))
    names = [each["id"] for each in document["requests"]]
    assert len(set(names)) == 2
    assert all(NAME.fullmatch(name) for name in names)


def test_files_are_what_is_sent_and_what_is_read() -> None:
    artifacts, _ = emit(unit(**H100))
    texts = {each.name: each.text for each in artifacts}
    assert list(texts) == ["request.json", "startup.sh", "startup.plain.sh", "report.txt"]
    sent = json.loads(texts["request.json"])["requests"][0]["body"]["launch_specification"]["startup_script"]
    assert texts["startup.sh"] == sent
    assert "hostname" in texts["startup.plain.sh"]


def test_emitting_twice_gives_equal_bytes() -> None:
    units = (unit(**H100, name="a b", array=Array(indices=(1, 2))), unit(**H100, name="c"))
    first, second = emit(*units)[0], emit(*units)[0]
    assert [(each.name, each.text) for each in first] == [(each.name, each.text) for each in second]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("train", "train"),
        ("My_Job", "my-job"),
        ("8gpu", "job-8gpu"),
        ("", "job"),
        ("...", "job"),
        ("job.sbatch", "job-sbatch"),
        ("a" * 70, "a" * 60),
        ("--a--", "a"),
        ("Ünïcode", "n-code"),
        ("$(reboot)\n`x`", "reboot-x"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text(max_size=100), st.sampled_from(["", "-1", "-123456", "-2"]))
def test_any_name_becomes_one_that_the_provider_takes(name: str, suffix: str) -> None:
    safe = safe_name(name, suffix)
    assert NAME.fullmatch(safe)
    assert safe.endswith(suffix)
    assert safe_name(safe) == safe


@given(st.lists(st.text(max_size=70), max_size=30))
def test_names_taken_together_are_unique(names: list[str]) -> None:
    taken: set[str] = set()
    found = [unique_name(safe_name(name), taken) for name in names]
    assert len(set(found)) == len(found)
    assert all(NAME.fullmatch(name) for name in found)


def test_changed_name_is_noted_where_the_user_gave_it() -> None:
    _, (note,) = emit(unit(**H100, name="My Job"))
    assert (note.code.name, note.severity) == ("name-changed", "note")
    assert "`my-job`" in note.message
    named = unit(**H100, name="job.sbatch")
    origins = {path: span for path, span in named.origins.items() if path != "name"}
    assert emit(named.replace(origins=origins))[1] == []


def test_references_are_listed_once_in_order() -> None:
    references = References()
    assert references.project("proj_") == "${project:proj_}"
    assert references.project("proj_a-b") == "${project:proj_a-b}"
    for _ in range(2):
        references.ssh_key("k")
    assert list(references.found) == ["${project:proj_}", "${project:proj_a-b}", "${ssh_key:k}"]


def test_script_beyond_the_limit_is_refused_with_sizes_and_a_way_out() -> None:
    _, (found,) = emit(unit(f"#!/bin/bash\n: {noise(9000)}\n", **H100))
    assert (found.code.name, found.severity) == ("startup-script-too-large", "error")
    size = int(re.findall(r"\d+", found.message)[0])
    assert size > 10_000
    taken, left = map(int, re.findall(r"\d{4,}", found.help or ""))
    assert taken > 9000
    assert 7000 < left < taken
    assert (found.help or "").startswith("`flowc submit` brings it over SSH by itself")
    assert "fetch" in (found.help or "")


def test_what_a_bid_cannot_say_is_reported_at_its_place() -> None:
    asked = unit(
        **H100,
        depends_on=(Dependency(kind="afterok", on="7"),),
        array=Array(indices=(1, 2), max_concurrent=1),
        time=Time(limit_s=60, begin="2030-01-01T00:00:00"),
        placement=Placement(reservation="r"),
        notify=Notify(email="someone"),
    )
    _, found = emit(asked)
    lost, kept = "not-in-bid", "order-kept-by-submit"
    assert [each.code.name for each in found] == [lost, kept, kept, lost, lost]
    assert all(each.span is not None for each in found)
    assert [each.severity for each in found] == ["warning", "note", "note", "warning", "warning"]
    assert "starts as soon as its bid wins" in found[2].message


def test_mail_address_becomes_the_notification_address() -> None:
    assert body(notify=Notify(email="someone@example.org"))["notification_email"] == "someone@example.org"
    assert "notification_email" not in body(notify=Notify(email="someone"))


def test_report_tells_what_became_of_everything() -> None:
    outcome = (
        Outcome(input="--gres=gpu:h100:4", line=2, action="lowered", code=None, note="GPUs on each machine"),
        Outcome(input="--partition=\x1b[31mgpu\n" + "x" * 200, line=3, action="ignored", code="FC180", note="no queue"),
        Outcome(input="SBATCH_QOS", line=None, action="approximated", code="FC181", note=None),
    )
    asked = unit(**{**H100, "gpus_per_node": 4}, outcome=outcome, time=Time(limit_s=7200, begin="x"))
    report = {each.name: each.text for each in emit(asked)[0]}["report.txt"]
    lines = report.splitlines()
    table = [line for line in lines if re.match(r"  (line|2|3|-) ", line)]
    assert len(table) == 4, report
    assert (
        len({line.index(word) for line, word in zip(table, ("became", "lowered", "ignored", "approx"), strict=True)})
        == 1
    )
    assert "\x1b" not in report
    assert "8 H100 GPUs, of which the job sees 4" in report
    assert "$64.00 per instance and hour" in report
    assert "at most     $128.00" in report
    assert "expected    $24.06" in report
    assert "time.begin  the job starts as soon as the bid wins" in report
    assert "*  h100-80gb.sxm.8x" in report
    assert any(re.match(r"  body +\d+ +\d+$", line) for line in lines)
    assert all(not line.endswith(" ") for line in lines)


def test_report_corrects_what_the_frontend_took_for_lowered() -> None:
    outcome = (Outcome(input="#!/bin/bash", line=1, action="lowered", code=None, note="waits for other jobs"),)
    asked = unit(**H100, outcome=outcome, depends_on=(Dependency(kind="singleton", on=None),))
    asked = asked.replace(outcome_spans=(Span(asked.source, 0, 11),))
    report = {each.name: each.text for each in emit(asked)[0]}["report.txt"]
    assert re.search(
        r"\n  1 +#!/bin/bash +approximated +FC846 +.* is kept by `flowc submit`: placed otherwise, "
        r"the job starts as soon as its bid wins\n",
        report,
    )
    assert "waits for other jobs" not in report


def test_report_is_made_only_when_it_is_read() -> None:
    report = emit(unit(**H100))[0][-1]
    assert "text" not in vars(report)
    assert report.text is report.text
    assert report.text.startswith("job\n")
    with pytest.raises(AttributeError):
        report.other  # noqa: B018


def test_what_submit_keeps_is_not_told_where_it_submits() -> None:
    text = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --array=0-3%2 --dependency=singleton\ntrue\n"
    for submitted, told in ((False, 2), (True, 0)):
        (result,) = driver.compile_all([Source("a.sbatch", text)], Inputs(submitted=submitted), emit="mithril")
        assert sum(each.code.name == "order-kept-by-submit" for each in result.diagnostics) == told

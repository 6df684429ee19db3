from __future__ import annotations

import json
from xml.etree import ElementTree

from flowc.diag.github import render_github
from flowc.diag.json_format import diagnostic_document, render_json
from flowc.diag.others import render_concise, render_gitlab, render_junit
from flowc.diag.sarif import render_sarif
from flowc.source import Source
from tests.diag.findings import ERROR, finding, span

SOURCE = Source("jobs/a b.sbatch", "#!/bin/sh\n#SBATCH --tmie=5\n#SBATCH -N1\n")
WHERE = span(SOURCE, "--tmie")
FULL = finding(WHERE, "what\nnow 100%", help="do this", fix=(WHERE, "--time"), notes=((span(SOURCE, "-N1"), "see"),))


def documents() -> list[dict[str, object]]:
    return [diagnostic_document(FULL), diagnostic_document(finding(None, severity="warning"), "x.sbatch")]


def test_json_is_the_document_of_the_contract() -> None:
    text = render_json(documents(), 2)
    whole = json.loads(text)
    assert text.endswith("}\n")
    assert list(whole) == ["format", "diagnostics", "summary"]
    assert whole["format"] == "flowc.diagnostics/1"
    assert whole["summary"] == {"files": 2, "errors": 1, "warnings": 1, "notes": 0}
    first, second = whole["diagnostics"]
    region = {"line": 2, "column": 9, "end_line": 2, "end_column": 15}
    place = {
        "message": "see",
        "path": "jobs/a b.sbatch",
        "line": 3,
        "column": 9,
        "end_line": 3,
        "end_column": 12,
    }
    assert first == {
        "code": "FC999",
        "name": "some-problem",
        "severity": "error",
        "message": "what\nnow 100%",
        "path": "jobs/a b.sbatch",
        **region,
        "help": "do this",
        "fix": {"title": "mend it", "edits": [{**region, "text": "--time"}], "certain": True},
        "url": None,
        "notes": [place],
        "job": None,
    }
    assert (second["path"], second["line"], second["fix"]) == ("x.sbatch", None, None)


def test_github_commands_are_escaped() -> None:
    first, second = render_github(documents()).splitlines()
    assert first == (
        "::error title=FC999 some-problem,file=jobs/a b.sbatch,line=2,endLine=2,col=9,endColumn=15"
        "::what␊now 100%25%0Ahelp: do this"
    )
    assert second == "::warning title=FC999 some-problem,file=x.sbatch::the message"
    odd = Source("a:b,c%\n.sbatch", "x")
    assert "file=a%3Ab%2Cc%25␊.sbatch," in render_github([diagnostic_document(finding(span(odd, "x")))])


def test_sarif_has_what_the_standard_requires() -> None:
    log = json.loads(render_sarif(printed(), (ERROR,), "1.2.3"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "flowc"
    assert [rule["id"] for rule in driver["rules"]] == ["FC999"]
    first, second = run["results"]
    assert driver["rules"][first["ruleIndex"]]["id"] == first["ruleId"]
    assert {each["level"] for each in run["results"]} <= {"none", "note", "warning", "error"}
    physical = first["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "jobs/a%20b.sbatch"
    assert physical["region"] == {"startLine": 2, "startColumn": 9, "endLine": 2, "endColumn": 15}
    replacement = first["fixes"][0]["artifactChanges"][0]["replacements"][0]
    assert replacement["insertedContent"] == {"text": "--time"}
    assert first["relatedLocations"][0]["message"]["text"] == "see"
    assert second["locations"][0]["physicalLocation"]["region"]["startLine"] == 1


def test_sarif_lists_only_rules_that_occur() -> None:
    log = json.loads(render_sarif([], (ERROR,), "1.2.3"))
    assert log["runs"][0]["results"] == []
    assert log["runs"][0]["tool"]["driver"]["rules"] == []


def printed() -> list[dict[str, object]]:
    return [{**each, "fingerprint": "jobs/a b.sbatch:FC999:0123456789abcdef"} for each in documents()]


def test_concise_is_a_line_each() -> None:
    assert render_concise(documents()).splitlines() == [
        "jobs/a b.sbatch:2:9: error[FC999] some-problem: what␊now 100%",
        "x.sbatch: warning[FC999] some-problem: the message",
    ]


def test_gitlab_has_what_it_requires() -> None:
    first, second = json.loads(render_gitlab(printed()))
    assert first["location"] == {"path": "jobs/a b.sbatch", "lines": {"begin": 2}}
    assert (first["severity"], second["severity"]) == ("critical", "major")
    assert second["location"]["lines"] == {"begin": 1}
    assert first["fingerprint"] != second["fingerprint"]
    assert {len(each["fingerprint"]) for each in (first, second)} == {64}
    assert first["check_name"] == "FC999"
    assert first["description"] == "what\nnow 100%\ndo this"


def test_junit_is_xml_of_any_text() -> None:
    odd = Source("a<&\"'>\x01\udc80.sbatch", "x\n")
    text = render_junit([*documents(), diagnostic_document(finding(span(odd, "x"), "]]> \x00 <b>"))], 3)
    root = ElementTree.fromstring(text.encode())
    assert root.attrib == {"name": "flowc", "tests": "3", "failures": "3", "errors": "0"}
    assert [suite.attrib["name"] for suite in root] == ["jobs/a b.sbatch", "x.sbatch", "a<&\"'>��.sbatch"]
    (case,) = root[0]
    assert (case.attrib["line"], case[0].tag, case[0].attrib["type"]) == ("2", "failure", "error")
    nothing = ElementTree.fromstring(render_junit([], 2).encode())
    assert [(case.tag, len(case)) for case in nothing[0]] == [("testcase", 0)]
    note = ElementTree.fromstring(render_junit([diagnostic_document(finding(WHERE, severity="note"))], 1).encode())
    assert (note.attrib["failures"], note[0][0][0].tag) == ("0", "system-out")


def test_sarif_says_what_github_asks_for() -> None:
    log = json.loads(render_sarif(printed(), (ERROR,), "1"))
    (run,) = log["runs"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["help"]["text"] == ERROR.explain
    assert "{" not in rule["shortDescription"]["text"]
    prints = [each["partialFingerprints"]["primaryLocationLineHash"] for each in run["results"]]
    assert prints == ["0123456789abcdef:1", "0123456789abcdef:2"]
    for each in run["results"]:
        for location in each["locations"]:
            assert set(location["physicalLocation"]["region"]) == {"startLine", "startColumn", "endLine", "endColumn"}

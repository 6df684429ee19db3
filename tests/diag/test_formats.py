from __future__ import annotations

import json

from flowc.diag.github import render_github
from flowc.diag.json_format import diagnostic_document, render_json
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
    log = json.loads(render_sarif(documents(), (ERROR,), "1.2.3"))
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
    assert "region" not in second["locations"][0]["physicalLocation"]


def test_sarif_lists_only_rules_that_occur() -> None:
    log = json.loads(render_sarif([], (ERROR,), "1.2.3"))
    assert log["runs"][0]["results"] == []
    assert log["runs"][0]["tool"]["driver"]["rules"] == []

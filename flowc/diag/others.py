"""Diagnostics for other programs: a line each, GitLab's code quality report, JUnit's XML; made from
`json_format.diagnostic_document`."""

from __future__ import annotations

from flowc.diag.excerpt import of_job, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# GitLab knows info, minor, major, critical and blocker.
_GITLAB = {"error": "critical", "warning": "major", "note": "info"}


def render_concise(documents: list[dict[str, Any]]) -> str:
    """`PATH:LINE:COLUMN: SEVERITY[CODE] NAME: MESSAGE`, a line each, as editors and other tools read it."""
    return "".join(f"{_where(each)}: {_what(each)}\n" for each in documents)


def _where(document: dict[str, Any]) -> str:
    place = [each for each in (document["line"], document["column"]) if each is not None]
    return ":".join([visible(document["path"] or "flowc"), *map(str, place)])


def _what(document: dict[str, Any]) -> str:
    said = f"{visible(document['message'])}{of_job(document['job'])}"
    return f"{document['severity']}[{document['code']}] {document['name']}: {said}"


def render_gitlab(documents: list[dict[str, Any]]) -> str:
    """The array of a code quality report; each document has a `fingerprint` beside."""
    import json
    from hashlib import sha256

    found = []
    seen: dict[str, int] = {}
    for each in documents:
        # It shows only one of several with the same fingerprint.
        number = seen[each["fingerprint"]] = seen.get(each["fingerprint"], 0) + 1
        print_ = sha256(f"{each['fingerprint']}:{number}".encode("utf-8", "surrogateescape")).hexdigest()
        text = each["message"] + of_job(each["job"]) + (f"\n{each['help']}" if each["help"] else "")
        found.append(
            {
                "description": text,
                "check_name": each["code"],
                "fingerprint": print_,
                "severity": _GITLAB[each["severity"]],
                "location": {"path": each["path"], "lines": {"begin": each["line"] or 1}},
            }
        )
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def render_junit(documents: list[dict[str, Any]], files: int) -> str:
    """A suite for each file with findings, a failure for each of them that is no note; where there are none, one test
    that passes."""
    from xml.sax.saxutils import escape, quoteattr

    suites: dict[str, list[dict[str, Any]]] = {}
    for each in documents:
        suites.setdefault(each["path"] or "flowc", []).append(each)
    failures = sum(each["severity"] != "note" for each in documents)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuites name="flowc" tests="{len(documents) or 1}" failures="{failures}" errors="0">',
    ]
    for path, found in suites.items():
        failed = sum(each["severity"] != "note" for each in found)
        name = quoteattr(_characters(path))
        lines.append(f'  <testsuite name={name} tests="{len(found)}" failures="{failed}" errors="0" skipped="0">')
        for each in found:
            case = f"    <testcase name={quoteattr(each['code'])} classname={name}"
            if each["line"] is not None:
                case += f' line="{each["line"]}" column="{each["column"]}"'
            text = f"{_where(each)}: {_what(each)}" + (f"\nhelp: {visible(each['help'])}" if each["help"] else "")
            said = escape(_characters(text))
            if each["severity"] == "note":
                lines.append(f"{case}><system-out>{said}</system-out></testcase>")
            else:
                message = quoteattr(_characters(visible(each["message"]) + of_job(each["job"])))
                lines.append(f'{case}><failure type="{each["severity"]}" message={message}>{said}</failure></testcase>')
        lines.append("  </testsuite>")
    if not suites:
        case = f'<testcase name="no problems in {files} files" classname="flowc"/>'
        lines.append(f'  <testsuite name="flowc" tests="1" failures="0" errors="0" skipped="0">{case}</testsuite>')
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _characters(text: str) -> str:
    """Only what XML allows: the rest is no text, in whatever spelling."""
    return "".join(
        char
        if char in "\t\n" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char > "\uffff"
        else "\ufffd"
        for char in text
    )

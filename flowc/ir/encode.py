"""The JSON documents of jobs and plans (contract §4 and §5), and a writer that is deterministic and quick to
import.

`json` is not used because importing it costs more than writing these documents does; `dumps` writes what
`json.dumps(document, indent=2, ensure_ascii=False)` would, except that bytes which are no UTF-8 (lone
surrogates inside) are escaped, so that the document itself is always UTF-8.
"""

from __future__ import annotations

from _json import encode_basestring

from flowc.record import Record
from flowc.secret import masked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from flowc.ir.job import Job
    from flowc.ir.plan import JobPlan
    from flowc.ir.unit import Unit


def dumps(document: Any) -> str:
    """JSON text, two spaces an indent, keys in their order, ending in a newline."""
    parts: list[str] = []
    _write(document, "\n", parts.append)
    parts.append("\n")
    text = "".join(parts)
    return text if text.isascii() else _escape_surrogates(text)


def ir_document(units: Iterable[Unit], diagnostics: list[dict[str, Any]]) -> dict[str, Any]:
    """`flowc.ir/1`; `diagnostics` are entries of `flowc.diagnostics/1`."""
    jobs = [job_document(unit.job) for unit in units]
    return {"format": "flowc.ir/1", "jobs": jobs, "diagnostics": diagnostics}


def plan_document(units: Iterable[Unit]) -> dict[str, Any]:
    """`flowc.plan/1` of planned units."""
    return {"format": "flowc.plan/1", "jobs": [_planned(unit.plan, unit) for unit in units if unit.plan is not None]}


def about(unit: Unit) -> str:
    """All that a request is made of, as text: but for the number that a submission gives the job."""
    plan = None if unit.plan is None else _planned(unit.plan, unit)
    return dumps([job_document(unit.job), plan, unit.releases, unit.held])


def _planned(plan: JobPlan, unit: Unit) -> dict[str, Any]:
    document = {name: _plain(value) for name, value in plan.__dict__.items() if name not in ("look", "compare")}
    document["candidates"] = _plain(plan.candidates)
    names = ("candidates" if name == "look" else name for name in plan.FIELDS if name != "compare")
    ordered = {name: document[name] for name in names}
    return {**ordered, "profile": _profile(unit)}


def _profile(unit: Unit) -> dict[str, Any] | None:
    """What the job takes of its cluster's profile, line by line."""
    profile = unit.profile
    if profile is None:
        return None
    used = [
        {"entry": use.entry.name, "line": use.entry.span.line, "brings": use.what, "instead_of": [*use.instead]}
        for use in unit.used
    ]
    return {"path": profile.path, "sha256": profile.sha256, "used": used}


def job_document(job: Job) -> dict[str, Any]:
    """One JOB of `flowc.ir/1`: every key of the contract, in its order; absent is null or empty."""
    document = {name: _plain(value) for name, value in job.__dict__.items()}
    for told in document["outcome"]:  # of options it shows the text, which the job may have no use for
        told |= {key: masked(told[key]) for key in ("input", "note") if told[key]}
    return {name: _run(job) if name == "run" else document[name] for name in job.FIELDS if name not in job.UNTOLD}


def _plain(value: Any) -> Any:
    """A value of the IR as JSON has it: records become objects, tuples lists."""
    if isinstance(value, Record):
        return {name: _plain(value.__dict__[name]) for name in value.FIELDS}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


def _run(job: Job) -> dict[str, Any]:
    """`text` or `argv`, whichever the kind has."""
    run = job.run
    content = {"argv": list(run.argv)} if run.kind == "argv" else {"text": run.text}
    how = {"commands": list(run.commands), "delivery": run.delivery}
    head = {"kind": run.kind, "interpreter": run.interpreter}
    return {**head, **content, "args": list(run.args), "workdir": run.workdir, **how}


def _write(value: Any, newline: str, put: Any) -> None:
    """`newline` is a line end with the indent of the enclosing value."""
    if isinstance(value, str):
        put(encode_basestring(value))
    elif value is None or value is True or value is False:
        put("null" if value is None else "true" if value else "false")
    elif isinstance(value, int):
        put(str(value))
    elif isinstance(value, dict):
        _write_dict(value, newline, put)
    elif isinstance(value, (list, tuple)):
        _write_list(value, newline, put)
    else:
        raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def _write_dict(value: dict[str, Any], newline: str, put: Any) -> None:
    if not value:
        put("{}")
        return
    inner = newline + "  "
    separator = "{" + inner
    for key, each in value.items():
        if type(each) is str:  # most are
            put(f"{separator}{encode_basestring(key)}: {encode_basestring(each)}")
        else:
            put(f"{separator}{encode_basestring(key)}: ")
            _write(each, inner, put)
        separator = "," + inner
    put(newline + "}")


def _write_list(value: list[Any] | tuple[Any, ...], newline: str, put: Any) -> None:
    if not value:
        put("[]")
        return
    inner = newline + "  "
    separator = "[" + inner
    for each in value:
        put(separator)
        _write(each, inner, put)
        separator = "," + inner
    put(newline + "]")


def _escape_surrogates(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "".join(f"\\u{ord(char):04x}" if "\ud800" <= char <= "\udfff" else char for char in text)
    return text

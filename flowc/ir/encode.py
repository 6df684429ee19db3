"""The JSON documents of jobs and plans (contract §4 and §5), and a writer that is deterministic and quick to
import.

`json` is not used because importing it costs more than writing these documents does; `dumps` writes what
`json.dumps(document, indent=2, ensure_ascii=False)` would, except that bytes which are no UTF-8 (lone
surrogates inside) are escaped, so that the document itself is always UTF-8.
"""

from __future__ import annotations

from _json import encode_basestring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from flowc.ir.job import Job
    from flowc.ir.plan import JobPlan
    from flowc.ir.unit import Unit
    from flowc.record import Record


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
    return {"format": "flowc.plan/1", "jobs": [_plan(unit.plan) for unit in units if unit.plan is not None]}


def job_document(job: Job) -> dict[str, Any]:
    """One JOB of `flowc.ir/1`: every key of the contract, in its order; absent is null or empty."""
    array, source, time = job.array, job.source, job.time
    return {
        "name": job.name,
        "labels": _pairs(job.labels),
        "source": {**_fields(source), "variables": _pairs(source.variables)},
        "run": _run(job),
        "setup": job.setup,
        "image": job.image,
        "containers": list(job.containers),
        "resources": _fields(job.resources),
        "layout": _fields(job.layout),
        "time": {**_fields(time), "signal": _fields(time.signal) if time.signal is not None else None},
        "env": _pairs(job.env),
        "secrets": list(job.secrets),
        "env_policy": job.env_policy,
        "volumes": [_fields(each) for each in job.volumes],
        "mounts": [_fields(each) for each in job.mounts],
        "ports": [_fields(each) for each in job.ports],
        "io": _fields(job.io),
        "array": _fields(array) if array is not None else None,
        "depends_on": [_fields(each) for each in job.depends_on],
        "retry": _fields(job.retry),
        "pricing": _fields(job.pricing),
        "placement": _fields(job.placement),
        "identity": _fields(job.identity),
        "notify": _fields(job.notify),
        "outcome": [_fields(each) for each in job.outcome],
    }


def _run(job: Job) -> dict[str, Any]:
    """`text` or `argv`, whichever the kind has."""
    run = job.run
    content = {"argv": list(run.argv)} if run.kind == "argv" else {"text": run.text}
    head = {"kind": run.kind, "interpreter": run.interpreter}
    return {**head, **content, "args": list(run.args), "workdir": run.workdir}


def _plan(plan: JobPlan) -> dict[str, Any]:
    candidates = [_fields(each) for each in plan.candidates]
    return {**_fields(plan), "candidates": candidates, "catalog": _fields(plan.catalog)}


def _fields(record: Record) -> dict[str, Any]:
    """A record's fields in the order of its class; tuples become lists when they are written."""
    values = record.__dict__
    return {name: values[name] for name in record.FIELDS}


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    return [[name, value] for name, value in pairs]


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
        put(separator)
        put(encode_basestring(key))
        put(": ")
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

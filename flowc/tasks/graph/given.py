"""What `--after` says, put to the jobs of the sources that it is about."""

from __future__ import annotations

import os
import re

from flowc._compiled.dependencies import KINDS
from flowc.tasks.graph.links import TASKS, is_number
from flowc.tasks.refused import RefusedTaskError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any


def behind(documents: Sequence[dict[str, Any]], paths: Sequence[str], given: Iterable[str]) -> None:
    """Put what `--after` says (KIND:NAME[:NAME]…, by `,` where all must hold, by `?` where one is enough) to the jobs
    of each source that is not named there. Raises RefusedTaskError."""
    waits = [each for text in given for each in _read(text)]
    names = [each["on"] for each in waits if each["on"] is not None]
    for path, document in zip(paths, documents, strict=True):
        if not any(_is_source(name, path, document) for name in names):
            for job in document["jobs"]:
                job["after"] = [*job["after"], *(_of_source(each, paths, documents) for each in waits)]


def _read(text: str) -> list[dict[str, Any]]:
    found = []
    for clause in re.split("[,?]", text):
        kind, *names = clause.split(":")
        kind = kind.lower()
        if kind not in KINDS:
            raise RefusedTaskError(f"`--after {text}`: `{kind}` is no kind of waiting", f"there are {', '.join(KINDS)}")
        if (KINDS[kind]["of"] == "name") != (not names) or not all(names):
            raise RefusedTaskError(
                f"`--after {text}` does not say after what", "it is KIND:NAME, such as afterok:train"
            )
        for name in names or [None]:
            each: dict[str, Any] = {"kind": kind, "on": name}
            start, plus, minutes = (name or "").rpartition("+")
            if KINDS[kind]["minutes"] and plus and is_number(minutes):
                each.update(on=start, minutes=int(minutes))
            found.append({**each, "any": True} if "?" in text else each)
    return found


def _is_source(name: str, path: str, document: dict[str, Any]) -> bool:
    whole = os.path.basename(path)
    bases = (name, TASKS.fullmatch(name)[1]) if TASKS.fullmatch(name) else (name,)  # type: ignore[index]
    return any(
        base in (path, whole, os.path.splitext(whole)[0])
        or any(base == job["name"] or base in job["bids"] for job in document["jobs"])
        for base in bases
    )


def _of_source(each: dict[str, Any], paths: Sequence[str], documents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What waits for a source by its file's name waits for all its jobs; what is a job's name is found later."""
    for path, document in zip(paths, documents, strict=True):
        jobs = document["jobs"]
        if each["on"] in (path, os.path.basename(path), os.path.splitext(os.path.basename(path))[0]):
            whole = {"indices": jobs[0]["indices"]} if len(jobs) == 1 and "indices" in jobs[0] else {}
            return {**each, "before": [["", bid] for job in jobs for bid in job["bids"]], **whole}
    return dict(each)

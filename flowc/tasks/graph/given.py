"""What `--after` says, put to the jobs of the sources that it is about."""

from __future__ import annotations

import os
import re

from flowc._compiled.dependencies import KINDS
from flowc.diag.suggest import nearest
from flowc.tasks.graph.links import TASKS, is_number
from flowc.tasks.refused import RefusedTaskError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any


def behind(documents: Sequence[dict[str, Any]], paths: Sequence[str], given: Iterable[str]) -> None:
    """Put what `--after` says (KIND:NAME[:NAME]…, by `,` where all must hold, by `?` where one is enough) to the jobs
    of each source that is not named there. Raises RefusedTaskError."""
    waits: list[dict[str, Any]] = []
    texts = list(given)
    for each in (each for text in texts for each in _read(text)):
        if each not in waits:
            waits.append(each)
    if not waits:
        return
    named = {at for each in waits for at in _sources_of(each["on"], paths, documents)}
    behind = [at for at in range(len(paths)) if at not in named]
    if not behind and len(paths) > 1:
        raise RefusedTaskError(
            "`--after` names every source, and none is left to wait",
            "say who waits for whom in the files: `#SBATCH --dependency=afterok:NAME`",
        )
    # One that is called as what it waits for waits for an earlier one.
    for at in behind or [0]:
        for job in documents[at]["jobs"]:
            _check_choices(job, texts)
            job["after"] = [*job["after"], *(_of_source(each, at, paths, documents) for each in waits)]


def _check_choices(job: dict[str, Any], texts: Sequence[str]) -> None:
    """Raises RefusedTaskError where a job would have two lists of which one is enough: what is kept is one of all."""
    lists = sum("?" in text for text in texts)
    if lists + any(each.get("any") for each in job["after"]) > 1 and lists:
        raise RefusedTaskError(
            f"{job['name']} waits for one of several twice: `?` can stand in one place", "join them in one `--after`"
        )


def _read(text: str) -> list[dict[str, Any]]:
    if "," in text and "?" in text:
        raise RefusedTaskError(
            f"`--after {text}`: `,` (all must hold) and `?` (one is enough) exclude each other",
            "what must hold besides can stand in an `--after` of its own",
        )
    found = []
    for clause in re.split("[,?]", text):
        kind, *names = (each.strip() for each in clause.split(":"))
        _check(text, kind, names)
        minutes = 0  # those of one hold for the names behind it too, as under Slurm
        for name in names or [None]:
            start, plus, own = (name or "").rpartition("+")
            if KINDS[kind.lower()]["minutes"] and plus and is_number(own):
                name, minutes = start, int(own)
            each: dict[str, Any] = {"kind": kind.lower(), "on": name}
            more = {"minutes": minutes} if minutes else {}
            found.append({**each, **more, **({"any": True} if "?" in text else {})})
    return found


def _check(text: str, kind: str, names: Sequence[str]) -> None:
    """Raises RefusedTaskError for a clause of `--after` that says nothing."""
    row = KINDS.get(kind.lower())
    if row is None:
        near = nearest(kind.lower(), list(KINDS))
        hint = f"did you mean `{near}`?" if near else f"there are {', '.join(KINDS)}"
        if not names and kind:
            raise RefusedTaskError(
                f"`--after {text}` does not say how it waits for `{kind}`",
                f"afterok:{kind}, or another of {', '.join(KINDS)}",
            )
        raise RefusedTaskError(f"`--after {text}`: `{kind}` is no kind of waiting", hint)
    if row["of"] == "name" and names:
        raise RefusedTaskError(
            f"`--after {text}`: `{kind}` names no job", "it waits for all others of the job's own name"
        )
    if row["of"] != "name" and (not names or not all(names)):
        raise RefusedTaskError(f"`--after {text}` does not say after what", "it is KIND:NAME, such as afterok:train")


def _sources_of(name: str | None, paths: Sequence[str], documents: Sequence[dict[str, Any]]) -> list[int]:
    """The numbers of the sources that a name is about: by their file, or one of their jobs."""
    if name is None:
        return []
    parts = TASKS.fullmatch(name)
    bases = (name,) if parts is None else (name, parts[1])
    for base in bases:
        found = _files_of(base, paths) or [
            at
            for at, document in enumerate(documents)
            if any(base == job["name"] or base in job["bids"] for job in document["jobs"])
        ]
        if found:
            return found
    return []


def _files_of(name: str, paths: Sequence[str]) -> list[int]:
    """The numbers of the sources whose file is called so. Raises RefusedTaskError for several files."""
    found = [at for at, path in enumerate(paths) if name == path]
    found = found or [at for at, path in enumerate(paths) if name in _called(path)]
    several = list(dict.fromkeys(paths[at] for at in found))
    if len(several) > 1:
        raise RefusedTaskError(
            f"`--after`: `{name}` may be several of the sources", f"name one by its path: {', '.join(several)}"
        )
    return found


def _called(path: str) -> tuple[str, str]:
    whole = os.path.basename(path)
    return whole, os.path.splitext(whole)[0]


def _of_source(
    each: dict[str, Any], mine: int, paths: Sequence[str], documents: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """What waits for a source by its file's name waits for all its jobs; what is a job's name is found later."""
    found = [] if each["on"] is None else _files_of(each["on"], paths)
    jobs = [job for at in found if at != mine for job in documents[at]["jobs"]]
    if not jobs:
        return dict(each)
    whole = {"indices": jobs[0]["indices"]} if len(jobs) == 1 and "indices" in jobs[0] else {}
    return {**each, "before": [["", bid] for job in jobs for bid in job["bids"]], **whole}

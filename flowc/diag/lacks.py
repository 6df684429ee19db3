"""The kinds of what a finding may say that a job lacks. Where there is one of BLOCKING, something that the job needs is
not on the machine; a partition whose GPU is not known leaves a choice open, no more."""

from __future__ import annotations

MODULE, PATH, VARIABLE, ENVIRONMENT, VENV = "module", "path", "variable", "environment", "venv"
PROGRAM, IMAGE, PARTITION = "program", "image", "partition"
BLOCKING = (MODULE, PATH, VARIABLE, ENVIRONMENT, VENV, PROGRAM, IMAGE)
# With the words for several, in the order in which tables have them.
KINDS = {
    MODULE: "modules",
    PATH: "paths of the cluster",
    VARIABLE: "variables",
    ENVIRONMENT: "conda environments",
    VENV: "virtual environments of Python",
    PROGRAM: "programs",
    IMAGE: "image files",
    PARTITION: "partitions whose GPU is not known",
}


def root(path: str) -> str:
    """The part of a path for which a profile has a line: `/scratch` of `/scratch/me/data`, `~/tools` of `~/tools/bin`,
    and `/n/lab` where the first part is a letter that says nothing."""
    first, *parts = path.split("/")
    most = 2 if not first and len(parts[0]) == 1 and "$" not in path else 1
    return "/".join((first, *parts[:most]))


def line_of(kind: str, name: str) -> str:
    """What is counted as one: what one line of a profile may stand for. Of modules the name without a version, unless
    that says more (`python/3.9-anaconda-2021.11`, `python/2.7.18`); of paths the first part."""
    if kind == PATH:
        return root(name)
    if kind != MODULE:
        return name
    parts = name.split("/")
    while len(parts) > 1 and _is_version(parts[-1]) and not _says_more(*parts[-2:]):
        parts.pop()
    return "/".join(parts)


def _says_more(name: str, version: str) -> bool:
    """Whether another version is another thing: Python with conda's packages, and Python 2."""
    return "conda" in version or (name.lower().endswith("python") and version.lstrip("v")[:2] in ("2", "2.", "27"))


def _is_version(part: str) -> bool:
    return part[:1].isdigit() or (part[:1] in "vrR" and part[1:2].isdigit()) or part in ("default", "latest", "")

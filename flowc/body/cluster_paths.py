"""Absolute paths in a batch script's text that a cluster's file systems have and a rented machine has not."""

from __future__ import annotations

from flowc._compiled.slurm_commands import IMAGE_ROOTS
from flowc.body.commands import MOST_TEXT, in_comment
from flowc.patterns import at_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.ir.job import Job

# At the beginning of a word, with two parts at least: the second may be a variable.
_paths = at_first_use(r"(?:(?<=[\s\"'=(])|\A)(/([A-Za-z][\w.+-]*)/([\w.+-]+|\$\{?\w+\}?))[\w./+${}-]*", "finditer")
# Programs whose words look like paths: patterns of sed and awk, paths within containers.
_other_words = at_first_use(r"\b(?:g?awk|sed|perl|grep|docker|podman|mkdir|install|mount)\b", "search")
_MOST_PATHS = 2000


def cluster_paths(job: Job) -> dict[str, tuple[int, int]]:
    """The first two parts of each such path, with the place of its first mention as offsets in `job.run.text`.

    Not what the job itself mounts or makes, and nothing of a job in a container, whose image may have any paths.
    """
    text = (job.run.text or "")[:MOST_TEXT]
    if job.image is not None or "container-image" in text:
        return {}
    own = [*(mount.target for mount in job.mounts), *(each.mount_path for each in job.volumes), job.run.workdir or ""]
    made: list[str] = []
    found: dict[str, tuple[int, int]] = {}
    for path, beginning, place in _mentions(text):
        line = text[text.rfind("\n", 0, place[0]) + 1 : place[0]]
        if _other_words(line):
            made.append(path)
        elif not any(path.startswith(each) for each in [*own, *made] if each.strip("/")):
            found.setdefault(beginning, place)
    return found


def _mentions(text: str) -> Iterator[tuple[str, str, tuple[int, int]]]:
    for match, _ in zip(_paths(text), range(_MOST_PATHS), strict=False):
        _, root, second = match.groups()
        there = root in IMAGE_ROOTS if root != "home" else second == "ubuntu"
        if not there and not in_comment(text, match.start()):
            yield match[0], match[1], match.span(1)

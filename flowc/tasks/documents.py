"""What is submitted: one request document, made of the artifacts of one source or of several."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from flowc.backends.artifacts import Artifact


def document_of(artifacts: Sequence[Artifact]) -> dict[str, Any]:
    """The request document of a source; texts that are delivered to machines stand in it (`data`)."""
    document: dict[str, Any] = json.loads(artifacts[0].text)
    texts = {each.name: each for each in artifacts}
    for each in document.get("deliver", ()):
        if "file" in each:
            each["data"] = texts[each["file"]].text
    return document


def joined(documents: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """One document of several, in their order; there must be one."""
    whole, *others = documents
    for other in others:
        for name in ("requests", "jobs"):
            whole[name] += other[name]
        whole["unresolved"] = list(dict.fromkeys([*whole["unresolved"], *other["unresolved"]]))
        if "about" in other:
            whole["about"] = [*whole.get("about", ()), *other["about"]]
        if "deliver" in other:
            whole["deliver"] = [*whole.get("deliver", ()), *other["deliver"]]
    return whole

"""What becomes of a document when one of its values is another one: the artifacts, and what is said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from flowc import catalog, override, pipeline, rules
from flowc.backends.mithril import BACKEND
from flowc.detect import detect
from flowc.diag.sink import Sink
from flowc.driver import Together, surrounded
from flowc.inputs import Inputs
from flowc.ir.encode import plan_document
from flowc.ir.job import Outcome
from flowc.passes.base import Context
from flowc.source import Source
from flowc.yamldoc.ledger import Ledger
from flowc.yamldoc.node import Mapping, Node, Pair, Scalar, Sequence, is_null

CATALOG = catalog.bundled()
# What may stand in place of some words, where the table of the format does not say so.
WORDS: dict[str, tuple[str, ...]] = {"requests.cpu": ("limits.memory",), "mithril-file-share": ("mithril-block",)}
# Mappings of which only some entries are used, as others ask for them.
AS_A_WHOLE = (
    *("ConfigMap.data", "ConfigMap.binaryData", "Secret.data", "Secret.stringData", "PodSpec.nodeSelector"),
    "ResourceRequirements.requests",
    *("NodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",),
)


class Made:
    """What came of a text: `outcome` of all its jobs, `artifacts` by name without what only tells texts apart,
    `said` as (code, message, line), `errors` among them."""

    def __init__(self, text: str, path: str, inputs: Inputs, frontend: str | None = None) -> None:
        source, sink = Source(path, text), Sink()
        self.source = source
        self.outcome: list[Outcome] = []
        self.artifacts: dict[str, Any] = {}
        self.was_read = False
        self._run(source, inputs, frontend, sink)
        self.diagnostics = sink.diagnostics
        self.said = {(each.code.id, each.message) for each in sink.diagnostics}
        self.errors = [each.message for each in sink.diagnostics if each.severity == "error"]

    def _run(self, source: Source, inputs: Inputs, frontend: str | None, sink: Sink) -> None:
        entry = detect(source, inputs, frontend, sink)
        tree = entry.load().read(source, inputs, sink) if entry is not None else None
        if entry is None or tree is None or sink.broken:
            return
        self.was_read = True
        units = override.run(entry.load().lower(tree, inputs, sink), inputs, sink)
        units = surrounded(units, inputs, Together())
        self.outcome = [each for unit in units for each in unit.job.outcome]
        if sink.broken:
            return
        # Of equal content, as far as the job's id goes.
        units = [unit.replace(job=unit.job.replace(source=unit.job.source.replace(sha256="0" * 64))) for unit in units]
        units = pipeline.run(units, Context(catalog=CATALOG), sink)
        if sink.broken:
            return
        self.artifacts["plan"] = plan_document(units)
        rules.run(units, sink)
        BACKEND.check(units, sink)
        for each in BACKEND.emit(units, sink, set()):
            if each.name == "request.json":
                self.artifacts[each.name] = _without_script(json.loads(each.text))
            elif not each.name.endswith(("report.txt", "startup.sh")):
                self.artifacts[each.name] = re.sub(r"flowc/line=\d+", "", each.text)


def _without_script(document: dict[str, Any]) -> dict[str, Any]:
    """The readable form stands beside it."""
    document.pop("script", None)
    for each in document["requests"]:
        each.pop("script", None)
        each.get("body", {}).get("launch_specification", {}).pop("startup_script", None)
    return document


class Leaf:
    """A value, or the key of a free mapping: where it stands, and how it may be changed."""

    def __init__(self, node: Scalar, field: dict[str, Any]) -> None:
        self.node = node
        self.field = field

    def texts(self) -> Iterator[str]:
        """Other values, as they are written in its place."""
        node, text = self.node, self.node.text
        plain = node.style is None
        if plain and text.lower() in ("true", "false", "yes", "no", "on", "off"):
            yield "false" if text.lower() in ("true", "yes", "on") else "true"
            return
        others = [value for value in self.field.get("values") or () if value != text]
        for other in [*others, *WORDS.get(text, ()), *_others(text)]:
            if _number(other) is not None and _number(other) == _number(text):
                continue
            yield other if plain and re.fullmatch(r"[\w.+/-]*", other) else json.dumps(other)


class Item:
    """What was decided about and must have an effect: a value, an item of a list, an entry of a free mapping."""

    def __init__(self, pair: Pair, action: str, leaves: list[Leaf], format: str) -> None:
        self.format = format
        self.pair = pair
        self.action = action
        self.leaves = leaves

    @property
    def row(self) -> str:
        """`Type.key` in the format's table."""
        return f"{self.pair.owner}.{self.pair.key.text}"

    @property
    def rows(self) -> set[str]:
        """That row, and those of what it holds."""
        return {self.row, *(f"{pair.owner}.{pair.key.text}" for pair in _pairs(self.pair.value))}

    def __repr__(self) -> str:
        return f"{self.row}: {self.leaves[-1].node.text}"

    def place(self) -> tuple[int, int]:
        """From the key to the end of the value."""
        return self.pair.key.start, max(self.pair.key.end, self.pair.value.end)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _others(text: str) -> Iterator[str]:
    """A number that is a little or much higher; a word with a letter more."""
    if match := re.search(r"\d+(?=\D*$)", text):
        width = len(match[0]) if match[0].startswith("0") else 0
        own = int(match[0])
        for number in (own + 1, own * 2, own // 10, 1, 2, 0, own * 1000, 10**6):
            if number != int(match[0]):
                yield f"{text[: match.start()]}{number:0{width}d}{text[match.end() :]}"
    yield f"{text}x"
    yield f"x{text}"


def decided(text: str, path: str, inputs: Inputs, frontend: str | None, monkeypatch: pytest.MonkeyPatch) -> list[Item]:
    """The items of a YAML document, with what is said to become of them."""
    found: dict[tuple[int, int], Item] = {}
    entry = detect(Source(path, text), inputs, frontend, Sink())
    made_of = entry.name if entry is not None else ""
    closed = Ledger.close

    def close(ledger: Ledger, root: Node, *, report: bool = True) -> tuple[Outcome, ...]:
        outcome = closed(ledger, root, report=report)
        for pair, action in _decisions(ledger, root):
            if pair.key.source.path == path:
                for item in _items(pair, action, made_of):
                    found.setdefault((item.leaves[0].node.start, item.leaves[-1].node.end), item)
        return outcome

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "close", close)
        made = Made(text, path, inputs, frontend)
    ignored = {(each.input, each.line) for each in made.outcome if each.action == "ignored"}
    for item in found.values():
        if (item.pair.path, item.pair.key.span.line) in ignored:
            item.action = "ignored"  # a flag replaces it
    return list(found.values())


def _decisions(ledger: Ledger, node: Node) -> Iterator[tuple[Pair, str]]:
    if isinstance(node, Sequence):
        for item in node.items:
            yield from _decisions(ledger, item)
    if not isinstance(node, Mapping):
        return
    for pair in node.pairs:
        decision, row = ledger.decisions.get(id(pair)), pair.field or {}
        action = decision[0] if decision is not None else row.get("action")
        if action is None:
            yield from _decisions(ledger, pair.value)
        elif not is_null(pair.value):
            yield pair, action


def _items(pair: Pair, action: str, made_of: str) -> Iterator[Item]:
    value = pair.value
    groups = [list(_leaves(value, pair.field or {}))]
    if isinstance(value, Sequence):
        groups = [list(_leaves(each, {})) for each in value.items]
    elif isinstance(value, Mapping) and f"{pair.owner}.{pair.key.text}" not in AS_A_WHOLE:
        groups = [[Leaf(each.key, {}), *_leaves(each.value, each.field or {})] for each in value.pairs]
    for leaves in groups:
        if leaves:
            yield Item(pair, action, leaves, made_of)


def _pairs(node: Node) -> Iterator[Pair]:
    for item in node.items if isinstance(node, Sequence) else ():
        yield from _pairs(item)
    for pair in node.pairs if isinstance(node, Mapping) else ():
        yield pair
        yield from _pairs(pair.value)


def _leaves(node: Node, field: dict[str, Any]) -> Iterator[Leaf]:
    if isinstance(node, Scalar):
        if not is_null(node):
            yield Leaf(node, field)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _leaves(item, {})
    elif isinstance(node, Mapping):
        for pair in node.pairs:
            yield Leaf(pair.key, {})
            yield from _leaves(pair.value, pair.field or {})


def _changed(base: Made, item: Item, inputs: Inputs, frontend: str | None) -> Iterator[tuple[str, Made]]:
    """What is made of the document with another value in the item's place, for each place and value."""
    text, path = base.source.text, base.source.path
    for leaf in item.leaves:
        for other in leaf.texts():
            node = leaf.node
            end = "\n" if node.style in ("|", ">") else ""
            yield other, Made(text[: node.start] + other + end + text[node.end :], path, inputs, frontend)


def changes(base: Made, item: Item, inputs: Inputs, frontend: str | None) -> bool:
    """Whether another value of it makes other artifacts."""
    made = (each for _, each in _changed(base, item, inputs, frontend) if each.was_read and not each.errors)
    return any(each.artifacts != base.artifacts for each in made)


def effect(base: Made, item: Item, inputs: Inputs, frontend: str | None) -> str | None:
    """What comes of changing it, or why nothing can: None where it is just as well left out."""
    accepted = False
    for other, made in _changed(base, item, inputs, frontend):
        if not made.was_read:
            continue
        accepted = True
        if made.artifacts != base.artifacts or made.said != base.said:
            return f"changed by {other}"
    first, last = item.place()
    for each in base.diagnostics:
        if (
            each.span is not None
            and each.span.source is base.source
            and first <= each.span.end
            and each.span.start <= last
        ):
            return f"told by {each.code.id}"
    return None if accepted else "no other value"

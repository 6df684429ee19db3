"""What all parts of lowering one job share: where it is in the file, what was decided, what is to be told."""

from __future__ import annotations

from flowc.diag.codes.k8s import lower as codes
from flowc.yamldoc.ledger import Ledger, LedgerCodes
from flowc.yamldoc.node import Mapping, is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.code import Code
    from flowc.diag.sink import Sink
    from flowc.frontends.k8s.objects import Companions, JobObject, Part
    from flowc.inputs import Inputs
    from flowc.source import Span
    from flowc.yamldoc.node import Node, Pair

LEDGER_CODES = LedgerCodes(
    approximated=codes.FIELD_APPROXIMATED, ignored=codes.FIELD_IGNORED, refused=codes.FIELD_REFUSED
)
MOST_NAMES = 6  # a message names so many things one by one


class Shape:
    """How the pods of a job become machines: `nodes` of one bid, or an array of `tasks` bids. `indexed`: the pods are
    numbered."""

    __slots__ = ("indexed", "nodes", "tasks")

    def __init__(self, nodes: int = 1, tasks: int | None = None, *, indexed: bool = False) -> None:
        self.nodes = nodes
        self.tasks = tasks
        self.indexed = indexed


class Context:
    """The lowering of one job so far. `matters` are findings that are told once for all places where they arise. `part`
    is the part of a gang that is looked at."""

    __slots__ = ("companions", "inputs", "job", "ledger", "matters", "origins", "part", "shape", "sink")

    def __init__(self, job: JobObject, companions: Companions, inputs: Inputs, sink: Sink) -> None:
        self.job = job
        self.companions = companions
        self.inputs = inputs
        self.sink = sink
        self.ledger = Ledger(LEDGER_CODES, sink)
        self.origins: dict[str, Span] = {}
        self.matters: dict[Code, dict[str, Span]] = {}
        self.shape = Shape()
        self.part: Part | None = None

    def put(self, path: str, node: Node | None) -> None:
        """An IR field stems from this node; the first that says so is kept."""
        if node is not None:
            self.origins.setdefault(path, _shown(node))

    def put_key(self, path: str, parent: Node | None, key: str) -> None:
        """An IR field stems from this key of a mapping and all below it."""
        pair = pair_of(parent, key)
        if pair is not None:
            self.origins.setdefault(path, pair.key.span)

    def decide(self, parent: Node | None, key: str, action: str, note: str, code: Code | None = None) -> None:
        """What became of a key of a mapping, if it is there; `code` has told it already."""
        self.ledger.decide(pair_of(parent, key), action, note, code)

    def leave_out(self, parent: Node | None, key: str, note: str) -> None:
        """A key that says nothing outside a cluster: it is named with all others of its kind."""
        pair = pair_of(parent, key)
        if pair is not None:
            self.gather(codes.CLUSTER_FIELDS, f"`{_short(pair.path)}`", pair.key.span)
            self.ledger.decide(pair, "ignored", note, codes.CLUSTER_FIELDS)

    def gather(self, code: Code, item: str, span: Span) -> None:
        """A finding that is told once, with all its items."""
        self.matters.setdefault(code, {}).setdefault(item, span)

    def tell(self) -> None:
        """Report what was gathered: each code once, at its first place."""
        for code, found in self.matters.items():
            from flowc.listing import some_of

            self.sink.report(code, next(iter(found.values())), items=some_of(found, MOST_NAMES))

    def refuse(self, parent: Node, key: str, reason: str, help: str | None = None) -> None:
        """An error at a key's value."""
        pair = pair_of(parent, key)
        assert pair is not None
        self.sink.report(codes.FIELD_REFUSED, pair.key.span, help=help, path=pair.path, reason=reason)
        self.ledger.decide(pair, "refused", reason, codes.FIELD_REFUSED)

    def moves(self, parent: Node, key: str, reason: str) -> bool:
        """Whether `--move` leaves a key out that belongs to the other cluster; it is told."""
        pair = pair_of(parent, key)
        if pair is None or not self.inputs.flags.move:
            return False
        self.ledger.leave_out(pair, reason)
        return True

    def secret(self, name: str, what: str, span: Span) -> None:
        """A value that is delivered after boot under a name that does not stand in the manifest, or that stands there
        in full and is not sent on."""
        self.gather(codes.SECRETS_TO_DELIVER, f"`{name}` ({what})", span)


def pair_of(node: Node | None, key: str) -> Pair | None:
    return node.pair(key) if isinstance(node, Mapping) else None


def text_of(pair: Pair) -> str:
    """The checked value of a pair as text; empty for null."""
    return "" if is_null(pair.value) or pair.value.value is None else str(pair.value.value)


def _shown(node: Node) -> Span:
    return node.via or node.span


def _short(path: str) -> str:
    """A path without what all fields of a pod share."""
    return path.removeprefix("spec.template.spec.").removeprefix("spec.template.")

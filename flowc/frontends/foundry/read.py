"""Reading: the document held against its fields, and the rules between them."""

from __future__ import annotations

from flowc._compiled.foundry_fields import TYPES
from flowc.diag.codes.yaml import document as yaml_codes
from flowc.diag.codes.yaml import foundry as codes
from flowc.frontends.foundry.ports import read_ports
from flowc.inputs import Inputs
from flowc.record import Record
from flowc.source import Source, Span
from flowc.yamldoc import edit
from flowc.yamldoc.ast import ast_document
from flowc.yamldoc.check import Checker, first_key
from flowc.yamldoc.node import Mapping, Node, Scalar, misspelt
from flowc.yamldoc.read import read as read_yaml
from flowc.yamldoc.run_options import split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.sink import Sink
    from flowc.ir.job import Port

VERSION = "1.2"
# Where the number of machines may stand, the main place first.
NUM_INSTANCES = (
    ("resources_specification", "num_instances"),
    ("task_management", "num_instances"),
    ("num_instances",),
)


class Tree(Record):
    """The tasks of a source, one for each document, and the ports of each with their places."""

    source: Source
    tasks: tuple[Node, ...]
    ports: tuple[list[tuple[Port, Span]], ...]


def read(source: Source, inputs: Inputs, sink: Sink) -> Tree | None:
    """The documents of a source, checked; None when nothing could be read."""
    roots = read_yaml(source, sink)
    if roots is None:
        return None
    spans = dict(inputs.flag_spans)
    ports: list[list[tuple[Port, Span]]] = []
    for root in roots:
        for index, (path, text) in enumerate(inputs.flags.sets):
            edit.put(root, path, text, spans.get(f"sets.{index}") or _no_place(path, text), sink)
        checker = Checker(TYPES, sink, allow_unknown=inputs.allow_unknown)
        checker.check(root, {"is": "map", "type": "Task", "null": False})
        ports.append(read_ports(root, sink) if isinstance(root, Mapping) else [])
        if isinstance(root, Mapping):
            _check_rules(root, inputs, sink)
    if not roots:
        sink.report(codes.FOUNDRY_NOTHING_TO_RUN, None)
    return Tree(source=source, tasks=tuple(roots), ports=tuple(ports))


def document(tree: Tree) -> dict[str, Any]:
    return ast_document("foundry-yaml", list(tree.tasks))


def _no_place(path: str, text: str) -> Span:
    """A caller of the Python API has no command line, so one is made up for messages."""
    shown = f"--set {path}={text}"
    return Span(Source("<flags>", shown), 0, len(shown))


def _check_rules(task: Mapping, inputs: Inputs, sink: Sink) -> None:
    version = task.at("version")
    if version is not None and str(version.value).strip() not in (VERSION, "1.20"):
        help = "check the file against the document of 1.2, then set `version: 1.2`"
        sink.report(codes.FOUNDRY_VERSION, version.span, help=help, version=str(version.value))
    _check_identity(task, inputs, sink)
    _check_conflicts(task, sink)
    _check_options(task, sink)
    if task.at("startup_script") is None and task.at("container_image", "image_name") is None:
        help = "to hold a machine for logging in, write `startup_script: sleep infinity`"
        sink.report(codes.FOUNDRY_NOTHING_TO_RUN, first_key(task), help=help)


def _check_options(task: Mapping, sink: Sink) -> None:
    """Words for docker are quoted as for a shell."""
    node = task.at("container_image", "run_options")
    if isinstance(node, Scalar):
        try:
            split(node.text)
        except ValueError:
            path, expected = "container_image.run_options", "quotes that are closed"
            sink.report(yaml_codes.WRONG_FORM, node.span, path=path, value=node.text, expected=expected)


def _check_identity(task: Mapping, inputs: Inputs, sink: Sink) -> None:
    """Who pays and who may log in: the old tool asked on the terminal."""
    wanted = (
        ("project_name", inputs.flags.project or inputs.defaults.project, "which project pays", "--project"),
        ("ssh_key_name", inputs.flags.ssh_keys or inputs.defaults.ssh_keys, "whose key may log in", "--ssh-key"),
    )
    for key, given, what, flag in wanted:
        if task.at(key) is None and not given and not misspelt(task, key):
            sink.report(
                codes.FOUNDRY_NO_IDENTITY, first_key(task), help=f"add it, or give `{flag} NAME`", key=key, what=what
            )


def _check_conflicts(task: Mapping, sink: Sink) -> None:
    counts = [node for path in NUM_INSTANCES if (node := task.at(*path)) is not None and node.value is not None]
    for other in counts[1:]:
        if other.value != counts[0].value:
            what = f"{counts[0].value} machines are asked for in one place, {other.value} in another"
            _conflict(what, other, counts[0], sink)
    given = {pair.key.text: pair.key.span for pair in task.pairs_at("persistent_storage")}
    if "create" in given and "attach" in given:
        what = "`create` and `attach` are both given: the old tool ignored `attach`"
        sink.report(codes.FOUNDRY_CONFLICT, given["attach"], help="keep one of them", what=what)
    region = task.at("resources_specification", "cluster_id")
    for part in ("create", "attach"):
        own = task.at("persistent_storage", part, "region_id")
        if own is not None and region is not None and own.value != region.value:
            _conflict(f"the volume is in {own.value}, the machines are in {region.value}", own, region, sink)
        kind, interface = (task.at("persistent_storage", part, key) for key in ("storage_type", "disk_interface"))
        if kind is not None and interface is not None and (kind.value == "nfs") != (interface.value == "File"):
            _conflict(f"storage_type {kind.value} is not disk_interface {interface.value}", interface, kind, sink)


def _conflict(what: str, node: Node, other: Node, sink: Sink) -> None:
    sink.report(codes.FOUNDRY_CONFLICT, node.span, notes=((other.span, "the other one"),), what=what)

"""What the fields of a task must be to each other."""

from __future__ import annotations

from flowc.diag.codes.yaml import document as yaml_codes
from flowc.diag.codes.yaml import task as codes
from flowc.frontends.task.amounts import utc
from flowc.patterns import at_first_use
from flowc.secret import begins_secret, looks_secret
from flowc.yamldoc.node import Mapping, Scalar, Sequence, misspelt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.inputs import Inputs
    from flowc.yamldoc.node import Node, Pair

MACHINES = ("instance_type", "min_gpu_memory_gb", "min_cpus", "min_memory_gb")
COMMANDS = ("command", "shell", "script")
# Work that is done by hand on the machine: it needs no command.
BY_HAND = ("tinker", "interactive")

# A variable in the shell's spelling; a dollar sign inside a word is one.
_reference = at_first_use(r"\$\{[A-Za-z_][^{}]*\}|(?<![^\s:/=,])\$[A-Za-z_]\w*", "search")


def check(root: Mapping, inputs: Inputs, sink: Sink, *, command_line: bool = False) -> None:
    """Report fields that contradict each other or are missing; a command line may leave the machine open."""
    _machine(root, inputs, sink, command_line)
    _command(root, sink)
    _limits(root, sink)
    for volume in root.each("volumes"):
        _volume(volume, sink)
    _reservation(root, sink)
    _start(root, sink)
    _secrets(root, sink)
    for pair in root.pairs_at("runtime_files"):
        part = next((each for each in pair.key.text.split("/") if each in (".", "..")), None)
        if part is not None:
            sink.report(codes.FILE_PATH_FORM, pair.key.span, path=pair.key.text, part=part)


def by_hand(root: Mapping) -> bool:
    return root.read("workload_type") in BY_HAND or root.read("dev_vm") is True


def _machine(root: Mapping, inputs: Inputs, sink: Sink, command_line: bool) -> None:
    named, described = root.at("instance_type"), root.at("min_gpu_memory_gb")
    if inputs.flags.instance_type is not None:
        return
    if named is not None and described is not None:
        notes = ((named.span, "a machine is named here"),)
        sink.report(codes.MACHINE_GIVEN_TWICE, described.span, notes=notes)
    if isinstance(named, Sequence) and not named.items:
        named = None
    said = any((named, described, root.at("min_cpus"), root.at("min_memory_gb")))
    old = any("words" in (pair.field or ()) for pair in root.pairs)  # `gpu: h100`, which is reported already
    if not said and not command_line and not old and not misspelt(root, *MACHINES):
        help = "add `instance_type: 8xh100`, or `min_gpu_memory_gb: 80`, or `min_cpus: 16` for a job without GPU"
        sink.report(codes.MACHINE_MISSING, root.pairs[0].key.span if root.pairs else None, help=help)


def _command(root: Mapping, sink: Sink) -> None:
    given = [pair for name in COMMANDS if (pair := root.pair(name)) is not None and root.at(name) is not None]
    given.sort(key=lambda pair: pair.key.start)
    for pair in given[1:]:
        first = given[0]
        notes = ((first.key.span, "the first one is here"),)
        key, other = pair.path, first.path
        sink.report(codes.COMMAND_GIVEN_TWICE, pair.key.span, notes=notes, key=key, other=other)
    if not given and not by_hand(root) and not misspelt(root, *COMMANDS):
        sink.report(codes.TASK_WITHOUT_COMMAND, root.pairs[0].key.span if root.pairs else None)
    for pair in given:
        if isinstance(pair.value, Sequence):
            _program(pair.value, sink)
        if _is_empty(pair.value):
            sink.report(codes.TASK_WITHOUT_COMMAND, pair.value.span if pair.value.span.text else pair.key.span)


def _program(command: Sequence, sink: Sink) -> None:
    """The first item of a list is the program; one with blanks is a line for the shell."""
    first = command.items[0] if command.items else None
    if not isinstance(first, Scalar) or not isinstance(first.value, str):
        return
    name = first.value.strip()
    if any(char.isspace() for char in name):
        lines = len(command.items) > 1
        help = "write a text: `command: |` with the lines below it" if lines else "write it as a text, without the list"
        sink.report(codes.PROGRAM_WITH_BLANKS, first.span, help=help, name=name)


def _is_empty(node: Node) -> bool:
    if isinstance(node, Scalar):
        return not node.text.strip()
    return isinstance(node, Sequence) and not (node.items and getattr(node.items[0], "text", "x").strip())


def _limits(root: Mapping, sink: Sink) -> None:
    _ordered(root, "min_run_time_hours", "max_run_time_hours", sink)
    _ordered(root, "max_run_time_hours", "deadline_hours", sink)
    if root.at("max_run_time_hours") is None:
        _ordered(root, "min_run_time_hours", "deadline_hours", sink)
    retries = root.at("retries")
    if isinstance(retries, Mapping):
        _ordered(retries, "initial_delay", "max_delay", sink)


def _ordered(node: Mapping, low: str, high: str, sink: Sink) -> None:
    least, most = node.read(low), node.read(high)
    if least is None or most is None or float(least) <= float(most) or float(most) == 0:
        return
    (first, second) = (node.pair(low), node.pair(high))
    assert first is not None
    assert second is not None
    notes = ((second.value.span, "the other one is here"),)
    fields = {"low": first.path, "least": least, "high": second.path, "most": most}
    sink.report(codes.LIMITS_CONTRADICT, first.value.span, notes=notes, **fields)


def _volume(volume: Node, sink: Sink) -> None:
    if volume.at("volume_id") is None or not isinstance(volume, Mapping):
        return
    for key in ("iops", "throughput_mb_s", "create_if_missing"):
        pair = volume.pair(key)
        if pair is not None and pair.value.value not in (None, False):
            sink.report(codes.VOLUME_EXISTS, pair.key.span, key=pair.path)


def _reservation(root: Mapping, sink: Sink) -> None:
    pair = root.pair("allocation_mode")
    if pair is not None and pair.value.value == "reserved" and root.at("reservation_id") is None:
        sink.report(codes.RESERVATION_NOT_NAMED, pair.value.span, key=pair.path, value="reserved")


def _start(root: Mapping, sink: Sink) -> None:
    """The form is checked; whether there is such a day is not."""
    node = root.at("scheduled_start_time")
    if node is not None and isinstance(node.value, str) and node.value[:4].isdigit() and utc(node.value) is None:
        expected, path = "a day and hour of the calendar", "scheduled_start_time"
        sink.report(yaml_codes.WRONG_FORM, node.span, path=path, value=node.value, expected=expected)


def _secrets(root: Mapping, sink: Sink) -> None:
    """Variables whose values are secrets, or the names of variables that nobody fills in."""
    secrets = []
    for pair in root.pairs_at("env"):
        value = pair.value.value
        if not isinstance(value, str) or not value:
            continue
        reference = _reference(value)
        told = looks_secret(pair.key.text) or begins_secret(value)
        if told and not (reference and reference[0] == value):
            secrets.append(pair)
        elif reference:
            _report_reference(pair, reference[0], sink)
    for pair in secrets:
        hint = f"take it out of the file and write `--secret {pair.key.text}`"
        sink.report(codes.SECRET_IN_FILE, pair.key.span, help=hint, name=pair.key.text)


def _report_reference(pair: Pair, variable: str, sink: Sink) -> None:
    hint = f"write `--env {pair.key.text}=VALUE`, or set it in the command, where the shell fills it in"
    if looks_secret(pair.key.text):
        hint = f"take it out of the file and write `--secret {pair.key.text}`"
    sink.report(codes.VARIABLE_NOT_FILLED_IN, pair.value.span, help=hint, path=pair.path, variable=variable)

"""Labels of nodes as requirements: what of them says which GPU is wanted, and what means nothing here."""

from __future__ import annotations

from flowc._compiled import k8s_gpus as data
from flowc.diag.codes.k8s import lower as codes
from flowc.diag.codes.k8s import machines as machine_codes
from flowc.frontends.k8s.machine import models
from flowc.patterns import at_first_use, compiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.context import Context
    from flowc.source import Span
    from flowc.yamldoc.node import Node

ARCH = ("kubernetes.io/arch", "beta.kubernetes.io/arch")
SYSTEM = ("kubernetes.io/os", "beta.kubernetes.io/os")
ARM_GPUS = ["gh200", "gb200"]
_LONGEST = 63  # characters of a label's value
_part = at_first_use(r"-SHARED$|-MIG-[0-9].*", "search", 2)  # re.IGNORECASE


class Requirement:
    """One condition on a label: `operator` as in node affinity, `place` where its values stand."""

    __slots__ = ("key", "operator", "place", "values")

    def __init__(self, key: str, operator: str, values: list[str], place: Node) -> None:
        self.key = key
        self.operator = operator
        self.values = values
        self.place = place


class Kinds:
    """GPUs of which any will do: words for models in order of preference (none: any model) with at least `least_gib` of
    memory, as `place` says. `guessed`: a name that says so by the way, which gives way to what speaks of GPUs."""

    __slots__ = ("guessed", "least_gib", "place", "words")

    def __init__(
        self, words: list[str], least_gib: int = 0, place: Node | None = None, *, guessed: bool = False
    ) -> None:
        self.words = words
        self.least_gib = least_gib
        self.place = place
        self.guessed = guessed

    def both(self, other: Kinds, context: Context) -> Kinds | None:
        """What both allow; None, with an error, when they rule each other out."""
        least, place = max(self.least_gib, other.least_gib), self.place or other.place
        if not self.words or not other.words:
            return Kinds(self.words or other.words, least, place, guessed=self.guessed or other.guessed)
        if self.guessed != other.guessed:
            return Kinds((other if self.guessed else self).words, least, place)
        pairs = [(one, two) for one in self.words for two in other.words if models.same(one, two)]
        if pairs:
            words = list(dict.fromkeys(models.narrower(*pair) for pair in pairs))
            return Kinds(words, least, place, guessed=self.guessed)
        if self.guessed:
            return Kinds([], least, place)
        assert other.place is not None
        assert self.place is not None
        notes = ((self.place.span, f"{_either(self.words)} is asked for here"),)
        context.sink.report(machine_codes.MODELS_CONTRADICT, other.place.span, notes=notes, models=_either(other.words))
        return None


def _either(words: list[str]) -> str:
    return " or ".join(f"`{word}`" for word in words[:4])


def kinds_of(found: list[Requirement], count: int, context: Context, *, preferred: bool = False) -> Kinds:
    """What conditions that must all hold say about GPUs. `count` is how many the pod asks for; conditions that are only
    preferred are never told about when they mean nothing."""
    kinds = Kinds([])
    if not preferred:
        _refuse(found, context)
    for each in found:
        one = _read(each, count, context, preferred)
        kinds = (kinds.both(one, context) if one is not None else None) or kinds
    return kinds


def _refuse(found: list[Requirement], context: Context) -> None:
    """Labels that ask for what is not rented: one finding for all that ask for the same."""
    refused: dict[str, list[Requirement]] = {}
    for each in found:
        if each.key in data.REFUSED_LABELS and not (context.inputs.flags.move and each.key in data.PART_LABELS):
            refused.setdefault(data.REFUSED_LABELS[each.key], []).append(each)
    for reason, several in refused.items():
        keys = ", ".join(f"`{each.key}`" for each in several)
        context.sink.report(machine_codes.NODE_LABEL_REFUSED, several[0].place.span, keys=keys, reason=reason)


def _read(each: Requirement, count: int, context: Context, preferred: bool) -> Kinds | None:
    """What one condition says; None when it says nothing about GPUs."""
    key, place = each.key, each.place
    if key in data.REFUSED_LABELS:
        if context.inputs.flags.move and key in data.PART_LABELS:
            return _nothing(each, context, preferred)
        return None
    if key in data.MARKET_LABELS:
        _check_market(each, context, preferred)
        return None
    if key in data.MODEL_LABELS or _speaks_of_gpus(each):
        return _models(each, data.MODEL_LABELS.get(key, {}), context)
    if key in data.FAMILY_LABELS:
        table = data.FAMILY_LABELS[key]
        words = [table[value] for value in each.values if value in table]
        return Kinds(words, 0, place) if words and each.operator == "In" else _nothing(each, context, preferred)
    if key in data.MAJOR_LABELS:
        return _majors(each, data.MAJOR_LABELS[key])
    if key in data.MEMORY_LABELS:
        return _memory(each)
    if key in data.MACHINE_LABELS:
        words = [word for value in each.values if (word := model_of_machine(value)) is not None]
        good = words and each.operator == "In"
        return Kinds(list(dict.fromkeys(words)), 0, place) if good else _nothing(each, context, preferred)
    if key in ARCH:
        return Kinds(ARM_GPUS, 0, place) if each.values == ["arm64"] and each.operator == "In" else None
    if key in SYSTEM and "windows" in each.values and each.operator == "In":
        context.sink.report(machine_codes.NODE_LABEL_REFUSED, place.span, keys=f"`{key}`", reason="machines run Linux")
        return None
    if key in data.SILENT_LABELS or key in SYSTEM or (key in data.COUNT_LABELS and count):
        return None
    return (_named_by_the_way(each) if count else None) or _nothing(each, context, preferred)


def _named_by_the_way(each: Requirement) -> Kinds | None:
    """What a site calls its nodes, where all that it asks for are called by GPUs or by an instance type that has some:
    `node-pool: a100-spot`, `a4-highgpu-8g-pool`."""
    found = [_of_pool(value) for value in each.values]
    if each.operator != "In" or not found or not all(found):
        return None
    return Kinds(list(dict.fromkeys(word for words in found for word in words)), 0, each.place, guessed=True)


def _of_pool(name: str) -> list[str]:
    """The models that the name of a pool speaks of."""
    parts = name[:_LONGEST].split("-")
    starts = ["-".join(parts[:count]) for count in range(len(parts), 0, -1)]
    of_type = next((word for start in starts if (word := model_of_machine(start)) is not None), None)
    return [of_type] if of_type is not None else models.words(name)


def _nothing(each: Requirement, context: Context, preferred: bool) -> Kinds | None:
    """A condition that says nothing about GPUs."""
    if not preferred:
        context.gather(codes.CLUSTER_FIELDS, f"node label `{each.key}`", _span(each))
    return None


def _span(each: Requirement) -> Span:
    return each.place.span


def _speaks_of_gpus(each: Requirement) -> bool:
    """A site's own label, such as `gpu-type: a100`."""
    key = each.key.lower()
    return ("gpu" in key or "accelerator" in key) and any(models.families(value) for value in each.values)


def _models(each: Requirement, table: dict[str, str], context: Context) -> Kinds | None:
    if each.operator == "NotIn":
        models = _either(each.values)
        context.gather(machine_codes.MODELS_EXCLUDED, models, _span(each))
        return None
    if each.operator != "In":
        return None
    words = []
    for value in each.values:
        word = table.get(value, value)
        part = _part(value)
        if part is not None and context.inputs.flags.move:
            word = word[: part.start()] if word == value else word
            context.gather(codes.CLUSTER_FIELDS, f"`{part[0]}` of node label `{each.key}`", _span(each))
        elif part is not None:
            reason = "whole GPUs are rented, no parts of them; name the model alone"
            context.sink.report(machine_codes.NODE_LABEL_REFUSED, _span(each), keys=f"`{each.key}`", reason=reason)
            return None
        words.append(word)
    return Kinds(list(dict.fromkeys(words)), 0, each.place)


def _majors(each: Requirement, table: dict[str, str]) -> Kinds | None:
    numbers = [int(value) for value in each.values if value.isdigit()]
    if not numbers or each.operator not in ("In", "Gt", "Lt"):
        return None
    words = [word for number, word in table.items() if _holds(int(number), each.operator, numbers)]
    return Kinds(words, 0, each.place)


def _holds(number: int, operator: str, numbers: list[int]) -> bool:
    if operator == "In":
        return number in numbers
    return number > numbers[0] if operator == "Gt" else number < numbers[0]


def _memory(each: Requirement) -> Kinds | None:
    """At least so much memory, in whole GiB as models are named; an upper bound (`Lt`) asks for nothing."""
    numbers = [int(value) for value in each.values if value.isdigit()]
    if not numbers or each.operator not in ("In", "Gt"):
        return None
    mebibytes = min(numbers) + (each.operator == "Gt")
    return Kinds([], -(-mebibytes // 1024), each.place)


def model_of_machine(name: str) -> str | None:
    """The GPU model of another cloud's instance type; SageMaker's are called like EC2's."""
    for row in data.MACHINES:
        if compiled(row["like"]).fullmatch(name.removeprefix("ml.")):
            return str(row["model"])
    return None


def _check_market(each: Requirement, context: Context, preferred: bool) -> None:
    table = data.MARKET_LABELS[each.key]
    kinds = {table.get(value) for value in each.values}
    on_demand = kinds == {"on-demand"} if each.operator == "In" else "spot" in kinds and each.operator == "NotIn"
    if on_demand and not preferred:
        context.sink.report(machine_codes.SPOT_ONLY, _span(each), key=each.key)

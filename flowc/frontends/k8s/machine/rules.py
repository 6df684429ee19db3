"""The API server's rules for `resources`: names of resources, quantities, requests against limits."""

from __future__ import annotations

from flowc.diag.codes.k8s import fields as codes
from flowc.diag.sink import Sink
from flowc.frontends.k8s import quantity
from flowc.frontends.k8s.findings import Findings, place
from flowc.frontends.k8s.names import is_qualified, placeholder
from flowc.ir.units import size_text
from flowc.yamldoc.node import Mapping, is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.yamldoc.node import Node, Pair

STANDARD = ("cpu", "memory", "ephemeral-storage")
HUGE = "hugepages-"
LEAST_MEMORY = 1 << 20  # bytes; no program runs in less

# Names that stand for GPUs in other formats.
_GPU_WORDS = ("gpu", "gpus", "nvidia", "nvidia-gpu", "nvidia.gpu", "accelerator", "h100", "a100", "nvidia_gpu")
_OF_POD = ("cpu", "memory")


def check(findings: Findings, resources: Node | None, path: str, *, of_pod: bool = False) -> None:
    """Check a `resources` mapping of a container, or that of a pod, which takes fewer kinds."""
    if not isinstance(resources, Mapping):
        return
    limits = _amounts(findings, resources.get("limits"), f"{path}.limits", of_pod)
    requests = _amounts(findings, resources.get("requests"), f"{path}.requests", of_pod)
    for name, (pair, amount) in requests.items():
        where = f"{path}.requests"
        exact = name not in STANDARD
        if name not in limits:
            if exact:
                help = f"GPUs and the like are given by limits: add `{name}: {pair.value.value}` below `limits`"
                findings.invalid(
                    pair.value, f"{where}[{name}]", "Limit must be set for non overcommitable resources", help
                )
            continue
        limit_pair, limit = limits[name]
        text = str(limit_pair.value.value)
        if exact and amount != limit:
            findings.invalid(pair.value, f"{where}[{name}]", f"must be equal to {name} limit of {text}")
        elif amount > limit:
            findings.invalid(pair.value, f"{where}[{name}]", f"must be less than or equal to {name} limit of {text}")
    given = [*limits.items(), *requests.items()]
    huge = next((pair for name, (pair, _) in given if name.startswith(HUGE)), None)
    if huge is not None and not any(name in ("cpu", "memory") for name, _ in given):
        findings.forbidden(huge.key.span, f"{path}", "HugePages require cpu or memory")


def check_whole(findings: Findings, pod: Mapping, path: str) -> None:
    """A pod's own `resources` hold what its containers ask for together, and none of them may have more."""
    if not isinstance(pod.at("resources"), Mapping):
        return
    silent = Findings(Sink())  # what is wrong in itself was said
    most = _amounts(silent, pod.at("resources", "limits"), "", True)
    least = _amounts(silent, pod.at("resources", "requests"), "", True)
    limits = [_amounts(silent, each.at("resources", "limits"), "", False) for each in pod.each("containers")]
    for index, own in enumerate(limits):
        for name, (pair, amount) in own.items():
            if name in most and amount > most[name][1]:
                detail = f"must be less than or equal to pod limits of {most[name][0].value.value}"
                findings.invalid(pair.value, f"{path}.containers[{index}].resources.limits[{name}]", detail)
    asked: dict[str, int] = {}
    for each, own in zip(pod.each("containers"), limits, strict=True):
        for name, (_, amount) in {**own, **_amounts(silent, each.at("resources", "requests"), "", False)}.items():
            asked[name] = asked.get(name, 0) + amount
    for name, (pair, amount) in least.items():
        if asked.get(name, 0) > amount:
            detail = "must be greater than or equal to what the containers request together"
            findings.invalid(pair.value, f"{path}.resources.requests[{name}]", detail)


def check_overhead(findings: Findings, overhead: Node | None, path: str) -> None:
    """What a sandbox takes for itself, in quantities."""
    _amounts(findings, overhead, path, False)


def _amounts(findings: Findings, node: Node | None, path: str, of_pod: bool) -> dict[str, tuple[Pair, int]]:
    """The resources of a list that are well given, with their amounts."""
    found: dict[str, tuple[Pair, int]] = {}
    for pair in node.pairs if isinstance(node, Mapping) else ():
        name = pair.key.text
        where = f"{path}[{name}]"
        named = _is_name(findings, pair, path, of_pod)
        if is_null(pair.value):
            continue
        amount = read(findings, pair.value, where)
        if amount is None or not named:
            continue
        if amount < 0:
            findings.invalid(pair.value, where, "must be greater than or equal to 0")
        elif not _is_standard(name) and not quantity.is_whole(amount):
            findings.invalid(pair.value, where, "must be an integer")
        elif name.startswith(HUGE) and amount % _page(name):
            findings.invalid(pair.value, where, f"must be a multiple of the page size {name.removeprefix(HUGE)}")
        else:
            found[name] = pair, amount
            if name == "memory" and 0 < amount < LEAST_MEMORY * quantity.NANO:
                _tiny(findings, pair.value, where, quantity.bytes_of(amount))
    return found


def _tiny(findings: Findings, node: Node, path: str, size: int) -> None:
    """So few bytes were hardly meant: thousandths of a byte for MiB, bytes for GiB."""
    text = str(node.value)
    meant = f"{text[:-1]}Mi" if text.endswith("m") else f"{text}Gi" if text.isdigit() and size < 10_000 else None
    findings.sink.report(
        codes.TINY_QUANTITY,
        place(node),
        help=f"did you mean `{meant}`?" if meant is not None else None,
        path=path,
        value=text,
        size=size_text(size) if size > 1 else "a byte at most",
    )


def _page(name: str) -> int:
    """The size of the pages that `hugepages-SIZE` counts; 1 where that is none."""
    try:
        return quantity.parse(name.removeprefix(HUGE)) or 1
    except quantity.QuantityError:
        return 1


def _is_standard(name: str) -> bool:
    return name in STANDARD or name.startswith(HUGE)


def _is_name(findings: Findings, pair: Pair, path: str, of_pod: bool) -> bool:
    name = pair.key.text
    if of_pod and name not in _OF_POD and not name.startswith(HUGE):
        known = (*_OF_POD, "hugepages-SIZE")
        findings.unsupported(pair.key, path, known, "other resources are asked for by containers", value=name)
        return False
    if _is_standard(name):
        return True
    if "/" in name and is_qualified(name):
        if name.startswith("requests."):
            findings.form(pair.key, path, "without `requests.`, which quotas alone have", value=name)
            return False
        return True
    if "/" in name:
        findings.form(pair.key, path, "a resource `DOMAIN/NAME`", value=name)
        return False
    from flowc.diag.suggest import nearest

    if name.lower() in _GPU_WORDS:
        help: str | None = "GPUs are `nvidia.com/gpu`"
    else:
        near = nearest(name, (*STANDARD, "nvidia.com/gpu"))
        help = f"did you mean `{near}`?" if near is not None else f"known are {', '.join(STANDARD)}, hugepages-SIZE"
    findings.sink.report(codes.RESOURCE_NAME, place(pair.key), help=help, path=path, value=name)
    return False


def read(findings: Findings, node: Node, path: str) -> int | None:
    """The amount of a checked quantity, None after reporting that it is none."""
    if not isinstance(node.value, str):
        return None
    try:
        return quantity.parse(node.value)
    except quantity.QuantityError as error:
        help = f"did you mean `{error.instead}`?" if error.instead is not None else placeholder(node.value)
        findings.sink.report(
            codes.QUANTITY_FORM, place(node), help=help, path=path, value=node.value, expected=error.expected
        )
    return None

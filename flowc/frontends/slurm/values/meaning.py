"""The meaning of option values: typed readings of canonical texts, for the lowering, and what the controller says to
them.

Every function takes a text as `Ast` holds it (what sbatch prints) and raises `ValueMistake` for one that means nothing.
Sizes are MiB, times seconds. The shapes are those of grammars/slurm.lark; all rules are of Slurm 22.05 unless said.
"""

from __future__ import annotations

from flowc.frontends.slurm.values.numerals import count_of, size_of
from flowc.frontends.slurm.values.trees import ValueMistake as ValueMistake
from flowc.frontends.slurm.values.trees import parse
from flowc.frontends.slurm.values.tres import GRES, items
from flowc.lalr import Node, Token
from flowc.record import Record

# More indices than any controller is known to allow (MaxArraySize); more hosts than a list names one by one.
MAX_INDEX = 4_000_000
MAX_TASKS = 100_000
MAX_HOSTS = 65_536


class GresItem(Record):
    """`name[:type][:count]`; `type` is None when any will do."""

    name: str
    type: str | None
    count: int


class SignalSpec(Record):
    """A signal `seconds` before the limit: to the batch shell (`to_shell`) or to the steps. `name` is without SIG, or a
    number as text."""

    name: str
    seconds: int
    to_shell: bool


class Distribution(Record):
    """Task layout: `levels` (node, socket, core) as far as given; `plane` is its size; `pack` True, False or None."""

    levels: tuple[str, ...]
    plane: int | None
    pack: bool | None


def duration_seconds(canonical: str) -> int | None:
    """Seconds of `[D-]HH:MM:SS`; None: no limit."""
    if canonical == "UNLIMITED":
        return None
    days, dash, clock = canonical.partition("-")
    parts = (clock if dash else days).split(":")
    if len(parts) != 3 or not all(map(_is_number, (*parts, days if dash else "0"))):
        raise ValueMistake(f"`{canonical}` is not a duration", 0, len(canonical))
    hours, minutes, seconds = map(int, parts)
    return (int(days) * 86400 if dash else 0) + hours * 3600 + minutes * 60 + seconds


def _is_number(text: str) -> bool:
    """Whether a text is a number of ordinary length in ASCII; `²` is a digit as well."""
    return text.isascii() and text.isdigit() and len(text) < 20


def size_mib(canonical: str) -> int:
    """MiB of a size as printed: the largest unit that divides, `0?` for 0."""
    if canonical in ("0?", "?"):
        return 0
    text, factor = canonical, 1
    if canonical[-1:] in ("P", "?"):
        text, factor = canonical[:-1] + "T", 1024 if canonical[-1] == "P" else 1024 * 1024
    size = size_of(text)
    if size is None:
        raise ValueMistake(f"`{canonical}` is not a size", 0, len(canonical))
    return size * factor


def node_range(text: str) -> tuple[int, int | None]:
    """(least, most) of a node count; most is None when there is no upper end."""
    low, dash, high = text.partition("-")
    if not _is_number(low) or (dash and not _is_number(high)):
        raise ValueMistake(f"`{text}` is not a node count", 0, len(text))
    if not dash:
        return int(low), int(low)
    return int(low), int(high) or None


def gres_items(text: str) -> tuple[GresItem, ...]:
    """The items of `--gres`; those with count 0 ask for nothing and are left out; of equal items the last holds."""
    if text.lower() == "none":
        return ()
    if text.startswith("gres/"):  # as sbatch writes them since 23.11
        return _later_items(text)
    found: dict[tuple[str, str | None], GresItem] = {}
    for node in parse("gres", text).nodes():
        fields = node.tokens("FIELD")
        item = _item(text, fields[0].text, fields[1:], node)
        if item.count:
            found[item.name, item.type] = item
    return tuple(found.values())


def _later_items(text: str) -> tuple[GresItem, ...]:
    """The same of `gres/gpu:2,gres/gpu:h100=2`."""
    found: dict[tuple[str, str | None], GresItem] = {}
    for name, kind, count in items(text, GRES):
        if name is None:
            raise ValueMistake(f"`{count}` is no resource's name", 0, len(text))
        found[name, kind] = GresItem(name=name, type=kind or None, count=count)
    return tuple(found.values())


def gpu_items(text: str) -> tuple[GresItem, ...]:
    """The items of `--gpus` and its kin, all named `gpu`; newer sbatch takes `=` before the count too."""
    text = text.replace("=", ":")
    found: dict[str | None, GresItem] = {}
    for node in parse("gpus", text).nodes():
        item = _item(text, "gpu", node.tokens("FIELD"), node)
        if item.count:
            found[item.type] = item
    return tuple(found.values())


def _item(text: str, name: str, fields: list[Token], node: Node) -> GresItem:
    """`type:count`, `count`, or a type alone, which counts as one."""
    texts = [field.text for field in fields]
    if not texts:
        return GresItem(name=name, type=None, count=1)
    if len(texts) == 1:
        count = count_of(texts[0])
        return GresItem(name=name, type=texts[0] if count is None else None, count=1 if count is None else count)
    last = fields[1]
    count = count_of(texts[1]) if len(texts) == 2 else None
    if count is None:
        start, end = last.start, node.end
        raise ValueMistake(f"`{text[start:end]}` is not a count", start, end)
    return GresItem(name=name, type=texts[0], count=count)


def array_spec(text: str) -> tuple[tuple[int, ...], int | None]:
    """(indices in order, most at once or None). Empty text is no array."""
    indices: set[int] = set()
    for item in parse("array", text).nodes():
        numbers = [int(number) for number in item.texts("INDEX")]
        first = numbers[0] if numbers else 0
        open_range = len(numbers) == 1 and "-" in text[item.start : item.end].partition("%")[0]
        last = numbers[1] if len(numbers) > 1 else 0 if open_range else first
        step = numbers[2] if len(numbers) > 2 else 1
        if last < first:
            raise ValueMistake(f"the range ends at {last}, below its start {first}", item.start, item.end)
        if step == 0:
            raise ValueMistake("the step is 0", item.start, item.end)
        if last > MAX_INDEX or (last - first) // step >= MAX_TASKS:
            raise ValueMistake(f"more indices than any cluster allows (at most {MAX_TASKS})", item.start, item.end)
        indices.update(range(first, last + 1, step))
        if len(indices) > MAX_TASKS:
            raise ValueMistake(f"more indices than any cluster allows (at most {MAX_TASKS})", 0, len(text))
    limit = 0
    if "%" in text:
        digits = text.partition("%")[2].lstrip(" \t").removeprefix("+")
        stop = next((at for at, char in enumerate(digits) if char not in "0123456789"), len(digits))
        limit = int(digits[:stop] or "0") if stop < 10 else 0
    return tuple(sorted(indices)), limit or None


def dependency_items(text: str) -> tuple[tuple[tuple[str, str | None, int], ...], str]:
    """((kind, job or None, minutes after)…, separator): `,` when all must hold, `?` when one is enough.

    A job is `id`, `id_task`, `id_*` or `id_[tasks]`, or the name of a task of ours, which Slurm does not take. A bare
    id means afterany. Empty text and `0` are no dependency. Minutes hold for the jobs behind them too, up to the next
    minutes or the next clause.
    """
    if text in ("", "0"):
        return (), ","
    items: list[tuple[str, str | None, int]] = []
    for clause in parse("dependency", text).nodes():
        if clause.name == "singleton":
            items.append(("singleton", None, 0))
            continue
        kind = (clause.texts("KIND") or ["afterany"])[0].lower()
        if clause.name == "bare":
            _check_bare(text, clause)
        if kind == "expand":
            raise ValueMistake("the machines of a job that runs cannot be given more", clause.start, clause.end)
        minutes = 0
        for job in clause.nodes("job"):
            name, own = _job(text, job)
            minutes = own or minutes
            items.append((kind, name, minutes))
    return tuple(items), "?" if "?" in text else ","


def _check_bare(text: str, clause: Node) -> None:
    """A bare id is a number, followed by a comma or the end, and by no clause with a type: sbatch would read both as
    one."""
    after = text[clause.end :]
    if clause.nodes("job")[0].texts("NAME"):
        raise ValueMistake("what is waited for follows a type, such as `afterok:`", clause.start, clause.end)
    if "+" in text[clause.start : clause.end] or after[:1] not in ("", ",") or ":" in after:
        raise ValueMistake("a bare job id stands alone; write afterany:ID", clause.start, clause.end)


def _job(text: str, job: Node) -> tuple[str, int]:
    names, numbers, tasks = job.texts("NAME"), job.texts("NUMBER"), job.nodes("task")
    if not names and not numbers[0].strip("0"):
        raise ValueMistake("a job id is not 0", job.start, job.end)
    times = numbers if names else numbers[1:]
    minutes = int(times[0][:18]) if times else 0
    if times and not minutes:
        raise ValueMistake("the minutes after `+` are above 0", job.start, job.end)
    return (names or numbers)[0] + (text[tasks[0].start : tasks[0].end] if tasks else ""), minutes


def constraint_names(text: str) -> tuple[str, ...]:
    """The feature names of a constraint, in order, each once."""
    return tuple(dict.fromkeys(_feature_names(constraint_tree(text)))) if text else ()


def constraint_tree(text: str) -> Node:
    """The expression: nodes `feature`, `group` (in parentheses) and `choice` (in brackets), with OPERATOR tokens.

    `,` is `&`; operators hold from left to right without precedence.
    """
    tree = parse("constraint", text)
    _check_features(text, tree)
    return tree


def _check_features(text: str, tree: Node) -> None:
    choices = tree.nodes("choice")
    if len(choices) > 1:
        raise ValueMistake("more than one pair of brackets", choices[1].start, choices[1].end)
    for node in tree.nodes():
        for count in node.texts("TIMES"):
            if not int(count[1:]):
                raise ValueMistake("a count of 0", node.start, node.end)
        if node.name == "choice":
            _check_choice(text, node)
        _check_features(text, node)


def _check_choice(text: str, choice: Node) -> None:
    """In brackets `&` joins counts of features and `|` joins features without counts."""
    joined = any(operator != "|" for operator in choice.texts("OPERATOR"))
    for item in choice.nodes("choice_item"):
        counted = bool(item.texts("TIMES"))
        if joined != counted and choice.texts("OPERATOR"):
            reason = "needs a count, as in `a*2`" if joined else "has a count, but `|` takes none"
            raise ValueMistake(f"in brackets `{text[item.start : item.end]}` {reason}", item.start, item.end)


def _feature_names(node: Node) -> list[str]:
    names = []
    for child in node.children:
        if isinstance(child, Node):
            names += _feature_names(child)
        elif child.name == "FEATURE":
            names.append(child.text)
    return names


def host_names(text: str, limit: int = MAX_HOSTS) -> tuple[str, ...]:
    """The hosts of a list, each once, in order of naming; ValueMistake for more than `limit`."""
    found: dict[str, None] = {}
    for host in parse("hosts", text).nodes("host"):
        names = [""]
        for part in host.children:
            if isinstance(part, Node):
                endings = _range_texts(part, limit)
                if len(names) * len(endings) > limit:
                    raise ValueMistake(f"more than {limit} hosts", host.start, host.end)
                names = [name + ending for name in names for ending in endings]
            else:
                names = [name + part.text for name in names]
        found.update(dict.fromkeys(names))
        if len(found) > limit:
            raise ValueMistake(f"more than {limit} hosts", 0, len(text))
    return tuple(found)


def host_count(text: str) -> int:
    """How many different hosts a list names. Raises ValueMistake beyond MAX_HOSTS."""
    return len(host_names(text))


def _range_texts(ranges: Node, limit: int) -> list[str]:
    texts: list[str] = []
    for node in ranges.nodes("range"):
        low, *rest = node.texts("HOST_NUMBER")
        first, last = int(low), int(rest[0] if rest else low)
        if last < first:
            raise ValueMistake(f"the range ends at {last}, below its start {first}", node.start, node.end)
        if last - first >= limit:
            raise ValueMistake(f"more than {limit} hosts", node.start, node.end)
        texts += [str(number).zfill(len(low)) for number in range(first, last + 1)]
    return texts


def licence_items(text: str) -> tuple[tuple[str, int], ...]:
    """(name, count)…; a count of 0 asks for nothing."""
    items = []
    for node in parse("licences", text).nodes():
        counts = node.texts("LICENCE_COUNT")
        items.append((node.texts("LICENCE_NAME")[0], int(counts[0]) if counts else 1))
    return tuple(items)


def export_items(text: str) -> tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]]:
    """(policy, names to copy, assignments): policy is `all`, `none`, `nil` or `listed`; of a name given twice the later
    one holds. Commas inside quotes do not part items; quotes are removed only around a whole item."""
    if text.upper() in ("ALL", "NONE", "NIL"):
        return text.lower(), (), ()
    policy = "listed"
    found: dict[str, str | None] = {}
    for item in _export_split(text):
        name, equals, value = item.partition("=")
        if item.upper() == "ALL":
            policy = "all"
        elif name:
            found.pop(name, None)
            found[name] = value if equals else None
    names = tuple(name for name, value in found.items() if value is None)
    return policy, names, tuple((name, value) for name, value in found.items() if value is not None)


def _export_split(text: str) -> list[str]:
    items, start, single, double = [], 0, False, False
    for at, char in enumerate(text + ","):
        if char == "'":
            single = not single
        elif char == '"':
            double = not double
        elif char == "," and (at == len(text) or not (single or double)):
            item = text[start:at]
            quoted = len(item) > 1 and item[0] == item[-1] and item[0] in "'\""
            items.append(item[1:-1] if quoted else item)
            start = at + 1
    return items


def signal_spec(text: str) -> SignalSpec:
    """What `[R][B][:]SIGNAL[@SECONDS]` asks for; 60 seconds unless said."""
    node = parse("signal", text)
    flags = "".join(node.texts("SIGNAL_FLAGS")).upper()
    name = node.texts("SIGNAL")[0].upper()
    name = name.removeprefix("SIG") if len(name) > 3 else name
    seconds = node.texts("SECONDS")
    return SignalSpec(
        name=name,
        seconds=int(seconds[0][1:].strip() or "0") if seconds else 60,
        to_shell="B" in flags,
    )


def distribution_spec(text: str) -> Distribution:
    """The layout that `--distribution` asks for."""
    node = parse("distribution", text)
    if node.name == "plane":
        sizes = node.texts("NUMBER")
        return Distribution(levels=(), plane=int(sizes[0]) if sizes else None, pack=None)
    packs = node.texts("PACK")
    levels = node.nodes("layout")
    return Distribution(
        levels=tuple(word.lower() for word in levels[0].texts("LEVEL")) if levels else (),
        plane=None,
        pack=packs[0].lower() == "pack" if packs else None,
    )


def mail_events(text: str) -> tuple[str, ...]:
    """The events of a canonical `--mail-type`; NONE is no event."""
    return () if text == "NONE" else tuple(text.split(","))

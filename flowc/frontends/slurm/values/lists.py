"""The meaning of values that few jobs have: arrays, dependencies, constraints, hosts, licences, exports, signals and
layouts of tasks.

Every function takes a text as `Ast` holds it and raises `ValueMistake` for one that means nothing, as in `meaning.py`.
"""

from __future__ import annotations

from flowc.frontends.slurm.values.trees import ValueMistake, parse
from flowc.lalr import Node
from flowc.record import Record

# More indices than any controller is known to allow (MaxArraySize); more hosts than a list names one by one.
MAX_INDEX = 4_000_000
MAX_TASKS = 100_000
MAX_HOSTS = 65_536


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

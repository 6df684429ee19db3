"""Where a text has placeholders: `${NAME}`, `$NAME`, `{{ NAME }}`, `<NAME>`, `<<NAME>>`.

In the words of a shell `${NAME}` is a variable, and `<NAME>` a redirection wherever the shell can read it as one. So
these are placeholders in the directives of a batch script and in the scalars of YAML, but in texts for a shell only
`{{ NAME }}`, and `<NAME>` in quotes or before what can be no file's name. A manifest is made by `envsubst`, which knows
no shells: a variable that stands in one of its scalars is a placeholder wherever it stands.
"""

from __future__ import annotations

from flowc.patterns import at_first_use
from flowc.record import Record
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from re import Match

    from flowc.source import Source
    from flowc.yamldoc.node import Node

_forms = at_first_use(
    r"\$\{([A-Za-z_]\w*)\}|\$?\{\{-?[ \t]*([^{}\s][^{}\n]{0,200}?)[ \t]*-?\}\}|<([^<>\s](?:[^<>\n]{0,200}[^<>\s])?)>",
    "finditer",
)
_bare = at_first_use(r"(?<!\$)\$([A-Za-z_]\w*)", "finditer")
_directive = at_first_use(r"#(?:SBATCH|PBS|BSUB)\b[^\n]*", "finditer", 8)
# What cannot follow a redirection's `>`: the end of a line, of a quote, of a command; an option is no file either.
_no_file = at_first_use(r"[ \t]*(?:[\n;)\"'`]|\Z)|[ \t]+(?:#|\|(?!\|?>)|&&|-)", "match")
# Keys of YAML whose texts are for a shell, with all below them.
_FOR_SHELLS = frozenset(
    (
        *("run", "setup", "script", "shell", "command", "args", "startup_script", "entrypoint", "event_callback"),
        *("postStart", "preStop", "exec"),
    )
)
_JOINTS = "/.-@"  # between the parts of a path or host
# Keys of a SkyPilot task whose variables it puts into its paths by itself; one without a value is a place for it.
_VALUES = ("envs", "secrets")


class Placeholder(Record):
    """One that stands at `start` to `end`; `sure`: it can be nothing else, so that it is told when it stays open.
    `bare`: a whole value of YAML that is empty or null, so that the text that is put in needs quotes."""

    start: int
    end: int
    name: str
    sure: bool
    bare: bool = False


class Other(Record):
    """What has a placeholder's form and is the shell's."""

    start: int
    end: int
    name: str


def placeholders(source: Source, *, document: bool, bare: Collection[str] = ()) -> list[Placeholder | Other]:
    """All in the order of the text; `document`: it is YAML. Of the form `$NAME`, which may be meant as it stands, those
    of `bare` alone."""
    text = source.text
    matches = [*_forms(text)] if "${" in text or "{{" in text or "<" in text else []
    if bare and "$" in text:
        matches += [match for match in _bare(text) if match[1] in bare]
        matches.sort(key=lambda match: match.start())
    words = [*_words(text, bare)] if bare else []
    if not matches and not words and not (document and bare and any(key in text for key in _VALUES)):
        return []
    stretches, given, empty = _scalars(source, matches) if document else ([*_directives(text)], frozenset(), [])
    found = [place for match in matches if (place := _kind(text, match, stretches, document)) is not None]
    for index, each in enumerate(found):
        if isinstance(each, Placeholder) and each.name in given and _is_variable(text, each.start):
            found[index] = each.replace(sure=False)
    if document and "apiVersion" in text:
        variables = {each.name for each in found if isinstance(each, Placeholder) and _is_variable(text, each.start)}
        for index, each in enumerate(found):
            if isinstance(each, Other) and each.name in variables and _is_variable(text, each.start):
                found[index] = Placeholder(start=each.start, end=each.end, name=each.name, sure=False)
    found += [each for each in empty if each.name in bare]
    held = [(first, last) for first, last, for_shell in stretches if not for_shell]
    shells = [(first, last) for first, last, for_shell in stretches if for_shell]
    known = {each.name for each in found}
    for each in words:
        here = any(first <= each.start and each.end <= last for first, last in held)
        told = any(first <= each.start and each.end <= last for first, last in shells)
        found += [each] if here and not told and each.name not in known else []
    return sorted(found, key=_start) if empty or words else found


def _words(text: str, names: Collection[str]) -> Iterator[Placeholder]:
    """Where a name that is asked for stands as it is, and can be nothing else: `YOUR_REGISTRY/train:1`, or a part of a
    path or host, `gcr.io/PROJECT_ID/train:1`, or an image."""
    for name in names:
        at = -1
        while name.isupper() and (at := text.find(name, at + 1)) >= 0:
            before, after = text[at - 1 : at], text[at + len(name) : at + len(name) + 1]
            sure = name.startswith("YOUR_") or any(each and each in _JOINTS for each in (before, after))
            sure = sure or text[text.rfind("\n", 0, at) + 1 : at].strip(" -'\"") == "image:"
            if sure and not (before.isalnum() or before in ("_", "$")) and not (after.isalnum() or after == "_"):
                yield Placeholder(start=at, end=at + len(name), name=name, sure=False)


def _start(place: Placeholder | Other) -> int:
    return place.start


def _is_variable(text: str, start: int) -> bool:
    """Whether `$NAME` or `${NAME}` stands there."""
    return text[start] == "$" and not text.startswith("${{", start)


def _kind(
    text: str, match: Match[str], stretches: list[tuple[int, int, bool]], document: bool
) -> Placeholder | Other | None:
    """`stretches`: (start, end, whether it is for a shell), the last that holds the place counts."""
    start, end = match.span()
    variable, braces, angles = match.groups() if match.re.groups > 1 else (match[1], None, None)
    name: str = variable or braces or angles or ""
    within = [for_shell for first, last, for_shell in stretches if first <= start and end <= last]
    if not within and document:
        return None  # a comment
    if within and not within[-1]:
        if angles and start and text[start - 1] == "<" and text[end : end + 1] == ">":
            start, end = start - 1, end + 1
        return Placeholder(start=start, end=end, name=name, sure=match.re.groups > 1)
    if braces:
        return Placeholder(start=start, end=end, name=name, sure=name.isidentifier())
    if variable or (start and text[start - 1] in "<&") or f"</{name}>" in text:
        return Other(start=start, end=end, name=name)
    quoted = not document and scan(text).in_string(start)
    if quoted or _no_file(text, end):
        return Placeholder(start=start, end=end, name=name, sure=False)
    return Other(start=start, end=end, name=name)


def _directives(text: str) -> Iterator[tuple[int, int, bool]]:
    seen = scan(text)
    for match in _directive(text):
        if not seen.in_child(match.start()) and not seen.in_string(match.start()):
            yield match.start(), match.end(), False


def _scalars(
    source: Source, matches: list[Match[str]]
) -> tuple[list[tuple[int, int, bool]], frozenset[str], list[Placeholder]]:
    """The scalars of a document, the variables whose values the format itself puts in, and those of them that have
    none. It is read with other words, as long as they are, in the places of `{{ NAME }}`, which begin a mapping in
    YAML; one that is no YAML for all that has none but texts for a shell."""
    from flowc.diag.sink import Sink
    from flowc.source import Source as Plain
    from flowc.yamldoc.node import Scalar, is_null, walk
    from flowc.yamldoc.read import read

    parts, place = [], 0
    for match in matches:
        if match.re.groups > 1 and match[2]:
            parts += [source.text[place : match.start()], "x" * len(match[0])]
            place = match.end()
    sink = Sink()
    roots = read(Plain(source.path, "".join(parts) + source.text[place:]), sink)
    if roots is None or sink.error_count:
        return [(0, len(source.text), True)], frozenset(), []
    marked = {id(node) for root in roots for node in _for_shells(root)}
    scalars = [node for root in roots for node in walk(root) if isinstance(node, Scalar)]
    found = {(node.start, node.end, id(node) in marked or node.style in ("|", ">")) for node in scalars}
    pairs = [pair for root in roots for key in _VALUES for pair in root.pairs_at(key)]
    empty = [
        Placeholder(start=pair.value.start, end=pair.value.end, name=pair.key.text, sure=False, bare=True)
        for pair in pairs
        if is_null(pair.value) or (isinstance(pair.value, Scalar) and not pair.value.text)
    ]
    return sorted(found), frozenset(pair.key.text for pair in pairs), empty


def _for_shells(root: Node) -> Iterator[Node]:
    """The nodes below keys whose texts are for a shell."""
    from flowc.yamldoc.node import Mapping, walk

    for node in walk(root):
        if isinstance(node, Mapping):
            for pair in node.pairs:
                if pair.key.text in _FOR_SHELLS:
                    yield from walk(pair.value)

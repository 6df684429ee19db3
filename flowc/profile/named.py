"""Which of a profile's paths a text names."""

from __future__ import annotations

from flowc.patterns import at_first_use, at_words, remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SIGNS = "_.+-"
# Other ways to write what lines begin with `~/` for.
_home = at_first_use(r"(?:\$HOME|\$\{HOME\})[\"']?/", "sub")
_PLAIN = frozenset(each for each in map(chr, range(128)) if each.isalnum() or each in f"/{_SIGNS}")
# So many lines are looked for sooner than all paths of a text are found.
_FEW_PATHS = 50
# Paths where they begin.
_paths = at_words(r"(?<![\w.+/-])/[\w.+/-]*", ("/",))


def is_word(name: str, text: str) -> bool:
    at = text.find(name)
    while at >= 0:
        around = text[at - 1 : at] if at else "", text[at + len(name) : at + len(name) + 1]
        if not any(char.isalnum() or char == "_" for char in around):
            return True
        at = text.find(name, at + 1)
    return False


def takes(text: str, path: str, lines: Iterable[str]) -> bool:
    """Whether a text names something for which the line of this path is the nearest of these."""
    text = _with_home(text) if path[:1] == "~" and "HOME" in text else text
    if not names(text, path):
        return False
    below = f"{path}/"
    for each in lines:
        if each.startswith(below):
            text = "\n".join(_without(text, each))
    return names(text, path)


@remembered(1)  # the lines of one profile are asked for one after the other
def _with_home(text: str) -> str:
    """With `~/` for each other way to write it."""
    return _home(lambda _: "~/", text)  # type: ignore[no-any-return]


def _without(text: str, path: str) -> Iterator[str]:
    """What a text says but for what it names at a path or below."""
    start = at = 0
    while (at := text.find(path, at)) >= 0:
        end = at + len(path)
        if not _part(text, end):
            yield text[start:at]
            start = end
        at = end
    yield text[start:]


def _part(text: str, at: int) -> bool:
    """Whether the part of a path goes on with this character."""
    char = text[at : at + 1]
    return char.isalnum() or (char in _SIGNS and char != "")


def may_be_in(text: str, keys: tuple[str, ...]) -> set[str]:
    """The paths of these keys that a text may name, and others. It has few, a profile may have many: these are looked
    up, not looked for."""
    if len(keys) <= _FEW_PATHS:
        return {path for path in stripped(keys) if path[1:] in text}
    found = {path for match in _paths(text) for path in _with_above(match[0])}
    return found.union(path for path in _others(keys) if path[1:] in text)


@remembered(4)
def stripped(keys: tuple[str, ...]) -> list[str]:
    """The paths that these keys are for."""
    return [key.rstrip("/") for key in keys]


@remembered(4)
def _others(keys: tuple[str, ...]) -> list[str]:
    """Those that `_paths` does not see whole."""
    return [key.rstrip("/") for key in keys if key[:1] != "/" or not _PLAIN.issuperset(key)]


def _with_above(path: str) -> Iterator[str]:
    """A path and those that it is below."""
    at = path.find("/", 1)
    while at > 0:
        yield path[:at]
        at = path.find("/", at + 1)
    yield path


def names(text: str, path: str) -> bool:
    """Whether a text names a path, or one below it."""
    at = text.find(path)
    while at >= 0:
        if not _part(text, at + len(path)) and not (at and (text[at - 1] == "/" or _part(text, at - 1))):
            return True
        at = text.find(path, at + 1)
    return False

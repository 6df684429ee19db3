"""What is a secret, by its name or by how it begins, and what is shown in its place: stars.

The one place that decides it. Texts that the user wrote are shown through `Source.shown` and `Source.masked`, which
also know what a reader of the format found to be secret (`Source.secrets`).
"""

from __future__ import annotations

from flowc._compiled.secrets import ENDS, HARMLESS, KEYS, PREFIXES, SECTIONS, WORDS
from flowc.patterns import at_first_use, remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from re import Match
    from typing import TypeAlias

    # The words with which the keys of a service begin, and what finds them.
    _Service: TypeAlias = tuple[tuple[str, ...], Callable[[str], Iterator[Match[str]]]]

STARS = "***"
_BEARERS, _LOGINS = ("bearer", "authorization"), ("login", "sshpass", "curl")
_LEAST = 4  # characters of a value that is looked for elsewhere: shorter ones stand in any text
_LEAST_PART = 8
# What stands, in small letters, in each text that has the name of a secret: as little as tells it, since all that is
# shown is looked through for each of these. The word `key` has one of _KEYS with it, or is written in capitals.
_SPELT = tuple(
    dict.fromkeys(
        spelt for word in (*WORDS, *ENDS, *SECTIONS, *KEYS) for spelt in (word.lower(), word.lower().replace("_", "-"))
    )
)
_KEY = "key"
_CORES = tuple(dict.fromkeys(word.strip("_-") for word in _SPELT if _KEY not in word))
_NAMES = (*(word for word in _CORES if sum(map(word.__contains__, _CORES)) == 1), _KEY)  # that hold no other
_KEYS = tuple(word for word in _SPELT if _KEY in word and word != _KEY)


def _beginnings(pattern: str) -> tuple[str, ...]:
    """The words with which a pattern of PREFIXES begins: `(?:ghp|gho)_[0-9]` with two."""
    head = pattern.partition("[")[0]
    words, closed, rest = head.removeprefix("(?:").partition(")")
    return tuple(word + rest for word in words.split("|")) if closed else (head,)


# One expression for each service: a text that may hold keys of one of them costs no more than that one.
_services = tuple(
    (_beginnings(pattern), at_first_use(rf"(?<![0-9A-Za-z])(?:{pattern})", "finditer")) for pattern in PREFIXES
)
_BEGINNINGS = tuple(sign for signs, _ in _services for sign in signs)
_begins = at_first_use("|".join((*PREFIXES, "-----BEGIN [A-Z ]*PRIVATE KEY-----")), "match")
# `NAME=value`, `name: value`, `"name": "value"`; a value in quotes goes on to their end.
_named = at_first_use(r"(?<![A-Za-z0-9_.-])-{0,2}([A-Za-z_][A-Za-z0-9_.-]*+)[\"']?[ \t]*[:=][ \t]*", "finditer")
_value = at_first_use(r"\"([^\"\n]*)|'([^'\n]*)|([^\s\"'`,;}\])]+)", "match")
# `--password value`, `"--password", "value"`; what looks like another flag is no value.
_flagged = at_first_use(
    r"(?<![A-Za-z0-9_-])--?([a-z][A-Za-z0-9_-]*)[\"']?(?:[ \t]*,[ \t]*|[ \t]+)[\"']?([^\s\"'`,;}\])-][^\s\"'`,;}\])]*)",
    "finditer",
)
_bearer = at_first_use(r"(?i)\b(?:bearer|authorization:[ \t]*(?:token|basic))[ \t]+([^\s\"'`$<{]+)", "finditer")
# What is typed to log in: `sshpass -p VALUE`, `docker login -p VALUE`, `wandb login VALUE`, `curl -u NAME:VALUE`.
_typed = at_first_use(
    r"\b(?:sshpass[ \t]+-p|wandb[ \t]+login|login\b[^\n;|&]{0,200}?[ \t]-p"
    r"|curl\b[^\n;|&]{0,200}?[ \t]-u[ \t]+[^\s:]{1,99}:)[ \t]*([^\s\"'`;|&-][^\s\"'`;|&]*)",
    "finditer",
)
_parts = at_first_use(rf"[\w+/=.~-]{{{_LEAST_PART},}}", "findall")
_login = at_first_use(r"://[^\s/:@\"']*:([^\s/@\"']+)@|https?://([^\s/:@\"'$<{]{8,})@", "finditer")
# `$NAME` may be a password as it stands, where no shell reads it.
_reference = at_first_use(r"\$\(\w+\)|\$\{\w+\}|\{\{[^{}]*\}\}|<[\w ]+>", "fullmatch")
_path = at_first_use(r"(?:~|\.{1,2})?/[a-z][0-9A-Za-z_.-]*(?:/[0-9A-Za-z_.$@{}-]*)*", "fullmatch")
# Values that tell nothing: switches, what begins a block in YAML, what flowc itself puts for a value.
_SWITCHES = (
    *("true", "false", "yes", "no", "on", "off", "none", "null", "~"),
    *("|", "|-", "|+", ">", ">-", ">+", "value", "…"),
)


def looks_secret(name: str) -> bool:
    """Whether a variable's name says that its value is nobody else's business."""
    name = name.upper()
    for word in HARMLESS:
        name = name.replace(word, "")
    return name.endswith(ENDS) or any(word in name for word in WORDS)


@remembered(500)
def key_looks_secret(key: str) -> bool:
    """The same of a key or flag in any spelling: `HF_TOKEN`, `password`, `envs.API_KEY`, `--access-key`. In small
    letters more words are names of other things: `key`, `ssh_key_name`."""
    last = key.rpartition(".")[2]
    return looks_secret(last) if last.isupper() else last.lower().replace("-", "_").endswith(KEYS)


def begins_secret(text: str) -> bool:
    """Whether a text begins as the keys of well-known services do."""
    return _begins(text) is not None


def is_told(value: str) -> bool:
    """Whether there is something to hide: not in a reference, a placeholder, a switch or the path of a file."""
    if not value or value.startswith(("$", "<", "{", "[", "*")) or value.lower() in _SWITCHES:
        return False
    return "://" not in value and _path(value) is None


class Signs:
    """What of all that tells of a secret stands in a text, looked for before the true look: most texts have nothing,
    and what a text has not, none of its lines has."""

    __slots__ = ("bearer", "login", "names", "services", "typed")

    def __init__(
        self, names: Sequence[str], services: Sequence[_Service], bearer: bool, login: bool, typed: bool
    ) -> None:
        self.names = names
        self.services = services
        self.bearer = bearer
        self.login = login
        self.typed = typed

    def within(self, text: str) -> Signs | None:
        """Those of these that stand in `text`; None where no secret can be in it, as far as its own words go."""
        lowered = text.lower()
        names = self.names and _names_in(text, lowered, self.names)
        services = self.services and _services_in(text, self.services)
        bearer, login = self.bearer and _has(lowered, _BEARERS), self.login and "://" in lowered
        typed = self.typed and _has(lowered, _LOGINS)
        found = names or services or bearer or login or typed
        return Signs(names, services, bearer, login, typed) if found else None

    def lines(self, text: str) -> list[str]:
        """The lines of a text in which the signs stand: no secret goes over the end of a line."""
        lowered = text.lower()
        if len(lowered) != len(text):
            return text.split("\n")
        spelt = [*self.names, *(sign.lower() for service in self.services for sign in service[0])]
        spelt += (
            *(_BEARERS if self.bearer else ()),
            *(("://",) if self.login else ()),
            *(_LOGINS if self.typed else ()),
        )
        found: dict[str, None] = {}
        for sign in spelt:
            at = lowered.find(sign)
            while at >= 0:
                end = lowered.find("\n", at)
                found[text[lowered.rfind("\n", 0, at) + 1 : end if end >= 0 else None]] = None
                at = lowered.find(sign, end) if end >= 0 else -1
        return list(found)


def may_name(text: str) -> bool:
    """False where no name of a secret can be in a text, in whatever form."""
    return bool(_names_in(text, text.lower(), _NAMES))


def _names_in(text: str, lowered: str, names: Sequence[str]) -> list[str]:
    found = [name for name in names if name in lowered]
    if found and found[-1] is _KEY and "KEY" not in text and not _has(lowered, _KEYS):
        found.pop()
    return found


def _services_in(text: str, services: Sequence[_Service]) -> Sequence[_Service]:
    for sign in _BEGINNINGS:
        if sign in text:
            return [each for each in services if _has(text, each[0])]
    return ()


def _has(text: str, signs: tuple[str, ...]) -> bool:
    for sign in signs:  # noqa: SIM110 - a generator costs as much as the search
        if sign in text:
            return True
    return False


EVERY = Signs(_NAMES, _services, True, True, True)


def places(text: str, signs: Signs = EVERY) -> list[tuple[int, int]]:
    """Where the values of secrets stand in a text that its own words give away: (start, end), in order. `signs`: those
    that can be in it."""
    here = signs.within(text)
    return [] if here is None else _places(text, here)


def _places(text: str, here: Signs) -> list[tuple[int, int]]:
    found = [match.span() for _, finder in here.services for match in finder(text)]
    if here.names:
        for match in _named(text):
            value = _value(text, match.end()) if key_looks_secret(match[1]) else None
            if value is not None and is_told(value[value.lastindex]):
                found.append(value.span(value.lastindex))
        for match in _flagged(text) if "-" in text else ():
            if match[1] != "secret" and key_looks_secret(match[1]) and is_told(match[2]):  # `--secret` takes a name
                found.append(match.span(2))
    if here.bearer:
        found += [match.span(1) for match in _bearer(text)]
    if here.login:
        logins = ((match, match.lastindex or 0) for match in _login(text))
        found += [match.span(group) for match, group in logins if _reference(match[group]) is None]
    if here.typed:
        found += [match.span(1) for match in _typed(text) if is_told(match[1])]
    return sorted(found)


def parts(value: str) -> list[str]:
    """A value that is not to be seen, and the words of it that would give it away: a message may quote one of them."""
    return list(dict.fromkeys((value, *_parts(value))))


def values_in(text: str) -> list[str]:
    """The `parts` of all secrets that a text's own words give away."""
    here = EVERY.within(text)
    if here is None:
        return []
    near = "\n".join(here.lines(text))
    return [part for start, end in _places(near, here) for part in parts(near[start:end])]


def starred(text: str, found: Iterable[tuple[int, int]]) -> str:
    """`text`, as long as it was, with stars for the characters of these places."""
    pieces, position = [], 0
    for start, end in found:
        start = max(start, position)
        if start < end:
            hidden = "".join(char if char.isspace() else "*" for char in text[start:end])
            pieces += [text[position:start], hidden]
            position = end
    return "".join(pieces) + text[position:] if pieces else text


def masked(text: str, values: Iterable[str] = ()) -> str:
    """`text` with stars for the secrets that its own words give away, and for these values."""
    text = starred(text, places(text))
    for value in values:
        if len(value) >= _LEAST and value in text:
            text = _without(text, value)
    return text


def _without(text: str, value: str) -> str:
    """Stars for a value where it stands as a word of its own: a short one may be part of others."""
    pieces, position = [], 0
    while (at := text.find(value, position)) >= 0:
        end = at + len(value)
        apart = not (text[at - 1 : at].isalnum() and value[0].isalnum()) and not (
            text[end : end + 1].isalnum() and value[-1].isalnum()
        )
        pieces += [text[position:at], STARS if apart or len(value) > 2 * _LEAST else value]
        position = end
    return "".join(pieces) + text[position:]

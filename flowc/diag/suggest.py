"""Did-you-mean: the one name that a misspelt word most likely stands for; and the gaps of templates."""

from __future__ import annotations

from flowc.patterns import at_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Gaps that are filled in before a text is used: `<NAME>`, `{{ NAME }}` and `${NAME}`, which flowc fills, and others.
gaps = at_first_use(
    r"<([^<>\s](?:[^<>\n]{0,60}[^<>\s])?)>|\$?\{\{-?[ \t]*([^{}\s][^{}\n]{0,80}?)[ \t]*-?\}\}|\$\{([A-Za-z_]\w*)\}"
    r"|\#\#\w{1,60}\#\#|\{[A-Za-z_][\w-]{0,60}\}|@[A-Z_]{2,60}@|![A-Z_]{2,60}",
    "finditer",
)
# How a help ends that names the gap, and the one where a whole value is such a gap.
_FILLS = "=VALUE'` puts a value there"
FILL_IN = "it looks like a placeholder: give it a value (`--fill NAME=VALUE`)"
_LONGEST = 64  # no name is as long; keeps the cost of hostile words constant


def to_fill(text: str) -> str | None:
    """The help for a text with a gap of a form that flowc fills; None without one."""
    for match in gaps(text) if "<" in text or "{" in text else ():
        name = next(filter(None, match.groups()), None)
        if name is not None:
            return f"`--fill '{name}{_FILLS}"
    return None


def asks_to_fill(help: str | None) -> bool:
    """Whether a help says what this module says of gaps, with the name of one or without."""
    return help is not None and (help == FILL_IN or help.endswith(_FILLS))


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate at the smallest distance (insert, delete, replace, swap of neighbours), case aside; the
    first of equals. None when nothing is near: more than a third of the letters would have to change."""
    if len(word) > _LONGEST:
        return None
    lowered = word.lower()
    best, best_distance = None, max(1, len(word.lstrip("-")) // 3) + 1
    letters = set(lowered)
    for candidate in candidates:
        # Each letter that only one of the words has costs at least one change: this rules out nearly all.
        if abs(len(candidate) - len(word)) < best_distance and len(letters - set(candidate.lower())) < best_distance:
            distance = _distance(lowered, candidate.lower(), best_distance)
            if distance < best_distance:
                best, best_distance = candidate, distance
    return best


def completed(word: str, candidates: Iterable[str]) -> str | None:
    """The only candidate that has all parts of the word and more: `ssh_key_name` for `ssh_key`, `mountPath` for `path`.
    None where there are several, and for words too short to say anything."""
    if not 2 < len(word) <= _LONGEST:
        return None
    parts = _parts(word)
    found = [candidate for candidate in candidates if parts <= _parts(candidate)]
    return found[0] if len(found) == 1 else None


def _parts(name: str) -> set[str]:
    """The words of `a_name`, `a-name` or `aName`."""
    spaced = "".join(f" {letter}" if letter.isupper() else letter for letter in name)
    return set(spaced.lower().replace("_", " ").replace("-", " ").split())


def _distance(a: str, b: str, limit: int) -> int:
    """Optimal string alignment distance of two words, or `limit` when it is not below."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        current = [i]
        for j, other in enumerate(b, 1):
            cost = min(row[j] + 1, current[j - 1] + 1, row[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        if min(current) >= limit:
            return limit
        before, row = row, current
    return min(row[-1], limit)

"""Keys of settings files that nobody reads: a word spelt otherwise, a setting of something else, or a section that
bears a setting's name."""

from __future__ import annotations

import re

from flowc._compiled.settings import OTHERS, SETTINGS
from flowc.record import Record
from flowc.settings.values import project_place, wanted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


class Unknown(Record):
    """`key` (with dots between) stands from `start` to `end` of the file's `text`; `known` are those that may stand in
    its place, empty where the key is right and `wanted` says what is to stand there instead of a section."""

    UNSHOWN = ("text",)

    path: str
    text: str
    start: int
    end: int
    key: str
    known: tuple[str, ...]
    wanted: str | None = None

    @property
    def shown(self) -> str:
        """Where it is and what it may have been meant for, in a sentence."""
        line = self.text.count("\n", 0, self.start) + 1
        if self.wanted is not None:
            return f"{self.path}:{line}: `{self.key}` is to be {self.wanted}, not a section"
        from difflib import get_close_matches

        last = {each.rpartition(".")[2]: each for each in self.known}
        near = get_close_matches(self.key.rpartition(".")[2], last, 1)
        hint = f"did you mean `{last[near[0]]}`?" if near else f"there are {', '.join(self.known)}"
        return f"{self.path}:{line}: there is no setting `{self.key}`: {hint}"


def user_keys() -> tuple[str, ...]:
    """What may stand in the user's file, with dots between."""
    return tuple(dict.fromkeys(key for row in SETTINGS.values() for key in (row["file"], *row["old_file"])))


def project_keys() -> tuple[str, ...]:
    """What may stand in a project's file."""
    return tuple(project_place(row) for row in SETTINGS.values() if not row["personal"])


def in_user_file(path: str, data: bytes, content: Mapping[str, object]) -> list[Unknown]:
    """Those of `~/.flow/config.yaml`, which other tools read too; `data` is what stands in it."""
    found = list(_strange(content, user_keys()))
    if not found:
        return []
    text = data.decode("utf-8", "replace")
    places = _places(data.decode("utf-8"))
    known = tuple(row["file"] for row in SETTINGS.values())
    own = {place: name for name, row in SETTINGS.items() for place in (row["file"], *row["old_file"])}
    return [_unknown(path, text, key, places.get(key, (0, 0)), known, own.get(key)) for key in found]


def in_project_file(path: str, data: bytes, content: Mapping[str, object]) -> list[Unknown]:
    """Those of `.flowc.toml`, or of `[tool.flowc]` in a `pyproject.toml`."""
    known, text = project_keys(), data.decode("utf-8", "replace")
    # What is personal is refused when it is read.
    own = {project_place(row): name for name, row in SETTINGS.items()}
    table = re.search(r"^[ \t]*\[[ \t]*tool\.flowc\b", text, re.M)
    found = []
    for key, value in _entries(content, known):
        if key not in own or isinstance(value, dict):
            section, _, last = key.rpartition(".")
            name = re.escape(last)
            within = rf"(?:{re.escape(section)}\.)?" if section else ""
            place = re.compile(
                rf"^[ \t]*(?:\[[ \t]*(?:tool\.flowc\.)?{within})?[\"']?({name})[\"']?[ \t]*[=.\]]", re.M
            ).search(text, table.start() if table is not None else 0)
            span = place.span(1) if place is not None else (0, 0)
            found.append(_unknown(path, text, key, span, known, own.get(key)))
    return found


def _entries(content: Mapping[str, object], known: Collection[str]) -> Iterator[tuple[str, object]]:
    """Keys with their values; of a section that has settings those within."""
    for key, value in content.items():
        if isinstance(value, dict) and any(each.startswith(f"{key}.") for each in known):
            yield from ((f"{key}.{inner}", each) for inner, each in value.items())
        else:
            yield key, value


def _unknown(
    path: str, text: str, key: str, place: tuple[int, int], known: tuple[str, ...], name: str | None
) -> Unknown:
    """`name`: of the setting whose place the key is."""
    right = wanted(name) if name is not None else None
    return Unknown(path=path, text=text, start=place[0], end=place[1], key=key, known=known, wanted=right)


def _strange(content: Mapping[str, object], known: Collection[str], above: str = "") -> Iterator[str]:
    for name, value in content.items():
        key = f"{above}{name}"
        if key in OTHERS or (key in known and not isinstance(value, dict)):
            continue
        within = any(each.startswith(f"{key}.") for each in known)
        if within and isinstance(value, dict):
            yield from _strange(value, known, f"{key}.")
        elif not within or value is not None:
            yield key


def _places(text: str) -> dict[str, tuple[int, int]]:
    """Where each key of a YAML document stands."""
    import yaml

    found: dict[str, tuple[int, int]] = {}
    todo: list[tuple[str, yaml.Node | None]] = [("", yaml.compose(text, Loader=yaml.SafeLoader))]
    for above, node in todo:  # which grows meanwhile
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            name = f"{above}{key.value}"
            found[name] = (key.start_mark.index, key.end_mark.index)
            if isinstance(value, yaml.MappingNode):
                todo.append((f"{name}.", value))
    return found

"""What a backend emits. A check, which emits nothing, loads none of it."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Artifact(Record):
    """One thing that was emitted: `name` is its file name below `-o DIR`, `text` its content."""

    name: str
    text: str


class LazyArtifact(Artifact):
    """An artifact whose text is made when it is first read: for what costs much and is seldom looked at."""

    def __init__(self, name: str, make: Callable[[], str]) -> None:
        self.__dict__.update(name=name, make=make)

    def __getattr__(self, field: str) -> str:
        if field != "text":
            raise AttributeError(field)
        text: str = self.__dict__["make"]()
        self.__dict__["text"] = text
        return text

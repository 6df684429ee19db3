"""Immutable records: what `dataclass(frozen=True, kw_only=True)` gives, without its start-up cost.

Importing `dataclasses` takes longer than checking a job does (it pulls in `inspect`), so the records that every
command touches are built on this class. Type checkers see them as frozen, keyword-only dataclasses.
"""

from __future__ import annotations

TYPE_CHECKING = False  # the name is what type checkers look for; importing `typing` would cost as much as `re`
if TYPE_CHECKING:
    from typing import Any, ClassVar, Self, dataclass_transform
else:

    def dataclass_transform(**_options):
        return lambda cls: cls


# A class of which so many records are made is worth an `__init__` of its own: it takes half the time of the common one,
# and compiling it takes as long as some hundred records. One command on one job never gets there.
MANY = 100


class _OfClass:
    """FIELDS or DEFAULTS of a class, made when they are first asked for: of most classes that a command loads it never
    makes a record."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, record: object, cls: type[Record]) -> Any:
        names: dict[str, None] = {}
        values: dict[str, Any] = {}
        for each in reversed(cls.__mro__[: cls.__mro__.index(Record)]):
            own = each.__dict__
            # `inspect.get_annotations` is for annotations that are wanted as types; here only their names are, without
            # inspect.
            for name in own.get("__annotations__", ()):
                if name[0] != "_":
                    names[name] = None
                    if name in own:
                        values[name] = own[name]
        fields = tuple(names)
        if cls is not Record:
            cls.FIELDS, cls.DEFAULTS = fields, values
        return fields if self.name == "FIELDS" else values


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record:
    """Base of all records. Fields are the annotated names of the class; defaults must be immutable. Of those that
    UNSHOWN names, texts of the user that may hold secrets, `repr` does not tell the value."""

    if TYPE_CHECKING:
        UNSHOWN: ClassVar[tuple[str, ...]]
        FIELDS: ClassVar[tuple[str, ...]]
        DEFAULTS: ClassVar[dict[str, Any]]
        # What making records takes, once the first of a class is made.
        BLANK: ClassVar[dict[str, Any] | None]
        REQUIRED: ClassVar[frozenset[str]]
        COUNT: ClassVar[int]
        MADE: ClassVar[list[int]]
    else:
        UNSHOWN = ()
        FIELDS = _OfClass("FIELDS")
        DEFAULTS = _OfClass("DEFAULTS")
        BLANK = None

    def __init_subclass__(cls) -> None:
        if cls.__base__ is not Record:  # nothing that was made for its base
            cls.FIELDS, cls.DEFAULTS, cls.BLANK = _OfClass("FIELDS"), _OfClass("DEFAULTS"), None  # type: ignore[assignment]
            if "__init__" not in vars(cls):
                cls.__init__ = Record.__init__  # type: ignore[method-assign]

    def __init__(self, **values: Any) -> None:
        fields, cls = self.__dict__, type(self)
        fields.update(_blank(cls) if cls.BLANK is None else cls.BLANK)
        fields.update(values)
        cls.MADE[0] += 1
        if cls.MADE[0] == MANY and cls.__init__ is Record.__init__:
            cls.__init__ = _own_init(cls)  # type: ignore[method-assign]
        # An unknown name makes them more than there are. Where that is not so and all are given, none is missing.
        count = cls.COUNT
        if len(fields) != count or (len(values) != count and cls.REQUIRED and not values.keys() >= cls.REQUIRED):
            odd = sorted((cls.REQUIRED - values.keys()) | (values.keys() - _blank(cls).keys()))
            raise TypeError(f"{type(self).__name__}: missing or unknown fields: {', '.join(odd)}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def replace(self, **changes: Any) -> Self:
        """A copy with these fields changed."""
        own, copy = self.__dict__, object.__new__(type(self))
        fields = copy.__dict__
        fields.update(own)
        fields.update(changes)
        return copy if len(fields) == len(own) else type(self)(**fields)  # which says what is unknown

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__[name] for name in self.FIELDS))

    def __repr__(self) -> str:
        values = self.__dict__
        inside = ", ".join(
            f"{name}=…" if name in self.UNSHOWN and values[name] else f"{name}={values[name]!r}" for name in self.FIELDS
        )
        return f"{type(self).__name__}({inside})"


def _blank(cls: type[Record]) -> dict[str, Any]:
    """The values of a record of which nothing was said yet: None for what is required. Most classes that a command
    loads it never makes a record of."""
    cls.COUNT = len(cls.FIELDS)
    cls.REQUIRED = frozenset(cls.FIELDS) - cls.DEFAULTS.keys()
    cls.MADE = [0]
    cls.BLANK = {**dict.fromkeys(cls.FIELDS), **cls.DEFAULTS}
    return cls.BLANK


def _own_init(cls: type[Record]) -> Any:
    """What `Record.__init__` does, for the fields of one class. Their names are identifiers and begin with no `_`."""
    given = ", ".join(name if name in cls.REQUIRED else f"{name}=_blank[{name!r}]" for name in cls.FIELDS)
    stored = "".join(f"\n    _fields[{name!r}] = {name}" for name in cls.FIELDS)
    made: dict[str, Any] = {"_blank": cls.BLANK}
    exec(f"def __init__(_self, {given and '*, '}{given}):\n    _fields = _self.__dict__{stored}", made)
    return made["__init__"]

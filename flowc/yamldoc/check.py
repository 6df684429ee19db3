"""Nodes held against a shape (see `shapes`): types, unknown and missing keys, bounds, allowed values.

Values of checked scalars are put into `Node.value`: str, int, bool, None, decimal text for numbers.
"""

from __future__ import annotations

from flowc.diag.codes.yaml import document as codes
from flowc.diag.sink import Edit, Fix
from flowc.patterns import compiled
from flowc.source import Span
from flowc.yamldoc import python_text, scalars
from flowc.yamldoc.node import Mapping, Node, Pair, Scalar, Sequence, is_null, misspelt, stands_there, walk
from flowc.yamldoc.shapes import HIDDEN, KIND_WORDS, Words, quoted, range_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flowc.diag.code import Code
    from flowc.diag.sink import Sink
    from flowc.yamldoc.shapes import Shape


class Checker:
    """Checks documents of one format. `types` is its table of types, `reader` see `scalars`; `null`: null stands for an
    absent value; `allow_unknown`: unknown keys are warnings; `allow_stray`: those that are no misspelt ones are."""

    __slots__ = ("allow_stray", "allow_unknown", "null", "reader", "sink", "types", "words")

    def __init__(
        self,
        types: dict[str, Shape],
        sink: Sink,
        *,
        reader: str = "pyyaml",
        null: bool = True,
        allow_unknown: bool = False,
        words: Words | None = None,
    ) -> None:
        self.types = types
        self.sink = sink
        self.reader = reader
        self.null = null
        self.allow_unknown, self.allow_stray = allow_unknown, False
        self.words = words or Words()

    def check(self, node: Node, shape: Shape, path: str = "") -> bool:
        """Whether the node has the shape; every deviation is reported."""
        kind = shape["is"]
        if is_null(node):
            return bool(shape.get("null", self.null)) or kind == "any" or self._wrong_type(node, shape, path)
        return _CHECKS[kind](self, node, shape, path)

    def _any(self, node: Node, shape: Shape, path: str) -> bool:
        for each in walk(node):
            if type(each) is Scalar:
                found = scalars.meaning(each, self.reader)
                each.value = each.text if found.kind == "odd" else found.value
        return True

    def _map(self, node: Node, shape: Shape, path: str) -> bool:
        if not isinstance(node, Mapping):
            return self._wrong_type(node, shape, path)
        fields = self.types[shape["type"]]
        good = True
        for pair in list(node.pairs):
            key = pair.key.text
            where = f"{path}.{key}" if path else key
            pair.path, pair.owner = where, shape["type"]
            field = fields.get(key)
            if field is None:
                good &= self._unknown(pair, node, fields, path)
                continue
            pair.field = field
            if "words" in field:
                fix = self._renamed(pair, field.get("alias"), node)
                self.sink.report(
                    self.words.retired_key, pair.key.span, help=field["words"], fix=fix, path=where, key=key
                )
                good = False
                continue
            if "alias" in field:
                good &= self._alias(pair, node, field, fields)
            good &= self.check(pair.value, field, where)
        for name, field in fields.items():
            if field.get("required") and (name not in node or (is_null(node.get(name)) and self.null)):  # type: ignore[arg-type]
                if misspelt(node, name) or any(fields[key].get("alias") == name and key in node for key in fields):
                    continue
                where = f"{path}.{name}" if path else name
                self.sink.report(
                    self.words.missing_key, first_key(node), help=field.get("help"), path=where, key=name, where=path
                )
                good = False
        return good

    def _renamed(self, pair: Pair, name: str | None, node: Mapping) -> Fix | None:
        """A key by the name that was meant; not one in quotes: without them it may run into its value in JSON."""
        if name is None or name in node or pair.merged or pair.key.style is not None or not stands_there(pair.key):
            return None
        return Fix(title=f"write `{name}`", edits=(Edit(span=pair.key.span, text=name),), certain=False)

    def _alias(self, pair: Pair, node: Mapping, field: Shape, fields: dict[str, Shape]) -> bool:
        """An older spelling stands for a field; both at once are a mistake."""
        name = field["alias"]
        if name in node:
            other = node.pair(name)
            assert other is not None
            self.sink.report(
                self.words.retired_key,
                pair.key.span,
                help="keep one of them",
                notes=((other.key.span, f"`{name}` is given here"),),
                path=pair.path,
                key=pair.key.text,
            )
            return False
        self.sink.report(
            self.words.old_key,
            pair.key.span,
            fix=Fix(title=f"write `{name}`", edits=(Edit(span=pair.key.span, text=name),))
            if stands_there(pair.key)
            else None,
            key=pair.key.text,
            name=name,
        )
        return True

    def _unknown(self, pair: Pair, node: Mapping, fields: dict[str, Shape], path: str) -> bool:
        from flowc.diag.suggest import completed, nearest
        from flowc.listing import some_of

        key, help, fix = pair.key.text, None, None
        free = [name for name in fields if name not in node and "words" not in fields[name]]
        required = [name for name in free if fields[name].get("required")]
        near = nearest(key, free) or completed(key, required) or completed(key, free)
        allowed = self.allow_unknown or (self.allow_stray and near is None)
        pair.intended = None if allowed else near
        if near is not None:
            help, fix = f"did you mean `{near}`?", self._renamed(pair, near, node)
        elif home := next((words for name, words in self.words.homes if key in self.types[name]), None):
            help = f"it belongs to {home}"
        else:
            known = [name for name, field in fields.items() if "words" not in field and "alias" not in field]
            help = f"known here: {some_of(known, 12)}" if known else None
        code = self.words.unknown_key_allowed if allowed else self.words.unknown_key
        self.sink.report(code, pair.key.span, help=help, fix=fix, path=pair.path, key=key, where=path or "the document")
        return allowed

    def _dict(self, node: Node, shape: Shape, path: str) -> bool:
        if not isinstance(node, Mapping):
            return self._wrong_type(node, shape, path)
        good = True
        names = shape.get("names")
        for pair in node.pairs:
            key = pair.key.text
            inside = f"{path}[{key}]" if self.words.brackets else f"{path}.{key}"
            pair.path, pair.owner = inside if path else key, ""
            if names is not None and not compiled(names).fullmatch(key):
                self.sink.report(
                    self.words.wrong_form,
                    pair.key.span,
                    path=pair.path,
                    value=key,
                    expected=shape.get("name_rule", "a name"),
                )
                good = False
            good &= self.check(pair.value, shape["of"], pair.path)
        return good

    def _list(self, node: Node, shape: Shape, path: str) -> bool:
        if not isinstance(node, Sequence):
            if shape.get("coerce") == "item" and isinstance(node, (Scalar, Mapping)):
                return self.check(node, shape["of"], path)
            return self._wrong_type(node, shape, path)
        good = self._length(node, len(node.items), shape, path, "items")
        for index, item in enumerate(node.items):
            good &= self.check(item, shape["of"], f"{path}[{index}]")
        return good

    def _one(self, node: Node, shape: Shape, path: str) -> bool:
        """The first of several shapes whose kind fits; a shape of scalars fits by what the reader sees."""
        shapes = shape["shapes"]
        for each in shapes:
            if self._fits(node, each):
                return self.check(node, each, path)
        return self._wrong_type(node, shape, path)

    def _fits(self, node: Node, shape: Shape) -> bool:
        kind = shape["is"]
        if isinstance(node, Mapping):
            return kind in ("map", "dict", "any")
        if isinstance(node, Sequence):
            return kind in ("list", "any")
        assert isinstance(node, Scalar)
        found = scalars.meaning(node, self.reader)
        if kind == "number":
            return found.kind in ("int", "float")
        as_text = found.kind == "odd" or shape.get("coerce") in ("text", "python")
        return kind in (found.kind, "any") or (kind == "text" and as_text)

    def _text(self, node: Node, shape: Shape, path: str) -> bool:
        coerce = shape.get("coerce")
        if coerce == "python":
            return self._python(node, shape, path)
        if not isinstance(node, Scalar):
            return self._wrong_type(node, shape, path)
        found = scalars.meaning(node, self.reader)
        node.value = node.text
        if found.kind != "text":
            if coerce == "text":
                pass
            elif (found.kind == "odd" and self.reader == "pyyaml") or (found.kind == "int" and ":" in node.text):
                self._read_as(node, path, found.shown)
            else:
                return self._wrong_type(node, shape, path)
        return self._value(node, shape, path) and self._length(node, len(node.value), shape, path, "characters")

    def _python(self, node: Node, shape: Shape, path: str) -> bool:
        if isinstance(node, Scalar) and scalars.is_python_text(node):
            node.value = node.text
            return True
        node.value = python_text.python_text(node)
        if node.value is None:
            return self._wrong_type(node, shape, path)
        if not isinstance(node, Scalar) or node.value != node.text:
            self._read_as(node, path, f"the text `{node.value}`")
        return True

    def _int(self, node: Node, shape: Shape, path: str) -> bool:
        if not isinstance(node, Scalar):
            return self._wrong_type(node, shape, path)
        found = scalars.meaning(node, self.reader)
        coerce = shape.get("coerce", "")
        if found.kind == "int":
            node.value = found.value
            if "base 60" in found.shown:
                return self._wrong_type(node, shape, path)
            if "octal" in found.shown and "octal" not in coerce:
                self._read_as(node, path, found.shown, quote=False)
        elif found.kind == "float" and "float" in coerce and "." not in found.value:
            node.value = int(found.value)
        elif found.kind == "text" and "number" in coerce and (scalars.as_number(node.text.strip()) or ".").isdigit():
            node.value = int(scalars.as_number(node.text.strip()) or 0)
        else:
            return self._wrong_type(node, shape, path)
        return self._value(node, shape, path) and self._bounds(node, str(node.value), shape, path)

    def _number(self, node: Node, shape: Shape, path: str) -> bool:
        if not isinstance(node, Scalar):
            return self._wrong_type(node, shape, path)
        found = scalars.meaning(node, self.reader)
        number = str(found.value) if found.kind in ("int", "float") else None
        plain_exponent = found.kind == "text" and node.style is None
        if number is None and found.kind == "text" and ("number" in shape.get("coerce", "") or plain_exponent):
            number = scalars.as_number(node.text.strip())
        if number is None or "base 60" in found.shown:
            return self._wrong_type(node, shape, path)
        if "octal" in found.shown:
            self._read_as(node, path, found.shown, quote=False)
        node.value = number
        return self._bounds(node, number, shape, path)

    def _bool(self, node: Node, shape: Shape, path: str) -> bool:
        if not isinstance(node, Scalar):
            return self._wrong_type(node, shape, path)
        found = scalars.meaning(node, self.reader)
        node.value = found.value
        if found.kind == "text" and shape.get("coerce") == "bool" and node.text.lower() in ("true", "false"):
            node.value = node.text.lower() == "true"
        elif found.kind != "bool":
            return self._wrong_type(node, shape, path)
        return True

    def _value(self, node: Scalar, shape: Shape, path: str) -> bool:
        """The allowed values and the pattern of a text."""
        value, values = node.value, shape.get("values")
        if values is not None:
            if shape.get("fold") and isinstance(value, str):
                same = next((each for each in values if each.lower() == value.lower()), None)
                value = node.value = same if same is not None else value
            if value not in values:
                from flowc.diag.suggest import nearest

                near = nearest(str(value), [str(each) for each in values])
                self._report(
                    self.words.not_allowed,
                    node.span,
                    help=shape.get("help") or (f"did you mean `{near}`?" if near else None),
                    path=path,
                    value=str(value),
                    expected=", ".join(f"`{each}`" for each in values),
                )
                return False
        like = shape.get("like")
        if like is not None and compiled(like).fullmatch(value) is None:
            self._report(
                self.words.wrong_form,
                node.span,
                help=shape.get("help"),
                path=path,
                value=str(value),
                expected=shape["rule"],
            )
            return False
        return True

    def _length(self, node: Node, length: int, shape: Shape, path: str, unit: str) -> bool:
        least, most = shape.get("min"), shape.get("max")
        if (least is None or length >= least) and (most is None or length <= most):
            return True
        expected = f"{range_text(least, most)} {unit}"
        self.sink.report(self.words.out_of_bounds, node.span, path=path, value=f"{length} {unit}", expected=expected)
        return False

    def _bounds(self, node: Scalar, number: str, shape: Shape, path: str) -> bool:
        least, most, over = shape.get("min"), shape.get("max"), shape.get("over")
        if least is None and most is None and over is None:
            return True
        value = float(number)
        if (least is None or value >= least) and (most is None or value <= most) and (over is None or value > over):
            return True
        expected = f"more than {over}" if over is not None else range_text(least, most)
        if over is not None and most is not None:
            expected += f" and at most {most}"
        help = shape.get("help")
        self._report(self.words.out_of_bounds, node.span, help=help, path=path, value=node.text, expected=expected)
        return False

    def _report(
        self, code: Code, span: Span, *, path: str, help: str | None = None, fix: Fix | None = None, **fields: Any
    ) -> None:
        """Report a value; of one that is a secret nothing is said that follows from it, such as its number."""
        if span.source.holds_secret(span.start, span.end):
            help, fix = None, None
            fields |= {name: HIDDEN[name] for name in HIDDEN if name in fields}
        self.sink.report(code, span, help=help, fix=fix, notes=(), path=path, **fields)

    def _read_as(self, node: Node, path: str, shown: str, *, quote: bool = True) -> None:
        """The format's own reader sees something else in a value than stands there."""
        span, fix = node.span, None
        value = node.text if isinstance(node, Scalar) else span.text.partition("\n")[0]
        if quote and isinstance(node, Scalar) and node.style is None and stands_there(node):
            kept = node.value == node.text  # else the job gets another text once it is quoted
            fix = Fix(title="quote it", edits=(Edit(span=span, text=quoted(node.text)),), certain=kept)
        self._report(codes.READ_AS_SOMETHING_ELSE, span, fix=fix, path=path, value=value, shown=shown)

    def _wrong_type(self, node: Node, shape: Shape, path: str) -> bool:
        kinds = [shape["is"]] if shape["is"] != "one" else [each["is"] for each in shape["shapes"]]
        expected = shape.get("want") or " or ".join(dict.fromkeys(KIND_WORDS[kind] for kind in kinds))
        help, fix = shape.get("type_help") or scalars.to_fill_in(node), None
        if isinstance(node, Scalar):
            found = scalars.meaning(node, self.reader).shown
            if "text" in kinds and "want" not in shape and node.style is None and found != "a text":
                in_quotes = quoted(node.text)
                before = node.source.text[node.start - 1 : node.start]
                text = in_quotes if node.text or before.isspace() else f" {in_quotes}"  # `KEY:` has none after it
                if stands_there(node):
                    fix = Fix(title="quote it", edits=(Edit(span=node.span, text=text),), certain=not is_null(node))
                help = help or f"quote it: `{in_quotes}`"
            elif "int" in kinds and "." in node.text:
                found = f"the number {node.text}" if found.startswith("the number") else found
            elif bare := self._without_quotes(node, kinds):
                help = help or f"take the quotes off: `{bare}`"
                if stands_there(node):
                    fix = Fix(title="take the quotes off", edits=(Edit(span=node.span, text=bare),))
            elif "list" in kinds and not help:
                help = f"write a list: `[{node.source.text[node.start : node.end]}]`" if node.text else None
        else:
            found = f"a {node.what}"
            if "text" in kinds and isinstance(node, Mapping) and not node.flow and len(node.pairs) == 1:
                help = help or "put it in quotes: a plain text with `: ` in it is a mapping"
        span = node.span if node.end > node.start else _line(node)
        where = path or "the document"
        self._report(self.words.wrong_type, span, help=help, fix=fix, path=where, found=found, expected=expected)
        return False

    def _without_quotes(self, node: Scalar, kinds: list[str]) -> str | None:
        """What stands in quotes, if without them it is what was wanted."""
        if node.style not in ("'", '"') or not node.text or "text" in kinds:
            return None
        bare = Scalar(node.source, node.start, node.end, node.text, None, None)
        found = scalars.meaning(bare, self.reader).kind
        return node.text if found in kinds or (found == "int" and "number" in kinds) else None


_KINDS = ("any", "map", "dict", "list", "one", "text", "int", "number", "bool")
_CHECKS: dict[str, Callable[..., bool]] = {kind: getattr(Checker, f"_{kind}") for kind in _KINDS}


def first_key(node: Mapping) -> Span:
    """Where a mapping is pointed at as a whole: its first key."""
    return node.pairs[0].key.span if node.pairs else _line(node)


def _line(node: Node) -> Span:
    """The place of an empty node."""
    start = min(node.start, max(len(node.source.text) - 1, 0))
    return Span(node.source, start, max(node.end, min(start + 1, len(node.source.text))))

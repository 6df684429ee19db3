"""Reads the catalog file that a user names: JSON or YAML, untrusted, checked against `catalog.schema`."""

from __future__ import annotations

import json

from flowc.catalog.copy import REFRESHED, SEALED, opened
from flowc.diag.codes import resolve as codes
from flowc.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.sink import Sink

# A catalog of a whole cloud is a few hundred kilobytes.
LARGEST_FILE_BYTES = 16 << 20
MOST_MISTAKES_SHOWN = 20


def read(path: str, sink: Sink) -> tuple[str, dict[str, Any]] | None:
    """What the catalog of a file is called, and its checked content, in the form of `CatalogFile`. Reports what is
    wrong and returns None."""
    text = _text(path, sink)
    if text is None:
        return None
    if text.startswith(SEALED) and (sound := opened(text)) is not None:
        return REFRESHED, sound
    try:
        content = _parse(path, text)
    except (ValueError, RecursionError, ImportError) as error:
        at = min(getattr(error, "pos", 0), max(len(text) - 1, 0))
        reason = " ".join(str(error).split())[:300]
        sink.report(codes.CATALOG_UNREADABLE, Span(Source(path, text), at, at), path=path, reason=reason)
        return None
    checked = _checked(path, content, sink)
    return None if checked is None else (path, checked)


def _file(path: str) -> Span:
    """The place of what concerns the file as a whole: not the job, of which diagnostics without a place speak."""
    return Span(Source(path, ""), 0, 0)


def _text(path: str, sink: Sink) -> str | None:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        sink.report(codes.CATALOG_UNREADABLE, _file(path), path=path, reason=reason.lower())
        return None
    if len(data) > LARGEST_FILE_BYTES:
        sink.report(codes.CATALOG_UNREADABLE, _file(path), path=path, reason="larger than 16 MiB")
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        sink.report(codes.CATALOG_UNREADABLE, _file(path), path=path, reason=f"no UTF-8 at byte {error.start}")
        return None


def _parse(path: str, text: str) -> object:
    """None for an empty text. Numbers and dates stay as written, quoted or not: prices are decimal texts. Raises
    ValueError for text that is neither JSON nor YAML, ImportError where PyYAML is missing."""
    if not text.strip():
        return None
    if not path.endswith((".yaml", ".yml")):
        return json.loads(text, parse_float=str, parse_int=str)
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        first: [row for row in rows if row[0].endswith((":bool", ":null", ":merge"))]
        for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    try:
        return yaml.load(text, Loader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _checked(path: str, content: object, sink: Sink) -> dict[str, Any] | None:
    try:
        from pydantic import ValidationError

        from flowc.catalog.schema import CatalogFile
    except ImportError:
        help = "install pydantic, which flowc names among its dependencies, or leave out `--catalog`"
        sink.report(codes.CATALOG_UNREADABLE, _file(path), path=path, reason="checking it needs pydantic", help=help)
        return None
    try:
        checked = CatalogFile.model_validate(content).model_dump()
    except ValidationError as error:
        for mistake in error.errors(include_url=False)[:MOST_MISTAKES_SHOWN]:
            place = ".".join(str(part) for part in mistake["loc"]) or "the file"
            reason = mistake["msg"][:1].lower() + mistake["msg"][1:]
            sink.report(codes.CATALOG_MISTAKE, _file(path), path=path, place=place, reason=reason)
        return None
    if not any(offer["offered"] for row in checked["instance_types"] for offer in row["offers"]):
        reason = "none of them is offered anywhere"
        sink.report(codes.CATALOG_MISTAKE, _file(path), path=path, place="instance_types", reason=reason)
        return None
    return checked

"""Asks the provider what it sells today, and writes the user's copy of the catalog: whole, or not at all."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.catalog.model import Catalog
    from flowc.cli.arguments import Words


def refresh(words: Words) -> int:
    """The exit status. Raises ProviderError, SettingsError and JournalError: the copy is then as it was."""
    import time

    from flowc.catalog.copy import REFRESHED, sealed
    from flowc.catalog.load import make
    from flowc.catalog.refresh import Sold, changes, refreshed
    from flowc.cli import terminal
    from flowc.cli.checking.fix import write_new
    from flowc.cli.status import DONE
    from flowc.cli.tasks.world import World, tell
    from flowc.ir.units import plural
    from flowc.providers.errors import ProviderError
    from flowc.providers.mithril.selling import sold
    from flowc.settings import catalog_place
    from flowc.settings.lookup import SettingsError

    world = World(words)  # one call after another, each with an end, however slowly a reply drips
    path = catalog_place(os.environ, world.home)
    if path is None:
        raise SettingsError("there is no home directory to keep a catalog in", "set XDG_STATE_HOME to a folder")
    old = _old(path)
    try:
        client = world.client()
        try:
            found, left_out = sold(client, Sold)
        finally:
            client.close()
        today = time.strftime("%Y-%m-%d", time.gmtime())
        document = _checked(refreshed(old, found, today))
    except ProviderError:
        tell(f"nothing is changed: prices are still of {old.as_of} ({old.source})")
        raise
    new = make(REFRESHED, document["as_of"], document["regions"], document["instance_types"])
    lines = changes(old, new)
    if not words.flag("dry_run"):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_new(path, sealed(document).encode())
    said = "".join(f"{line}\n" for line in lines)
    terminal.write(sys.stdout, said)
    for line in left_out:
        tell(line)
    told = plural(len(lines), "change") if lines else "no change"
    tell(f"{told} since {old.as_of} ({old.source}); {plural(len(found), 'offer')} now{_written(words)}")
    return DONE


def _written(words: Words) -> str:
    return "; nothing is written" if words.flag("dry_run") else ""


def _old(path: str) -> Catalog:
    """The copy that there is; the bundled catalog where there is none, or none that can be read."""
    from flowc import catalog
    from flowc.cli.tasks.world import tell
    from flowc.diag.sink import Sink

    if os.path.lexists(path):
        sink = Sink()
        found = catalog.load(path, sink)
        if found is not None:
            return found
        tell(f"your copy is made anew: {sink.diagnostics[0].message}")
    return catalog.bundled()


def _checked(document: dict[str, Any]) -> dict[str, Any]:
    """The document in the form that every catalog has. Raises MalformedReplyError for what is no catalog."""
    from pydantic import ValidationError

    from flowc.catalog.schema import CatalogFile
    from flowc.providers.errors import MalformedReplyError

    try:
        return CatalogFile.model_validate(document).model_dump(mode="json", exclude={"seal"})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise MalformedReplyError(f"what the provider sells is no catalog: {place}: {first['msg']}") from None

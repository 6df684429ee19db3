"""Machines of the catalog: a table for people, a document for programs."""

from __future__ import annotations

import os
import sys

from flowc.catalog.find import Wanted
from flowc.catalog.find import find as found
from flowc.cli import terminal
from flowc.cli.arguments import UsageError
from flowc.cli.status import DONE, ERRORS, WORLD_FAILED
from flowc.diag.excerpt import visible
from flowc.ir.units import parse_usd, usd_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.catalog.model import Catalog, Offer
    from flowc.cli.arguments import Words


def show(words: Words, *, find: bool) -> int:
    """The exit status: 1 where nothing is so. Raises UsageError."""
    table = _table(words)
    if table is None:
        return WORLD_FAILED
    wanted = _wanted(words, table)
    offers = found(table, wanted, sort=words.text("sort") or ("price" if find else "name"))
    limit = words.text("limit")
    offers = offers[: int(limit)] if limit is not None else offers
    if words.text("format") == "json":
        from flowc.ir.encode import dumps

        terminal.write(sys.stdout, dumps(_document(table, offers)), encoding="utf-8")
        return DONE if offers else ERRORS
    if offers:
        terminal.write(sys.stdout, _lines(offers))
    else:
        terminal.write(sys.stderr, f"flowc: no machine is so{_nearest(table, wanted)}\n")
    terminal.write(sys.stderr, _age(table))
    return DONE if offers else ERRORS


def _table(words: Words) -> Catalog | None:
    from flowc import catalog
    from flowc.diag.render import render
    from flowc.diag.sink import Sink
    from flowc.settings import catalog_copy, home_of

    sink = Sink()
    named = words.text("catalog")
    path = named or catalog_copy(os.environ, home_of(os.environ))
    table = catalog.load(path, sink, own=named is None)
    if sink.diagnostics:
        colours = terminal.palette(sys.stderr, os.environ)
        terminal.write(sys.stderr, render(path or "", tuple(sink.diagnostics), colours, terminal.width(sys.stderr)))
    return table


def _wanted(words: Words, table: Catalog) -> Wanted:
    """Raises UsageError for what nothing can be."""
    from flowc.catalog.names import Mistake, parse_instance_type

    names = words.operands[1:]
    for name in names:
        parsed = parse_instance_type(name)
        known = table.named(name.strip().lower()) is not None or "*" in name
        if isinstance(parsed, Mistake) and not known:
            meant = f"did you mean `{parsed.suggestion}`?" if parsed.suggestion else "8xh100, h100-80gb.sxm.8x"
            raise UsageError(f"`{name}` is no instance type: {parsed.reason}", meant)
    most = None
    if (text := words.text("max_price")) is not None:
        most = parse_usd(text)
        if most is None:
            raise UsageError(f"`--max-price {text}` is no price", "USD as a decimal number: 12.50")
    numbers: dict[str, Any] = {
        field: int(words.text(key) or 0)
        for field, key in (
            ("gpus", "gpus"),
            ("gpu_memory_gb", "gpu_memory"),
            ("cpus", "cpus"),
            ("memory_gb", "memory"),
            ("disk_gb", "disk"),
            ("available", "available"),
        )
    }
    return Wanted(
        names=names,
        gpu=words.text("gpu"),
        regions=words.texts("region"),
        clouds=words.texts("cloud"),
        most=most,
        hidden=words.flag("all"),
        **numbers,
    )


def _nearest(table: Catalog, wanted: Wanted) -> str:
    """Which one thing that is wanted would have to go, and for what."""
    names = {
        **{"names": "TYPE", "gpu": "--gpu", "gpus": "--gpus", "gpu_memory_gb": "--gpu-memory", "cpus": "--cpus"},
        **{"memory_gb": "--memory", "disk_gb": "--disk", "regions": "--region", "clouds": "--cloud"},
        **{"most": "--max-price", "available": "--available"},
    }
    for field in ("regions", "most", "available", "clouds", "gpus", "cpus", "memory_gb", "disk_gb", "gpu_memory_gb"):
        if getattr(wanted, field) == Wanted.DEFAULTS[field]:
            continue
        without = found(table, wanted.replace(**{field: Wanted.DEFAULTS[field]}))
        if without:
            best = without[0]
            return f"; without `{names[field]}` there is {best.type.name} in {best.region} at {best.price}"
    return f"; there are {', '.join(sorted({each.type.family for each in table.offers}))}"


def _lines(offers: list[Offer]) -> str:
    clouds = len({each.cloud for each in offers} - {"mithril"}) > 0
    head = ("TYPE", "REGION", "GPUS", "GPU GB", "CPUS", "GIB", "MARKET/H", "PER GPU", "MIN/H", "WINS AT", "FREE")
    rows = [(("CLOUD",) if clouds else ()) + head]
    for each in offers:
        machine = each.type
        row = (
            visible(machine.name) + ("" if each.offered else " (not offered)"),
            visible(each.region),
            f"{machine.gpus} {machine.family.upper()}",
            str(machine.gpu_memory_gb),
            _or_unknown(machine.cpus),
            _or_unknown(machine.memory_gb),
            _usd(each.market),
            "-" if each.market is None else _usd(-(-each.market // machine.gpus)),
            _usd(each.minimum),
            _usd(each.winning),
            _or_unknown(each.available),
        )
        rows.append(((each.cloud,) if clouds else ()) + row)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    first = 3 if clouds else 2
    return "".join(
        "  ".join(
            text.ljust(width) if column <= first else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        + "\n"
        for row in rows
    )


def _or_unknown(number: int | None) -> str:
    return "-" if number is None else str(number)


def _usd(amount: int | None) -> str:
    return "-" if amount is None else f"${usd_text(amount)}"


def _age(table: Catalog) -> str:
    import time

    from flowc.cli.money.age import age

    return f"prices: {visible(table.source)} catalog, {age(table.as_of, time.strftime('%Y-%m-%d', time.gmtime()))}\n"


def _document(table: Catalog, offers: list[Offer]) -> dict[str, Any]:
    def usd(amount: int | None) -> str | None:
        return None if amount is None else usd_text(amount)

    rows = [
        {
            "instance_type": each.type.name,
            "cloud": each.cloud,
            "region": each.region,
            "fid": each.fid,
            "gpu_model": each.type.family,
            "gpus": each.type.gpus,
            "gpu_memory_gb": each.type.gpu_memory_gb,
            "cpus": each.type.cpus,
            "memory_gb": each.type.memory_gb,
            "disk_gb": each.type.disk_gb,
            "market_usd_per_instance_hour": usd(each.market),
            "minimum_usd_per_instance_hour": usd(each.minimum),
            "winning_usd_per_instance_hour": usd(each.winning),
            "available": each.available,
            "offered": each.offered,
            "source": each.source,
            "as_of": each.as_of or table.as_of,
        }
        for each in offers
    ]
    return {
        "format": "flowc.catalog/1",
        "catalog": {"source": table.source, "as_of": table.as_of},
        "machines": rows,
    }

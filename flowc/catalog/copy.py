"""The user's own copy of the catalog, which `flowc catalog refresh` writes: a catalog file with a seal.

The seal is the digest of all else. A file whose seal holds has been checked when it was written, and is read without
what checking costs; one that somebody has changed is checked as any file that a user names.
"""

from __future__ import annotations

from flowc.digest import sha256_hex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.catalog.model import Catalog, InstanceType, Offer

# What a catalog is called that was refreshed: where it lies is nobody's business.
REFRESHED = "refreshed"
# How its text begins.
SEALED = '{\n "seal"'


def sealed(document: dict[str, Any]) -> str:
    """The text of the copy."""
    import json

    return json.dumps({"seal": _seal(document), **document}, indent=1, ensure_ascii=False) + "\n"


def opened(text: str) -> dict[str, Any] | None:
    """The document of a copy whose seal holds, else None. Never raises."""
    import json

    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    seal = content.pop("seal", None) if isinstance(content, dict) else None
    return content if seal is not None and seal == _seal(content) else None


def _seal(document: dict[str, Any]) -> str:
    import json

    return sha256_hex(json.dumps(document, sort_keys=True, separators=(",", ":")).encode())


def document(table: Catalog) -> dict[str, Any]:
    """A catalog in the form of its file."""
    offers: dict[InstanceType, list[dict[str, Any]]] = {each: [] for each in table.types}
    for offer in sorted((*table.offers, *table.hidden, *table.elsewhere), key=lambda each: each.region):
        offers[offer.type].append(_offer(offer))
    return {
        "as_of": table.as_of,
        "regions": sorted(table.regions),
        "instance_types": [{**_type(each), "offers": its} for each, its in offers.items()],
    }


def _type(each: InstanceType) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(each).items()}


def _offer(offer: Offer) -> dict[str, Any]:
    from flowc.ir.units import usd_text

    def usd(amount: int | None) -> str | None:
        return None if amount is None else usd_text(amount)

    return {
        "cloud": offer.cloud,
        "region": offer.region,
        "fid": offer.fid,
        "minimum_usd": usd(offer.minimum),
        "market_usd": usd(offer.market),
        "winning_usd": usd(offer.winning),
        "available": offer.available,
        "offered": offer.offered,
        "source": offer.source,
        "as_of": offer.as_of,
    }

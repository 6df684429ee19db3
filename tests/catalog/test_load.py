"""The bundled catalog, and catalogs that users bring."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowc import catalog
from flowc._compiled.gpu_models import FAMILIES
from flowc.catalog.model import Catalog
from flowc.catalog.names import Parsed, parse_instance_type
from flowc.diag.sink import Sink
from flowc.ir.units import parse_usd

DATA = Path(__file__).resolve().parents[2] / "flowc" / "data" / "catalog.yaml"


def content() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(_content())
    return loaded


@cache
def _content() -> str:
    """Read once: each test changes something else of it."""
    return json.dumps(yaml.safe_load(DATA.read_text()))


def written(folder: Path, document: object, name: str = "catalog.json") -> str:
    path = folder / name
    path.write_text(json.dumps(document))
    return str(path)


def test_bundled_catalog_is_made_once() -> None:
    assert catalog.bundled() is catalog.load(None, Sink())
    assert catalog.bundled().source == "bundled"


def test_what_is_offered() -> None:
    found = catalog.bundled()
    assert {family: found.sold_counts(family) for family in found.families} == {
        "a100": (1, 2, 4, 8),
        "h100": (1, 8),
        "h200": (1, 8),
        "b200": (8,),
    }


def test_offers_are_in_order_of_price() -> None:
    ranks = [(offer.rank, offer.type.gpus, offer.type.name) for offer in catalog.bundled().offers]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("row", content()["instance_types"], ids=lambda row: row["name"])
def test_row_of_the_bundled_data_is_sound(row: dict[str, Any]) -> None:
    assert row["family"] in FAMILIES
    assert row["name"].endswith(f".{row['gpus']}x")
    for offer in row["offers"]:
        assert offer["region"] in content()["regions"]
        for price in (offer["minimum_usd"], offer["market_usd"]):
            assert price is None or parse_usd(price)
        if offer["minimum_usd"] and offer["market_usd"]:
            assert (parse_usd(offer["market_usd"]) or 0) >= (parse_usd(offer["minimum_usd"]) or 0)


def test_more_gpus_of_a_family_never_rank_cheaper_in_a_region() -> None:
    for one in catalog.bundled().offers:
        for other in catalog.bundled().offers:
            if (one.type.family, one.region) == (other.type.family, other.region):
                assert one.type.gpus <= other.type.gpus or one.rank >= other.rank


def test_provider_names_of_the_grammar_read_back() -> None:
    for each in catalog.bundled().types:
        parsed = parse_instance_type(each.name)
        if isinstance(parsed, Parsed):
            assert (parsed.family, parsed.count) == (each.family, each.gpus)
            assert parsed.memory_gb in (None, each.gpu_memory_gb)
        assert catalog.bundled().named(each.name) is each


@pytest.mark.parametrize("name", ["catalog.json", "catalog.yaml", "catalog.yml", "catalog"])
def test_users_file_of_the_same_form(name: str, tmp_path: Path) -> None:
    sink = Sink()
    found = catalog.load(written(tmp_path, content(), name), sink)
    assert isinstance(found, Catalog)
    assert sink.diagnostics == []
    assert [offer.price for offer in found.offers] == [offer.price for offer in catalog.bundled().offers]
    assert found.source.endswith(name)


def mistakes() -> list[tuple[str, Any]]:
    def change(path: str, value: object) -> dict[str, Any]:
        document: Any = content()
        *inner, last = path.split(".")
        place = document
        for key in inner:
            place = place[int(key) if key.isdigit() else key]
        if value is None:
            del place[last]
        else:
            place[last] = value
        result: dict[str, Any] = document
        return result

    return [
        ("as_of", change("as_of", None)),
        ("as_of", change("as_of", "today")),
        ("instance_types", change("instance_types", [])),
        ("instance_types.0.gpus", change("instance_types.0.gpus", 0)),
        ("instance_types.0.offers.0.market_usd", change("instance_types.0.offers.0.market_usd", "$12")),
        ("instance_types.0.offers.0.region", change("instance_types.0.offers.0.region", "us-east-1")),
        ("surprise", change("surprise", 1)),
        ("the file", []),
        ("the file", "text"),
    ]


@pytest.mark.parametrize(("place", "document"), mistakes())
def test_mistake_in_a_users_file_is_named_by_its_place(place: str, document: object, tmp_path: Path) -> None:
    sink = Sink()
    assert catalog.load(written(tmp_path, document), sink) is None
    assert [each.code.id for each in sink.diagnostics] == ["FC613"]
    assert f": {place}: " in sink.diagnostics[0].message


def test_catalog_that_offers_nothing_is_refused(tmp_path: Path) -> None:
    document = content()
    for row in document["instance_types"]:
        row["offers"] = []
    sink = Sink()
    assert catalog.load(written(tmp_path, document), sink) is None
    assert "none of them is offered" in sink.diagnostics[0].message


@pytest.mark.parametrize("data", [b"{", b"\xff\xfe", b"[" * 100_000, b"a: [", b'{"as_of": 1e999}'])
@pytest.mark.parametrize("name", ["catalog.json", "catalog.yaml"])
def test_bytes_that_are_no_catalog_end_in_a_diagnostic(data: bytes, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    sink = Sink()
    assert catalog.load(str(path), sink) is None
    assert sink.failed


@pytest.mark.parametrize("path", ["", "no/such/file", "\0"])
def test_file_that_cannot_be_read(path: str) -> None:
    sink = Sink()
    assert catalog.load(path, sink) is None
    assert [each.code.id for each in sink.diagnostics] == ["FC612"]


def test_users_ids_prices_and_sizes_are_used(tmp_path: Path) -> None:
    document = content()
    document["instance_types"] = document["instance_types"][4:5]
    document["instance_types"][0]["offers"][0].update(fid="it_new", market_usd="2.5")
    found = catalog.load(written(tmp_path, document), Sink())
    assert found is not None
    (offer,) = found.offers
    assert (offer.fid, offer.rank, offer.rank_kind) == ("it_new", 2_500_000, "its market price")


@pytest.mark.parametrize("quotes", ["", '"'])
@pytest.mark.parametrize("name", ["catalog.json", "catalog.yaml"])
def test_prices_and_dates_need_no_quotes(tmp_path: Path, name: str, quotes: str) -> None:
    offer = f'{{"region": "us-central1-a", "market_usd": {quotes}12.03{quotes}, "minimum_usd": {quotes}8{quotes}}}'
    row = f'{{"name": "h100.8x", "family": "h100", "gpus": 8, "gpu_memory_gb": 80, "form": "sxm", "offers": [{offer}]}}'
    day = "2026-09-20" if name.endswith("yaml") and not quotes else '"2026-09-20"'
    (tmp_path / name).write_text(f'{{"as_of": {day}, "regions": ["us-central1-a"], "instance_types": [{row}]}}')
    sink = Sink()
    found = catalog.load(str(tmp_path / name), sink)
    assert [each.message for each in sink.diagnostics] == []
    assert found is not None
    assert (found.as_of, found.offers[0].type.gpus, found.offers[0].market) == ("2026-09-20", 8, parse_usd("12.03"))

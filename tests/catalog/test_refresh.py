"""A catalog with what the provider says today; the copy with its seal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flowc import catalog
from flowc.catalog.copy import REFRESHED, document, opened, sealed
from flowc.catalog.load import make
from flowc.catalog.model import Catalog
from flowc.catalog.refresh import Sold, changes, family_of, refreshed
from flowc.catalog.schema import CatalogFile
from flowc.diag.sink import Sink

TODAY = "2026-11-29"


def sold(**values: Any) -> Sold:
    usual = {
        **{"name": "h100-80gb.sxm.8x", "fid": "it_new1", "region": "us-central2-a", "gpu_type": "H100", "gpus": 8},
        **{"gpu_memory_gb": 80, "socket": "SXM5", "cpus": 168, "memory_gb": 1814, "disk_gb": 12500},
        **{"market": "11.5", "minimum": "8", "winning": "12.75", "available": 3},
    }
    return Sold(**{**usual, **values})


def table_of(content: dict[str, Any]) -> Catalog:
    CatalogFile.model_validate(content)
    return make(REFRESHED, content["as_of"], content["regions"], content["instance_types"])


def after(*rows: Sold) -> Catalog:
    return table_of(refreshed(catalog.bundled(), rows, TODAY))


def test_prices_ids_and_days_are_the_providers() -> None:
    offer = after(sold()).offer("h100-80gb.sxm.8x", "us-central2-a")
    assert offer is not None
    assert (offer.market, offer.minimum, offer.winning, offer.available) == (11_500_000, 8_000_000, 12_750_000, 3)
    assert (offer.fid, offer.source, offer.as_of) == ("it_new1", "provider's API", TODAY)


def test_an_older_id_and_name_are_still_understood() -> None:
    found = after(sold(), sold(name="ccs-h200.sxm.8x", fid="it_new2", gpu_type="H200"))
    for fid in ("it_XqgKWbhZ5gznAYsG", "it_new1"):
        assert (found.with_fid(fid) or found.types[0]).name == "h100-80gb.sxm.8x"
    assert (found.named("h200.8x") or found.types[0]).name == "ccs-h200.sxm.8x"


def test_what_is_no_longer_sold_is_known_by_name_alone() -> None:
    found = after(sold())
    assert found.named("neb-b200.sxm.8x") is not None
    assert [each.type.name for each in found.offers] == ["h100-80gb.sxm.8x"]


def test_what_is_new_is_offered_and_what_is_no_gpu_is_not() -> None:
    found = after(sold(name="h100-new.8x"), sold(name="v6e-8", gpu_type="TPU v6e", socket=""))
    assert [(each.type.name, each.type.form) for each in found.offers] == [("h100-new.8x", "sxm")]
    assert [(each.type.name, each.type.family) for each in found.hidden] == [("v6e-8", "tpu-v6e")]


def test_what_was_not_offered_stays_so() -> None:
    found = after(sold(), sold(name="neb-b200.sxm.1x", region="us-central5-a", gpu_type="B200", gpus=1))
    assert [each.type.name for each in found.hidden] == ["neb-b200.sxm.1x"]


def test_changes_are_told_for_each_offer() -> None:
    new = after(sold(), sold(region="us-new1-b", fid="it_x"))
    told = changes(catalog.bundled(), new)
    assert (
        "~ h100-80gb.sxm.8x in us-central2-a: market $12.03 -> $11.50, lowest winning unknown -> $12.75, "
        "free unknown -> 3, id it_XqgKWbhZ5gznAYsG -> it_new1" in told
    )
    assert "- neb-b200.sxm.8x in us-central5-a" in told
    assert any(line.startswith("+ h100-80gb.sxm.8x in us-new1-b: market $11.50, minimum $8.00") for line in told)
    assert changes(new, new) == []


@pytest.mark.parametrize(
    ("word", "family"), [("H100", "h100"), ("NVIDIA H200", "h200"), ("A100", "a100"), ("Quantum 9", "quantum-9")]
)
def test_families_are_read_from_the_providers_words(word: str, family: str) -> None:
    assert family_of(word) == family


def test_a_catalog_goes_to_its_file_and_back() -> None:
    again = table_of(document(catalog.bundled()))
    assert document(again) == document(catalog.bundled())
    assert [each.price for each in again.offers] == [each.price for each in catalog.bundled().offers]


def test_a_sealed_copy_is_read_as_refreshed(tmp_path: Path) -> None:
    path = tmp_path / "catalog.json"
    path.write_text(sealed(document(catalog.bundled())))
    found = catalog.load(str(path), Sink())
    assert found is not None
    assert found.source == REFRESHED


def test_a_copy_that_somebody_changed_is_checked_again(tmp_path: Path) -> None:
    text = sealed(document(catalog.bundled()))
    path = tmp_path / "catalog.json"
    path.write_text(text.replace('"12.03"', '"13.03"'))
    found = catalog.load(str(path), Sink())
    assert found is not None
    assert found.source == str(path)
    sink = Sink()
    path.write_text(text.replace('"12.03"', '"$13.03"'))
    assert catalog.load(str(path), sink) is None
    assert sink.failed


@pytest.mark.parametrize("cut", range(0, 4000, 371))
def test_a_copy_that_is_cut_is_no_copy(cut: int) -> None:
    assert opened(sealed(document(catalog.bundled()))[:cut]) is None


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, "1", '{"seal": 1}', '{"seal": null}', json.dumps({"a": 1})])
def test_what_has_no_seal_is_no_copy(text: str) -> None:
    assert opened(text) is None

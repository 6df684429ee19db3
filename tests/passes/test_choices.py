"""Several kinds of machine of which any will do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc import catalog
from flowc.ir.job import Choice, Placement, Pricing
from flowc.ir.unit import Unit
from flowc.source import Source, Span
from tests.passes.units import codes, error, plan, run, unit

GIB = 1 << 30
H100, A100, H200 = (Choice(gpu_model=model, gpus_per_node=8) for model in ("H100", "A100-80GB", "H200"))
V100, SMALL = Choice(gpu_model="V100", gpus_per_node=8), Choice(gpu_model="H100", gpus_per_node=3)

CHOSEN: list[tuple[dict[str, Any], str]] = [
    ({"choices": (H100, A100)}, "a100-80gb.sxm.8x"),
    ({"choices": (H200, H100)}, "h100-80gb.sxm.8x"),
    ({"choices": (H100, A100), "choices_ordered": True}, "h100-80gb.sxm.8x"),
    ({"choices": (V100, H200, A100), "choices_ordered": True}, "ccs-h200.sxm.8x"),
    ({"choices": (V100, H200)}, "ccs-h200.sxm.8x"),
    ({"choices": (Choice(name="8xh100"), Choice(name="8xh200")), "choices_ordered": True}, "h100-80gb.sxm.8x"),
    ({"choices": (Choice(name="4xh100"), Choice(name="2xa100"))}, "a100-80gb.sxm.2x"),
    # Each choice overrides only what it sets.
    ({"gpus_per_node": 8, "choices": (Choice(gpu_model="h200"), Choice(gpu_model="b200"))}, "ccs-h200.sxm.8x"),
    ({"gpu_model": "h100", "choices": (Choice(gpus_per_node=8), Choice(gpus_per_node=1))}, "h100-80gb.sxm.1x"),
    ({"gpus_per_node": 8, "choices": (Choice(gpu_model="a100", gpus_per_node=2), H100)}, "a100-80gb.sxm.2x"),
    ({"choices": (Choice(gpu_memory_bytes=100 * GIB), Choice(gpu_memory_bytes=150 * GIB))}, "ccs-h200.sxm.1x"),
    ({"alternatives": ("1xa100",), "choices": (H100, H200)}, "h100-80gb.sxm.8x"),
    ({"alternatives": ("8xh100",), "choices": (Choice(regions=("us-central1-b",)), Choice())}, "h100-80gb.sxm.8x"),
    (
        {"gpu_model": "a100", "gpus_per_node": 1, "choices": (Choice(cpus_per_node=100), Choice(cpus_per_node=50))},
        "a100-80gb.sxm.2x",
    ),
    (
        {"choices": (Choice(gpu_model="a100", gpus_per_node=1, memory_bytes_per_node=500 * GIB), H200)},
        "a100-80gb.sxm.4x",
    ),
    # Instance types are in order of preference.
    ({"alternatives": ("8xh200", "8xh100")}, "ccs-h200.sxm.8x"),
    ({"alternatives": ("4xh200", "8xh100")}, "h100-80gb.sxm.8x"),
]


@pytest.mark.parametrize(("fields", "machine"), CHOSEN)
def test_choice(fields: dict[str, Any], machine: str) -> None:
    found = plan(**fields)
    assert found.instance_type == machine
    assert sum(each.chosen for each in found.candidates) == 1


def test_what_is_passed_over_is_one_note_with_the_reasons() -> None:
    done, (note,) = run(unit(choices=(V100, Choice(name="4xh100"), H100), choices_ordered=True))
    assert (note.code.name, note.severity) == ("choices-passed-over", "note")
    assert note.message == (
        "2 of 3 choices passed over: `V100:8` (no machine with V100 GPUs is sold); "
        "no machine `4xh100` is sold: H100 is sold with 1 or 8 GPUs of 80 GB"
    )
    assert note.span is not None
    assert done.plan is not None
    reasons = {each.instance_type: each.reason for each in done.plan.candidates}
    assert reasons["V100:8"].startswith("no machine with V100 GPUs is sold: what is sold has")
    assert reasons["4xh100"].startswith("no machine `4xh100` is sold")
    assert done.plan.candidates[0].reason.startswith("the first choice that fits, $12.03")


def test_what_comes_after_the_first_that_fits_is_not_spoken_of() -> None:
    done, found = run(unit(choices=(H100, A100, V100), choices_ordered=True))
    assert found == []
    assert done.plan is not None
    assert any(each.reason.startswith("a later choice: $0.08") for each in done.plan.candidates)


def test_machine_with_idle_gpus_warns_as_without_choices() -> None:
    done, found = run(unit(choices=(SMALL, V100)))
    assert [each.code.name for each in found] == ["choices-passed-over", "gpus-stay-idle"]
    assert done.plan is not None
    assert (done.plan.gpus_per_node, done.plan.gpus_visible) == (8, 3)


def test_none_fits_is_one_error_with_all_reasons() -> None:
    found = error(
        choices=(V100, Choice(gpu_model="mi300x", gpus_per_node=8), Choice(gpu_model="h100", gpus_per_node=16))
    )
    assert found.code.name == "choices-unavailable"
    for word in ("none of 3 choices", "V100 GPUs is sold", "made by AMD", "16 GPUs on one node; the largest"):
        assert word in found.message
    assert "`8xh100`" in (found.help or "")
    assert found.span is not None
    assert error(alternatives=("4xh100", "2xh200")).code.name == "choices-unavailable"


def test_one_choice_is_as_none() -> None:
    assert error(choices=(V100,)).code.name == "gpu-model-not-sold"
    assert error(alternatives=("4xh100",)).code.name == "instance-type-not-sold"
    assert error(alternatives=("4xh100", "4xh100")).code.name == "instance-type-not-sold"
    assert codes(choices=(H100, H100)) == []


def test_misspelt_name_is_an_error_wherever_it_stands() -> None:
    assert codes(alternatives=("a100x8", "4xh100", "8xh100")) == ["instance-type-unreadable"]
    assert codes(alternatives=("8xh100", "a100x8")) == ["instance-type-unreadable"]
    assert codes(choices=(H100, Choice(name="h100x8"))) == ["instance-type-unreadable"]


@pytest.mark.parametrize("ordered", [False, True])
def test_unknown_model_is_passed_over_with_a_warning(ordered: bool) -> None:
    unknown = Choice(gpu_model="h1000", gpus_per_node=8)
    _, (warning,) = run(unit(choices=(unknown, H100), choices_ordered=ordered))
    assert (warning.code.name, warning.severity) == ("choice-unknown", "warning")
    assert warning.help == "did you mean `h100`?"
    assert "choice-unknown" in codes(choices=(H100, unknown), choices_ordered=ordered)


def test_choice_that_costs_more_than_the_cap_is_passed_over() -> None:
    fields = {"choices": (H200, A100), "choices_ordered": True, "pricing": Pricing(max_usd_per_instance_hour="7")}
    done, found = run(unit(**fields))
    assert done.plan is not None
    assert done.plan.instance_type == "a100-80gb.sxm.8x"
    assert "`H200:8` (`ccs-h200.sxm.8x` is not sold below $8.00 an hour)" in found[0].message


def test_region_of_a_choice_wins_over_that_of_the_job() -> None:
    here, there = (
        Choice(gpu_model="h100", gpus_per_node=8, regions=(region,)) for region in ("us-central1-b", "us-central3-a")
    )
    done, found = run(unit(choices=(there, here), placement=Placement(regions=("us-central2-a",))))
    assert done.plan is not None
    assert done.plan.region == "us-central1-b"
    assert "`H100:8 in us-central3-a`" not in found[0].message
    assert "offered in `us-central3-a`" in found[0].message


def test_region_of_a_choice_must_have_the_form_of_one() -> None:
    found = error(choices=(H100, Choice(regions=("us-east-1",))))
    assert found.code.name == "region-form"


def from_flags(each: Unit, *paths: str) -> Unit:
    """The unit as if these fields came from the command line."""
    flags = Source("<command line>", "-i 8xh100")
    return each.replace(origins={**each.origins, **dict.fromkeys(paths, Span(flags, 0, 2))})


def test_command_line_wins_over_choices() -> None:
    each = from_flags(unit(choices=(A100, H200), alternatives=("8xh100",)), "resources.alternatives")
    done, found = run(each)
    assert found == []
    assert done.plan is not None
    assert done.plan.instance_type == "h100-80gb.sxm.8x"
    choice = Choice(gpu_model="h100", gpus_per_node=8, regions=("us-central1-b",))
    each = from_flags(
        unit(choices=(choice, H200), placement=Placement(regions=("us-central2-a",))), "placement.regions"
    )
    done, _ = run(each)
    assert done.plan is not None
    assert done.plan.region == "us-central2-a"


def test_finding_points_at_its_own_choice() -> None:
    source = Source("job.yaml", "first second")
    each = unit(choices=(V100, Choice(gpu_model="a100", gpus_per_node=3)))
    origins = {"resources.choices.0": Span(source, 0, 5), "resources.choices.1": Span(source, 6, 12)}
    _, found = run(each.replace(source=source, origins={**each.origins, **origins}))
    assert {found_.code.name: found_.span.text for found_ in found if found_.span is not None} == {
        "choices-passed-over": "first",
        "gpus-stay-idle": "second",
    }


@pytest.mark.parametrize("field", ["choices", "alternatives"])
def test_number_of_choices_is_bounded(field: str) -> None:
    many = {"choices": (H100,) * 201, "alternatives": ("8xh100",) * 201}
    assert error(**{field: many[field]}).code.name == "too-many-choices"


KINDS = st.builds(
    Choice,
    name=st.none() | st.sampled_from(["8xh100", "4xh100", "a100", "1xh200"]),
    gpu_model=st.none() | st.sampled_from(["h100", "a100", "v100", "odd", "mi300x", "b200"]),
    gpu_memory_bytes=st.none() | st.integers(1, 300).map(lambda gib: gib * GIB),
    gpus_per_node=st.none() | st.integers(1, 9),
    cpus_per_node=st.none() | st.integers(1, 300),
    regions=st.lists(st.sampled_from(["us-central2-a", "us-central9-z"]), max_size=1).map(tuple),
)


@given(st.lists(KINDS, min_size=2, max_size=5), st.booleans())
def test_every_list_of_choices_gets_a_plan_or_one_reason(choices: list[Choice], ordered: bool) -> None:
    done, found = run(unit(choices=tuple(choices), choices_ordered=ordered))
    errors = [each for each in found if each.severity == "error"]
    assert len(errors) == (done.plan is None)
    assert all("None" not in each.message for each in found)
    singles = [run(unit(choices=(each,)))[0].plan for each in choices]
    assert (done.plan is None) == all(each is None for each in singles)
    if done.plan is None:
        return
    offers = {(offer.type.name, offer.region): offer.rank for offer in catalog.bundled().offers}
    ranks = [offers.get((each.instance_type, each.region or "")) for each in singles if each is not None]
    names = [each.instance_type for each in singles if each is not None]
    if ordered:
        assert done.plan.instance_type == names[0]
    elif None not in ranks:
        assert offers[done.plan.instance_type, done.plan.region or ""] == min(
            rank for rank in ranks if rank is not None
        )

"""`flowc price`: a page that a person signs, and the plan for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from flowc.cli.money.age import age, days
from tests.cli.conftest import Outcome

Flowc = Callable[..., Outcome]
JOB = "#!/bin/bash\n#SBATCH {} --job-name=train\nhostname\n"
HOUR = "--gpus-per-node=h100:8 --time=1:00:00"
SPREAD = "--nodes=4 --gres=gpu:h100:2 --ntasks-per-node=2 --time=10:00:00"


def write(folder: Path, name: str, options: str = HOUR) -> str:
    (folder / name).write_text(JOB.format(options))
    return name


def row(page: str, name: str) -> str:
    """What stands behind a word at the beginning of a line; there must be one."""
    (found,) = re.findall(rf"^ *{name}  +(.*)$", page, re.MULTILINE)
    return str(found)


def test_the_page_says_what_was_asked_chosen_and_what_it_costs(folder: Path, flowc: Flowc) -> None:
    page = flowc("price", write(folder, "a.sbatch")).out
    assert row(page, "asked") == "1 node; 8 h100 GPUs on each node"
    assert row(page, "chosen") == "1 x h100-80gb.sxm.8x in us-central2-a, 8 H100 GPUs each"
    assert row(page, "market") == "$12.03 an hour for a machine"
    assert row(page, "limit") == "$64.00 an hour for a machine"
    assert row(page, "time limit") == "1 h"
    assert row(page, "worst case") == "$64.00: $64.00 an hour x 1 h"
    assert row(page, "expected") == "$12.03"
    assert "h100-80gb.sxm.1x  us-central2-a  `h100-80gb.sxm.1x` has 1 GPU, not 8" in page
    assert re.search(r"^prices  bundled catalog, of \d{4}-\d\d-\d\d, \d+ days? old", page, re.MULTILINE)
    assert "signed" in page
    assert "sum of" not in page


def test_packing_is_offered_with_its_price(folder: Path, flowc: Flowc) -> None:
    page = flowc("price", write(folder, "a.sbatch", SPREAD)).out
    assert row(page, "worst case") == "$2560.00: $64.00 an hour x 10 h, 4 machines"
    assert (
        "4 x 2 GPUs packed on 1 machine of 8: 1 x h100-80gb.sxm.8x in us-central2-a, "
        "worst case $640.00, expected $120.30" in page
    )


def test_packing_is_done_where_the_flag_says_so(folder: Path, flowc: Flowc) -> None:
    name = write(folder, "a.sbatch", "--nodes=4 --ntasks=8 --gres=gpu:h100:2 --time=10:00:00")
    (folder / name).write_text((folder / name).read_text().replace("hostname", "srun ./a.out"))
    done = flowc("price", name, "--optimize", "cost")
    assert row(done.out, "asked") == "4 nodes; 2 h100 GPUs on each node; 8 tasks"
    assert row(done.out, "chosen") == "1 x h100-80gb.sxm.8x in us-central2-a, 8 H100 GPUs each"
    assert row(done.out, "why").startswith("the cheapest, 4 nodes packed, ")
    assert row(done.out, "worst case") == "$640.00: $64.00 an hour x 10 h"
    assert "cheaper\n" not in done.out
    assert "note[FC712] cost-optimized" in done.err


def test_a_choice_in_order_of_preference_gives_way_to_a_cheaper_one(folder: Path, flowc: Flowc) -> None:
    (folder / "b.yaml").write_text("run: hostname\nresources: {accelerators: [H200:8, H100:8]}\n")
    done = flowc("price", "b.yaml", "--time", "60", "--optimize", "cost")
    assert row(done.out, "chosen").startswith("1 x h100-80gb.sxm.8x in us-central2-a")
    assert "note[FC712]" in done.err
    assert flowc("price", "b.yaml", "--optimize", "speed").status == 2


def test_a_region_that_is_named_stays(folder: Path, flowc: Flowc) -> None:
    name = write(folder, "a.sbatch", "--gres=gpu:8 --time=60")
    page = flowc("price", name, "--region", "us-central2-b", "--optimize", "cost").out
    assert "in us-central2-b" in row(page, "chosen")
    assert "another region: 1 x a100-80gb.sxm.8x in us-central3-a" in page


def test_of_an_array_only_so_many_tasks_are_paid_at_once(folder: Path, flowc: Flowc) -> None:
    names = [write(folder, "a.sbatch", f"{HOUR} --array=1-10%2"), write(folder, "b.sbatch")]
    alone = flowc("price", names[0]).out
    assert row(alone, "limit") == "$64.00 an hour for a machine, $128.00 for 2 at once"
    assert row(alone, "worst case") == "$640.00: $64.00 an hour x 1 h, 10 machines"
    page = flowc("price", *names).out
    assert row(page[page.index("sum of") :], "machines") == "3 at once at most, for $192.00 an hour"


def test_another_region_is_offered_where_it_is_cheaper(folder: Path, flowc: Flowc) -> None:
    name = write(folder, "a.sbatch", "--gres=gpu:8 --time=60")
    page = flowc("price", name, "--region", "us-central2-b").out
    assert "another region: 1 x a100-80gb.sxm.8x in us-central3-a, worst case $48.00" in page
    assert "--region us-central3-a" in page


def test_a_later_choice_is_offered_where_it_is_cheaper(folder: Path, flowc: Flowc) -> None:
    (folder / "b.yaml").write_text("run: hostname\nresources: {accelerators: [H200:8, H100:8]}\n")
    page = flowc("price", "b.yaml", "--time", "60").out
    assert row(page, "chosen").startswith("1 x ccs-h200.sxm.8x")
    assert "another of the job's choices: 1 x h100-80gb.sxm.8x in us-central2-a, worst case $64.00" in page
    assert "--instance-type h100-80gb.sxm.8x --region us-central2-a" in page


def test_the_flags_of_a_way_give_its_price(folder: Path, flowc: Flowc) -> None:
    name = write(folder, "a.sbatch", "--gres=gpu:8 --time=60")
    again = flowc("price", name, "--region", "us-central3-a").out
    assert row(again, "worst case") == "$48.00: $48.00 an hour x 1 h"
    assert "cheaper\n" not in again


def test_several_jobs_have_a_sum_without_a_cent_of_drift(folder: Path, flowc: Flowc) -> None:
    names = [write(folder, f"{index}.sbatch", f"--gpus=h100:1 --time={index + 1}") for index in range(40)]
    done = flowc("price", *names)
    amounts = [Decimal(text) for text in re.findall(r"worst case  \$([0-9.]+): ", done.out)]
    (total,) = re.findall(r"sum of 40 jobs\n(?:.*\n)*?  worst case  \$([0-9.]+)$", done.out, re.MULTILINE)
    assert len(amounts) == 40
    assert sum(amounts) == Decimal(total)
    minutes = [Decimal(index + 1) * 8 / 60 for index in range(40)]
    assert all(exact <= told < exact + Decimal("0.01") for exact, told in zip(minutes, amounts, strict=True))


def test_what_has_no_bound_is_counted_apart(folder: Path, flowc: Flowc) -> None:
    names = [write(folder, "a.sbatch"), write(folder, "b.sbatch", "--gpus-per-node=h100:8")]
    page = flowc("price", *names).out
    assert "  worst case  $64.00, and 1 job without bound\n" in page
    assert "  worst case  without bound\n" in page


def test_json_is_the_plan(folder: Path, flowc: Flowc) -> None:
    names = [write(folder, "a.sbatch"), write(folder, "b.sbatch", SPREAD)]
    found: list[dict[str, Any]] = [json.loads(flowc("compile", name, "--emit", "plan").out) for name in names]
    one = flowc("price", names[0], "--format", "json")
    assert one.out == flowc("compile", names[0], "--emit", "plan").out
    both = json.loads(flowc("price", *names, "--format", "json").out)
    assert both == {"format": "flowc.plan/1", "jobs": [job for each in found for job in each["jobs"]]}


def test_a_source_with_errors_is_left_out_and_said(folder: Path, flowc: Flowc) -> None:
    good, bad = write(folder, "a.sbatch"), write(folder, "b.sbatch", "--gres=gpu:h100:2000 --time=5")
    done = flowc("price", good, bad)
    assert done.status == 1
    assert "left out    1 source with errors" in done.out
    assert "b.sbatch" in done.err
    alone = flowc("price", bad)
    assert (alone.status, alone.out) == (1, "")


def test_a_budget_holds_over_all_files(folder: Path, flowc: Flowc) -> None:
    names = [write(folder, "a.sbatch"), write(folder, "b.sbatch")]
    assert flowc("price", *names, "--budget", "128").status == 0
    done = flowc("price", *names, "--budget", "127.99")
    assert (done.status, done.out) == (1, "")
    assert "$128.00" in done.err


def test_a_command_has_a_price(folder: Path, flowc: Flowc) -> None:
    done = flowc("price", "--command", "python train.py", "-i", "8xh100", "--time", "90")
    assert row(done.out, "worst case") == "$96.00: $64.00 an hour x 1.5 h"


def test_nothing_to_price_is_wrong_usage(folder: Path, flowc: Flowc) -> None:
    done = flowc("price")
    assert done.status == 2
    assert "flowc price job.sbatch" in done.err


@pytest.mark.parametrize(
    ("first", "today", "passed"),
    [
        ("2026-09-20", "2026-09-20", 0),
        ("2026-09-20", "2026-09-21", 1),
        ("2024-02-28", "2024-03-01", 2),
        ("2023-02-28", "2023-03-01", 1),
        ("2025-12-31", "2026-01-01", 1),
        ("2000-01-01", "2026-11-29", 9829),
        ("2026-11-30", "2026-11-29", 0),
    ],
)
def test_days_are_those_of_the_calendar(first: str, today: str, passed: int) -> None:
    assert days(first, today) == passed


def test_an_age_is_said_in_words() -> None:
    assert age("2026-01-01", "2026-01-01") == "of 2026-01-01, of today"
    assert age("2026-01-01", "2026-01-02") == "of 2026-01-01, 1 day old"
    assert age("2026-01-01", "2026-01-15") == "of 2026-01-01, 14 days old"
    assert age("2026-01-01", "2026-01-16") == "of 2026-01-01, 15 days old; `flowc catalog refresh` asks for today's"

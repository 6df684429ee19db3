"""Het jobs whose steps run over their components: one bid where all come to one machine, else a refusal that helps."""

from __future__ import annotations

import json

import pytest

from flowc import driver
from flowc.driver import Result
from flowc.frontends.slurm.lowering.het import step_word
from flowc.source import Source
from tests.corpus import told

GPUS = "--gpus-per-node=h100:8"


def compiled(*components: str, text: str = "srun --het-group=0,1 ./a\n", args: tuple[str, ...] = ()) -> Result:
    lines = "\n#SBATCH hetjob\n".join(f"#SBATCH {each}" for each in components)
    source = Source("job.sbatch", f"#!/bin/bash\n#SBATCH -J both --time=60\n{lines}\n{text}")
    return driver.compile(source, told(args))


def codes(result: Result) -> list[str]:
    return [each.code.id for each in result.diagnostics]


def bids(result: Result) -> list[tuple[str, int]]:
    requests = json.loads(next(each.text for each in result.artifacts if each.name == "request.json"))["requests"]
    return [(each["body"]["name"], each["body"]["instance_quantity"]) for each in requests]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("srun --het-group=0,1 ./a\n", "--het-group"),
        ("srun --pack-group 1 ./a\n", "--pack-group"),
        ("srun ./a : ./b\n", "srun"),
        ("srun -n1 ./a \\\n  : -n2 ./b\n", "srun"),
        ("OPTIONS='--het-group=0-1'\nsrun $OPTIONS ./a\n", "--het-group"),
        ("echo $SLURM_JOB_NODELIST_HET_GROUP_1\n", "_HET_GROUP_"),
        ("v=SLURM_JOB_NODELIST_HET_GROUP_$i\n", "_HET_GROUP_"),
        ("srun --het-group=0 ./a\n", None),
        ('srun --het-group="0" ./a\nsrun ./b', None),
        ("srun --het-group=0", None),
        ("srun --het-group=$g ./a\n", "--het-group"),
        ("srun --het-group=0,2 ./a\n", "--het-group"),
        ("# srun --het-group=1 ./a\nsrun ./a\n", None),
        ("# SLURM_JOB_ID_HET_GROUP_1\necho $SLURM_HET_SIZE : a\n", None),
        ("srun ./a; echo a : b\n", None),
    ],
)
def test_what_names_other_components(text: str, word: str | None) -> None:
    found = step_word(text, shell=True)
    assert (None if found is None else text[slice(*found)]) == word


@pytest.mark.parametrize(
    ("text", "joins"),
    [
        ('subprocess.run(["srun", "./a", ":", "./b"])\n', True),
        ('subprocess.run(["srun", "--het-group=0,1", "./a"])\n', True),
        ('subprocess.run(["srun", "./a"])\nprint(":")\n', False),
    ],
)
def test_what_names_other_components_in_python(text: str, joins: bool) -> None:
    assert (step_word(text, shell=False) is not None) == joins


def test_components_that_get_one_machine_are_one_bid() -> None:
    result = compiled(f"-N1 {GPUS}", f"-N2 {GPUS}")
    assert bids(result) == [("both", 3)]
    assert "FC194" in codes(result)
    assert "FC189" not in codes(result)
    script = next(each.text for each in result.artifacts if each.name == "startup.plain.sh")
    assert "SLURM_JOB_NUM_NODES_HET_GROUP_1=2" in script
    assert "SLURM_JOB_NUM_NODES=1 " in script
    assert '/bin/agent" 3 1 2 ' in script


def test_without_such_steps_each_component_has_a_bid() -> None:
    result = compiled(f"-N1 {GPUS}", f"-N2 {GPUS}", text="srun ./a\n")
    assert bids(result) == [("both-het0", 1), ("both-het1", 2)]
    assert "FC189" in codes(result)
    assert "FC194" not in codes(result)


def test_a_dearer_machine_than_asked_for_is_taken_by_word_only() -> None:
    refused = compiled("-N1 -n4", f"-N2 {GPUS}")
    assert refused.failed
    (found,) = [each for each in refused.diagnostics if each.code.id == "FC195"]
    assert found.help is not None
    assert "`-i h100-80gb.sxm.8x` takes 3 machines" in found.help
    assert "$36.09 an hour" in found.help
    named = compiled("-N1 -n4", f"-N2 {GPUS}", args=("-i", "h100-80gb.sxm.8x"))
    assert bids(named) == [("both", 3)]


def test_no_machine_is_named_that_a_component_did_not_ask_for() -> None:
    result = compiled("-N1 --gpus-per-node=a100:8", f"-N1 {GPUS}")
    (found,) = [each for each in result.diagnostics if each.code.id == "FC195"]
    assert found.help is not None
    assert "-i " not in found.help
    more = compiled("--gpus=h100:8", "--gpus=1")
    (found,) = [each for each in more.diagnostics if each.code.id == "FC195"]
    assert found.help is not None
    assert "`-i h100-80gb.sxm.8x` takes 2 machines" in found.help


def test_the_budget_counts_all_machines() -> None:
    assert not compiled(f"-N1 {GPUS}", f"-N2 {GPUS}", args=("--budget", "192")).failed
    assert "FC701" in codes(compiled(f"-N1 {GPUS}", f"-N2 {GPUS}", args=("--budget", "191.99")))


def test_flags_name_and_widen_it() -> None:
    parts = f"-N1 {GPUS}", f"-N2 {GPUS}"
    assert bids(compiled(*parts, args=("--name", "other"))) == [("other", 3)]
    assert bids(compiled(*parts, args=("--num-instances", "2"))) == [("both", 4)]
    assert "FC503" in codes(compiled(f"-N200 {GPUS}", f"-N200 {GPUS}"))


def test_a_container_of_a_component_has_no_steps() -> None:
    result = compiled(f"-N1 {GPUS} --container-image=ubuntu", f"-N1 {GPUS}")
    assert "FC195" in codes(result)


def test_gpus_of_a_component_that_differ_are_told_to_srun() -> None:
    result = compiled("-N1 --gpus-per-node=h100:2", "-N1 --gpus-per-node=h100:4", args=("-i", "8xh100"))
    script = next(each.text for each in result.artifacts if each.name == "startup.plain.sh")
    assert "CUDA_VISIBLE_DEVICES=0,1 " in script
    assert "FLOWC_SLURM_JOB_GPUS_HET_GROUP_1=0,1,2,3 " in script


def test_older_names_are_there_where_the_text_has_them() -> None:
    parts = f"-N1 {GPUS}", f"-N1 {GPUS}"
    text = "echo $SLURM_JOB_NODELIST_PACK_GROUP_1 $SLURM_PACK_SIZE\n"
    script = next(each.text for each in compiled(*parts, text=text).artifacts if each.name == "startup.plain.sh")
    assert "SLURM_JOB_NODELIST_PACK_GROUP_1=" in script
    assert "SLURM_PACK_SIZE=2" in script
    other = next(each.text for each in compiled(*parts).artifacts if each.name == "startup.plain.sh")
    assert "PACK_GROUP" not in other

"""The report says what became of each option: what a bid cannot keep is no more `lowered` there."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from flowc import driver
from flowc.inputs import Flags, Inputs
from flowc.source import Source

TASK = "name: a\ninstance_type: 8xh100\ncommand: hostname\nmax_run_time_hours: 2\n"
SKY = "resources: {accelerators: H100:8, autostop: {down: true}}\nrun: hostname\n"
KUBERNETES = """\
apiVersion: batch/v1
kind: Job
metadata: {name: a}
spec:
  ttlSecondsAfterFinished: 0
  template:
    spec:
      restartPolicy: Never
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
            - matchExpressions: [{key: gpu, operator: In, values: [h100]}]
          preferredDuringSchedulingIgnoredDuringExecution:
          - {weight: 1, preference: {matchExpressions: [{key: gpu, operator: In, values: [h100]}]}}
      containers:
      - name: c
        image: "img:1"
        ports: [{containerPort: 80}]
        resources: {limits: {nvidia.com/gpu: 8}}
"""


@dataclass
class Row:
    line: str
    option: str
    became: str
    code: str


def report(text: str, path: str, flags: Flags | None = None) -> list[Row]:
    """The rows of the table of options; those of a code have a note behind it."""
    result = driver.compile(Source(path, text), Inputs(flags=flags or Flags()))
    (found,) = [each.text for each in result.artifacts if each.name == "report.txt"]
    table = found.partition("\noptions\n")[2].partition("\n\n")[0].splitlines()[1:]
    matches = [re.match(r"  (\S+) +(.+?) +(lowered|approximated|ignored)(?: +(FC\d+))?( |$)", line) for line in table]
    return [Row(each[1], each[2], each[3], each[4] or "") for each in matches if each is not None]


@pytest.mark.parametrize(
    ("text", "path", "option", "code"),
    [
        (TASK + "reservation_id: res_1\n", "a.yaml", "reservation_id", "FC803"),
        (TASK + "internode_interconnect: IB\n", "a.yaml", "internode_interconnect", "FC803"),
        (TASK + "terminate_on_exit: true\n", "a.yaml", "terminate_on_exit", "FC811"),
        (SKY, "a.yaml", "resources.autostop.down", "FC811"),
        (KUBERNETES, "a.yaml", "spec.ttlSecondsAfterFinished", "FC811"),
        (KUBERNETES, "a.yaml", "spec.template.spec.containers[0].ports[0].containerPort", "FC808"),
        ("#!/bin/sh\n#SBATCH --gpus=h100:8 --begin=2030-01-01\ntrue\n", "a.sbatch", "--begin=2030-01-01", "FC803"),
    ],
)
def test_what_a_bid_cannot_keep_is_told_so(text: str, path: str, option: str, code: str) -> None:
    (row,) = [each for each in report(text, path) if each.option == option]
    assert (row.became, row.code) == ("approximated", code)


def test_so_is_it_where_values_were_put_in() -> None:
    text = "name: ${NAME}\nresources: {accelerators: H100:8, use_spot: false}\nenvs:\n  A:\nrun: hostname\n"
    rows = report(text, "a.yaml", Flags(fill=(("A", "1"), ("NAME", "a-much-longer-name"))))
    (row,) = [each for each in rows if each.option == "resources.use_spot"]
    assert (row.line, row.became, row.code) == ("2", "approximated", "FC803")


def test_what_is_kept_stays_lowered() -> None:
    rows = report(TASK + "upload_code: true\ndata: {/a: ./a, /b: 's3://b'}\nports: [8080]\n", "a.yaml")
    assert {each.option: each.became for each in rows} == {
        **dict.fromkeys(("name", "instance_type", "command", "max_run_time_hours", "ports", "upload_code"), "lowered"),
        "data": "lowered",
    }


def test_paths_are_told_in_full() -> None:
    options = [each.option for each in report(KUBERNETES, "a.yaml")]
    assert len(set(options)) == len(options)
    place = "spec.template.spec.affinity.nodeAffinity"
    assert {
        f"{place}.requiredDuringSchedulingIgnoredDuringExecution",
        f"{place}.preferredDuringSchedulingIgnoredDuringExecution",
    } <= set(options)


def test_what_a_flag_replaces_has_no_effect() -> None:
    flags = Flags(name="b", instance_type="8xa100", time="1h", env=(("B", "1"),))
    became = {each.option: each.became for each in report(TASK + "env: {A: '1'}\n", "a.yaml", flags)}
    assert became == {
        **dict.fromkeys(("name", "instance_type", "max_run_time_hours"), "ignored"),
        **dict.fromkeys(("command", "env"), "lowered"),
    }

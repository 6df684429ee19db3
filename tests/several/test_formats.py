"""Jobs of the other formats on several machines: each prepares itself and runs the job, and knows its rank."""

from __future__ import annotations

import pytest

from tests.same_as_slurm.rented import STATUS
from tests.several.conftest import Rent

TASK = """\
name: ranks
instance_type: 8xh100
num_instances: 3
command: |
  echo "$NODE_RANK of $NUM_NODES, $MASTER_ADDR:$MASTER_PORT, $HEAD_NODE_IP, $GPU_COUNT, $FLOW_NODE_RANK $FLOW_MAIN_IP"
  cat /data/who
  echo "$TOKEN"
data_mounts: [{source: "s3://bucket", target: /data}]
max_run_time_hours: 1
"""
S3FS = """#!/bin/bash
mount -t tmpfs flowc "${!#}" && hostname >"${!#}/who"
"""
LOG = "var/log/foundry/job.log"
ADDRESSES = ["10.77.0.1", "10.77.0.2", "10.77.0.3"]


def test_machines_of_a_task(rent: Rent) -> None:
    rented = rent("job.yaml", TASK, "--secret", "TOKEN")
    for name in rented.names:
        rented.program(name, "s3fs", S3FS)
        rented.put(name, "run/flowc/secrets", "TOKEN='x y'\n")
    rented.start()
    for rank, name in enumerate(rented.names):
        assert rented.wait(name) == ("COMPLETED", 0)
        first = f"{rank} of 3, 10.77.0.1:29500, 10.77.0.1, 8, {rank} 10.77.0.1\n"
        assert rented.read(name, LOG) == f"{first}{name}\nx y\n"


SKYPILOT = """\
name: sky
num_nodes: 3
resources: {accelerators: H100:8, infra: mithril}
envs: {MODEL: small}
file_mounts: {/data: "s3://bucket"}
setup: |
  echo "setup $SKYPILOT_SETUP_NODE_RANK $(cat /data/who)"
  echo "$SKYPILOT_SETUP_NODE_IPS" >/root/ips
run: |
  echo "$SKYPILOT_NODE_RANK of $SKYPILOT_NUM_NODES x $SKYPILOT_NUM_GPUS_PER_NODE $MODEL"
  echo "$SKYPILOT_NODE_IPS" | diff - /root/ips && cat /root/ips
  [ "$SKYPILOT_TASK_ID" ]
"""


def test_machines_of_skypilot(rent: Rent) -> None:
    rented = rent("task.yaml", SKYPILOT)
    for name in rented.names:
        rented.program(name, "s3fs", S3FS)
        rented.program(name, "rclone", '#!/bin/bash\nmkdir -p "${!#}" && hostname >"${!#}/who"\n')
    # One of them comes up late, and is in nobody's list before.
    rented.start("n1", "n3")
    rented.start("n2")
    for rank, name in enumerate(rented.names):
        assert rented.wait(name) == ("COMPLETED", 0), rented.read(name, LOG)
        ips = "".join(f"{each}\n" for each in ADDRESSES)
        assert rented.read(name, LOG) == f"setup {rank} {name}\n{rank} of 3 x 8 small\n{ips}"


PYTORCH = """\
apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata: {name: torch}
spec:
  nprocPerNode: "8"
  pytorchReplicaSpecs:
    Master: &replica
      replicas: 1
      restartPolicy: Never
      template:
        spec:
          containers:
            - name: pytorch
              image: img:1
              command: [show]
              env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: s, key: token}}}]
              resources: {limits: {nvidia.com/gpu: 8}}
    Worker:
      <<: *replica
      replicas: 2
"""
# Tells the environment that a container would have.
DOCKER = """#!/bin/bash
[ "$1" = run ] || exit 0
while [ "$1" ]; do
    [ "$1" != -e ] || case $2 in
        *=*) echo "$2" ;;
        *) echo "$2=${!2}" ;;
    esac
    shift
done | sort
"""


def test_machines_of_a_pytorch_job(rent: Rent) -> None:
    rented = rent("job.yaml", PYTORCH)
    for name in rented.names:
        rented.program(name, "docker", DOCKER)
        rented.program(name, "nvidia-container-runtime-hook", "#!/bin/sh\n")
        rented.put(name, "run/flowc/secrets", "\n".join(f"{each}='tok'" for each in ("TOKEN", "s_token", "token")))
    rented.start()
    for rank, name in enumerate(rented.names):
        assert rented.wait(name) == ("COMPLETED", 0), rented.read(name, LOG)
        told = dict(line.partition("=")[::2] for line in rented.read(name, LOG).splitlines())
        assert told["RANK"] == told["PET_NODE_RANK"] == str(rank)
        # What the operator says: as many processes as there are on all machines.
        assert told["WORLD_SIZE"] == "24"
        assert told["PET_NNODES"] == "3"
        assert told["MASTER_ADDR"] == "10.77.0.1"
        assert told["MASTER_PORT"] == "23456"
        assert told["TOKEN"] == "tok"


TENSORFLOW = """\
apiVersion: kubeflow.org/v1
kind: TFJob
metadata: {name: tf}
spec:
  runPolicy: {backoffLimit: LIMIT}
  tfReplicaSpecs:
    Worker:
      replicas: 2
      restartPolicy: OnFailure
      template: &pod {spec: {containers: [{name: tensorflow, image: "img:1", command: [worker]}]}}
    PS: {replicas: 1, restartPolicy: OnFailure, template: *pod}
"""
# Writes which part it is; a server runs on, the first worker ends as it is told.
RUN = """#!/bin/bash
[ "$1" = run ] || exit 0
while [ "$1" != -c ]; do
    [ "$1" != -e ] || case $2 in
        *=*) export "$2" ;;
    esac
    shift
done
worker() {
    echo "$TF_CONFIG" | tail -c 70
    case $FLOWC_RANK in
    0) sleep 3; exit END ;;
    1) exit 0 ;;
    esac
    exec sleep 600
}
. <(echo "${2//exec worker/worker}")
"""


@pytest.mark.parametrize(
    ("end", "state", "limit"), [(0, "COMPLETED", 3), pytest.param(3, "FAILED", 1, marks=pytest.mark.slow)]
)
def test_servers_end_with_the_first_machine(rent: Rent, end: int, state: str, limit: int) -> None:
    rented = rent("job.yaml", TENSORFLOW.replace("LIMIT", str(limit)), "--budget", "99", "--time", "5")
    for name in rented.names:
        rented.program(name, "docker", RUN.replace("END", str(end)))
        rented.program(name, "nvidia-container-runtime-hook", "#!/bin/sh\n")
    rented.start()
    assert rented.wait("n1") == (state, end)
    assert rented.wait("n2") == ("COMPLETED", 0)
    rented.wait_for("n3", STATUS, '"exit_code":143,"signal":15,')
    assert rented.wait("n3")[0] == (state if end == 0 else "CANCELLED")
    tasks = [rented.read(name, LOG).partition('"task": ')[2].partition("}")[0] for name in rented.names]
    assert tasks == ['{"type": "worker", "index": 0', '{"type": "worker", "index": 1', '{"type": "ps", "index": 0']


def test_machines_that_do_not_come_fail_the_job(rent: Rent) -> None:
    """Those that are there say so, in the job's output as in its state, after 10 minutes."""
    rented = rent("task.yaml", SKYPILOT)
    rented.put("n1", "etc/hosts", "127.0.0.1 localhost\n10.77.0.1 n1\n")
    rented.put("n2", "etc/hosts", "10.77.0.5 a\n10.77.0.4 b\n10.77.0.1 n1\n")
    for name in rented.names:
        rented.program(name, "sleep", '#!/bin/bash\n[ "$1" != 5 ] || exec /bin/sleep 0.01\nexec /bin/sleep "$@"\n')
    rented.start("n1", "n2")
    assert rented.wait("n1") == rented.wait("n2") == ("FAILED", 1)
    assert rented.read("n1", LOG) == "flowc: /etc/hosts lists 1 of 3 nodes after 10 minutes\n"
    assert rented.read("n2", LOG) == "flowc: /etc/hosts does not list n2\n"
    status = rented.status("n1")
    assert (status["starts"], status["used_s"]) == (0, 0)


TOGETHER = """\
num_nodes: 3
resources: {accelerators: H100:8, infra: mithril}
run: |
  [ "$SKYPILOT_NODE_RANK" != 1 ] || { sleep 2; exit 7; }
  trap 'echo told; exit 0' TERM
  [ "$SKYPILOT_NODE_RANK" != 2 ] || STUBBORN
  while :; do sleep 1; done
"""


def test_a_failure_on_one_machine_ends_the_job_on_all(rent: Rent) -> None:
    rented = rent("task.yaml", TOGETHER.replace("STUBBORN", "trap - TERM"))
    rented.start()
    assert rented.wait("n2") == ("FAILED", 7)
    rented.wait_for("n1", STATUS, '"state":"CANCELLED","start"')
    rented.wait_for("n1", STATUS, '"exit_code":0,"signal":0,')
    assert rented.read("n1", LOG).endswith("told\n")
    rented.wait_for("n3", STATUS, '"exit_code":143,"signal":15,')
    assert rented.wait("n3") == ("CANCELLED", 143)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("job.yaml", "name: a\ninstance_type: 8xh100\nnum_instances: 3\ncommand: |\n"),
        (
            "foundry.yaml",
            "name: a\nproject_name: p\nssh_key_name: k\n"
            "resources_specification: {fcp_instance: h100.8x.SXM5.IB, num_instances: 3}\n"
            "version: 1.2\nstartup_script: |\n",
        ),
    ],
)
def test_formats_that_say_nothing_end_on_all_as_well(rent: Rent, name: str, head: str) -> None:
    body = TOGETHER.partition("run: |\n")[2].replace("SKYPILOT_NODE_RANK", "NODE_RANK").replace("STUBBORN", "true")
    rented = rent(name, head + body)
    rented.start()
    assert rented.wait("n2") == ("FAILED", 7)
    for each in ("n1", "n3"):
        assert rented.wait(each) == ("CANCELLED", 0)
        assert "told\n" in rented.read(each, LOG)


@pytest.mark.slow
def test_who_does_not_listen_is_killed(rent: Rent) -> None:
    rented = rent("task.yaml", TOGETHER.replace("STUBBORN", "trap '' TERM"))
    rented.start()
    rented.wait_for("n3", STATUS, '"exit_code":137,"signal":9,')
    assert rented.wait("n3") == ("CANCELLED", 137)


def test_what_was_cancelled_when_the_power_was_cut_does_not_begin_again(rent: Rent) -> None:
    text = TOGETHER.replace("exit 0", "").replace("run: |\n", "run: |\n  echo begin\n").replace("STUBBORN", "true")
    rented = rent("task.yaml", text)
    rented.start()
    rented.wait_for("n1", LOG, "told\n")
    assert rented.status("n1")["state"] == "RUNNING"
    rented["n1"].call(["bash", "-c", "kill -KILL -1"])
    rented.start("n1")
    assert rented.wait("n1") == ("CANCELLED", 143)
    assert rented.read("n1", LOG).splitlines().count("begin") == 1


def test_the_end_on_one_machine_is_that_of_no_other(rent: Rent) -> None:
    rented = rent(
        "task.yaml",
        TOGETHER.replace("exit 7", "exit 0")
        .replace("STUBBORN", "true")
        .replace("while :; do sleep 1; done", "sleep 7"),
    )
    rented.start()
    assert rented.wait("n2") == ("COMPLETED", 0)
    assert rented.wait("n1") == ("COMPLETED", 0)
    assert rented.wait("n3") == ("COMPLETED", 0)

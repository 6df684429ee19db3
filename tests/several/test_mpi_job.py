"""MPIJobs on several machines: a real launcher of MPI reaches the workers' containers by what stands for ssh there."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.several.conftest import Rent, Rented
from tests.some import some

FLAGS = ("--budget", "99", "--time", "5")
LOG = "var/log/foundry/job.log"
# Runs what a container would run on the machine itself, where the container's mounts are then.
DOCKER = r"""#!/bin/bash
case $1 in
run)
    while [ "$1" != --entrypoint ]; do
        case $1 in
        -e) export "$2" ;;
        --mount)
            IFS=, read -r _ source target _ <<<"$2"
            source=${source#src=} target=${target#dst=}
            [ -d "$source" ] && mkdir -p "$target" || : >>"$target"
            mount --bind "$source" "$target"
            ;;
        esac
        shift
    done
    export -p >/run/container
    program=$2
    shift 3
    exec "$program" "$@"
    ;;
exec)
    [ -e /run/container ] || exit 1
    . /run/container
    while [ "$1" != flowc ]; do shift; done
    shift
    exec "$@"
    ;;
esac
"""
JOB = """\
apiVersion: kubeflow.org/v2beta1
kind: MPIJob
metadata: {name: pi}
spec:
  slotsPerWorker: 2
  runPolicy: {backoffLimit: 1}
  mpiReplicaSpecs:
    Launcher:
      replicas: 1
      template:
        spec:
          containers:
          - name: l
            image: mpi:1
            env: [{name: OMPI_ALLOW_RUN_AS_ROOT, value: "1"}, {name: OMPI_ALLOW_RUN_AS_ROOT_CONFIRM, value: "1"}]
            command: [bash, -c]
            args: [TEXT]
    Worker:
      replicas: 3
      template:
        spec:
          containers:
          - name: w
            image: mpi:1
            command: [sh, -c, "sleep 1; mkdir -p /run/sshd; /usr/sbin/sshd -De -p 2222"]
            env: [{name: COLOR, value: red}]
            resources: {limits: {nvidia.com/gpu: 8}}
"""


@pytest.fixture
def ran(rent: Rent, program: Callable[[str, str], str]) -> Callable[[str], Rented]:
    """The machines on which a launcher runs that has this text."""
    program("mpirun", "openmpi-bin")

    def run(text: str) -> Rented:
        rented = rent("job.yaml", JOB.replace("TEXT", json.dumps(text)), *FLAGS)
        for name in rented.names:
            rented.program(name, "docker", DOCKER)
            rented.program(name, "nvidia-container-runtime-hook", "#!/bin/sh\n")
        rented.start()
        return rented

    return run


RANKS = "sh -c 'echo $(hostname) $OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE $COLOR'"


OPTIONS = (
    "",
    "--hostfile /etc/mpi/hostfile -np 6 --mca plm_rsh_args '-p 2222' --mca plm_rsh_agent ssh",
    "-H pi-worker-0.pi:2,pi-worker-1:2,pi-worker-2:2 --mca routed_radix 1",
)


@pytest.mark.parametrize("options", some(OPTIONS, OPTIONS[2]))
def test_ranks_run_on_all_machines(ran: Callable[[str], Rented], options: str) -> None:
    rented = ran(f"mpirun.openmpi {options} {RANKS}")
    assert rented.wait() == ("COMPLETED", 0), rented.read("n1", LOG)
    # mpirun may warn that a child of its own was faster than itself.
    said = [line for line in rented.read("n1", LOG).splitlines() if "setpgid" not in line]
    assert sorted(said) == [f"n{rank // 2 + 1} {rank} of 6 red" for rank in range(6)]
    for name in rented.names[1:]:
        assert rented.wait(name)[0] == "COMPLETED"


def test_a_rank_that_fails_fails_the_job(ran: Callable[[str], Rented]) -> None:
    rented = ran("mpirun.openmpi sh -c 'sleep 1; [ $OMPI_COMM_WORLD_RANK != 5 ] || exit 7'")
    assert rented.wait() == ("FAILED", 7), rented.read("n1", LOG)
    assert rented.wait("n3")[0] == "CANCELLED"


SSH = r"""
ssh -xo StrictHostKeyChecking=no -p 2222 -l mpi pi-worker-1.pi.default.svc 'hostname; echo $K_MPI_JOB_ROLE >&2; exit 3'
echo status $?
echo words | ssh -T root@10.77.0.3 -p22 -- cat
echo hostname | ssh localhost
echo lost | ssh -n pi-worker-2 cat
ssh -N -L 1:a:2 pi-worker-1
echo status $?
printf '#!/bin/sh
echo real "$@"
' >/usr/local/bin/ssh
chmod +x /usr/local/bin/ssh
ssh -i key git@elsewhere pull
/etc/mpi/kubexec.sh pi-worker-1 'echo $K_MPI_JOB_ROLE'
rsh pi-worker-2 hostname
sh /etc/mpi/discover_hosts.sh
echo $K_MPI_JOB_ROLE $HOSTNAME
"""
SAID = """\
n2
worker
status 3
words
n1
flowc: ssh makes no tunnels between machines of a job: their ports are open to each other
status 255
real -i key git@elsewhere pull
worker
n3
10.77.0.1
10.77.0.2
10.77.0.3
launcher pi-launcher
"""


def test_what_stands_for_ssh(ran: Callable[[str], Rented]) -> None:
    rented = ran(SSH)
    assert rented.wait() == ("COMPLETED", 0)
    assert sorted(rented.read("n1", LOG).splitlines()) == sorted(SAID.splitlines())


VOLCANO = """\
apiVersion: batch.volcano.sh/v1alpha1
kind: Job
metadata: {name: v}
spec:
  minAvailable: 3
  plugins: {ssh: [], svc: []}
  tasks:
  - name: mpimaster
    replicas: 1
    policies: [{event: TaskCompleted, action: CompleteJob}]
    template:
      spec:
        restartPolicy: Never
        containers:
        - name: m
          image: mpi:1
          ports: [{containerPort: 22, name: mpijob-port}]
          command: [sh, -c]
          args:
          - |
            MPI_HOST=`cat /etc/volcano/mpiworker.host | tr "\\n" ","`;
            mkdir -p /var/run/sshd; /usr/sbin/sshd;
            ssh v-mpiworker-1.v hostname
            mpiexec.openmpi --allow-run-as-root --host ${MPI_HOST} -np 2 sh -c 'echo $(hostname) $OMPI_COMM_WORLD_RANK'
  - name: mpiworker
    replicas: 2
    template:
      spec:
        restartPolicy: Never
        containers:
        - name: w
          image: mpi:1
          ports: [{containerPort: 22, name: mpijob-port}]
          command: [sh, -c, "mkdir -p /var/run/sshd; /usr/sbin/sshd -D;"]
          resources: {limits: {nvidia.com/gpu: 8}}
"""


def test_tasks_of_volcano_reach_each_other(rent: Rent, program: Callable[[str, str], str]) -> None:
    program("mpirun", "openmpi-bin")
    rented = rent("job.yaml", VOLCANO, *FLAGS)
    for name in rented.names:
        rented.program(name, "docker", DOCKER)
        rented.program(name, "nvidia-container-runtime-hook", "#!/bin/sh\n")
    rented.start()
    assert rented.wait() == ("COMPLETED", 0), rented.read("n1", LOG)
    said = [line for line in rented.read("n1", LOG).splitlines() if "setpgid" not in line]
    assert sorted(said) == ["n2 0", "n3", "n3 1"]
    assert rented.wait("n3")[0] == "COMPLETED"

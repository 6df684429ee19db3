"""Every field that is said to be lowered, or kept in part, changes the job or what is said of it."""

from __future__ import annotations

import pytest

from flowc._compiled.k8s_fields import TYPES
from flowc.ir.encode import dumps, job_document
from tests.frontends.k8s import field_examples, field_examples_pod
from tests.frontends.k8s.kinds import train_examples
from tests.frontends.k8s.lowering import Documents, lowered

EXAMPLES = {**field_examples.EXAMPLES, **field_examples_pod.EXAMPLES, **train_examples.EXAMPLES}
BEFORE = [
    f"MPIJobBeforeSpec.{key}"
    for key, row in TYPES["MPIJobBeforeSpec"].items()
    if row.get("action") in ("lowered", "approximated")
]
# Fields that cannot change anything by themselves, with the reason.
WITHOUT_EFFECT = {
    "PodFailurePolicyOnPodConditionsPattern.status": "the provider takes machines away, or it does not",
    "PodSpec.subdomain": "names of pods stand in commands and variables, where they are replaced",
    "SeccompProfile.localhostProfile": "goes with a type that is refused",
    "AppArmorProfile.localhostProfile": "goes with a type that is refused",
    "ReplicatedJob.replicas": "there may be one only",
    **dict.fromkeys(("MLPolicy.mpi", "MLPolicy.flux"), "such a TrainJob is refused when it is read"),
}
WITHOUT_EFFECT |= {row: "`--move` alone reads it: kinds/test_mpi_before.py" for row in BEFORE}
# What a probe, a hook or a rule holds is told about as one.
AS_A_WHOLE = ("HTTPGetAction", "HTTPHeader", "TCPSocketAction", "GRPCAction", "ContainerRestartRule")
ROWS = [
    f"{name}.{key}"
    for name, fields in TYPES.items()
    for key, row in fields.items()
    if row.get("action") in ("lowered", "approximated") and key not in ("apiVersion", "kind")
]


def told(documents: Documents) -> tuple[str, list[str]]:
    """The jobs but for the text that they come from, and the findings."""
    jobs, diagnostics = lowered(*(documents if isinstance(documents, tuple) else (documents,)))
    bare = [job.replace(source=job.source.replace(sha256=""), outcome=()) for job in jobs]
    return dumps([job_document(job) for job in bare]), [each.message for each in diagnostics]


@pytest.mark.parametrize("row", [row for row in ROWS if not row.startswith(AS_A_WHOLE) and row not in WITHOUT_EFFECT])
def test_field_has_an_effect(row: str) -> None:
    without, with_it = EXAMPLES[row]
    assert told(without) != told(with_it)


def test_every_example_is_of_a_field() -> None:
    assert EXAMPLES.keys() <= set(ROWS)


def test_every_exception_is_a_field_without_an_example() -> None:
    assert WITHOUT_EFFECT.keys() <= set(ROWS) - EXAMPLES.keys()

"""Options of the Pyxis plugin in directives: the whole script runs in an image."""

from __future__ import annotations

from typing import Any

import pytest

from flowc.diag.sink import Sink
from flowc.frontends.slurm import FRONTEND
from flowc.inputs import Inputs
from flowc.ir.job import Mount
from flowc.source import Source


def lowered(*lines: str) -> tuple[Any, list[tuple[str, str]]]:
    """The first job, and the diagnostics by name and severity."""
    script = "#!/bin/bash\n" + "".join(f"#SBATCH {line}\n" for line in lines) + "python train.py\n"
    source, sink = Source("job.sbatch", script), Sink()
    tree = FRONTEND.read(source, Inputs(), sink)
    assert tree is not None
    units = FRONTEND.lower(tree, Inputs(), sink)
    return (units[0].job if units else None), [(each.code.name, each.severity) for each in sink.diagnostics]


def rows(job: Any) -> dict[str, str]:
    return {row.input.lstrip("-").partition("=")[0]: row.action for row in job.outcome}


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("ubuntu:22.04", "ubuntu:22.04"),
        ("docker://ubuntu", "ubuntu"),
        ('"nvcr.io#nvidia/pytorch:24.01-py3"', "nvcr.io/nvidia/pytorch:24.01-py3"),
        ('"docker://nvcr.io#nvidia/pytorch:24.01-py3"', "nvcr.io/nvidia/pytorch:24.01-py3"),
        ("nvcr.io/nvidia/pytorch:24.01-py3", "nvcr.io/nvidia/pytorch:24.01-py3"),
        (r"nvcr.io\#nvidia/pytorch", "nvcr.io/nvidia/pytorch"),
        ("ubuntu@sha256:" + "0" * 64, "ubuntu@sha256:" + "0" * 64),
    ],
)
def test_image_of_a_directive_is_the_image_of_the_job(text: str, image: str) -> None:
    job, found = lowered(f"--container-image={text}")
    assert job.image == image
    assert found == [("plugin-option", "note")]
    assert rows(job) == {"container-image": "lowered"}


@pytest.mark.parametrize("text", ["/scratch/torch.sqsh", "./torch.sqsh", "torch.sqsh", "~/torch.sqsh", "dockerd://x"])
def test_file_of_enroot_is_refused(text: str) -> None:
    job, found = lowered(f"--container-image={text}")
    assert ("option-refused", "error") in found
    assert job.image is None


def test_user_of_a_registry_is_left_out_and_told() -> None:
    job, found = lowered('--container-image="me@ghcr.io#owner/name:tag"')
    assert job.image == "ghcr.io/owner/name:tag"
    assert ("option-approximated", "note") in found


def test_mounts_and_working_directory() -> None:
    job, found = lowered(
        "--container-image=ubuntu --container-workdir=/w --container-readonly",
        "--container-mounts=/data:/d:ro+rprivate,/opt,tmpfs:/t",
    )
    assert job.mounts == (
        Mount(kind="host", source="/data", target="/d", read_only=True),
        Mount(kind="host", source="/opt", target="/opt"),
        Mount(kind="memory", source="tmpfs", target="/t"),
    )
    assert job.isolation.options == ("--workdir=/w",)
    assert job.isolation.read_only_root
    assert found == [("plugin-option", "note"), ("option-approximated", "note")]


def test_what_docker_cannot_do_is_told() -> None:
    _, found = lowered("--container-image=ubuntu --container-save=/x.sqsh")
    assert ("option-refused", "error") in found
    _, found = lowered("--container-image=ubuntu --container-entrypoint --container-name=x")
    assert found.count(("option-ignored", "warning")) == 2


def test_without_an_image_and_in_later_components_the_rest_is_ignored_aloud() -> None:
    job, found = lowered("--container-mounts=/data --container-workdir=/w")
    assert (job.image, job.mounts, found.count(("option-ignored", "warning"))) == (None, (), 2)
    assert rows(job) == {"container-mounts": "ignored", "container-workdir": "ignored"}
    _, found = lowered("-N1", "hetjob", "--container-image=ubuntu")
    assert ("option-ignored", "warning") in found


def test_registry_that_ends_as_a_comment_is_told() -> None:
    job, found = lowered("--container-image=nvcr.io#nvidia/pytorch:24.01-py3 --gpus=h100:8")
    assert job.image == "nvcr.io"
    assert ("comment-in-value", "warning") in found


def test_beginnings_of_the_names_mean_what_they_do_without_the_plugin() -> None:
    job, found = lowered("--container-imag=ubuntu")
    assert ("unknown-option", "error") in found
    assert job is None or job.image is None

"""Buckets that a job reads, and whose login it has for them."""

from __future__ import annotations

import pytest

from flowc import driver
from flowc.inputs import Flags, Inputs
from flowc.source import Source
from tests.rules.test_formats import sky

BATCH = Source("a.sbatch", "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\npython a.py\n")
S3, GOOGLE = "AWS_ACCESS_KEY_ID", "GOOGLE_APPLICATION_CREDENTIALS"


def told(source: Source, flags: Flags) -> list[str]:
    result = driver.check(source, Inputs(flags=flags))
    return [each.message for each in result.diagnostics if each.code.name == "bucket-without-login"]


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        (Flags(mounts=("/data=s3://a/b",)), [S3]),
        (Flags(mounts=("/data=gs://a",)), [GOOGLE]),
        (Flags(mounts=("/data=s3://a/b", "/more=gs://a")), [S3, GOOGLE]),
        (Flags(mounts=("/data=r2://a",), env=(("AWS_ENDPOINT_URL", "https://h"),)), [S3]),
        (Flags(mounts=("/data=s3://a",), env=((S3, ""),)), [S3]),
        (Flags(mounts=("/data=s3://a",), env=((S3, "x"),)), []),
        (Flags(mounts=("/data=s3://a",), secrets=(S3,)), []),
        (Flags(mounts=("/data=gs://a",), secrets=(S3,)), [GOOGLE]),
        (Flags(mounts=("/data=gs://a",), env=((GOOGLE, "/root/key.json"),)), []),
        (Flags(mounts=("/data=volume://a",)), []),
    ],
)
def test_buckets_that_nobody_logs_in_to(flags: Flags, names: list[str]) -> None:
    assert [each.partition(" nothing gives the job ")[2] for each in told(BATCH, flags)] == [f"`{n}`" for n in names]


def test_a_task_of_skypilot_does_not_bring_the_launchers_login() -> None:
    source = sky("ls /out\n")
    text = source.text + "file_mounts:\n  /out: {name: mine, store: s3, mode: MOUNT}\n"
    assert told(Source("task.yaml", text), Flags()) == [
        f"`s3://mine` is read as a public bucket: nothing gives the job `{S3}`"
    ]

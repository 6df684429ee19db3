"""SkyPilot tasks: working directories, file mounts, volumes."""

from __future__ import annotations

from typing import Any

import pytest

from flowc.inputs import Flags
from tests.frontends.skypilot.examples import BASE
from tests.frontends.skypilot.reading import jobs, names, told


def mounts(task: dict[str, Any], flags: Flags | None = None) -> list[tuple[str, str, str, bool]]:
    (job,) = jobs({**BASE, **task}, flags)
    return [(each["kind"], each["source"], each["target"], each["copy"]) for each in job["mounts"]]


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ({"workdir": "."}, ("local", ".", "~/sky_workdir", True)),
        ({"workdir": "~/code"}, ("local", "~/code", "~/sky_workdir", True)),
        ({"workdir": {"url": "https://git.example/a"}}, ("git", "https://git.example/a", "~/sky_workdir", False)),
        ({"workdir": {"url": "git@h.org:a.git", "ref": "v1"}}, ("git", "git@h.org:a.git#v1", "~/sky_workdir", False)),
        ({"workdir": "https://github.com/a/b"}, ("git", "https://github.com/a/b", "~/sky_workdir", False)),
        ({"file_mounts": {"/d": "./d"}}, ("local", "./d", "/d", True)),
        ({"file_mounts": {"~/.netrc": "~/.netrc"}}, ("local", "~/.netrc", "~/.netrc", True)),
        ({"file_mounts": {"d/": "code"}}, ("local", "./code", "~/sky_workdir/d", True)),
        ({"file_mounts": {"/d": "s3://b/p"}}, ("bucket", "s3://b/p", "/d", True)),
        ({"file_mounts": {"/d": {"source": "gs://b"}}}, ("bucket", "gs://b", "/d", False)),
        ({"file_mounts": {"/d": {"source": "gs://b", "mode": "copy"}}}, ("bucket", "gs://b", "/d", True)),
        ({"file_mounts": {"/d": {"name": "b", "store": "R2"}}}, ("bucket", "r2://b", "/d", False)),
        ({"volumes": {"/d": {"name": "v", "sub_path": "/in/it/"}}}, ("volume", "v/in/it", "/d", False)),
        ({"volumes": {"/d": {"size": "1TB", "type": "ephemeral"}}}, ("scratch", "d", "/d", False)),
    ],
)  # fmt: skip
def test_forms_of_mounts(task: dict[str, Any], expected: tuple[str, str, str, bool]) -> None:
    assert mounts(task) == [expected]


@pytest.mark.parametrize(
    "task",
    [
        {"workdir": {"url": "https://user:pass@github.com/a/b"}},
        {"workdir": {"url": "s3://bucket"}},
        {"file_mounts": {"/d": {"name": "b"}}},
        {"file_mounts": {"/d": {"name": "b", "store": "azure"}}},
        {"file_mounts": {"/d": {"mode": "MOUNT"}}},
        {"file_mounts": {"/d": {"name": None}}},
        {"file_mounts": {"/d": {"name": "b", "source": ["a", "s3://b"]}}},
        {"file_mounts": {"/d": {"name": "b", "source": ["a/c", "b/c"]}}},
        {"file_mounts": {"/d": {"name": "b", "source": ["a", "."]}}},
        {"file_mounts": {"/d": "ftp://host/a"}},
        {"file_mounts": {"/d": "s3://${NOWHERE}/a"}},
        {"file_mounts": {"/$NOWHERE": "s3://b"}},
        {"volumes": {"d": "v"}},
        {"volumes": {"/d": {"type": "ephemeral"}}},
        {"volumes": {"/d": "$NOWHERE"}},
    ],
)
def test_what_cannot_be_mounted(task: dict[str, Any]) -> None:
    assert names({**BASE, **task}) == ["skypilot-mount"]


def test_variables_are_put_into_mounts() -> None:
    task = {
        "envs": {"BUCKET": "b", "STORE": "s3", "EMPTY": ""},
        "file_mounts": {"/data/$BUCKET": {"name": "${BUCKET}", "store": "$STORE"}},
        "volumes": {"/v": "${BUCKET}-volume"},
    }
    assert mounts(task) == [("bucket", "s3://b", "/data/b", False)]
    assert mounts(task, Flags(env=(("BUCKET", "c"),))) == [("bucket", "s3://c", "/data/c", False)]
    task["volumes"] = {"/v": "$EMPTY"}
    assert told({**BASE, **task})[0] == (
        "skypilot-mount",
        "`volumes./v` cannot be mounted: the variable `EMPTY` has no value",
    )


def test_a_secret_is_not_put_into_a_mount() -> None:
    task = {**BASE, "secrets": {"PART": "hidden-value"}, "file_mounts": {"/d": "s3://b/$PART"}}
    assert "`PART` is a secret, and would be readable there" in str(told(task))
    assert "hidden-value" not in str(told(task))


def test_a_local_source_of_a_bucket_is_copied_to_the_machine() -> None:
    task = {**BASE, "file_mounts": {"/d": {"name": "b", "store": "s3", "source": "./d"}}}
    assert names(task) == ["skypilot-approximated"]


def test_a_list_of_local_sources_is_copied_below_the_target() -> None:
    task = {**BASE, "file_mounts": {"/d": {"name": "b", "source": ["~/a/x.txt", "./d"]}}}
    assert mounts(task) == [("local", "~/a/x.txt", "/d/x.txt", True), ("local", "./d", "/d/d", True)]
    assert told(task) == [
        (
            "skypilot-approximated",
            "`file_mounts./d.source` is only approximated: the files are copied to the machine: nothing goes into a "
            "bucket, nor comes back",
        )
    ]


@pytest.mark.parametrize("key", ["volumes", "file_mounts"])
def test_a_path_that_leads_nowhere_is_refused(key: str) -> None:
    text = f"run: train\nresources: {{accelerators: H100:8}}\n{key}:\n  /data:\n"
    assert told(text) == [("skypilot-mount", f"`{key}./data` cannot be mounted: nothing is named that it leads to")]

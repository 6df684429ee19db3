"""Tasks that are right, and texts that once were: strategies for the property tests."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.corpus import ROOT

CORPUS = [path.read_bytes() for path in sorted((ROOT / "corpus" / "task-yaml").glob("*/input.yaml"))]
WORDS = st.text(st.sampled_from("abcdefgh 0123-:#'\"$\n{}é"), min_size=1, max_size=12).filter(str.strip)
NAMES = st.from_regex(r"[a-z][a-z0-9]{2,8}", fullmatch=True)
PATHS = NAMES.map(lambda name: f"/mnt/{name}")
VARIABLES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True)

MACHINE = st.one_of(
    st.fixed_dictionaries({"instance_type": st.sampled_from(("8xh100", ["8xh200", "h100:8"], "a100-80gb.sxm.4x"))}),
    st.fixed_dictionaries({"min_gpu_memory_gb": st.integers(1, 80)}),
    st.fixed_dictionaries({"min_cpus": st.integers(1, 32)}, optional={"min_memory_gb": st.integers(1, 128)}),
)
COMMAND = st.one_of(
    st.fixed_dictionaries({"command": st.one_of(WORDS, st.lists(WORDS, min_size=1, max_size=3))}),
    st.fixed_dictionaries({"shell": WORDS}),
    st.fixed_dictionaries({"script": WORDS.map(lambda text: f"#!/bin/sh\n{text}\n")}),
)
VOLUME = st.one_of(
    st.fixed_dictionaries(
        {"name": NAMES}, optional={"size_gb": st.integers(1, 9000), "create_if_missing": st.booleans()}
    ),
    st.fixed_dictionaries({"volume_id": NAMES, "mount_path": PATHS}),
)
REST = st.fixed_dictionaries(
    {},
    optional={
        "name": NAMES,
        "env": st.dictionaries(VARIABLES, WORDS, max_size=3),
        "working_dir": PATHS,
        "volumes": st.lists(VOLUME, max_size=2),
        "data": st.dictionaries(PATHS, NAMES.map(lambda name: f"s3://{name}/x"), max_size=2),
        "ports": st.lists(st.integers(1024, 65535), max_size=3),
        "retries": st.fixed_dictionaries({}, optional={"max_retries": st.integers(0, 10), "max_delay": st.just(300)}),
        "max_price_per_hour": st.floats(0.01, 1000),
        "max_run_time_hours": st.floats(1, 24),
        "deadline_hours": st.integers(24, 720),
        "priority": st.sampled_from(("low", "med", "high")),
        "num_instances": st.one_of(st.integers(1, 100), st.integers(1, 100).map(str)),
        "constraints": st.fixed_dictionaries({}, optional={"exclude_regions": st.just(["eu-*"])}),
        "upload_code": st.booleans(),
        "runtime_files": st.dictionaries(NAMES, WORDS, max_size=2),
        "terminate_on_exit": st.booleans(),
        "ssh_keys": st.lists(NAMES, max_size=2),
    },
)


@st.composite
def tasks(draw: Any) -> str:
    """A task without mistakes, as YAML in the form of JSON."""
    found = {**draw(MACHINE), **draw(COMMAND), **draw(REST)}
    return json.dumps(found, ensure_ascii=draw(st.booleans()))


@st.composite
def mutated(draw: Any) -> bytes:
    """A file of the corpus with a few stretches cut out, doubled, or replaced."""
    data = draw(st.sampled_from(CORPUS))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(start + 20, len(data))))
        piece = draw(st.one_of(st.just(b""), st.just(data[start:end] * 2), st.sampled_from(PIECES)))
        data = data[:start] + piece + data[end:]
    return data


PIECES = [
    *(b": ", b"- ", b"\n", b"\t", b"{", b"[", b"&a ", b"*a", b"<<: ", b"!!int ", b"null", b"~", b"true", b"1e999"),
    *(b"|\n", b">", b"'", b'"', b"---\n", b"#", b"\xff", b"\0", b"9" * 50, b".inf", b"?", b"name: ", b"script: "),
]

"""Packing: the size of a form is known before its characters are, and whether a script fits before it is made."""

from __future__ import annotations

import random
from base64 import b64encode
from bisect import bisect
from math import log2

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flowc import driver
from flowc._compiled.limits import SCRIPT_BYTES
from flowc.inputs import Inputs
from flowc.ir.job import Array
from flowc.scripts import Drafts, build
from flowc.scripts.packing import pack
from flowc.scripts.packing.mixing import length, mixed
from flowc.source import Source
from tests.scripts.packing.test_mixing import LONG, ROOT, TEXT, noise, together, unit


@given(st.integers(1, 1 << 2000))
@example(1)
@example(93)
@example(94)
@example(94**50 - 1)
@example(94**50)
def test_base94_is_the_number_and_its_length_is_known(number: int) -> None:
    text = pack.base94(number)
    found = 0
    for char in text:
        found = found * 94 + ord(char) - 33
    assert found == number
    assert len(text) == pack.digits94(number)
    assert text[0] != "!"


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=1, max_size=300), st.binary(max_size=300))
def test_a_form_is_as_large_as_it_says(head: bytes, body: bytes) -> None:
    whole = head + body
    forms = [
        pack.gzip_form(pack.deflate(whole), whole),
        pack.gzip_form(pack.deflate(head, body), whole),
        pack.zlib_form(pack.deflate(whole), whole),
        pack.lzma_form(together(whole)),
        pack.mixing_form(head, body),
    ]
    for form in forms:
        assert form.size == len(form.text)
        assert [*map(len, form.outline.split("\n"))] == [*map(len, form.text.split("\n"))]


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=400), st.integers(1, 1 << 80))
@example(b"", 1)
@example(b"\xff" * 50, 1)
@example(TEXT[:4000], 1)
def test_how_long_a_number_gets_is_known(text: bytes, rest: int) -> None:
    assert abs(length(text, rest) - log2(mixed(text, rest))) < 1e-3


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=1, max_size=300), st.integers(0, 3))
@example(TEXT[:16000] + noise(4000), 0)
@example(TEXT[:16000], 2)
@example(noise(9000), 0)
def test_the_forms_are_the_same_whoever_asks_first(whole: bytes, split: int) -> None:
    at = len(whole) // 4 * split
    asked, first = (pack.Packing(whole[:at], whole[at:]) for _ in range(2))
    fits = asked.fits(patient=False)
    one, other = asked.first(patient=False), first.first(patient=False)
    assert (one.encoding, one.size, one.text) == (other.encoding, other.size, other.text)
    assert fits == one.fits == first.fits(patient=False)
    assert fits or asked.fits(patient=True) == first.fits(patient=True) == first.first(patient=True).fits


OTHERS = {
    "letters and digits": b64encode(noise(7500)),
    "digits of 16": noise(5000).hex().encode(),
    "numbers": b" ".join(b"%.6f" % (each / 255) for each in noise(1250)),
    "bytes": noise(9000),
    "text": TEXT,
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("before", [b"", LONG[12_000:]])
def test_no_context_is_much_longer_than_another(before: bytes, kind: str) -> None:
    """By this, one that is longer than the best known by more needs no others beside it."""
    sizes = [len(pack.lzma_chunks(before + OTHERS[kind], each)) for each in pack.CONTEXTS]
    assert max(sizes) * 100 <= min(sizes) * (pack.ALIKE - 1)


SCRIPTS = {
    "small": b"#!/bin/bash\nsrun hostname\n",
    "no journal": b"#!/bin/sh\n" + TEXT[:9000],
    "in base94": b"#!/bin/bash\nsrun hostname\n" + TEXT[:16000],
    "with lzma": b"#!/bin/bash\nexit\n" + TEXT[:20000],
    "densest": b"#!/bin/bash\nexit\n" + LONG,
    "steps": b"#!/bin/bash\nsrun -l hostname | sort\nscontrol show job $SLURM_JOB_ID\n" + TEXT[:18000],
    "too large": TEXT + noise(9500),
}


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("tasks", [None, 2, 100])
def test_whether_it_fits_is_known_before_it_is_made(name: str, tasks: int | None) -> None:
    array = Array(indices=tuple(range(tasks))) if tasks else None
    index = 1 if tasks else None
    job = unit(SCRIPTS[name], array=array)
    found = build(job, index=index)
    assert Drafts(job, index).fits == found.fits == (len(found.sent) <= SCRIPT_BYTES)


# What takes room in a script: steps, steps of MPI, questions to Slurm.
STEPS, MPI = "srun hostname", "srun --mpi=pmix ./a.out & srun --exclusive -n 1 ./b.out & wait"
QUESTIONS = "squeue -u $USER; sacct -j $SLURM_JOB_ID; scontrol show job $SLURM_JOB_ID; scancel 7; sinfo -N"


def packing(text: str) -> pack.Packing:
    """Of the smallest way to write it."""
    source = Source.from_bytes("job.sbatch", text.encode())
    (found,) = driver.compile(source, Inputs(), emit="plan").units
    drafts = Drafts(found, None)
    return drafts._with(drafts._tools(spare=False)).packing


@pytest.mark.parametrize(
    ("calls", "nodes", "patient"),
    [(STEPS, 1, True), (STEPS, 2, True), (MPI, 1, True), (QUESTIONS, 2, True), (STEPS, 1, False), (STEPS, 2, False)],
)
def test_what_surely_fits_does(calls: str, nodes: int, patient: bool) -> None:
    """At the edge: beside these calls, with as many lines of other scripts as it is said of."""
    inputs = sorted((ROOT / "corpus" / "slurm").glob("*/input*"))
    lines = [line for path in inputs for line in path.read_text("latin-1").split("\n")]
    lines = [line for line in lines if line.isascii() and line.isprintable() and not line.startswith("#")]
    random.Random(calls).shuffle(lines)
    head = f"#!/bin/bash\n#SBATCH --nodes={nodes} --gpus-per-node=h100:8 --time=10\n{calls}\nexit\n"
    texts = [head + "\n".join(lines[:count]) for count in range(0, len(lines), 3)]
    most = bisect(texts, False, key=lambda text: not packing(text).fits_surely(patient=patient))
    assert 0 < most < len(texts)
    assert packing(texts[most - 1]).first(patient=patient).fits


def test_no_text_is_made_to_know_whether_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> str:
        raise AssertionError

    monkeypatch.setattr(pack, "base94", never)
    monkeypatch.setattr(pack, "b2a_base64", never)
    assert Drafts(unit(SCRIPTS["densest"]), None).fits
    assert not Drafts(unit(SCRIPTS["too large"]), None).fits

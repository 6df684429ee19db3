"""The densest form: what the machine's decoder reads, that any Python counts alike, what it gains, and its cost."""

from __future__ import annotations

import importlib.util
import math
import os
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flowc._compiled import templates
from flowc.ir.job import Array
from flowc.scripts import build
from flowc.scripts.packing import mixing, pack
from flowc.scripts.packing.mixing import (
    EVIDENCE,
    HALF,
    LEARNING,
    ONE,
    SURE,
    SURPRISED,
    UNIT,
    information,
    likelihoods,
    mixed,
    predictions,
    squashed,
    stretched,
)
from tests.scripts.jobs import unit
from tests.scripts.test_room import noise

ROOT = Path(__file__).resolve().parents[3]
# Ordinary text: what fits in no plainer form, and in this one.
LONG = b"".join(path.read_bytes() for path in sorted((ROOT / "templates" / "slurm").glob("*.py")))[:15_900]
TEXT = LONG[:12_000]
words = st.lists(st.sampled_from([b"for ", b"x", b"\n", b"\0", b"\xff", b"echo", b"$HOME/", b"'\"`\\"])).map(b"".join)
texts = st.one_of(st.binary(min_size=1), words.filter(bool))


def unpacked(sent: str, folder: Path, **environment: str) -> bytes | None:
    """What the real stub makes of its payload, run by bash; None where it says that it cannot."""
    (folder / "run").unlink(missing_ok=True)
    moved = sent.replace("d=/var/lib/foundry/flowc", f"d={folder}").replace("&&bash $d/run", "&&echo unpacked")
    done = subprocess.run(
        ["bash", "-s"], input=moved.encode("ascii"), capture_output=True, check=False, env={**os.environ, **environment}
    )
    if done.stdout != b"unpacked\n":
        assert done.returncode != 0
        assert done.stderr
        assert not (folder / "run").exists()
        return None
    assert (done.returncode, done.stderr) == (0, b"")
    return (folder / "run").read_bytes()


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(texts, st.binary())
@example(b"\0", b"\0\0")
@example(b"a", b"\n#")
@example(bytes(range(256)), b"")
def test_the_stub_reads_any_bytes(tmp_path_factory: pytest.TempPathFactory, text: bytes, tail: bytes) -> None:
    folder = tmp_path_factory.mktemp("stub")
    assert unpacked(pack.mixing_form(text, tail).text, folder) == text + tail


@pytest.mark.slow
def test_the_stub_reads_a_long_text_the_same_in_any_session(tmp_path: Path) -> None:
    sent = pack.mixing_form(TEXT, b"").text
    # Nothing may come from the order of a set, or from what the user's site brings.
    assert unpacked(sent, tmp_path, PYTHONHASHSEED="1") == TEXT
    assert unpacked(sent, tmp_path, PYTHONHASHSEED="2", PYTHONINTMAXSTRDIGITS="640") == TEXT
    assert sent == pack.mixing_form(TEXT, b"").text


@pytest.mark.slow
def test_damage_is_noticed_before_anything_runs(tmp_path: Path) -> None:
    sent = pack.mixing_form(TEXT[:2000], b"").text
    payload = max(sent.split("\n"), key=len)
    for place in range(3, len(payload), len(payload) // 7):
        other = "A" if payload[place] != "A" else "B"
        assert unpacked(sent.replace(payload, payload[:place] + other + payload[place + 1 :]), tmp_path) is None


def test_no_rounding_of_a_library_matters() -> None:
    """What is cut to an integer lies far from the next one, for all arguments: a wrong last digit is some 1e-11."""
    for likely in range(1, SURE + 1):
        assert abs(math.remainder(math.atanh(likely / HALF) * UNIT, 1)) > 1e-8
        assert stretched(-likely) == -stretched(likely)
    # From here on it stays between the last integer and the next.
    end = 20 * EVIDENCE
    assert math.tanh(end / EVIDENCE) * (SURE + 0.5) > SURE + 0.4
    for evidence in range(1, end):
        assert abs(math.remainder(math.tanh(evidence / EVIDENCE) * (SURE + 0.5), 1)) > 1e-8
        assert squashed(-evidence) == -squashed(evidence)
    assert (stretched(0), squashed(0), squashed(1 << 60)) == (0, 0, SURE)


def together(whole: bytes) -> bytes:
    """What LZMA makes of a text."""
    return min((pack.lzma_chunks(whole, context) for context in pack.CONTEXTS), key=len)


@pytest.fixture(scope="module")
def helper(program: Callable[[str, str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The compiled helper, from the source as it stands."""
    headers, built = sysconfig.get_paths()["include"], tmp_path_factory.mktemp("helper") / "_mixing.so"
    if not (Path(headers) / "Python.h").exists():
        pytest.skip("needs the headers of Python (Debian's package python3-dev)")
    source = ROOT / "flowc" / "scripts" / "packing" / "_mixing.c"
    command = [program("gcc", "gcc"), "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-I{headers}"]
    subprocess.run([*command, str(source), "-o", str(built), "-lm"], check=True)
    spec = importlib.util.spec_from_file_location("_mixing", built)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mixing, "_counted", module.likelihoods)
        patch.setattr(mixing, "_added", module.information)
        yield


@settings(deadline=None, max_examples=30)
@given(texts | st.just(b""))
@example(TEXT[:1500])
@example(b"\0" * 400)
@example(bytes(range(256)) * 2)
def test_the_compiled_helper_counts_alike(helper: None, text: bytes) -> None:
    found = likelihoods(text)
    assert list(found) == [ones for _, ones in predictions(text)]
    for end in {0, 8 * len(text), 8 * (len(text) // 3)}:
        assert information(text, found, end) == pytest.approx(information(text, list(found), end), abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(texts, st.integers(1, 1 << 200))
@example(TEXT[:1500], 1)
def test_a_block_of_bits_is_put_into_the_number_as_each_of_them_would_be(text: bytes, rest: int) -> None:
    number = rest
    for bit, ones in reversed(list(predictions(text))):
        times, left = divmod(number, ones if bit else ONE - ones)
        number = (times << 16) + left + (0 if bit else ones)
    assert mixed(text, rest) == number


def test_without_the_helper_it_is_the_same(helper: None, monkeypatch: pytest.MonkeyPatch) -> None:
    number = mixed(TEXT[:1500])
    monkeypatch.setattr(mixing, "_counted", None)
    assert mixed(TEXT[:1500]) == number


@pytest.mark.slow
@given(texts)
def test_predictions_are_the_bits_and_leave_both_values_possible(text: bytes) -> None:
    found = list(predictions(text))
    assert [bit for bit, _ in found] == [int(bit) for byte in text for bit in f"{byte:08b}"]
    assert all(0 < ones < ONE for _, ones in found)


@pytest.mark.slow
def test_it_is_denser_than_lzma_by_a_tenth() -> None:
    assert mixed(TEXT).bit_length() / 8 < 0.9 * len(together(TEXT))


@pytest.mark.slow
def test_what_does_not_compress_is_stored_behind_what_is_mixed() -> None:
    head, body = TEXT[:8000], noise(4000)
    assert len(together(head) + pack.stored_chunk(body)) < len(together(head + body))
    assert pack.mixing_form(head, body).size < pack.mixing_form(head + body, b"").size


@pytest.mark.slow
def test_it_is_the_last_resort_and_not_for_many_tasks() -> None:
    script = b"#!/bin/bash\nexit\n" + LONG
    found = build(unit(script), index=None)
    assert (found.encoding, found.fits) == ("mixing+base94", True)
    few, many = Array(indices=(1, 2)), Array(indices=tuple(range(100)))
    assert build(unit(script, array=few), index=1).encoding == "mixing+base94"
    assert build(unit(script, array=many), index=1).encoding == "lzma+base94"
    assert not build(unit(script, array=many), index=1).fits


def test_what_it_cannot_help_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> str:
        raise AssertionError

    monkeypatch.setattr(pack, "mixing_form", never)
    assert not build(unit(TEXT + noise(9500)), index=None).fits
    assert not build(unit(noise(9500) + b"\n" * pack.LONGEST_MIXED), index=None).fits


def test_the_stub_has_the_numbers_of_the_encoder() -> None:
    stub = "".join(text for _, text in templates.mixing({"size": 5, "tail": 0, "payload": "!"}, str))
    assert all(f"{number}" in stub for number in (UNIT, f"{SURE}.5", 2 * SURE, f"max({SURPRISED},", f">>{LEARNING}"))
    assert f"/{EVIDENCE // 1000}e3" in stub


@pytest.mark.parametrize("tail", [b"", b"tail"])
def test_shellcheck_finds_nothing(tail: bytes, program: Callable[[str, str], str], tmp_path: Path) -> None:
    forms = pack.mixing_form(b"true\n", tail), pack.lzma_form(together(b"true\n"))
    (tmp_path / "sent.sh").write_text("".join(form.text for form in forms))
    done = subprocess.run(
        [program("shellcheck", "shellcheck"), tmp_path / "sent.sh"], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""


def test_without_python_it_fails_loudly(tmp_path: Path) -> None:
    for name in ("mkdir", "mv"):
        (tmp_path / name).symlink_to(f"/bin/{name}")
    sent = pack.mixing_form(b"true\n", b"").text.replace("d=/var/lib/foundry/flowc", f"d={tmp_path}")
    done = subprocess.run(
        ["/bin/bash"], input=sent, env={"PATH": f"{tmp_path}"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 127
    assert "python3: command not found" in done.stderr

"""Inputs that no person would write, and those that a person nearly did."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.corpus import CASES

SEEDS = [path.read_bytes() for case in CASES for path in sorted(case.glob("input.*"))]

# Pieces that lead deep into the reader when they stand in odd places.
TOKENS = [
    *(
        b"#!/bin/bash\n",
        b"#SBATCH ",
        b"#SBATCH\t",
        b"#PBS ",
        b"#BSUB ",
        b"\n",
        b"\r\n",
        b"\0",
        b"\\",
        b'"',
        b"'",
        b"#",
    ),
    *(
        b"--nodes=",
        b"-N",
        b"--time=",
        b"--array=",
        b"--gres=gpu:",
        b"--gpus",
        b"--mem=",
        b"--export=",
        b"hetjob",
    ),
    *(
        b"--signal=",
        b"--dependency=afterok:",
        b"--output=",
        b"--exclusive",
        b"--constraint=",
        b"--begin=now+1hour",
    ),
    *(
        b"0",
        b"-1",
        b"1-",
        b"99999999999999999999",
        b"1:2:3:4",
        b":",
        b",",
        b"=",
        b"%",
        b"@",
        b"[0-",
        b"]",
        b"\xff",
    ),
    *("é日\u202e\u2028".encode(), b"\x1b[2J", b"$(id)", b"`id`", b"${", b"<<EOF\n", b"EOF\n"),
]


def mutated() -> st.SearchStrategy[bytes]:
    """A real job with a few stretches replaced, repeated, removed or spliced with another's."""

    @st.composite
    def build(draw: st.DrawFn) -> bytes:
        data = draw(st.sampled_from(SEEDS))
        for _ in range(draw(st.integers(1, 6))):
            start = draw(st.integers(0, len(data)))
            stop = draw(st.integers(start, min(len(data), start + 40)))
            piece = draw(
                st.one_of(
                    st.sampled_from(TOKENS),
                    st.just(b""),
                    st.just(data[start:stop] * 3),
                    st.binary(max_size=20),
                )
            )
            data = data[:start] + piece + data[stop:]
        return data

    return build()


def assembled() -> st.SearchStrategy[bytes]:
    """Tokens in any order, mostly behind a shebang."""
    return st.lists(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=8)), max_size=40).map(
        lambda pieces: b"#!/bin/bash\n#SBATCH " + b"".join(pieces)
    )


def anything() -> st.SearchStrategy[bytes]:
    return st.one_of(st.binary(max_size=400), st.text().map(lambda text: text.encode("utf-8", "replace")))

"""Texts within a shell's text that another shell runs, as bash itself hands them on."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flowc.shell.inner import inner_texts

TEXTS = {
    "bash -c 'a; b'\n": ["a; b"],
    'srun -n2 /bin/bash -lc "a \\"b\\" \\$c $d" x\n': ['a "b" $c $d'],
    "sh -e -o pipefail -c \\\n  'a'\\''b'\"c\"d &\n": ["a'bcd"],
    "sudo -u me env A=1 bash -c $'a\\n\\tb\\'' && bash -c 'c'\n": ["a\n\tb'", "c"],
    "x=$(timeout 5 bash -c 'a')\n": ["a"],
    "bash --norc --login -c 'a'; bash --norc <<E\nb\nE\n": ["a", "b\n"],
    'bash -c "a $(b "c" \'d\') e"\n': ["a $(b \"c\" 'd') e"],
    "bash <<E\na\n$b \\$c \\\\ \\d\nE\n": ["a\n$b $c \\ \\d\n"],
    "bash -s -- x <<-'E'\n\ta\n\t\tb \\$c\n\tE\n": ["a\nb \\$c\n"],
    "if a; then\n\tsrun bash -e - <<-E\n\t\ta \\\n\t\tb\n\tE\nfi\n": ["a \t\tb\n"],
    "bash -c 'bash <<E\na\nE\n'\n": ["bash <<E\na\nE\n"],
    "# bash -c 'a'\n": [],
    "echo bash -c 'a'; grep -c 'a' b; python -c 'a'; bash x -c 'a'\n": [],
    "ssh host bash -c 'a'; docker run x bash -c 'a'; srun --container-image=x bash -c 'a'\n": [],
    "ssh host bash <<E\na\nE\napptainer exec x.sif bash <<E\na\nE\n": [],
    "bash x.sh <<E\na\nE\ncat <<E\na\nE\nbash -c 'a' <<E\nb\nE\n: <<E\nbash\nE\n": ["a"],
}


@pytest.mark.parametrize("text", TEXTS)
def test_texts(text: str) -> None:
    found = inner_texts(text)
    assert [each.text for each in found] == TEXTS[text]
    for each in found:
        ends = [*(at for at, _, _ in each.pieces[1:]), len(each.text)]
        for (at, start, end), behind in zip(each.pieces, ends, strict=True):
            assert each.text[at:behind] == text[start:end] or end - start == behind - at + 1


@pytest.mark.parametrize(
    "text", ["bash -c '", 'bash -c "a\\', "bash -c $'a\\", "bash -c 'a", "bash -c \\", "bash <<E\n\\"]
)
def test_a_quote_that_nothing_closes_is_no_trouble(text: str) -> None:
    assert all(each.text in ("", "a", "$") for each in inner_texts(text))


WORD = st.lists(
    st.sampled_from(
        (
            *(
                "a",
                "bé",
                "'x y'",
                '"q r"',
                "\\ ",
                "\\'",
                '"\\$x"',
                '"\\a\\`"',
                "$'n\\nt\\\\'",
                '"b\\\nc"',
                "\\\n",
                "'\n'",
            ),
            *('"\'"', "'\"'", '"\\\\"', "\\\\", "''"),
        )
    ),
    max_size=6,
)


@given(WORD)
@settings(max_examples=60)
def test_bash_is_given_the_same_word(parts: list[str]) -> None:
    text = "bash -c 'x'" + "".join(parts) + " y\n"
    (found,) = inner_texts(text)
    run = subprocess.run(["bash", "-c", 'bash() { printf %s "$2"; }\n' + text], capture_output=True, check=True)
    assert found.text == run.stdout.decode()


# A backslash has what it escapes behind it, or the end of the line.
LINES = st.lists(
    st.tuples(
        st.lists(st.sampled_from(("a", " ", "\t", "\\a", "\\\\", "\\$", "\\`", '"', "'", "é")), max_size=5),
        st.sampled_from(("", "\\")),
    ).map(lambda parts: "".join(parts[0]) + parts[1]),
    max_size=6,
)


@example(["\\", "\t"], True, False)
@example(["a\\", "\tb"], True, False)
@example(["\t\\", "\tb"], True, False)
@given(LINES, st.booleans(), st.booleans())
@settings(max_examples=60)
def test_bash_reads_the_same_document(lines: list[str], tabs: bool, quoted: bool) -> None:
    word = ("-" if tabs else "") + ('"E"' if quoted else "E")
    text = f"bash <<{word}\n" + "".join(f"{line}\n" for line in lines) + "x\nE\n"
    (found,) = inner_texts(text)
    run = subprocess.run(["bash", "-c", "bash() { cat; }\n" + text], capture_output=True, check=True)
    assert found.text == run.stdout.decode()

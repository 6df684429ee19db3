from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc.diag.excerpt import excerpt, visible
from flowc.diag.render import colours, render, summary
from flowc.source import Source, Span
from tests.diag.findings import finding, span


def shown(text: str, marked: str, **more: object) -> str:
    source = Source("job.sbatch", text)
    return render("job.sbatch", [finding(span(source, marked), **more)])  # type: ignore[arg-type]


def test_finding_shows_place_line_carets_and_help() -> None:
    assert shown("#!/bin/sh\n#SBATCH --tmie=5\n", "--tmie", help="did you mean `--time`?") == (
        "job.sbatch:2:9: error[FC999] some-problem: the message\n"
        "  |\n"
        "2 | #SBATCH --tmie=5\n"
        "  |         ^^^^^^\n"
        "  = help: did you mean `--time`?\n"
        "\n"
    )


def test_fix_shows_the_line_before_and_after() -> None:
    source = Source("j", "#SBATCH --tmie=5\nnext\n")
    where = span(source, "--tmie")
    text = render("j", [finding(where, fix=(where, "--time"))])
    assert "  = fix: mend it\n1 - #SBATCH --tmie=5\n1 + #SBATCH --time=5\n" in text


def test_fix_that_removes_a_line_shows_only_what_goes() -> None:
    source = Source("j", "a\nb\nc\n")
    text = render("j", [finding(span(source, "b"), fix=(Span(source, 2, 4), ""))])
    assert "2 - b\n" in text


def test_note_shows_its_own_place() -> None:
    source = Source("j", "#SBATCH -N1\n#SBATCH -N2\n")
    text = render("j", [finding(span(source, "-N2"), notes=((span(source, "-N1"), "first given here"),))])
    assert "j:1:9: note: first given here\n  |\n1 | #SBATCH -N1\n  |         ^^^\n" in text


def test_finding_about_no_text_names_the_file() -> None:
    assert render("j", [finding(None)]) == "j: error[FC999] some-problem: the message\n\n"


def test_findings_stand_in_the_order_of_the_text() -> None:
    source = Source("j", "one two three")
    found = [
        finding(None, "last"),
        finding(span(source, "three"), "second"),
        finding(span(source, "one"), "first"),
    ]
    text = render("j", found)
    assert text.index("first") < text.index("second") < text.index("last")


def test_tabs_and_wide_characters_keep_carets_below_the_text() -> None:
    lines = shown("#SBATCH\t-J 日本 --bad", "--bad").splitlines()
    assert lines[2] == "1 | #SBATCH    -J 日本 --bad"
    assert lines[3] == "  |" + " " * 20 + "^^^^^"  # two columns for each of the two wide characters


def test_long_line_shows_the_part_around_the_span() -> None:
    source = Source("j", "x" * 5000 + " here " + "y" * 5000)
    _, line, blanks, carets = excerpt(span(source, "here"), 60)
    assert len(line) <= 60
    assert line.startswith("…")
    assert line.endswith("…")
    assert line[len(blanks) : len(blanks) + len(carets)] == "here"


def test_span_longer_than_the_room_is_cut() -> None:
    _, line, _, carets = excerpt(span(Source("j", "-J " + "z" * 500), "z" * 500), 50)
    assert len(line) <= 50
    assert set(carets) == {"^"}
    assert len(carets) < 50


def test_span_at_the_very_end_has_one_caret() -> None:
    source = Source("j", "last")
    assert excerpt(Span(source, 4, 4), 80) == (1, "last", "    ", "^")


def test_span_over_lines_marks_the_first() -> None:
    source = Source("j", "one two\nthree")
    assert excerpt(Span(source, 4, 13), 80) == (1, "one two", "    ", "^^^")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[2J", "␛[2J"),
        ("a\nb\r", "a␊b␍"),
        ("\x7f\x9b", "␡\\u009b"),
        ("\udcff", "\\xff"),
        ("\u202eevil", "\\u202eevil"),
        ("no\u00a0break", "no\\u00a0break"),
        ("\ud800", "\\ud800"),
        ("plain, ünïcode 日本", "plain, ünïcode 日本"),
    ],
)
def test_what_a_terminal_would_obey_becomes_visible(text: str, expected: str) -> None:
    assert visible(text) == expected


def harmless(text: str) -> bool:
    return all(unicodedata.category(each) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for each in text if each != "\n")


@given(st.text(st.characters(), max_size=300), st.data())
def test_no_input_reaches_the_terminal_raw(text: str, data: st.DataObject) -> None:
    source = Source(data.draw(st.text(st.characters(), max_size=5)), text)
    start = data.draw(st.integers(0, len(text)))
    where = Span(source, start, data.draw(st.integers(start, len(text))))
    found = finding(where, text, help=text, fix=(where, text), notes=((where, text),))
    assert harmless(render(source.path, [found], width=40))


@given(st.text(st.characters(exclude_characters="\n"), max_size=400), st.integers(20, 100), st.data())
def test_excerpt_keeps_within_its_width(text: str, width: int, data: st.DataObject) -> None:
    source = Source("j", text)
    start = data.draw(st.integers(0, len(text)))
    _, line, blanks, carets = excerpt(Span(source, start, data.draw(st.integers(start, len(text)))), width)
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in line)
    narrow = sum(unicodedata.category(each) in ("Mn", "Me") for each in line)
    assert len(line) + wide - narrow <= width
    assert len(blanks) + len(carets) <= width + 1


def test_colours_start_and_end() -> None:
    source = Source("j", "one")
    text = render("j", [finding(span(source, "one"), severity="warning", help="h")], colours())
    assert "\x1b[1;33mwarning[FC999]\x1b[0m" in text
    assert text.count("\x1b[0m") * 2 == text.count("\x1b[")


@pytest.mark.parametrize(
    ("tally", "files", "fixable", "expected"),
    [
        ({}, 1, 0, "no problems in 1 file"),
        ({"error": 2, "warning": 1}, 3, 1, "2 errors, 1 warning in 3 files (1 fixable with --fix)"),
        ({"note": 1}, 1200, 0, "1 note in 1,200 files"),
    ],
)
def test_summary_is_one_line(tally: dict[str, int], files: int, fixable: int, expected: str) -> None:
    assert summary(tally, files, fixable) == expected

"""What the sink keeps: each finding once, a bounded number of a code, messages of readable length."""

from __future__ import annotations

from flowc.diag.code import Code
from flowc.diag.sink import MOST_OF_A_CODE, Sink, shortened
from flowc.source import Source, Span

WARNING = Code(id="FC998", name="x", severity="warning", title="`{text}`", explain="", bad="", good="")
ERROR = Code(id="FC999", name="y", severity="error", title="found {text}", explain="", bad="", good="")


def test_the_same_finding_is_kept_once() -> None:
    sink, span = Sink(), Span(Source("a", "text"), 0, 1)
    for _ in range(3):
        sink.report(ERROR, span, text="x")
    assert [each.message for each in sink.diagnostics] == ["found x"]
    assert sink.error_count == 1


def test_of_one_code_a_bounded_number_is_kept() -> None:
    sink = Sink()
    source = Source("a", "x" * 2000)
    for at in range(MOST_OF_A_CODE + 1234):
        sink.report(ERROR, Span(source, at, at + 1), text="x")
    sink.report(WARNING, None, text="other")
    messages = [each.message for each in sink.diagnostics]
    assert len(messages) == MOST_OF_A_CODE + 1
    assert messages[-3:] == ["found x", "found x (and 1,234 more of this kind)", "`other`"]
    assert sink.error_count == MOST_OF_A_CODE + 1234


def test_no_more_than_the_bound_says_nothing() -> None:
    sink = Sink()
    for number in range(MOST_OF_A_CODE):
        sink.report(ERROR, None, text=str(number))
    assert not any("more" in each.message for each in sink.diagnostics)


def test_words_are_cut_where_they_are_quoted() -> None:
    sink = Sink()
    sink.report(WARNING, None, text="a" * 100_000 + "z", help="write `" + "b" * 1000 + "`")
    (found,) = sink.diagnostics
    assert len(found.message) < 100
    assert found.message.startswith("`aaa")
    assert found.message.endswith("z`")
    assert str(found.help).startswith("write `bbb")
    assert str(found.help).endswith("b`")


def test_prose_is_left_alone() -> None:
    text = "expected one of " + ", ".join(f"`{number}xh100`" for number in range(60))
    assert shortened(text) == text


def test_an_error_stops_the_next_stage_unless_its_code_says_otherwise() -> None:
    from flowc.diag.codes.yaml.document import UNKNOWN_KEY, WRONG_TYPE

    sink = Sink()
    sink.report(UNKNOWN_KEY, None, key="a", where="")
    assert (sink.broken, sink.failed, sink.stopped) == (True, True, False)
    sink.report(WRONG_TYPE, None, path="a", found="a text", expected="a number")
    assert sink.stopped

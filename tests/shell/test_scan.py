"""What the scan of a text finds, beside what the real bash does with it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowc.shell.scan import scan

# Whatever is called by such a name is told, and is well.
HANDLER = 'command_not_found_handle() { [ -z "$1" ] || echo "$1" >>"$CALLED"; }\nshopt -s extglob\n'
MARK = re.compile(r"m\d+x")


def called(text: str, folder: Path) -> set[str]:
    """The marks that bash runs as commands."""
    (folder / "called").write_text("")
    (folder / "body").write_text(text)
    (folder / "script").write_text(f"{HANDLER}. {folder}/body\nwait\n")
    done = subprocess.run(
        ["bash", str(folder / "script")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin", "CALLED": str(folder / "called")},
    )
    assert "syntax error" not in done.stderr, done.stderr + text
    assert "unexpected" not in done.stderr, done.stderr + text
    return set((folder / "called").read_text().split())


def found(text: str) -> set[str]:
    """The marks that the scan takes for the names of commands."""
    names = (command.words()[:1] for command in scan(text).commands)
    return {each[0][1] for each in names if each and MARK.fullmatch(each[0][1])}


class Marks:
    """Gives out names; those in braces of a form are filled in one by one."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        return f"m{self.count}x"


# `@` is a mark, C a command and A an argument in its place, L a list of commands.
COMMANDS = (
    *(
        "@",
        "@ A",
        "@ A A",
        "X=A @ A",
        "X=A Y+=A @",
        "@ >/dev/null A 2>&1",
        "@ &>/dev/null",
        ">/dev/null @ A",
        "! @ || C",
    ),
    *("time @", "{ L; }", "{\nL\n}", "(L)", "( L\n)", "if C; then L; fi", "if C\nthen\nL\nelse\n:\nfi", "@ <<<A"),
    *("if false; then :; elif C; then L; fi", "for i in x A; do L; done", "for i in 1\ndo\nL\ndone", "X=(@ A)"),
    *("for ((i = 0; i < 1; i++)); do L; done", "while C; do L; break; done", "until ! { C\n}; do L\nbreak; done"),
    *("for @ in 1; do C; done", "X=(A\n@\n# @ (\nA)", "X+=(@ [1]=@)", "declare -a X=(@ A)", "X=@ Y=@", "declare X=(@)"),
    *("case A in\n*) L ;;\nesac", "case x in (x | @) L ;;& @|x) L;; esac", "case x in ?(x|@)) L ;; esac"),
    *("case x in\n  x) L\n    ;;\n  *)\n  ;;\nesac", "case $# in 0) L ;; esac", "[[ a =~ ^(@|a)$ ]] && C"),
    *(
        "case x in # @ )\n(@) : ;;\nx)\nL\nesac",
        "case @ in *) case y in y) C ;; esac ;; esac; C",
        "case x in x) ;; esac",
    ),
    *("case x in\n@ | \\\n @) ;;\n x) C;; esac", "case x in x) (C) ;; esac", "if case x in x) C;; esac; then L; fi"),
    *("case x in x) C & ;; esac", "case 'a)' in 'a)') C ;; \"b)\") : ;; esac", "case x in @) :; esac; C"),
    *("[[ -n x && ! ( a == @ ) || @ < y ]] && C", "[[ ab == a* && (x = x) ]] && C", "[ 1 -lt 2 ] && C", "C && C"),
    *(
        "[[ @ == @ ||\n x == x ]] && C",
        "[[ x == !(@|a) ]] && C",
        "[[ -f '@' ]] || C",
        "if [[ x =~ (@)?x ]]; then C; fi",
    ),
    *("((1 < 2)) && C", "(( (1 << 2) > 1 )) && C", "((X = 1 | 2, Y = 3 & 1)); C", "false || C", "C | C", "C |& C"),
    *("C & C", "C & :", "f() { L; }; f", "f () (L); f", "function g { L; }; g", "function h() { L\n}\nh", "X[1]=A"),
    *("f()\n{\nL\n}\nf", "let X=1+2; C", "@ \\\n A", "@ A\\\nA", "C; # @ @ '", 'C # @ @ "', "#@\nC", "# @ $(@)\nC"),
    *("@ a#@ A", "@ $'it\\'s @' A", "@ '@ $(@)' A", "@ \"@ '$(C)' @\"", '@ "\\"@ ; @" A', "@ '\n@\n' A", "export X=A"),
    *(
        "@ <<E A\n@\n$(C)\nE",
        "@ <<'E' A\n@ $(@)\n`@`\nE",
        "@ <<-E\n\t@\n\tE",
        "@ <<\\E\n@ '\nE",
        '@ <<"E F" | C\n@ "\nE F',
    ),
    *("@ <<E <<F\n@\nE\n$(C) `C`\nF", "@ $(@ <<E\n@ )\nE\n) A", "@ <<E; C\n\\$(@) it's \"\nE", "(@ <<E\n@ (\nE\n)"),
    *("C <<E && C\n@\n @\nE", "while C; do break; done <<E\n@\nE", "{ C; } <<'E'\n@\nE", "@ <<E\n${U:-$(C)}\nE"),
    *(
        "X=A; Y=$X; L",
        "eval 'X=1'; C",
        "coproc { @; }; wait",
        "[[ $(C) == *(a|b) ]]; C",
        "trap 'X=@' EXIT; C",
        ": !(@|x)",
    ),
    *(
        "@ <<E\n#@\n' `C`\nE",
        "@ <<E\n$((1 + 2)) ) }\nE",
        "@ <<-'E' |\n\t@\n\tE\nC",
        "for i in `C`; do :; done <<E\n@\nE",
    ),
)
ARGUMENTS = (
    *(
        "@",
        "'@'",
        "'a b; @'",
        '"@ ; @"',
        '"$(C)"',
        "$(C)",
        "$(L)",
        "`@`",
        '"`@`"',
        "${U:-$(C)}",
        "${X:-@ @}",
        '"${X-@}"',
    ),
    *(
        "${X:-'}'}",
        '"${X:-"a b"}"',
        "${#X}",
        "${X#@}",
        '"${X##*/}"',
        "${UID//[0-9]/$(C)}",
        "$((1 + 2))",
        '"$((1<<2))"',
        "$#",
    ),
    *("$(( $(C; echo 1) + 1 ))", "<(C)", "\\'", '\\"', "\\#", "a\\ b", "$'@'", '$"@"', "a'b'\"c\"$(C)d", "{a,b}"),
    *("$(C; echo \"$(C)\" 'a)')", "$(case x in x) L ;; esac)", "$( (L) )", "$(# @ )\nC)", "$(C # @ '\n)", "x=A"),
    *(
        "-o",
        "--opt=A",
        "~/@",
        "*.@",
        "%",
        "[a-z]",
        "=",
        "$X",
        "${X}",
        "$$",
        "$!",
        "!",
        "{}",
        "if",
        "done",
        "case",
        "esac",
    ),
    *(
        "?(@|b)",
        "a]]",
        "${X[@@]}".replace("@@", "0"),
        "$(( (1) ))",
        "$((16#ff))",
        "a@b".replace("@", "="),
        "$(<x)",
    ),
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    marks = Marks()

    def put(form: str, depth: int) -> str:
        # What a here-document or a backquote would end is kept simple: each form is tested by itself, too.
        depth = 0 if "<<" in form or "`" in form else depth
        return "".join(part(char, depth) for char in form)

    def part(char: str, depth: int) -> str:
        if char == "@":
            return marks()
        if char == "A":
            return put(draw(st.sampled_from(ARGUMENTS if depth > 0 else ARGUMENTS[:4])), depth - 1)
        if char == "C":
            return within(put(draw(st.sampled_from(COMMANDS if depth > 0 else COMMANDS[:1])), depth - 1))
        return within(many(depth - 1)) if char == "L" else char

    def within(text: str) -> str:
        """What goes on to the end of its line has one, and what is several commands is one."""
        return f"{{ {text}\n}}" if any(sign in text for sign in ("#", "<<", "\n", ";", "|", "&")) else text

    def many(depth: int) -> str:
        forms = draw(st.lists(st.sampled_from(COMMANDS if depth > 0 else COMMANDS[:1]), min_size=1, max_size=2))
        return "\n".join(put(form, depth) for form in forms)

    return many(2) + "\n" + many(1) + "\n"


def whole(form: str) -> str:
    """A form with marks for all that may stand in it."""
    marks = Marks()
    return "".join(marks() if char in "@CA" else f"{marks()}\n{marks()}" if char == "L" else char for char in form)


# Bash 5.2 writes `$(coproc x)` anew as `coproc COPROC x`, and runs a command of the name COPROC: it stands alone.
# A blank that is escaped is a part of a word; the end of a substitution ends the last line of a here-document in it.
ALONE = (
    "coproc @; wait",
    *("@ \\ #b; @", "@ \\\\ #b; m0x", "@ \\\n#b; m0x\n@", "@ \\;#b; @", "@ x\\\n#b; m0x"),
    *("X=`@ <<E | @\nm0x #\nE`\n@", "X=`@ <<-E\n\tm0x\n\tE`; @", "X=$(@ <<E\nm0x\nE)\n@"),
)


@pytest.mark.parametrize("form", [*COMMANDS, *ALONE, *(f"@ {form}" for form in ARGUMENTS)])
def test_each_form(form: str, tmp_path: Path) -> None:
    text = f"{whole(form)}\nm999x\n"
    assert found(text) == called(text, tmp_path)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(texts())
def test_forms_within_forms(tmp_path: Path, text: str) -> None:
    assert found(text) == called(text, tmp_path)


SIGNS = (*"\"'`$(){}[]<>|&;#=\\\n \t!?@*:x", "<<E\n", "\nE\n", "$((", "))", "[[ ", " ]]", "case ", "esac", ";;")


@settings(max_examples=300)
@given(st.lists(st.sampled_from(SIGNS), max_size=60))
def test_any_text_is_read_to_its_end(parts: list[str]) -> None:
    """And what is found lies in it, in order."""
    text = "".join(parts)
    seen = scan(text)
    for stretches in (seen.comments, seen.quotes, [(each.start, each.end) for each in seen.here_documents]):
        places = [place for stretch in stretches for place in stretch]
        assert all(0 <= place <= len(text) for place in places)
        assert [start for start, _ in stretches] == sorted(start for start, _ in stretches)
    for command in seen.commands:
        assigned, words, redirections = command.parts()
        pairs = [*assigned, *words, *((start, word) for start, _, word in redirections)]
        assert all(text.startswith(word, start) and start + len(word) <= command.end for start, word in pairs)


def test_what_nests_without_an_end_is_read_too() -> None:
    for part in ("(", '"', "$(", "`", "<<E\n$(", "[[ ", "case x in ", "$((1+", "${", "X=(", "?("):
        scan(part * 3000)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('a b\'c d\'"e $(f "g h") i"$((1 + 2)) <(j k) >l', ["a", 'b\'c d\'"e $(f "g h") i"$((1 + 2))', "<(j k)"]),
        ("X=1 Y=(a b) c ${d:-'}'} $'e\\'f' ?(g|h)", ["c", "${d:-'}'}", "$'e\\'f'", "?(g|h)"]),
        ("2>&1 a \\\n b#c # d", ["a", "b#c"]),
        ("function f", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    seen = scan(text)
    (command,) = (each for each in seen.commands if each.start == 0)
    assert [word for _, word in command.words()] == words


def test_stretches() -> None:
    text = "a 'b' \"c $(d \"e\" # f\n)\" # g\ncat <<E <<'F'\n$(h) # i\nE\n# j\nF\n"
    seen = scan(text)
    assert [text[slice(*each)] for each in seen.quotes] == ["'b'"]
    assert [text[slice(*each)] for each in seen.strings] == ['"c $(d "e" # f\n)"', '"e"']
    assert [text[slice(*each)] for each in seen.comments] == ["# f", "# g"]
    assert [text[each.start : each.end] for each in seen.here_documents] == ["$(h) # i\n", "# j\n"]
    assert all(text.startswith("cat", each.command) for each in seen.here_documents)

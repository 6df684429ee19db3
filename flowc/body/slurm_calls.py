"""How a text calls the programs of Slurm, read off it without running it: in the text of a shell as in the strings and
lists of another language, by a name or by a variable that holds one."""

from __future__ import annotations

from flowc.patterns import at_first_use, at_words
from flowc.record import Record
from flowc.shell.blocks import any_enclosed
from flowc.shell.command import MOST_WORDS
from flowc.shell.comments import in_comment
from flowc.shell.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.shell.command import Command

PROGRAMS = "srun|ibrun|scontrol|squeue|sacct|sinfo|scancel|sbcast|sbatch|salloc|mpirun|orterun|prterun|mpiexec"
# A name is none of a longer word, but may be a default: `${SRUN:-srun}`.
_mentions = at_words(
    rf"(?<![\w.$@])(?:(?<!-)|(?<=:-))({PROGRAMS})(?:(?:(?<=mpiexec)|(?<=mpirun))\.\w+)?(?![\w=/-]|\.\w)",
    tuple(PROGRAMS.split("|")),
)
_path = at_first_use(r"(?:\A|[\s\"'`(=;|&{-])(/[\w./-]*)\Z", "search")
_asking = at_first_use(r"(?:\bwhich|\bcommand[ \t]+-[vV]|\btype(?:[ \t]+-\w+)?|\bhash)[ \t]+[\"']?\Z", "search")
# What is assigned to: `A=`, `set A = `, `A+=( `, `${A:-`, `A=$(which `.
_holder = at_first_use(
    r"(?:\b(\w+)[ \t]*\+?=[ \t]*(\(\s*)?(?:(?:\$\(|`)(?:which|command[ \t]+-v|type[ \t]+-[pP])[ \t]+)?|\$\{(\w+):?[-=])"
    r"[\"']?(?:/[\w./-]*)?\Z",
    "search",
)
_said = at_first_use(
    r"(?:\A|[;&|({]|\b(?:then|do|else))[ \t]*(?:echo|printf|log\w*|die|warn\w*|error|info|msg)\b", "search"
)
# What may be fed around a command on its line.
_grouped = at_first_use(r"[(){}]|\b(?:do|then|else|done|fi|esac)\b", "search")
_HAND_ON = frozenset(("xargs", "parallel"))
_handed_words = at_first_use(r"\b(?:xargs|parallel)\b", "search")
_piped = at_first_use(r"(?<!\|)\|&?(?!\|)\s*[^;&|\n]*\Z", "search")
_redirected = at_first_use(r"<(?![\w ]*>)", "search")
_redirection = at_first_use(r"(?:[ \t]|\\\r?\n)*\d?&?[<>]{1,3}[&|]?[ \t]*", "match")
_word = at_first_use(
    r"(?:[ \t]|\\\r?\n)*((?:[^\s\"'`$\\;&|()<>]|\\.|\"(?:[^\"\\]|\\.)*\"|'[^']*'|\$\(\([^\n]{0,100}?\)\)"
    r"|\$\((?:[^()]|\([^()]*\))*\)|`[^`]*`|\$\{[^}]*\}|\$)*)",
    "match",
)
# A variable and nothing else; what is behind the name of one in braces; what is assigned to one.
_variable = at_first_use(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:\[[@*]\])?\})\Z", "match")
_expanded_alone = at_first_use(r"(?:\[[@*]\])?\}", "match")
_assigned = at_first_use(
    r"(?:\[[^\]\n]*\])?\+?=((?:\((?:[^()\"']|\"(?:[^\"\\]|\\[\s\S])*\"|'[^']*')*\)|\"(?:[^\"\\]|\\[\s\S])*\"|'[^']*'"
    r"|\\[\s\S]|\$\{[^}\n]*\}|[^\s\"'()\\;&|<>])*)",
    "match",
)
_between_words = at_first_use(r"[\s\"'()]+", "split")
# What hands on its standard input to the commands in it: loops, conditions and groups.
_fed_block = at_first_use(
    r"(?:\b(?:done|fi|esac)|(?m:^)[ \t]*[})])(?:[ \t]*\d?>\S+)*[ \t]*(?:\\\r?\n)?[ \t]*0?<"
    r"|(?<!\|)\|&?(?!\|)\s*(?:\b(?:while|until|for|if|case)\b|[({])",
    "search",
)
# What sets the standard input of all that follows, in a shell; that of a program, in another language.
_fed_later = at_first_use(r"\bexec[ \t]+0?<|\b(?:stdin|input)[ \t]*=|\bcommunicate\(", "search")
_functions = at_first_use(r"(?m)^[ \t]*(?:function[ \t]+([\w-]+)|([\w-]+)[ \t]*\([ \t]*\))", "findall")
_BEFORE = 200  # characters that are looked at before a call, and after it
_AFTER = 600
_MOST_WORDS = 60
_LONGEST_VALUE = 4000
_MOST_VARIABLES = 20
_MOST_CALLS = 1000


class Call(Record):
    """A call of `name`, which stands at `start`. `words`: what follows it in its statement, as far as that can be seen;
    `more`: other words may follow; `fed`: something may be written to its standard input; `after`: the text behind it;
    `path`: the folder by which it is called."""

    name: str
    start: int
    words: tuple[str, ...]
    more: bool
    fed: bool
    after: str
    path: str


def calls(text: str, *, shell: bool) -> tuple[list[Call], bool]:
    """The calls in a text, that of a shell or of another language; and whether these are all: of very many only the
    first are read."""
    found: list[Call] = []
    held: dict[str, str] = {}
    for number, match in enumerate(_mentions(text)):
        if len(found) > _MOST_CALLS or number > 5 * _MOST_CALLS:
            return found, False
        if not in_comment(text, match.start(), shell=shell):
            found += _read(text, match.start(), match.end(), match[1], shell, held)
    todo = list(held)
    for variable in todo:
        for start, end in _uses(text, variable):
            if len(found) > _MOST_CALLS:
                return found, False
            if not in_comment(text, start, shell=shell):
                found += _read(text, start, end, held[variable], shell, held)
        todo += [name for name in held if name not in todo][: _MOST_VARIABLES - len(todo)]
    return found, True


Words = tuple[str, ...]


def words_held(text: str, variable: str) -> list[Words] | None:
    """The words of each value that a shell's text gives a variable, with those of variables in them; None where
    something else may give it one, or what it holds cannot be seen."""
    return _values(text, variable, {})


def _values(text: str, variable: str, known: dict[str, list[Words] | None]) -> list[Words] | None:
    """`known`: variables that were looked at, or are just now."""
    import re

    if variable in known or len(known) > _MOST_VARIABLES:
        return known.get(variable)
    known[variable] = None
    found: list[Words] = []
    for mention in re.finditer(rf"(?<!\w){variable}\b", text):
        start, end = mention.span()
        if text[start - 1 : start] == "$" or scan(text).in_comment(start):
            continue
        if text[start - 2 : start] == "${":
            if _expanded_alone(text, end) is None:
                return None
            continue
        value = _assigned(text, end, end + _LONGEST_VALUE)
        words = None if value is None else _told_words(text, value[1], known)
        if words is None or value is None or value.end() == end + _LONGEST_VALUE or len(found) > _MOST_WORDS:
            return None
        found.append(words)
    known[variable] = found or None
    return known[variable]


def _told_words(text: str, value: str, known: dict[str, list[Words] | None]) -> Words | None:
    """The words of a value; None where commands or arguments of the script say some of them, or they are many."""
    found: list[str] = []
    for word in _between_words(value.replace("\\\n", " ")):
        if word[:1] == "$" and not word.startswith("$SLURM_"):
            name = variable_of(word)
            inner = _values(text, name, known) if name else None
            if inner is None:
                return None
            found += [each for words in inner for each in words]
        elif "$(" in word or "`" in word:
            return None
        elif word:
            found.append(word)
        if len(found) > _MOST_WORDS:
            return None
    return tuple(found)


def variable_of(word: str) -> str:
    """The variable whose value a word is, as a whole; nothing where it is no such word."""
    found = _variable(word)
    return found[1] or found[2] if found else ""


def _uses(text: str, variable: str) -> Iterator[tuple[int, int]]:
    import re

    for match in re.finditer(
        rf"\$(?:\{{{variable}(?:\[[@*]\])?(?::?[-=][^}}\n]{{0,99}})?\}}|{variable}\b)[\"']?|\b{variable}\+=\(?", text
    ):
        yield match.span()


def is_fed(text: str, steps: list[int], *, shell: bool) -> bool:
    """Whether something around steps in these places may give them their standard input."""
    fed = _fed_block(text) or _fed_function(text)
    return _fed_later(text) is not None or (bool(fed) and any_enclosed(text, steps, shell=shell))


def _fed_function(text: str) -> bool:
    """Whether something is fed to a function."""
    import re

    names = [re.escape(one or other) for one, other in _functions(text)[:100]]
    if not names:
        return False
    name = "|".join(names)
    return re.search(rf"\|&?\s*(?:{name})\b|(?m:^)[ \t]*(?:{name})\b[^\n;|&(]{{0,200}}<", text) is not None


def _read(text: str, start: int, end: int, name: str, shell: bool, held: dict[str, str]) -> list[Call]:
    """What a name, or a variable that holds it, is there for; a variable that it is assigned to goes into `held`."""
    before = text[max(0, start - _BEFORE) : start]
    path = ""
    if before[-1:] == "/":
        found = _path(before)
        if found is None:
            return []
        path = found[1]
    line = before[before.rfind("\n") + 1 :]
    after = text[end : end + _AFTER]
    place = _open_quote(line)
    quote = line[place] if place >= 0 else ""
    asking = _asking(before) is not None
    if asking and after[:1] in (")", "`"):
        after = after[1:]
    rest = after
    holder = _holder(before[: len(before) - len(line) + place] if quote else before) if shell else None
    statement = after.replace("\\\n", "  ").partition("\n")[0]
    fed = bool(_redirected(statement) or _piped(before.replace("\\\n", "  ")))
    command, number = _word_of(text, start, len(path)) if shell and holder is None and not asking else (None, 0)
    if command is not None:
        seen = [word for _, word in command.words()]
        more = any(word.rpartition("/")[2] in _HAND_ON for word in seen[:number]) or len(seen) >= MOST_WORDS
        words = tuple(seen[number + 1 :])
        fed = (fed and _grouped(line + statement) is not None) or _is_fed(command)
        return [Call(name=name, start=start, words=words, more=more, fed=fed, after=after, path=path)]
    if quote:
        rest = rest[: _closing(rest, quote)]
    if holder is not None and (quote or holder[2]):
        rest = (rest if quote else rest.partition(")")[0]).replace("\n", " ")
    words = _words(rest)
    more = True
    if holder is not None:
        held.setdefault(holder[1] or holder[3], name)
        more = False
    elif asking:
        more = False
    elif shell:
        said = quote and _said(line[:place])
        more = bool(quote and not said) or _handed_words(line) is not None
    return [Call(name=name, start=start, words=words, more=more, fed=fed, after=after, path=path)]


def _is_fed(command: Command) -> bool:
    """Whether a command's standard input is a file, a here-document, or what another command writes."""
    if any(operator.lstrip("0")[:1] == "<" for _, operator, _ in command.parts()[2]):
        return True
    text, place = command.text, command.start - 1
    comments = {end - 1: start for start, end in scan(text).comments} if text[place : place + 1] == "\n" else {}
    while place > 0 and (text[place] in " \t\n" or place in comments):
        place = comments.get(place, place) - 1
    return place > 0 and (text[place] == "|" != text[place - 1] or text[place - 1 : place + 1] == "|&")


def _word_of(text: str, start: int, path: int) -> tuple[Command | None, int]:
    """The command in which a name, behind as many characters of a path, or a variable stands as a word, and the number
    of that word; None where it is a part of one, such as a text for another shell."""
    command = scan(text).command_at(start)
    if command is not None:
        first = start - path
        for number, (at, word) in enumerate(command.words()):
            if at == first or (at == first - 1 and word[:2] == '"$' and text[start] == "$"):
                return command, number
    return None, 0


def _words(rest: str) -> tuple[str, ...]:
    """The words of a statement without its redirections."""
    return tuple(word for _, word in placed_words(rest, 0))


def placed_words(text: str, place: int) -> list[tuple[int, str]]:
    """The words of the statement that goes on at `place`, without its redirections, with their offsets."""
    found: list[tuple[int, str]] = []
    while len(found) < _MOST_WORDS:
        redirection = _redirection(text, place)
        if redirection is not None:
            place = _word(text, redirection.end()).end()
            continue
        match = _word(text, place)
        if not match[1]:
            break
        found.append((match.start(1), match[1]))
        place = match.end()
    return found


def _open_quote(line: str) -> int:
    """Where the quote is that is open at the end of a line's part, -1 for none."""
    place, quote, escaped = -1, "", False
    if "'" not in line and '"' not in line:
        return -1
    for index, char in enumerate(line):
        if escaped:
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif char in "'\"" and quote in ("", char):
            quote, place = ("", -1) if quote else (char, index)
    return place


def _closing(rest: str, quote: str) -> int:
    """Where a quote is closed; the end where it is not."""
    place = rest.find(quote)
    while place > 0 and rest[place - 1] == "\\" and quote == '"':
        place = rest.find(quote, place + 1)
    return len(rest) if place < 0 else place

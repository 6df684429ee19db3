"""`bash -n`: reads a text and runs nothing of it."""

from __future__ import annotations

from flowc.diag.codes import judges as codes
from flowc.judges.base import Found, Judge, line_of, program, run
from flowc.patterns import at_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.judges.texts import Judged

_said = at_first_use(r"^[^\n]*?bash: line ([0-9]+): (warning: )?(?!`)([^\n]+)", "finditer", 8)  # re.MULTILINE
_number = at_first_use(r"version ([0-9][0-9.]*)", "search")
_shopt = at_first_use(r"\bshopt[ \t]+-s\b[^\n;|&]*\b(extglob|expand_aliases)\b", "findall")


def _reads(language: str) -> bool:
    return language in ("bash", "sh", "dash")


def _declines(text: str) -> str | None:
    """It runs nothing, so it knows no alias."""
    return "a text with aliases" if "expand_aliases" in _shopt(text) else None


def _judge(each: Judged) -> list[Found] | None:
    words = [program("bash") or "bash", *(["-O", "extglob"] if "extglob" in _shopt(each.text) else []), "-n"]
    done = run([*words, "--posix"] if each.language != "bash" else words, each.text)
    if done is None:
        return None
    found: dict[int, Found] = {}
    for match in _said(done[1]):
        start, end = line_of(each.text, int(match[1]))
        code = codes.BASH_WARNS if match[2] else codes.BASH_REFUSES
        found.setdefault(start, Found(code=code, start=start, end=end, fields={"message": match[3]}))
    return [*found.values()]


def _version() -> str | None:
    path = program("bash")
    done = run([path, "--version"], "") if path else None
    match = _number(done[0]) if done else None
    return match[1] if match else None


JUDGE = Judge(
    name="bash",
    title="bash",
    bring="apt-get install bash",
    reads=_reads,
    declines=_declines,
    judge=_judge,
    version=_version,
)

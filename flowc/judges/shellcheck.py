"""shellcheck, without settings of its own, so that it says the same on any machine."""

from __future__ import annotations

from flowc.diag.codes import judges as codes
from flowc.judges.base import Found, Judge, program, run
from flowc.patterns import at_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.judges.texts import Judged

# Files that are only on the machine, and variables that come from there: FC841 knows more of these.
_NOT_HERE = "SC1090,SC1091,SC2154"
_number = at_first_use(r"version: (\S+)", "search")
_CODES = {"error": codes.SHELLCHECK_WARNS, "warning": codes.SHELLCHECK_WARNS}


def _reads(language: str) -> bool:
    return language in ("bash", "sh", "dash", "ksh")


def _declines(text: str) -> str | None:
    return None


def _judge(each: Judged) -> list[Found] | None:
    import json

    words = [program("shellcheck") or "shellcheck", "--norc", "-f", "json1", "-s", each.language, "-e", _NOT_HERE, "-"]
    done = run(words, each.text)
    if done is None:
        return None
    try:
        comments = json.loads(done[0])["comments"]
    except (ValueError, KeyError):
        return []
    starts = [0]
    for line in each.text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return [_found(one, starts, len(each.text)) for one in comments]


def _found(one: dict[str, object], starts: list[int], size: int) -> Found:
    line, column, end_line, end_column = (int(str(one[key])) for key in ("line", "column", "endLine", "endColumn"))
    start, end = (
        min(starts[min(at, len(starts)) - 1] + beside - 1, size)
        for at, beside in ((line, column), (end_line, end_column))
    )
    code = _CODES.get(str(one["level"]), codes.SHELLCHECK_NOTES)
    message = str(one["message"]).rstrip(".")
    return Found(code=code, start=start, end=max(start, end), fields={"number": f"SC{one['code']}", "message": message})


def _version() -> str | None:
    path = program("shellcheck")
    done = run([path, "--version"], "") if path else None
    match = _number(done[0]) if done else None
    return match[1] if match else None


JUDGE = Judge(
    name="shellcheck",
    title="shellcheck",
    bring="pip install 'flowc[shellcheck]'",
    reads=_reads,
    declines=_declines,
    judge=_judge,
    version=_version,
)

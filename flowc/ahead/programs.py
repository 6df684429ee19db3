"""The step of small programs: templates/programs/*.sh and *.py become text in `_compiled/shell_programs.py`.

Of the shell's, indents and comments go: no text of these programs goes over the end of a line. `#% if WORD` … `#% end`
stands around lines that only texts with that word need.
"""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

from flowc.ahead.program import minified, short_names

_MARK = re.compile(r"#% (?:if (\w+)|end)")


def compile_shell_programs(root: Path) -> dict[str, str]:
    """The text of `shell_programs.py`. Raises ValueError for marks that do not fit together."""
    rows = []
    for path in sorted((root / "templates" / "programs").glob("*.sh")):
        parts = pieces(path.read_text())
        rows.append(f"    {path.stem!r}: (\n" + "".join(f"        {part!r},\n" for part in parts) + "    ),\n")
    for path in sorted((root / "templates" / "programs").glob("*.py")):
        source = path.read_text()
        lines = minified(source, short_names(source))
        rows.append(f"    {path.stem!r}: (('', {chr(10).join([*lines, ''])!r}),),\n")
    about = "# Each program in parts, with the word of a text for which a part is there (empty: always).\n"
    return {"shell_programs.py": f"{about}PROGRAMS = {{\n{''.join(rows)}}}\n"}


def pieces(program: str) -> list[tuple[str, str]]:
    """The parts of a program: the word that each is for, and its text."""
    found: list[tuple[str, str]] = []
    word = ""
    for line in map(str.lstrip, program.splitlines(keepends=True)):
        if line.startswith("#%"):
            match = _MARK.fullmatch(line.strip())
            if match is None or (match[1] is None) != bool(word):
                raise ValueError(f"a mark that is none, or without its other half: {line.strip()}")
            word = match[1] or ""
        elif line[:1] != "#" or (line[:2] == "#!" and not found):
            found.append((word, line))
    if word:
        raise ValueError(f"no end of: {word}")
    return [(word, "".join(line for _, line in lines)) for word, lines in groupby(found, lambda each: each[0])]

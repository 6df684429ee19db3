"""The page of a summary: one file of HTML that needs no other."""

from __future__ import annotations

from html import escape

from flowc.diag.lacks import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STYLE = """\
body { font: 15px/1.45 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222;
  background: #fff }
h1 { font-size: 1.4em } h2 { font-size: 1.1em; margin-top: 2em }
table { border-collapse: collapse; width: 100% } caption { text-align: left }
th, td { text-align: left; padding: .25em .6em; border-bottom: 1px solid #ddd; vertical-align: top }
th.n, td.n { text-align: right; width: 6em; font-variant-numeric: tabular-nums }
td.bar { width: 25% } meter { width: 100% }
.error { color: #a00 } .warning { color: #850 } .note { color: #056 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } th, td { border-color: #444 }
  .error { color: #f77 } .warning { color: #fc6 } .note { color: #7cf } }
"""


def page(document: dict[str, Any], told: str) -> str:
    """`told`: the sum of it in a line."""
    files = max(1, document["files"])
    parts = [f"<h1>{escape(told)}</h1>"]
    rows = [
        f'<td>{escape(row["code"])} {escape(row["name"])}</td><td class="{row["severity"]}">{row["severity"]}</td>'
        f'<td class="n">{row["files"]:,}</td><td class="n">{row["findings"]:,}</td>{_bar(row["files"], files)}'
        for row in document["findings"]
    ]
    if rows:
        head = '<th>finding<th>severity<th class="n">files<th class="n">findings<th>'
        parts += ["<h2>Findings</h2>", _table(head, rows)]
    else:
        parts.append("<p>Nothing is missing, and nothing was found.</p>")
    for kind, title in KINDS.items():
        rows = [
            f'<td><code>{escape(row["name"])}</code>{_spelled(row)}</td><td class="n">{row["files"]:,}</td>'
            f"{_bar(row['files'], files)}"
            for row in document["missing"]
            if row["kind"] == kind
        ]
        if rows:
            heading = title[0].upper() + title[1:]
            parts += [f"<h2>{heading}</h2>", _table('<th>name<th class="n">files<th>', rows)]
    title = "What job files need"
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>\n{_STYLE}</style>\n</head>\n<body>\n'
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _table(head: str, rows: list[str]) -> str:
    return "<table>\n<tr>" + head + "</tr>\n" + "\n".join(f"<tr>{row}</tr>" for row in rows) + "\n</table>"


def _bar(number: int, files: int) -> str:
    return f'<td class="bar"><meter max="{files}" value="{number}"></meter></td>'


def _spelled(row: dict[str, Any]) -> str:
    names = [name for name in row["spelled"] if name != row["name"]]
    return f"<br><small>{escape(', '.join(names))}</small>" if names else ""

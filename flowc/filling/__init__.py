"""Values for placeholders (`--fill NAME=VALUE`), put into a source before anything reads it.

places.py  which of the `${NAME}`, `$NAME`, `{{ NAME }}` and `<NAME>` of a text are placeholders
fill.py    the text with the values; what stays open
"""

from __future__ import annotations

from flowc.filling.fill import fill

__all__ = ["fill"]

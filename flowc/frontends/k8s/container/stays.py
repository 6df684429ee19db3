"""`$(NAME)` that stays as it is, where nothing sets the variable."""

from __future__ import annotations

from flowc.diag.codes.k8s import lower as codes
from flowc.patterns import at_first_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.container.environment import Environment
    from flowc.frontends.k8s.context import Context
    from flowc.source import Span

_reference = at_first_use(r"(?<!\$)\$\(([A-Z_][A-Z0-9_]+)\)", "finditer")


def look_for(text: str, found: Environment, span: Span, context: Context) -> None:
    """Tell references that stay. A text of several words may be a shell's, to which they mean a command."""
    if "$(" not in text or any(each.isspace() for each in text):
        return
    for match in _reference(text):
        if found.lookup(match[1]) is None:
            context.gather(codes.REFERENCE_STAYS, f"`$({match[1]})`", span)

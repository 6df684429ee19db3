"""The ledger: what became of every option of a batch script. Nothing that the user wrote leaves without an entry."""

from __future__ import annotations

from flowc._compiled.slurm_lowering import LOWERING
from flowc.diag.codes.slurm import lower as codes
from flowc.frontends.slurm.values.state import NULL
from flowc.ir.job import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.diag.code import Code
    from flowc.diag.sink import Sink
    from flowc.frontends.slurm.ast import Ast, Given
    from flowc.source import Span

# What sbatch lists as "(null)": a umask from #PBS, switch settings from the environment.
UNNAMED = {"action": "ignored", "quiet": True, "note": "a setting of the cluster that has no option of its own"}
# Of #PBS and #BSUB.
DROPPED = {"action": "ignored", "quiet": True, "note": "sbatch drops it"}


class Ledger:
    """Collects what the lowering decides for the options of one component.

    An option that the lowering does not speak of gets the decision of data/slurm_lowering.yaml, which has a row for
    each option of sbatch.
    """

    __slots__ = ("decisions", "given", "sink", "spans")

    def __init__(self, given: dict[str, Given], sink: Sink) -> None:
        self.given = given
        self.sink = sink
        self.decisions: dict[str, tuple[str, str, str | None]] = {}
        self.spans: tuple[Span, ...] = ()  # once it is closed, the places of what it told of

    def decide(self, option: str, action: str, note: str, code: str | None = None) -> None:
        """Overrule the table for one option; `code` names a diagnostic that was already reported about it."""
        self.decisions[option] = (action, note, code)

    def span(self, option: str) -> Span | None:
        """Where the value in force of an option was given."""
        given = self.given.get(option)
        return given.span if given else None

    def value_span(self, option: str) -> Span | None:
        given = self.given.get(option)
        return (given.value_span or given.span) if given else None

    def close(self, ast: Ast, component: int) -> tuple[Outcome, ...]:
        """Report what was not lowered in full, and give the outcome of each option in the order of the source."""
        quiet: list[Given] = []
        for option, given in self.given.items():
            if given.component != component:
                continue  # carried on from the first component, and told there
            action, note, reported = self._decision(option)
            if action == "lowered" or reported is not None:
                continue
            if action == "ignored" and _row(option)["quiet"]:
                quiet.append(given)
                self.decisions[option] = (action, note, codes.CLUSTER_OPTIONS.id)
                continue
            code = _code(action)
            self.sink.report(code, given.span, option=_shown(given), reason=note)
            self.decisions[option] = (action, note, code.id)
        if quiet:
            self.sink.report(
                codes.CLUSTER_OPTIONS,
                quiet[0].span,
                options=", ".join(f"`{_shown(given)}`" for given in quiet),
            )
        told = [given for given in ast.given if given.component == component]
        self.spans = tuple(given.span for given in told)
        return tuple(self._outcome(ast, given) for given in told)

    def _decision(self, option: str) -> tuple[str, str, str | None]:
        if option in self.decisions:
            return self.decisions[option]
        row = _row(option)
        return row["action"], row["note"], None

    def _outcome(self, ast: Ast, given: Given) -> Outcome:
        in_file = given.span.source is ast.source
        kept = self.given.get(given.option)
        if kept is given:
            action, note, code = self._decision(given.option)
        else:
            action, note, code = "ignored", f"`--{given.option}` is given again later", None
        return Outcome(
            input=given.span.text if in_file else given.written,
            line=given.span.line if in_file else None,
            action=action,
            code=code,
            note=note,
        )


def _code(action: str) -> Code:
    found = {"approximated": codes.OPTION_APPROXIMATED, "ignored": codes.OPTION_IGNORED}
    return found.get(action, codes.OPTION_REFUSED)


def _row(option: str) -> dict[str, Any]:
    row: dict[str, Any] = LOWERING.get(option, UNNAMED if option == NULL else DROPPED)
    return row


def _shown(given: Given) -> str:
    """How messages name an option."""
    return f"--{given.option}" if given.option in LOWERING else given.written

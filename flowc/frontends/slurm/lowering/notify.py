"""Who is told of a job, and of what: `--mail-type` and `--mail-user`."""

from __future__ import annotations

from flowc.frontends.slurm.values import meaning
from flowc.ir.job import Notify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flowc.frontends.slurm.lowering.ledger import Ledger


def notify(options: dict[str, str], ledger: Ledger, put: Callable[[str, str], None]) -> Notify:
    """Decide about both options; `put` notes the place of what they set."""
    events: tuple[str, ...] = ()
    if "mail-type" in options:
        events = tuple(meaning.mail_events(options["mail-type"]))
        if events:
            put("notify.events", "mail-type")
        else:
            ledger.decide("mail-type", "lowered", "no mail")
    email = options.get("mail-user")
    if email is not None:
        email = _address(email, ledger)
    if email is not None:
        put("notify.email", "mail-user")
    return Notify(email=email, events=events)


def _address(written: str, ledger: Ledger) -> str | None:
    """None for the gap of a template, which has been told, and for nothing at all."""
    from flowc.frontends.slurm.lint.values import looks_unfilled

    if not written:
        ledger.decide("mail-user", "lowered", "no address")
        return None
    if looks_unfilled(written):
        ledger.decide("mail-user", "ignored", "a placeholder that was never filled in", "FC136")
        return None
    return written

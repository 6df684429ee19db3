"""When a failed job starts again: exit codes by what they mean, and how long each restart waits."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.ir.job import ExitRule, Retry

# The status of a process is a byte; 0 is no failure.
CODES = range(1, 256)
# Without a word about it, so long passes before a restart, in milliseconds.
DELAY_MS = 5000
# Delays that grow without a bound are listed so far; the last one holds from there on.
MOST_DELAYS = 20


class Restarts(Record):
    """What templates ask for. `cases` are patterns of exit statuses with what they mean: `fail`, `free`, `count`;
    `delays` are seconds as decimal numbers, by how many restarts were counted, `last_delay` the last one's index.
    `requeue`: the provider's next machine runs the job again."""

    requeue: bool
    restarts: bool = False
    cases: tuple[tuple[str, str], ...] = ()
    max_restarts: int = 0
    delays: tuple[str, ...] = ()
    last_delay: int = 0


def restarts(retry: Retry) -> bool:
    return bool(retry.max_restarts) or any(rule.action == "free" for rule in retry.exit_rules)


def restart_section(retry: Retry) -> Restarts:
    if not restarts(retry):
        return Restarts(requeue=retry.requeue is not False)
    groups: dict[str, list[int]] = {"fail": [], "free": [], "count": []}
    for code in CODES:
        groups[action(retry.exit_rules, code)].append(code)
    most = max(groups, key=lambda name: len(groups[name]))
    patterns = {name: "*" if name == most else " | ".join(map(str, codes)) for name, codes in groups.items()}
    # The one that stands for all others must be the last case.
    ordered = [(patterns[name], name) for name in sorted(groups, key=lambda name: name == most) if groups[name]]
    delays = delay_words(retry)
    return Restarts(
        requeue=retry.requeue is not False,
        restarts=True,
        cases=tuple(ordered),
        max_restarts=retry.max_restarts or 0,
        delays=tuple(delays),
        last_delay=len(delays) - 1,
    )


def action(rules: tuple[ExitRule, ...], code: int) -> str:
    """`fail`, `free` or `count`: the first rule that fits decides."""
    for rule in rules:
        if (code in rule.codes) != rule.negate:
            return rule.action
    return "count"


def delay_words(retry: Retry) -> list[str]:
    """Seconds as decimal numbers, by how many restarts were counted; the first stands for none and for one."""
    factor, cap = float(retry.delay_factor or "1"), retry.max_delay_ms
    delay = float(retry.delay_ms if retry.delay_ms is not None else min(DELAY_MS, cap or DELAY_MS))
    found = []
    for _ in range(min(retry.max_restarts or 1, MOST_DELAYS)):
        shown = min(delay, cap) if cap is not None else delay
        found.append(f"{round(shown) / 1000:.3f}".rstrip("0").rstrip(".") if shown < 1e9 else "1000000")
        if len(found) > 1 and found[-1] == found[-2]:
            found.pop()
            break
        delay = min(delay * factor, 1e12)
    return [found[0], *found]

"""`flowc doctor`: what is configured, reachable and missing."""

from __future__ import annotations

from flowc.cli.table import HELP, Command, Option
from flowc.cli.tasks.options import FORMAT, PROVIDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.cli.arguments import Words
    from flowc.cli.setup.checks import Finding
    from flowc.cli.tasks.world import World

COMMAND = Command(
    name="doctor",
    summary="show what is configured, reachable and missing",
    usage=("flowc doctor [OPTIONS]",),
    options=(HELP, PROVIDER, Option(name="--offline", help="make no call to the provider"), FORMAT),
    examples=(
        ("flowc doctor", "each setting with its origin, and what mends what is missing"),
        ("flowc doctor --provider local", "what jobs on this computer need"),
    ),
    notes="Settings come from flags, then the environment, the project's file (.flowc.toml, or [tool.flowc] of a "
    "pyproject.toml), ~/.flow/config.yaml, the provider's own profile file, defaults. A key is never shown. The exit "
    "status is 4 where something is missing for the provider that is used.",
)


def run(words: Words, argv: list[str]) -> int:
    """The exit status. Raises UsageError, and OSError when standard output cannot be written."""
    from flowc.cli.arguments import UsageError
    from flowc.cli.setup.checks import MISSING, all_findings
    from flowc.cli.status import DONE, WORLD_FAILED
    from flowc.cli.tasks.world import World

    if words.operands:
        raise UsageError(f"`flowc doctor` takes no operand, found `{words.operands[0]}`", "flowc doctor")
    world = World(words)
    settings, broken = _settings(world)
    told = {each.text for each in broken}
    findings = [
        *broken,
        *(each for each in all_findings(world, offline=words.flag("offline")) if each.text not in told),
    ]
    _show(words, settings, findings)
    return WORLD_FAILED if any(each.state == MISSING for each in findings) else DONE


def _settings(world: World) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Each setting, and those that cannot be read."""
    from flowc.cli.setup.checks import MISSING, Finding
    from flowc.settings.lookup import SettingsError

    rows, broken = [], []
    for name, about in world.settings.names():
        try:
            found = world.settings.get(name)
        except SettingsError as error:
            rows.append({"name": name, "about": about, "value": None, "origin": None, "note": "cannot be read"})
            broken.append(Finding(what=name, state=MISSING, text=str(error), mend=error.help))
            continue
        value = found.shown if found.values else None
        rows.append({"name": name, "about": about, "value": value, "origin": found.origin, "note": found.note})
    # A file that cannot be read is the fault of no setting.
    texts = [each.text for each in broken]
    told = {each.text: each if texts.count(each.text) == 1 else each.replace(what="settings") for each in broken}
    return rows, list(told.values())


def _show(words: Words, settings: list[dict[str, Any]], findings: list[Finding]) -> None:
    import sys

    from flowc.cli import terminal
    from flowc.diag.excerpt import visible

    if words.text("format") == "json":
        import json

        checks = [{"what": each.what, "state": each.state, "text": each.text, "mend": each.mend} for each in findings]
        document = {"format": "flowc.doctor/1", "settings": settings, "checks": checks}
        terminal.write(sys.stdout, json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return
    lines = ["Settings:"]
    longest = max(len(row["name"]) for row in settings)
    width = max(len(row["value"] or "not set") for row in settings)
    for row in settings:
        origin = row["origin"] or row["about"]
        note = f" ({row['note']})" if row["note"] else ""
        lines.append(f"  {row['name']:<{longest}} {row['value'] or 'not set':<{min(width, 40)}}  {origin}{note}")
    lines += ["", "What is there:"]
    for each in findings:
        lines.append(f"  {each.what:<12} {each.state:<8} {each.text}")
        if each.mend:
            lines.append(f"  {'':<12} {'':<8} -> {each.mend}")
    terminal.write(sys.stdout, "".join(f"{visible(line)}\n" for line in lines))

"""The whole table of diagnostics. Only what shows or tests all of them imports it: a check loads what it
reports."""

from __future__ import annotations

from flowc.diag.code import Code

# Every module beside this one, in the order of the stages.
MODULES = (
    *(
        "input",
        "yaml",
        "task",
        "foundry",
        "skypilot",
        "detect",
        "slurm",
        "slurm_lint",
        "slurm_body",
        "slurm_lower",
        "command_line",
        "override",
    ),
    *("k8s", "k8s_objects", "k8s_lower", "k8s_machines"),
    *("validate", "storage", "resolve", "price", "emit", "programs", "slurm_words"),
)


def all_codes() -> tuple[Code, ...]:
    """All codes, by id. A retired code stays in its module, so that its id is never given to another."""
    codes = []
    for name in MODULES:
        module = __import__(f"flowc.diag.codes.{name}", fromlist=[name])
        codes += [value for value in vars(module).values() if isinstance(value, Code)]
    return tuple(sorted(codes, key=lambda code: code.id))

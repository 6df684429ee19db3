"""Who may import whom: the table of docs/architecture.md, held against every import in flowc/."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "flowc"

FOUNDATION = {"listing", "record", "version", "patterns", "shell", "secret"}
BELOW_FRONTENDS = FOUNDATION | {"source", "inputs", "diag", "ir", "_compiled"}
EVERYTHING_BELOW_DRIVER = BELOW_FRONTENDS | {
    *(
        "lalr",
        "digest",
        "yamldoc",
        "catalog",
        "frontends",
        "passes",
        "body",
        "scripts",
        "rules",
        "backends",
        "pipeline",
        "detect",
        "override",
        "silence",
        "profile",
        "judges",
        "filling",
    ),
}
ALLOWED = {
    "record": set(),
    "version": set(),
    "lalr": {"record", "source", "patterns"},
    "digest": set(),
    "listing": set(),
    "cache": set(),
    "libyaml": set(),
    "bundle": {"bundle", "cache", "version"},
    "patterns": {"_compiled"},
    "shell": {"record", "patterns", "_compiled"},
    "secret": {"patterns", "_compiled"},
    "_compiled": set(),
    "source": {"record", "secret"},
    "inputs": {"record", "source", "secret", "ir"},
    "diag": {"record", "source", "patterns", "secret"},
    "ir": {"record", "source", "secret", "patterns"},
    "catalog": {"record", "source", "diag", "ir", "digest", "patterns", "_compiled"},
    "yamldoc": {"libyaml", "listing", "record", "source", "diag", "ir", "patterns", "secret", "_compiled"},
    "frontends": BELOW_FRONTENDS | {"yamldoc", "lalr", "digest", "body"},
    "passes": {"record", "source", "diag", "ir", "catalog", "patterns", "_compiled"},
    "body": {"record", "ir", "patterns", "shell", "_compiled"},
    "scripts": {"record", "ir", "digest", "patterns", "shell", "body", "_compiled"},
    "backends": {"record", "source", "diag", "ir", "patterns", "body", "scripts", "digest", "_compiled"},
    "rules": {"record", "source", "diag", "ir", "patterns", "secret", "shell", "body", "scripts", "_compiled"},
    "pipeline": {"record", "diag", "ir", "passes"},
    "detect": {"inputs", "source", "diag", "patterns", "shell", "yamldoc", "frontends"},
    "override": {"record", "inputs", "source", "diag", "ir", "secret", "patterns", "_compiled"},
    "silence": {"record", "source", "patterns", "diag", "_compiled"},
    "filling": {"listing", "record", "source", "diag", "inputs", "patterns", "secret", "shell", "yamldoc"},
    "profile": {
        *(
            "cache",
            "version",
            "listing",
            "record",
            "source",
            "diag",
            "ir",
            "digest",
            "patterns",
            "secret",
            "shell",
            "yamldoc",
            "body",
            "catalog",
            "override",
            "_compiled",
        ),
    },
    "settings": {"record", "cache", "secret", "version", "_compiled"},
    "machines": {"record", "digest", "remote"},
    "remote": {"record", "shell"},
    "trees": {"listing", "record", "digest"},
    "providers": {
        "_compiled",
        "listing",
        "record",
        "digest",
        "version",
        "secret",
        "diag",
        "machines",
        "remote",
        "trees",
    },
    "submit": {"_compiled", "listing", "record", "digest", "shell", "providers", "trees"},
    "tasks": {
        *(
            "ir",
            "record",
            "remote",
            "source",
            "inputs",
            "secret",
            "diag",
            "backends",
            "settings",
            "providers",
            "submit",
        ),
        *("trees", "listing", "_compiled"),
    },
    "judges": FOUNDATION | {"source", "diag", "ir", "body", "rules", "_compiled"},
    "driver": EVERYTHING_BELOW_DRIVER,
    "sdk": {
        *("driver", "catalog", "diag", "ir", "source", "secret", "inputs", "record", "frontends", "_compiled"),
        *("settings", "providers", "remote", "submit", "tasks", "trees"),
    },
    # The public API names the types that it takes and gives.
    "__init__": {"driver", "diag", "source", "inputs", "version", "sdk"},
    "cli": {
        "bundle",
        "cache",
        "digest",
        "listing",
        "catalog",
        "driver",
        "detect",
        "diag",
        "silence",
        "judges",
        "source",
        "secret",
        "inputs",
        "record",
        "version",
        "frontends",
        "backends",
        "ir",
        "profile",
        "settings",
        "providers",
        "submit",
        "tasks",
        "trees",
    },
    "__main__": {"cli"},
    # The schema of the catalog, the models of a task, what hears of each expression, and what asks for them.
    "ahead": {"ahead", "catalog", "diag", "driver", "frontends", "inputs", "patterns", "source"},
}
# Subpackages whose siblings may not know each other.
APART = ("frontends", "backends")


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "_compiled" not in path.parts)


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports(path: Path) -> list[str]:
    """The modules of flowc that a file imports, be it only for types."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide who imports whom"
            names = [
                f"{node.module}.{alias.name}" if node.module == "flowc" else str(node.module) for alias in node.names
            ]
        found += [name for name in names if name.split(".")[0] == "flowc"]
    return found


def breaches(importer: str, imported: list[str]) -> list[str]:
    parts = importer.split(".")
    package = parts[1]
    wrong = []
    for name in imported:
        target = name.split(".")[1] if "." in name else "__init__"
        allowed = ALLOWED[package] | {package}
        if target not in allowed:
            wrong.append(f"{importer} imports {name}")
        their = name.split(".")
        if package in APART and target == package and len(parts) > 3 and len(their) > 3 and their[2] != parts[2]:
            wrong.append(f"{importer} imports its sibling {name}")
    return wrong


def test_imports_point_down() -> None:
    assert [each for path in modules() for each in breaches(name_of(path), imports(path))] == []


def test_every_package_stands_in_the_table() -> None:
    found = {path.stem if path.is_file() else path.name for path in PACKAGE.iterdir() if path.suffix in ("", ".py")}
    assert found - {"__pycache__", "data"} == set(ALLOWED)


def test_every_package_stands_in_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    for package in set(ALLOWED) - {"__init__", "__main__", "ahead"}:
        assert f"`{package}`" in text, package


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("flowc.ir.job", "flowc.diag.sink"),
        ("flowc.diag.sink", "flowc.driver"),
        ("flowc.frontends.slurm.read", "flowc.backends.mithril.emit"),
        ("flowc.frontends.slurm.read", "flowc.frontends.k8s.read"),
        ("flowc.scripts.packing.pack", "flowc.diag.sink"),
        ("flowc.body.commands", "flowc.scripts.life"),
        ("flowc.shell.scan", "flowc.ir.job"),
    ],
)
def test_a_breach_is_seen(importer: str, imported: str) -> None:
    assert breaches(importer, [imported])


def test_no_stage_below_the_frontends_asks_for_a_formats_name() -> None:
    """What a format needs of them is a fact of the IR (`Conventions`); the report alone shows the name."""
    found = {
        str(path.relative_to(PACKAGE))
        for folder in ("passes", "body", "scripts", "shell", "override", "rules", "backends")
        for path in (PACKAGE / folder).rglob("*.py")
        if ".frontend" in path.read_text()
    }
    assert found == {"backends/mithril/report.py"}

"""The steps that make virtual environments of Python on a machine, where scripts look for them."""

from __future__ import annotations

from flowc.patterns import at_first_use
from flowc.profile.environments import FETCH
from flowc.shell.quote import sh
from flowc.shell.steps import APT, MAMBA, step

# Requirements that only the computer has on which they were written.
_local = at_first_use(
    r"(?m)^[ \t]*((?:-[rce]|--requirement|--constraint|--editable|-f[ \t]*[./~]|--find-links[ =]+[./~]|[./~]|file:)"
    r"[^\n]*|[^\n#]*@[ \t]*file:[^\n]*)",
    "search",
)
# The module that makes environments is a package of its own on Ubuntu.
_OF_UBUNTU = f"""\
python3 -c 'import ensurepip' 2>/dev/null || {{
    {APT} update
    {APT} install -y python3-venv
}}
"""


def of_packages(path: str, packages: list[str], python: str | None, what: str) -> str:
    """The steps that make the environment at a path with these packages, of this version of Python."""
    return _made(path, "", " ".join(map(sh, packages)), python, what)


def of_requirements(path: str, text: str, what: str) -> str:
    """The same with what the text of a requirements.txt asks for."""
    name = "flowc-requirements.txt"
    at = f"{_at(path)}/{name}"
    return _made(path, f"printf %s {sh(text)} >{at}\n", f"-r {at}", None, what)


def of_this_computer(text: str) -> str | None:
    """The first line of a requirements.txt that no other computer can do anything with."""
    found = _local(text)
    return found[1].strip() if found is not None else None


def _made(path: str, before: str, asked: str, python: str | None, what: str) -> str:
    at, steps = _at(path), []
    if python is None:
        program, begin = "python3", _OF_UBUNTU
    else:
        steps.append(step(FETCH, "conda"))
        prefix = f"{MAMBA}/envs/python-{python}"
        program = f"{prefix}/bin/python"
        begin = (
            f"[ -e {prefix} ] || {MAMBA}/micromamba create -yq -r {MAMBA} -n python-{python}"
            f" --override-channels -c conda-forge python={python}\n"
        )
    # As `shown`.
    home = "cd\n" if path[:2] == "~/" else ""
    text = f"{begin}{home}{program} -m venv {at}\n{before}{at}/bin/python -m pip install -q {asked}"
    return "\n".join((*steps, step(text, what)))


def shown(path: str) -> str:
    """How a step names it: with no path of the home folder, whose other files are as new as the machine."""
    return f"{path[2:]} below ~" if path[:2] == "~/" else path


def _at(path: str) -> str:
    return sh(path.removeprefix("~/").rstrip("/"))

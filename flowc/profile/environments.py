"""The shell text that makes environments of conda on a machine, with micromamba, and what stands in conda's place where
the job has no conda. Modules and programs may have environments too, of which only their own programs are seen."""

from __future__ import annotations

from flowc.body.modules import CONDA_FUNCTION, CONDA_ROOT
from flowc.digest import sha256_hex
from flowc.shell.quote import sh
from flowc.shell.steps import BRING, MAMBA, step

ROOT = CONDA_ROOT
# Of its releases page; several projects that pin it have the same hash.
_MICROMAMBA = "https://github.com/mamba-org/micromamba-releases/releases/download/2.8.1-0/micromamba-linux-64"
_SHA256 = "9689782d863c05a1bf5d2d371ba527104e7a4eb4310c1637d8653b751aed9c82"
# What is called `conda` where the job has none; `activate` and `deactivate` are sourced.
_CONDA = f"""\
#!/bin/bash
if [ "${{1-}}" = run ]; then
    shift
    name=base
    while :; do
        case ${{1-}} in
        -n | --name | -p | --prefix) name=$2 && shift ;;
        --name=* | --prefix=*) name=${{1#*=}} ;;
        -*) ;;
        *) break ;;
        esac
        shift
    done
    . {ROOT}/bin/activate "$name" || exit 1
    exec "$@"
fi
case "$*" in
"info --base") echo {ROOT} ;;
shell* | init*) ;;
*) exec {MAMBA}/micromamba -r {ROOT} "$@" ;;
esac
"""
_ACTIVATE = f"""\
conda_env=${{1:-base}}
case $conda_env in
base | root) conda_env={ROOT} ;;
*/*) ;;
*) conda_env={ROOT}/envs/$conda_env ;;
esac
if [ ! -d "$conda_env" ]; then
    echo "EnvironmentNameNotFound: Could not find conda environment: ${{1-}}" >&2
    return 1
fi
. {ROOT}/bin/deactivate
export CONDA_PREFIX=$conda_env CONDA_DEFAULT_ENV=${{1:-base}} PATH=$conda_env/bin:$PATH
for conda_env in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do
    [ ! -r "$conda_env" ] || . "$conda_env"
done
unset conda_env
"""
_DEACTIVATE = """\
if [ -n "${CONDA_PREFIX-}" ]; then
    for conda_file in "$CONDA_PREFIX"/etc/conda/deactivate.d/*.sh; do
        [ ! -r "$conda_file" ] || . "$conda_file"
    done
    conda_file=:$PATH:
    case $conda_file in
    *":$CONDA_PREFIX/bin:"*)
        PATH=${conda_file%%":$CONDA_PREFIX/bin:"*}:${conda_file#*":$CONDA_PREFIX/bin:"}
        PATH=${PATH#:} PATH=${PATH%:}
        ;;
    esac
    unset conda_file CONDA_PREFIX CONDA_DEFAULT_ENV
fi
"""
# It stands apart: what installs conda itself takes a folder at conda's place for one that is there already.
FETCH = f"""\
mkdir -p {MAMBA}
cd {MAMBA}
if [ ! -e micromamba ]; then
    curl -fsSLo micromamba.new {_MICROMAMBA}
    echo '{_SHA256}  micromamba.new' | sha256sum -c --quiet
    chmod 755 micromamba.new
    mv micromamba.new micromamba
fi
"""
# Usage: bring NAME CHANNELS PACKAGE... Each program of these packages is found on PATH and runs within their
# environment, whose other programs hide nothing. Where a package has none of its own (snakemake), those of its parts
# are taken (snakemake-minimal).
_BRING = f"""\
#!/bin/bash
set -e
prefix={MAMBA}/envs/$1 channels=($2)
{MAMBA}/micromamba create -yq -r {MAMBA} -n $1 --override-channels "${{channels[@]/#/-c}}" "${{@:3}}"
cat >$prefix/enter <<E
#!/bin/bash
export CONDA_PREFIX=$prefix PATH=$prefix/bin:\\$PATH
for conda_env in $prefix/etc/conda/activate.d/*.sh; do
    [ ! -r "\\$conda_env" ] || . "\\$conda_env"
done
unset conda_env
exec "$prefix/bin/\\${{0##*/}}" "\\$@"
E
chmod 755 $prefix/enter
cd $prefix/conda-meta
found() {{ ls | grep -ix "$1[^-]*-[^-]*[.]json" | xargs -r grep -oh '"bin/[^"/.][^"/]*"' || :; }}
for name in "${{@:3}}"; do
    name=${{name##*::}}
    name=${{name%%[^a-zA-Z0-9._-]*}}
    programs=$(found $name-)
    for each in ${{programs:-$(found "$name-.*-")}}; do
        each=${{each#*/}}
        ln -sf $prefix/enter /usr/local/bin/${{each%?}}
    done
done
"""
_BEGIN = f"""\
mkdir -p {ROOT}/bin {ROOT}/etc/profile.d
cd {ROOT}/bin
if [ ! -e conda ]; then
    printf %s {sh(_CONDA)} >conda
    chmod 755 conda
    printf %s {sh(_ACTIVATE)} >activate
    printf %s {sh(_DEACTIVATE)} >deactivate
    echo {sh(f"conda() {CONDA_FUNCTION}")} >../etc/profile.d/conda.sh
    ln -s conda mamba
fi
ln -sf $PWD/conda $PWD/mamba $PWD/activate $PWD/deactivate /usr/local/bin
"""


def at(folders: list[str]) -> str:
    """The step that lets conda be found in these folders too (`~/miniconda3`, `/proj/conda`), where they are not."""
    lines = []
    for folder in folders:
        # A path of the home folder is written without it: its other files are as new as the machine.
        path = sh(folder.removeprefix("~/"))
        line = f"[ -e {path} ] || {{ mkdir -p $(dirname {path}); ln -s {ROOT} {path}; }}"
        lines.append(f"(cd; {line})" if folder[0] == "~" else line)
    return step("\n".join(lines), "conda")


def of_packages(name: str, packages: list[str], channels: list[str]) -> str:
    """An environment of packages, of these channels alone."""
    words = " ".join(map(sh, [word for each in channels for word in ("-c", each)] + packages))
    return _created(name, f"--override-channels {words}")


def of_file(name: str, file_name: str, text: str) -> str:
    """An environment as an environment.yml or a lock file says: its text, and its name, which tells what it is."""
    path = f"{ROOT}/{name.strip('~/').replace('/', '-')}-{file_name}"
    return f"printf %s {sh(text)} >{sh(path)}\n{_created(name, f'-f {sh(path)}')}"


def packed(name: str, url: str) -> str:
    """An environment that conda-pack packed, unpacked."""
    home, at = _place(name)
    return (
        f"{home}mkdir -p {at}\ncurl -fsSL {sh(url)} | tar -xz -C {at}\n"
        f"[ ! -x {at}/bin/conda-unpack ] || PATH={at}/bin:$PATH {at}/bin/conda-unpack\n"
    )


def _created(name: str, what: str) -> str:
    if "/" not in name:
        return f"{MAMBA}/micromamba create -yq -r {ROOT} -n {sh(name)} {what}\n"
    home, at = _place(name)
    whole = f'"$PWD"/{at}' if home else at
    return f"{home}{MAMBA}/micromamba create -yq -r {ROOT} -p {whole} {what}\n"


def _place(name: str) -> tuple[str, str]:
    """Where an environment stands, as a word of a shell, and the line that goes to the folder from which it is seen.
    Nothing of the home folder is named: its other files are as new as the machine."""
    if "/" not in name:
        return "", f"{ROOT}/envs/{name}"
    return "cd\n" if name[0] == "~" else "", sh(name.removeprefix("~/").rstrip("/"))


def programs_of(packages: list[str], channels: list[str]) -> str:
    """The command that brings the programs of these packages, which stand in an environment of their own."""
    known = sha256_hex(repr((packages, channels)).encode())[:8]
    plain = "".join(each if each.isalnum() or each in "._-" else "-" for each in packages[0])
    return f"{BRING} {plain}-{known} {sh(' '.join(channels))} {' '.join(map(sh, packages))}"


# What all environments of a job need, once; and all that modules and programs have.
BEGIN = step(FETCH + _BEGIN, "conda")
BEGIN_PROGRAMS = step(f"{FETCH}printf %s {sh(_BRING)} >bring", "conda")

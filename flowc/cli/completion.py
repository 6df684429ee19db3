"""Scripts that let a shell complete flowc's words, made from the table of commands."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowc.cli.table import Command, Option


def _names(command: Command) -> list[str]:
    return [name for option in command.options for name in (option.short, option.name) if name]


def _patterns(option: Option) -> str:
    return "|".join(name for name in (option.short, option.name) if name)


def _takes_files(command: Command) -> bool:
    return command.operand == "SOURCE"


def bash(commands: tuple[Command, ...], known: Mapping[str, tuple[str, ...]]) -> str:
    """`known`: the words for what options and commands name in `values`."""
    arms = []
    for command in commands:
        values = []
        for option in command.options:
            if option.choices:
                values.append(f"        {_patterns(option)}) words='{' '.join(option.choices)}' ;;")
            elif option.values:
                values.append(f"        {_patterns(option)}) words=${option.values} ;;")
            elif option.kind in ("file", "folder"):
                values.append(f"        {_patterns(option)}) files={option.kind} ;;")
            elif option.metavar:
                values.append(f"        {_patterns(option)}) ;;")
        operands = "files=file" if _takes_files(command) else f"words='{' '.join(command.operand_choices)}'"
        if command.operand_values:
            operands = f"words=${command.operand_values}"
        if command.then:
            operands = f'if [ "$COMP_CWORD" -eq 2 ]; then {operands}; else files={command.then}; fi'
        values.append(
            f"        *) case $current in -*) words='{' '.join(_names(command))}' ;; *) {operands} ;; esac ;;"
        )
        arms.append(f"    {command.name})\n      case $previous in\n" + "\n".join(values) + "\n      esac ;;")
    names = " ".join(command.name for command in commands)
    return f"""\
# bash completion of flowc; eval "$(flowc completion bash)"
_flowc() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} words='' files=''
{chr(10).join(f"  local {name}='{' '.join(each)}'" for name, each in known.items())}
  if [ "$previous" = "=" ] && [ "$COMP_CWORD" -gt 1 ]; then previous=${{COMP_WORDS[COMP_CWORD-2]}}; fi
  if [ "$current" = "=" ]; then current=''; fi
  local listed=''
  case $previous in --select|--ignore) listed=${{current%"${{current##*,}}"}} current=${{current##*,}} ;; esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='{names} --help --version'
  else
    case ${{COMP_WORDS[1]}} in
{chr(10).join(arms)}
    esac
  fi
  case $files in
    file) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    folder) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -P "$listed" -W "$words" -- "$current") ;;
  esac
}}
complete -o filenames -F _flowc flowc
"""


def _zsh_quoted(text: str) -> str:
    """Text within the brackets of a zsh `_arguments` line that stands in single quotes."""
    for character in "\\[]:":
        text = text.replace(character, "\\" + character)
    return text.replace("'", "'\\''")


def _zsh_option(option: Option) -> list[str]:
    value = ""
    if option.metavar:
        action = {"file": "_files", "folder": "_files -/"}.get(option.kind, "")
        if option.choices:
            action = f"({' '.join(option.choices)})"
        elif option.values:
            words = f"_values -s , word ${option.values}" if option.values == "codes" else f"compadd -a {option.values}"
            action = "{" + words + "}"
        value = f":{_zsh_quoted(option.metavar)}:{action}"
    every = "*" if option.repeat else ""
    lines = [f"'{every}{option.name}{'=' if option.metavar else ''}[{_zsh_quoted(option.help)}]{value}'"]
    if option.short:
        lines.append(f"'{every}{option.short}{'+' if option.metavar else ''}[{_zsh_quoted(option.help)}]{value}'")
    return lines


def zsh(commands: tuple[Command, ...], known: Mapping[str, tuple[str, ...]]) -> str:
    """`known` as for bash."""
    arms = []
    for command in commands:
        lines = [line for option in command.options for line in _zsh_option(option)]
        if _takes_files(command):
            lines.append("'*:job:_files'")
        elif command.operand_values:
            lines.append(f"'*:{command.operand}:{{compadd -a {command.operand_values}}}'")
        elif command.operand_choices:
            lines.append(f"'1:{command.operand}:({' '.join(command.operand_choices)})'")
            if command.then:
                lines.append(f"'*:{command.then}:_files{' -/' if command.then == 'folder' else ''}'")
        joined = " \\\n        ".join(lines)
        arms.append(f"    {command.name})\n      _arguments -s -S \\\n        {joined} ;;")
    described = "\n".join(f"    '{command.name}:{_zsh_quoted(command.summary)}'" for command in commands)
    return f"""\
#compdef flowc
# zsh completion of flowc; flowc completion zsh > a folder of fpath/_flowc
_flowc() {{
  local -a commands=(
{described}
  )
{chr(10).join(f"  local -a {name}=({' '.join(each)})" for name, each in known.items())}
  if (( CURRENT == 2 )); then
    _describe command commands
    _values option --help --version
    return
  fi
  local name=$words[2]
  shift words
  (( CURRENT-- ))
  case $name in
{chr(10).join(arms)}
  esac
}}
if [ "$funcstack[1]" = _flowc ]; then _flowc "$@"; else compdef _flowc flowc; fi
"""


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish(commands: tuple[Command, ...], known: Mapping[str, tuple[str, ...]]) -> str:
    """`known` as for bash."""
    lines = ["# fish completion of flowc", "complete -c flowc -f"]
    lines += [f"set -g __flowc_{name} {' '.join(each)}" for name, each in known.items()]
    for command in commands:
        lines.append(f"complete -c flowc -n __fish_use_subcommand -a {command.name} -d {_fish_quoted(command.summary)}")
        condition = f"-n '__fish_seen_subcommand_from {command.name}'"
        if _takes_files(command):
            lines.append(f"complete -c flowc {condition} -F")
        elif command.operand_values:
            lines.append(f"complete -c flowc {condition} -a '$__flowc_{command.operand_values}'")
        elif command.operand_choices:
            words = " ".join(command.operand_choices)
            if command.then:
                chosen = f"__fish_seen_subcommand_from {words}"
                lines.append(f"complete -c flowc -n '__fish_seen_subcommand_from {command.name}; and {chosen}' -F")
                condition_of_words = f"{condition[:-1]}; and not {chosen}'"
            lines.append(f"complete -c flowc {condition_of_words if command.then else condition} -a '{words}'")
        for option in command.options:
            parts = [f"complete -c flowc {condition} -l {option.name[2:]}"]
            if option.short:
                parts.append(f"-s {option.short[1:]}")
            if option.choices:
                parts.append(f"-x -a '{' '.join(option.choices)}'")
            elif option.values == "codes":  # several, parted by commas
                parts.append("-x -a '(__fish_append , $__flowc_codes)'")
            elif option.values:
                parts.append(f"-x -a '$__flowc_{option.values}'")
            elif option.metavar:
                parts.append("-r -F" if option.kind in ("file", "folder") else "-x")
            lines.append(" ".join([*parts, f"-d {_fish_quoted(option.help)}"]))
    return "\n".join(lines) + "\n"

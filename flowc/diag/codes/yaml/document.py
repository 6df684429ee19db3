"""FC02x and FC03x: what is wrong with a YAML file as YAML, and with its values by the types of their fields."""

from __future__ import annotations

from flowc.diag.code import Code

_GOOD = "name: train\ninstance_type: 8xh100\nmax_run_time_hours: 1\ncommand: python train.py\n"
_PATH = "job.yaml"
_IMAGE = "resources: {accelerators: H100:1, image_id: docker:ubuntu:24.04}\nrun: python3 train.py\n"


def _wide() -> str:
    return _GOOD + "env:\n" + "".join(f"  V{number}: x\n" for number in range(100_001))


def _large() -> str:
    return _GOOD + "# " + "x" * (2 << 20) + "\n"


YAML_SYNTAX = Code(
    id="FC020",
    name="yaml-syntax",
    severity="error",
    title="this is no YAML: {problem}",
    explain="""\
The text breaks the rules of YAML here, so nothing in the file can be read. The place is where reading broke off; the
cause often stands on the line before.

Usual causes: an indent that fits no line above, a `: ` inside an unquoted value, a quote or bracket that is never
closed, a value that begins with `@`, `` ` ``, `%` or `{{`. Put such values in quotes.""",
    bad="name: train\ncommand: echo: hello\n",
    good=_GOOD,
    path=_PATH,
)

YAML_TAB = Code(
    id="FC021",
    name="yaml-tab",
    severity="error",
    title="a tab stands where YAML wants spaces",
    explain="""\
YAML allows no tabs in the indent of a line, since their width is not defined.

Indent with spaces; most editors do so on request (`expandtab`).""",
    bad="name: train\ninstance_type: 8xh100\nenv:\n\tA: b\n",
    good=_GOOD,
    path=_PATH,
)

NOT_UTF_8 = Code(
    id="FC022",
    name="not-utf-8",
    severity="error",
    title="the file is not UTF-8: it holds the byte {byte} here",
    explain="""\
A YAML file is text in UTF-8. Other encodings (UTF-16 from a Windows editor, Latin-1) give bytes that are none.

Save the file as UTF-8, or convert it: `iconv -f UTF-16 -t UTF-8 old.yaml > new.yaml`.""",
    bad=_GOOD.replace("train", "tra\udcefn", 1),
    good=_GOOD,
    path=_PATH,
)

DUPLICATE_KEY = Code(
    id="FC023",
    name="duplicate-key",
    severity="error",
    stops=False,
    title="the key `{key}` is given twice",
    explain="""\
YAML forbids a key to stand twice in one mapping. Most readers take the last one and say nothing, so that half of what
is written has no effect.

Keep one of them.""",
    bad=_GOOD + "name: other\n",
    good=_GOOD,
    path=_PATH,
)

YAML_TOO_LARGE = Code(
    id="FC024",
    name="yaml-too-large",
    severity="error",
    title="the file has {size} characters, more than the {limit} that are read",
    explain="""\
No job needs a YAML file of this size (Kubernetes takes 1.5 MB at most), and reading it would take long.

Is it a job at all? Data belongs in a bucket or on a volume.""",
    bad=_large,
    good=_GOOD,
    path=_PATH,
)

YAML_TOO_MANY_VALUES = Code(
    id="FC025",
    name="yaml-too-many-values",
    severity="error",
    title="the file holds more than {limit} values, those that aliases repeat included",
    explain="""\
Aliases (`*name`) repeat what stands at their anchor (`&name`). A few lines of aliases of aliases stand for billions of
values, and fill the memory of a reader that expands them.

Write the values out, or split the file.""",
    bad=_wide,
    good=_GOOD,
    path=_PATH,
)

YAML_TOO_DEEP = Code(
    id="FC026",
    name="yaml-too-deep",
    severity="error",
    title="the values are nested more than {limit} deep",
    explain="""\
No format that flowc reads nests so deep; such a file was made by mistake or to do harm.

Look for brackets that are opened again and again.""",
    bad="command: " + "[" * 120 + "]" * 120 + "\n",
    good=_GOOD,
    path=_PATH,
)

YAML_TOO_MANY_DOCUMENTS = Code(
    id="FC027",
    name="yaml-too-many-documents",
    severity="error",
    title="the file holds more than {limit} documents",
    explain="""\
Each `---` begins a document, and each document is a job of its own with a bid of its own.

Split the file.""",
    bad="---\ncommand: a\n" * 1001,
    good=_GOOD,
    path=_PATH,
)

YAML_ALIAS_OF_ITSELF = Code(
    id="FC028",
    name="yaml-alias-of-itself",
    severity="error",
    title="`*{name}` stands inside the value that it repeats",
    explain="""\
An alias repeats the value of its anchor. Inside that very value it would repeat itself without end.

Give the inner part an anchor of its own, or write it out.""",
    bad="command: train\nenv: &e\n  A: *e\n",
    good=_GOOD,
    path=_PATH,
)

YAML_UNKNOWN_ALIAS = Code(
    id="FC029",
    name="yaml-unknown-alias",
    severity="error",
    title="`*{name}` has no anchor `&{name}` before it",
    explain="""\
A value that begins with `*` is an alias in YAML: it repeats the value that was marked with `&` and the same name.

Where a star is meant as text, put the value in quotes: `"*.py"`.""",
    bad="command: train\nenv:\n  A: *base\n",
    good=_GOOD,
    path=_PATH,
)

YAML_MERGE_NOT_MAPPING = Code(
    id="FC030",
    name="yaml-merge-not-mapping",
    severity="error",
    title="`<<` merges mappings, and got a {what}",
    explain="""\
The key `<<` takes over the keys of another mapping: `<<: *base`, or of several: `<<: [*base, *more]`.

Name an alias of a mapping.""",
    bad=_GOOD + "env:\n  <<: text\n",
    good=_GOOD,
    path=_PATH,
)

YAML_KEY_NOT_TEXT = Code(
    id="FC031",
    name="yaml-key-not-text",
    severity="error",
    title="a {what} stands where a key is expected",
    explain="""\
YAML allows lists and mappings as keys; no format that flowc reads does. A template that was not filled in looks like
that too: `{{ name }}` without quotes is a mapping in a mapping.

Write a plain key, or render the template first.""",
    bad="command: {{ name }}\n",
    good=_GOOD,
    path=_PATH,
)

UNKNOWN_KEY = Code(
    id="FC032",
    name="unknown-key",
    severity="error",
    stops=False,
    title="unknown key `{key}` in {where}",
    explain="""\
The format has no such key at this place. Tools that drop unknown keys in silence run another job than the one that was
meant: a misspelt limit is no limit.

Correct the key or take it out; `--allow-unknown` makes such findings warnings.""",
    bad="name: train\ninstance_type: 8xh100\nmax_run_time_hour: 1\ncommand: python train.py\n",
    good=_GOOD,
    path=_PATH,
)

UNKNOWN_KEY_IGNORED = Code(
    id="FC033",
    name="unknown-key-ignored",
    severity="warning",
    title="unknown key `{key}` in {where} has no effect",
    explain="""\
The format has no such key at this place, and `--allow-unknown` was given.

Correct the key or take it out.""",
    bad=(_GOOD + "colour: blue\n", ("--allow-unknown",)),
    good=_GOOD,
    path=_PATH,
)

MISSING_KEY = Code(
    id="FC034",
    name="missing-key",
    severity="error",
    title="`{key}` is missing in {where}",
    explain="""\
The format requires this key at this place, and there is no default for it.

Add it; `flowc schema task` prints what a task may say.""",
    bad=_GOOD + "data_mounts:\n  - source: s3://bucket/data\n",
    good=_GOOD,
    path=_PATH,
)

WRONG_TYPE = Code(
    id="FC035",
    name="wrong-type",
    severity="error",
    title="`{path}` is {found}, expected {expected}",
    explain="""\
The value has another type than its key wants. Without quotes YAML reads `no`, `on` and `true` as bools, `1.10` and
`0755` as numbers and `22:22` as the number 1342.

Put what is meant as text in quotes, and take the quotes off a number.""",
    bad=_GOOD + "env:\n  DEBUG: 1\n",
    good=_GOOD,
    path=_PATH,
)

VALUE_NOT_ALLOWED = Code(
    id="FC036",
    name="value-not-allowed",
    severity="error",
    title="`{path}` is `{value}`, expected one of {expected}",
    explain="""\
The key takes one of a few words, and this is none of them.

Use one of those that the message lists.""",
    bad=_GOOD + "priority: urgent\n",
    good=_GOOD,
    path=_PATH,
)

OUT_OF_BOUNDS = Code(
    id="FC037",
    name="out-of-bounds",
    severity="error",
    title="`{path}` is {value}, expected {expected}",
    explain="""\
The value has the right type but lies outside the bounds that the format sets.

Choose a value within them.""",
    bad=_GOOD + "num_instances: 0\n",
    good=_GOOD,
    path=_PATH,
)

WRONG_FORM = Code(
    id="FC038",
    name="wrong-form",
    severity="error",
    title="`{path}` is `{value}`, expected {expected}",
    explain="""\
The text does not have the form that its key wants.

Write it as the message says.""",
    bad=_GOOD.replace("name: train", "name: my train"),
    good=_GOOD,
    path=_PATH,
)

READ_AS_SOMETHING_ELSE = Code(
    id="FC039",
    name="read-as-something-else",
    severity="warning",
    title="`{path}: {value}` is read as {shown}",
    explain="""\
The reader of this format makes something of the value that is not what stands there: numbers that begin with 0 are
octal, `12:30` is a number in base 60, `2024-01-01` is a date, and what becomes text loses its spelling.

Put the value in quotes if it is meant as it stands.""",
    bad=_GOOD + "env:\n  START: 2024-01-01\n",
    good=_GOOD,
    path=_PATH,
)

OLD_KEY = Code(
    id="FC040",
    name="old-key",
    severity="warning",
    title="`{key}` is an old spelling of `{name}`",
    explain="""\
Earlier tools called this field by another name. It is read as what it was.

Use the name of today.""",
    bad=_GOOD + "environment:\n  A: b\n",
    good=_GOOD,
    path=_PATH,
)

RETIRED_KEY = Code(
    id="FC041",
    name="retired-key",
    severity="error",
    stops=False,
    title="`{path}` has no meaning here",
    explain="""\
Some tool had this key once, or one stands for what another key says already. What was meant cannot be told for sure.

Do as the help says.""",
    bad=_GOOD + "gpu: h100\n",
    good=_GOOD,
    path=_PATH,
)

SET_PATH = Code(
    id="FC042",
    name="set-path",
    severity="error",
    title="`--set {path}` leads nowhere: {reason}",
    explain="""\
`--set path=value` changes one value of the document. The path names keys from the top, separated by dots, and items of
lists by their number from 0: `spec.template.spec.containers.0.image`.

Check the path; a key that is not there yet is added, a list item must be there.""",
    bad=(_GOOD, ("--set", "name.first=x")),
    good=(_GOOD, ("--set", "num_instances=2")),
    path=_PATH,
)

RUN_OPTION = Code(
    id="FC043",
    name="run-option",
    severity="error",
    stops=False,
    title="`{option}` cannot be an option of the job's container: {reason}",
    explain="""\
The words of `run_options` go to `docker run`, whose container is the job: it is started, waited for, stopped and
removed with it. Options that take it out of these hands or name what the machine has not, and words that docker does
not know, are refused here; on the machine they would fail after it was paid for, or end the job at once.

Take the option out, or write it as `docker run --help` has it.""",
    bad=_IMAGE + "config: {docker: {run_options: --restart=always}}\n",
    good=_IMAGE + "config: {docker: {run_options: --ipc=host}}\n",
    path=_PATH,
)

NEEDLESS_RUN_OPTION = Code(
    id="FC044",
    name="needless-run-option",
    severity="warning",
    title="`{option}` of the container's options is left out: {reason}",
    explain="""\
Some options of `docker run` are for somebody at a terminal, or say what holds for a job's container in any case. It
runs without them: it is waited for, its output is the job's, and it is removed when it has ended.

Nothing needs to be done; to be rid of the warning, take the option out.""",
    bad=_IMAGE + "config: {docker: {run_options: -it}}\n",
    good=_IMAGE + "config: {docker: {run_options: --ipc=host}}\n",
    path=_PATH,
)

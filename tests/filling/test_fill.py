"""`--fill` and `--fill-from`: which placeholders get their values, what is said of the others, and where findings about
a text with values point."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flowc
from flowc.cli import main
from flowc.cli.arguments import UsageError, parse
from flowc.cli.commands.check import COMMAND as CHECK
from flowc.cli.inputs import gather
from flowc.diag.sink import Sink
from flowc.filling import fill
from flowc.filling.fill import filled
from flowc.inputs import Flags, Inputs
from flowc.source import Source

HEAD = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n"


def put(text: str, document: bool = False, /, **values: str) -> str:
    inputs = Inputs(flags=Flags(fill=tuple(values.items())))
    return fill(Source("job", text), inputs, Sink(), document=document).text


def told(text: str, document: bool = False, /, **values: str) -> list[str]:
    sink = Sink()
    fill(Source("job", text), Inputs(flags=Flags(fill=tuple(values.items()))), sink, document=document)
    return [f"{each.code.id} {each.message} {each.help or ''}" for each in sink.diagnostics]


@pytest.mark.parametrize("form", ["${X}", "$X", "<<X>>", "{{ X }}", "{{X}}", "{{- X -}}", "${{ X }}", "<X>"])
def test_directives(form: str) -> None:
    assert put(f"#!/bin/bash\n#SBATCH --time={form}:00\nX\n", X="5") == "#!/bin/bash\n#SBATCH --time=5:00\nX\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("echo ${X} $X", None),  # the shell's
        ("sort <X> out", None),  # redirections
        ("sort <X>out", None),
        ("sort <X>>out", None),
        ("sort <X>&2", None),
        ("sort <X>|out", None),
        ("cat <<X>out\nX", None),
        ("cat <X> >(tee)", None),
        ("xmlstarlet <X></X>", None),
        ("cat <<E\n#SBATCH --time=${X}\nE", None),
        ("cd {{ X }}/y", "cd v/y"),
        ("cd <X>", "cd v"),
        ("cd <X> # there", "cd v # there"),
        ("cd <X> && ls", "cd v && ls"),
        ("cat <X> | tr a b", "cat v | tr a b"),
        ("(cd <X>); ls", "(cd v); ls"),
        ('python "<X>/a.py" y', 'python "v/a.py" y'),
        ("python <X> --fast", "python v --fast"),
    ],
)
def test_commands(before: str, after: str | None) -> None:
    text = f"{HEAD}{before}\n"
    assert put(text, X="v") == (text if after is None else f"{HEAD}{after}\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("image: ${X}", "image: v"),
        ('image: "a/${X}:1"', 'image: "a/v:1"'),
        ("image: {{ X }}", "image: v"),
        ("image: <X>  # <X>", "image: v  # <X>"),
        ("${X}: 1", "v: 1"),
        ("env: [{name: a, value: '<X>'}]", "env: [{name: a, value: 'v'}]"),
        ("run: echo ${X} <X> y", None),
        ("run: |\n  echo ${X} {{ X }}", "run: |\n  echo ${X} v"),
        ("data: |\n  echo ${X}", None),
        ("replicas: $X", "replicas: v"),
        ("image: a/$X:$XY", "image: a/v:$XY"),
        ("image: $$X", None),
        ("image: a/<<X>>/b", "image: a/v/b"),
        ("run: cat <<X>>b", None),
        ("run: echo $X\nname: $X", "run: echo $X\nname: v"),
        ("apiVersion: v1\nargs: [-c, 'echo ${X} $X']", None),
        (
            "apiVersion: v1\nn: $X\nargs: [-c, 'echo ${X} $X ${XY}']",
            "apiVersion: v1\nn: v\nargs: [-c, 'echo v v ${XY}']",
        ),
        ("spec: {args: [-c, 'echo ${X}']}", None),
    ],
)
def test_yaml(before: str, after: str | None) -> None:
    assert put(f"a: 1\n{before}\n", True, X="v") == f"a: 1\n{after or before}\n"


def test_values_are_put_in_once_as_they_are() -> None:
    text = "#!/bin/sh\n#SBATCH -J <A> -p <B>\n"
    assert put(text, A="<B>", B="\\1 ${A}") == "#!/bin/sh\n#SBATCH -J <B> -p \\1 ${A}\n"


def test_names_of_several_words() -> None:
    inputs = Inputs(flags=Flags(fill=(("your account", "p1"),)))
    found = fill(Source("job", "#!/bin/sh\n#SBATCH -A <your account>\n"), inputs, Sink(), document=False)
    assert found.text == "#!/bin/sh\n#SBATCH -A p1\n"


def test_what_stays_open_is_told_once() -> None:
    text = "#!/bin/bash\n#SBATCH -J <A> -p ${B} -A <A> --time=<T>\necho ${C} <D> e; cd {{ F }}\n"
    assert told(text, T="5") == [
        "FC047 3 placeholders stay open: `A`, `B`, `F` "
        "give each a value: `--fill 'A=VALUE'`, or all of them in a file: `--fill-from FILE`"
    ]


def test_what_a_task_gives_a_value_is_not_open() -> None:
    text = "envs: {A: 1}\nsecrets:\n  B:\nfile_mounts: {'/${A}': '${B}/${C}'}\nrun: echo\n"
    (found,) = told(text, True, T="5")[:1]
    assert found.startswith("FC047 1 placeholder stays open: `C` ")
    assert put(text, True, A="v") == text.replace("${A}", "v")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("envs:\n  X:\n  Y:\n", 'envs:\n  X: "v"\n  Y:\n'),
        ("envs:\n  X:  # yours\n", 'envs:\n  X: "v"  # yours\n'),
        ("secrets: {X: , Y: }\n", 'secrets: {X: "v", Y: }\n'),
        ("envs: {X: null}\nsecrets:\n  X: ~\n", 'envs: {X: "v"}\nsecrets:\n  X: "v"\n'),
        ("envs:\n  X: ''\nname: ${X}\nrun: echo ${X}\n", 'envs:\n  X: "v"\nname: v\nrun: echo ${X}\n'),
        ("envs: {X: 1}\n", None),
        ("env:\n  X:\n", None),
    ],
)
def test_variables_of_a_task_without_a_value(before: str, after: str | None) -> None:
    assert put(before, True, X="v") == (after or before)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("image: YOUR_X/train:1", "image: v/train:1"),
        ("image: a/YOUR_X", "image: a/v"),
        ("image: MY_YOUR_X/YOUR_X2", None),
        ("run: echo YOUR_X", None),
        ("YOUR_X: 1", "v: 1"),
        ("image: ${YOUR_X}/YOUR_X", "image: v/YOUR_X"),
        ("a: b  # YOUR_X", None),
    ],
)
def test_words_in_capitals_that_are_asked_for(before: str, after: str | None) -> None:
    assert put(f"a: 1\n{before}\n", True, YOUR_X="v") == f"a: 1\n{after or before}\n"
    assert put("#!/bin/sh\n#SBATCH -A YOUR_X\necho YOUR_X\n", YOUR_X="v") == "#!/bin/sh\n#SBATCH -A v\necho YOUR_X\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("image: gcr.io/PROJECT_ID/train:1", "image: gcr.io/v/train:1"),
        ("image: a.io/MY_PROJECT_ID/PROJECT_ID", "image: a.io/MY_PROJECT_ID/v"),
        ("- name: PROJECT_ID", None),
        ('  - image: "PROJECT_ID"', '  - image: "v"'),
        ("image: PROJECT_ID:latest", "image: v:latest"),
        ("run: echo a/PROJECT_ID", None),
    ],
)
def test_words_in_capitals_that_are_parts_of_paths(before: str, after: str | None) -> None:
    assert put(before, True, PROJECT_ID="v") == (after or before)


@pytest.mark.parametrize("image", ["YOUR_X/train:1", "<YOUR_X>/train", "a/${YOUR_X}", "gcr.io/YOUR_X/a", "a/MY_X"])
def test_an_image_with_a_gap_says_how_to_fill_it(image: str) -> None:
    text = f"name: a\nresources: {{accelerators: H100:8, image_id: 'docker:{image}'}}\nrun: hostname\n"
    (found,) = [each for each in flowc.check(text, frontend="skypilot").diagnostics if each.severity == "error"]
    name = "MY_X" if "MY_X" in image else "YOUR_X"
    assert found.help == f"`--fill '{name}=VALUE'` puts a value there"
    inputs = Inputs(flags=Flags(fill=((name, "mine"),)))
    assert not flowc.check(text, inputs, frontend="skypilot").failed


@pytest.mark.parametrize("value", ["", "a b", "yes", "1.50", 'a"b\\n', "it's", "a: b # c", "a\nb\n"])
def test_what_a_task_is_given_is_a_text(value: str) -> None:
    text = put("name: a\nenvs:\n  X:\nresources: {accelerators: H100:8}\nrun: echo $X\n", True, X=value)
    (document,) = flowc.compile(text, frontend="skypilot", emit="ir").artifacts
    (job,) = json.loads(document.text)["jobs"]
    assert job["env"] == [["X", value]]


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("echo ${X}", "`${X}` on line 3 is the shell's: `--env X=VALUE` sets it"),
        ("sort <X> y", "`<X>` on line 3 is a redirection"),
        ("true", ""),
    ],
)
def test_a_value_that_nothing_asks_for_is_told(text: str, help: str) -> None:
    assert told(f"{HEAD}{text}\n", X="v") == [f"FC048 no placeholder of `job` is called `X` {help}"]


def test_findings_point_at_what_the_user_wrote() -> None:
    text = "#!/bin/bash\n#SBATCH --job-name=<NAME> --gpus=h100:8 --tim=<T>:00 --bogus=1\nnvidia-smi\n"
    inputs = Inputs(flags=Flags(fill=(("NAME", "a-much-longer-name"), ("T", "1"))))
    found = flowc.check(text, inputs, path="job.sbatch")
    shown = {each.code.id: each.span.text for each in found.diagnostics if each.span is not None}
    assert shown["FC104"] == "--bogus"
    assert all(each.span.source.text == text for each in found.diagnostics if each.span is not None)


@pytest.mark.parametrize(("late", "fixed"), [("--time=10", True), ("--time=<T>", False)])
def test_a_fix_that_would_change_a_value_is_left_out(late: str, fixed: bool) -> None:
    text = f"#!/bin/bash\n#SBATCH --gpus=h100:8 -J <T>\nnvidia-smi\n#SBATCH {late}\n"
    found = flowc.check(text, Inputs(flags=Flags(fill=(("T", "10"),))), path="job.sbatch").diagnostics
    assert [each.fix is not None for each in found if each.code.id == "FC130"] == [fixed]


def test_findings_of_several_jobs_have_their_names() -> None:
    one = "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: %s}\nspec: {template: {spec: {restartPolicy: Never,"
    one += " bogus: 1, containers: [{name: a, image: '<IMAGE>'}]}}}\n"
    inputs = Inputs(flags=Flags(fill=(("IMAGE", "busybox:1.36"),)))
    found = flowc.check(one % "a" + one % "b", inputs, path="job.yaml", frontend="k8s")
    plain = flowc.check((one % "a" + one % "b").replace("<IMAGE>", "busybox:1.36"), path="job.yaml", frontend="k8s")
    assert [(each.code.id, each.job) for each in found.diagnostics] == [
        (each.code.id, each.job) for each in plain.diagnostics
    ]


def test_comments_hide_findings_of_a_text_with_values() -> None:
    text = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=<T>\n# flowc: ignore[FC820] it is there\ncat /nowhere/x\n"
    inputs = Inputs(flags=Flags(fill=(("T", "10"),)))
    assert "FC820" not in [each.code.id for each in flowc.check(text, inputs, path="job.sbatch").diagnostics]


def test_secrets_are_not_shown() -> None:
    text = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=<API_TOKEN>\nnvidia-smi\n"
    inputs = Inputs(flags=Flags(fill=(("API_TOKEN", "qwertzuiop123"),)))
    found = flowc.check(text, inputs, path="job.sbatch")
    assert found.failed
    assert "qwertzuiop123" not in repr(found) + repr(inputs)
    argv = ["check", "job", "--fill", "API_TOKEN=qwertzuiop123"]
    span = gather(parse(CHECK, argv[1:]), argv, {}).span("fill", 0)
    assert span is not None
    assert "qwertzuiop123" not in span.source.text


def test_files_of_values(tmp_path: Path) -> None:
    file = tmp_path / "values"
    file.write_text("# mine\nA = 1\n\nyour name='x y'\nB=2\n")
    argv = ["check", "job", "--fill", "B=3", f"--fill-from={file}"]
    inputs = gather(parse(CHECK, argv[1:]), argv, {})
    assert inputs.flags.fill == (("A", "1"), ("your name", "x y"), ("B", "2"), ("B", "3"))
    assert [span.text for index in range(4) if (span := inputs.span("fill", index))][2:] == ["B=2", "B=3"]


@pytest.mark.parametrize("content", [b"A\n", b"=1\n", b"\xff\n", None])
def test_files_that_are_none(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "values"
    if content is not None:
        file.write_bytes(content)
    argv = ["check", "job", f"--fill-from={file}"]
    with pytest.raises(UsageError):
        gather(parse(CHECK, argv[1:]), argv, {})


def test_values_of_a_file_are_for_many_sources(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "values"
    file.write_text("OTHER=1\nT=10\n")
    job = tmp_path / "job.sbatch"
    job.write_text("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=<T>\nnvidia-smi\n")
    assert main(["check", "--format=concise", f"--fill-from={file}", str(job)]) == 0
    assert "FC048" not in capfd.readouterr().out


_text = st.lists(
    st.sampled_from(
        ["#SBATCH ", "<A>", "${A}", "{{ A }}", "<B>", "x", " ", "\n", "'", '"', "a: ", "|", "- ", "<<", ")"]
    ),
    max_size=30,
).map("".join)


@given(_text, st.booleans())
def test_a_fill_of_nothing_changes_nothing(text: str, document: bool) -> None:
    source = Source("job", text)
    assert fill(source, Inputs(flags=Flags(fill=(("C", "1"),))), Sink(), document=document) is source


@given(_text, st.booleans(), st.text("ab<${", min_size=1, max_size=5))
def test_every_place_is_that_of_its_text(text: str, document: bool, value: str) -> None:
    source = Source("job", text)
    found = fill(source, Inputs(flags=Flags(fill=(("A", value),))), Sink(), document=document)
    if found is source:
        return
    assert found.made is not None
    rest = []
    for at, made, _, _ in found.made.pieces:
        assert made is not None
        span = made.span(0, len(made.text))
        assert span is not None
        assert span.source is source
        assert span.text in (made.text, "<A>", "${A}", "{{ A }}")
        assert found.text.startswith(made.text, at)
        rest.append(span.text)
    assert "".join(rest) == text
    for at in range(len(found.text)):
        span = found.span(at, at + 1).written
        assert span.source is source
        assert span.text == found.text[at] or span.text in ("<A>", "${A}", "{{ A }}")


@given(st.text("ab\n", max_size=12), st.data())
def test_no_place_is_lost_whatever_is_put_in(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    places = [(a, b, data.draw(st.text("xy", max_size=3)), False) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    source = Source("job", text)
    found = filled(source, places)
    expected = text
    for start, end, value, _ in reversed(places):
        expected = expected[:start] + value + expected[end:]
    assert found.text == expected
